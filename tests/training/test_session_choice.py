"""Which model tells what comes next in a session is decided on the sessions of the window before."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from tests.training.item_shop import END, item_history
from training.interactions import interactions_before
from training.item_training import sequences_before
from training.session_choice import choose_session_model

DAYS = 60


def visits(walk_of):
    """A session of four views a minute apart on each of the last days; ``walk_of`` gives the items of a day."""
    return [
        {
            "event_id": f"{day}-{place}",
            "kind": "view",
            "occurred_at": END - timedelta(days=day + 1) + timedelta(minutes=place),
            "session_id": f"day {day}",
            "item_id": item,
        }
        for day in range(DAYS)
        for place, item in enumerate(walk_of(day))
    ]


def chosen(folder, walk_of):
    history = item_history(folder, [], visits(walk_of))
    matrix = interactions_before(history, END)
    sequences = sequences_before(history, matrix, END)
    return choose_session_model(history, matrix, sequences, as_of=END, horizon_days=28, seed=0)


def test_where_all_walk_the_same_way_nothing_is_better_than_what_follows(tmp_path):
    choice = chosen(tmp_path / "history", lambda day: [f"{day % 6}{letter}" for letter in "abcd"])
    assert (choice.shipped, choice.means["followers"]["ndcg"].mean) == ("followers", 1.0)


def test_where_the_order_is_drawn_by_chance_and_nearly_all_meet_the_same_what_is_met_together_wins(tmp_path):
    rng = np.random.default_rng(0)

    def walk_of(day):
        group = [f"{day % 9}{letter}" for letter in "abcdefgh"]
        return rng.permutation([*group, "bag", "basket"]).tolist()

    assert chosen(tmp_path / "history", walk_of).shipped == "company"


def test_without_a_session_in_the_window_nothing_is_chosen(tmp_path):
    history = item_history(tmp_path / "history", [], visits(lambda _: "abcd"))
    matrix = interactions_before(history, END)
    sequences = sequences_before(history, matrix, END)
    later = END + timedelta(days=90)
    assert choose_session_model(history, matrix, sequences, as_of=later, horizon_days=28, seed=0) is None
