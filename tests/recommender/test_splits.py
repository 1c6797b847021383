from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_the_next_basket_is_the_first_day_with_a_purchase_counted_from_the_clock_time_of_the_cutoff():
    hour = 1 / 24
    later = event_frame(
        ("ann", "milk", -1 - 2 * hour, "order"),
        ("ann", "rice", -2 + hour, "order"),
        ("ann", "soap", -2, "order"),
        ("bob", "caviar", -1, "order"),
        ("bob", "rice", -3, "order"),
    )
    truth = Split(CUTOFF, 7).truth(later, HISTORY)
    # bob's first basket holds nothing that could be recommended
    np.testing.assert_array_equal(truth.next_basket.toarray(), [[1, 1, 0], [0, 0, 0]])
    assert set(truth.next_basket.data) == {1.0}


def test_cold_items_were_first_met_less_than_a_horizon_before_the_cutoff_or_never():
    history = matrix_of(("ann", "milk", 7, "view"), ("bob", "milk", 1, "order"), ("bob", "soap", 6, "order"),
                        items="milk soap tea")  # fmt: skip
    later = event_frame(*((name, item, -1, "order") for name in ("ann", "bob") for item in ("milk", "soap", "tea")))
    truth = Split(CUTOFF, 7).truth(later, history)
    np.testing.assert_array_equal(truth.cold.toarray(), [[0, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(truth.repeat.toarray(), [[0, 0, 0], [1, 1, 0]])


def test_the_truth_of_some_customers_has_their_rows_in_the_order_asked_for():
    chosen = TRUTH.of_customers(np.array([1, 0]))
    np.testing.assert_array_equal(chosen.all.toarray(), TRUTH.all.toarray()[::-1])
    assert chosen.strangers == TRUTH.strangers


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.floats(-6.9, 6.9)), min_size=1, max_size=20)
)
@settings(max_examples=50, deadline=None)
def test_next_baskets_new_cold_and_repeated_items_are_all_part_of_what_was_bought(rows):
    events = event_frame(*((customer, item, days, "order") for customer, item, days in rows))
    truth = Split(CUTOFF, 7).truth(events, matrix_of(("a", "x", 5, "order"), customers="a b", items="x y"))
    parts = [truth.new, truth.repeat, truth.next_basket, truth.cold]
    assert all(part.multiply(truth.all).nnz == part.nnz for part in parts)
    assert truth.new.nnz + truth.repeat.nnz == truth.all.nnz
