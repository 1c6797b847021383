from datetime import timedelta

import numpy as np

from recommender.splits import Split, catalogue
from tests.recommender.histories import CUTOFF, event_frame, matrix_of

PAST = (("ann", "milk", 5, "order"), ("ann", "soap", 4, "view"), ("bob", "rice", 3, "order"))
FUTURE = (
    ("ann", "milk", 0, "order"),
    ("ann", "milk", -2, "order"),
    ("ann", "soap", -2, "order"),
    ("ann", "caviar", -2, "order"),
    ("bob", "milk", -7, "order"),
    ("bob", "soap", -3, "view"),
    ("zoe", "milk", -1, "order"),
)
HISTORY = matrix_of(*PAST)
TRUTH = Split(CUTOFF, 7).truth(event_frame(*PAST, *FUTURE), HISTORY)


def test_the_truth_is_what_was_bought_from_the_cutoff_on_and_before_the_end():
    # columns: milk, rice, soap
    np.testing.assert_array_equal(TRUTH.all.toarray(), [[1, 0, 1], [0, 0, 0]])


def test_new_items_are_those_never_bought_before():
    np.testing.assert_array_equal(TRUTH.new.toarray(), [[0, 0, 1], [0, 0, 0]])


def test_items_outside_the_catalogue_are_counted_and_not_expected():
    assert TRUTH.unreachable == 1
    assert TRUTH.reachable_share == 2 / 3


def test_buyers_without_a_history_are_counted():
    assert TRUTH.strangers == 1


def test_where_nothing_is_ordered_what_was_looked_at_counts():
    views = event_frame(("ann", "milk", 5, "view"), ("ann", "soap", -1, "view"), ("ann", "milk", -1, "dislike"))
    history = matrix_of(("ann", "milk", 5, "view"), items="milk soap")
    np.testing.assert_array_equal(Split(CUTOFF, 7).truth(views, history).all.toarray(), [[0, 1]])


def test_an_earlier_window_ends_where_the_later_begins():
    split = Split(CUTOFF, 7)
    assert split.earlier().window.end == CUTOFF
    assert split.earlier(3).cutoff == CUTOFF - timedelta(days=21)


def test_the_catalogue_holds_listed_items_and_all_met_before_the_cutoff():
    events = event_frame(*PAST, *FUTURE)
    assert catalogue(events, CUTOFF, events["item_id"][:0]).ids() == ["milk", "rice", "soap"]
    assert "wine" in catalogue(events, CUTOFF, event_frame(("x", "wine", 1, "order"))["item_id"])
