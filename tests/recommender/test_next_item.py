"""What comes next in a session."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.errors import NotEnoughData, NotFitted
from recommender.models import create, restore
from recommender.models.next_item import NextItem, Sequences, sessions_of
from tests.recommender.histories import matrix_of

MINUTE = 1 / 1440


def sessions(*walks: str) -> Sequences:
    """Each walk is a session of one event a minute; items are letters."""
    owners = [owner for owner, walk in enumerate(walks) for _ in walk]
    columns = ["abcdefgh".index(letter) for walk in walks for letter in walk]
    ages = [1.0 - place * MINUTE for walk in walks for place, _ in enumerate(walk)]
    return Sequences(np.array(owners), np.array(columns), np.array(ages), 8)


def followers(model: NextItem, letter: str) -> str:
    return "".join("abcdefgh"[one] for one in model.neighbours_of("abcdefgh".index(letter), 8)[0])


def test_what_follows_is_told_and_what_came_before_is_not():
    model = NextItem().fit(sessions(*["ab"] * 5, *["cd"] * 5))
    assert (followers(model, "a"), followers(model, "b"), followers(model, "c")) == ("b", "", "d")


def test_what_follows_at_once_comes_before_what_follows_later():
    model = NextItem(shrinkage=0.0).fit(sessions(*["abc"] * 8, *["defg"] * 8))
    assert followers(model, "a") == "bc"


def test_nothing_leads_from_one_owner_to_another_or_over_a_pause():
    apart = sessions(*["ab"] * 5)
    paused = Sequences(apart.owners, apart.columns, np.where(apart.columns == 0, 9.0, 1.0), 8)
    assert followers(NextItem(window_days=1.0).fit(paused), "a") == ""
    assert followers(NextItem(window_days=30.0).fit(sessions(*["ab"] * 5, *["c"] * 5, *["de"] * 5)), "c") == ""


def test_without_the_sessions_that_show_it_a_follower_is_gone():
    walks = [*["ab"] * 5, *["cd"] * 5]
    assert followers(NextItem().fit(sessions(*walks)), "a") == "b"
    assert followers(NextItem().fit(sessions(*walks[5:], *"aaaaa", *"bbbbb")), "a") == ""


def test_items_of_one_instant_follow_each_other_both_ways():
    ties = sessions(*["ab"] * 6, *["cd"] * 6)
    model = NextItem().fit(Sequences(ties.owners, ties.columns, np.ones(len(ties.columns)), 8))
    assert (followers(model, "a"), followers(model, "b")) == ("b", "a")


def test_repeated_events_and_one_item_looked_at_again_and_again_say_nothing():
    assert followers(NextItem().fit(sessions("aaaaaa")), "a") == ""
    once, twice = sessions("ab"), sessions("ab").joined(sessions())
    doubled = Sequences(*(np.tile(one, 2) for one in (once.owners, once.columns, once.age_days)), 8)
    assert np.allclose(NextItem().fit(doubled).followers_.toarray(), NextItem().fit(twice).followers_.toarray())


def test_blocks_of_events_change_nothing(monkeypatch):
    walks = sessions(*["abcd"] * 7, *["badc"] * 6, *["efgh"] * 9)
    at_once = NextItem().fit(walks).followers_.toarray()
    monkeypatch.setattr("recommender.models.next_item._BLOCK_EVENTS", 5)
    assert np.allclose(NextItem().fit(walks).followers_.toarray(), at_once)


def test_only_the_newest_events_are_looked_at():
    old, new = sessions(*["ab"] * 9), sessions(*["cd"] * 9)
    both = Sequences(old.owners, old.columns, old.age_days + 50, 8).joined(new)
    model = NextItem(most_events=18).fit(both)
    assert (followers(model, "a"), len(model.neighbours_of(2, 8)[0])) == ("", 0)
    assert followers(NextItem(most_events=36).fit(both), "c") == "d"


def test_sequences_of_customers_leave_out_what_speaks_against_an_item():
    matrix = matrix_of(("ann", "bun", 3, "view"), ("ann", "milk", 2, "dislike"), ("bob", "bun", 1, "order"))
    assert len(Sequences.of(matrix).columns) == 2


def test_a_session_is_what_one_owner_met_on_one_day_and_a_robot_has_none():
    owners, ages = np.array([0, 0, 0, 1, 1, 1]), np.array([0.1, 0.2, 1.5, 0.1, 0.2, 0.3])
    met = sessions_of(Sequences(owners, np.array([2, 2, 3, 0, 1, 2]), ages, 4), largest=2)
    assert met.toarray().tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]


def test_earlier_takes_away_what_happened_since():
    before = Sequences(np.zeros(2, int), np.array([0, 1]), np.array([3.0, 1.0]), 2).earlier(2.0)
    assert (before.columns.tolist(), before.age_days.tolist()) == ([0], [1.0])


def test_it_is_kept_and_says_what_is_missing():
    model = create("next_item", seed=3).fit(sessions(*["ab"] * 5, *["cd"] * 5))
    assert followers(restore("next_item", model.state()), "a") == "b"
    with pytest.raises(NotEnoughData, match="NextItem needs at least one event"):
        NextItem().fit(sessions())
    with pytest.raises(NotFitted):
        NextItem().neighbours_of(0, 1)
    with pytest.raises(NotFitted):
        NextItem().state()
