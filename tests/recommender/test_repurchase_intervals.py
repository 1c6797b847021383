"""When a customer buys an item again: rhythms that are known by construction."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import NotEnoughData, NotFitted
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create, restore
from recommender.models.repurchase_intervals import Purchased, RepurchaseIntervals
from tests.recommender.histories import matrix_of


def rhythm(customer: str, item: str, every: float, times: int, last: float) -> list[tuple[str, str, float, str]]:
    return [(customer, item, last + every * number, "order") for number in range(times)]


def shop():
    """Milk every 7 days, soap every 40; ann buys milk every 3 days, new bought it once, 6 days ago."""
    rows = [row for n in range(10) for row in rhythm(f"c{n}", "milk", 7, 9, 1 + n % 5)]
    rows += [row for n in range(10) for row in rhythm(f"c{n}", "soap", 40, 4, 5 + n)]
    return matrix_of(*rows, *rhythm("ann", "milk", 3, 30, 2), ("new", "milk", 6, "order"), ("new", "rye", 6, "order"))


def forecast(matrix, horizon_days=7.0):
    """Interval and probability by customer and item."""
    pairs = Purchased.of(matrix)
    found = RepurchaseIntervals().fit(matrix).forecast(pairs, horizon_days)
    keys = [
        (matrix.customers[int(row)], matrix.items[int(column)])
        for row, column in zip(pairs.rows, pairs.columns, strict=True)
    ]
    return dict(zip(keys, zip(found.interval_days, found.probabilities, strict=True), strict=True))


def test_a_customer_with_a_rhythm_of_the_own_is_expected_by_it():
    found = forecast(shop())
    assert found["ann", "milk"][0] == pytest.approx(3.0, rel=0.1)
    assert found["c1", "milk"][0] == pytest.approx(7.0, rel=0.1)
    assert found["c1", "soap"][0] == pytest.approx(40.0, rel=0.1)


def test_blocks_of_customers_change_nothing(monkeypatch):
    at_once = Purchased.of(shop())
    monkeypatch.setattr("recommender.models.repurchase_intervals._BLOCK_EVENTS", 7)
    in_blocks = Purchased.of(shop())
    for name in ("rows", "columns", "counts", "last_age_days", "first_age_days", "log_means", "log_squares"):
        assert np.array_equal(getattr(in_blocks, name), getattr(at_once, name)), name


def test_the_memory_taken_follows_the_pairs_and_not_the_purchases(monkeypatch):
    monkeypatch.setattr("recommender.models.repurchase_intervals._BLOCK_EVENTS", 1_000)
    days = np.tile(np.arange(1_000, dtype=np.float32), 100)
    customers, items = IdIndex(f"c{n}" for n in range(100)), IdIndex(["milk"])
    ones = np.ones(len(days), dtype=np.float32)
    rows = np.repeat(np.arange(100, dtype=np.int32), 1_000)
    matrix = InteractionMatrix(customers, items, rows, np.zeros_like(rows), ones, days, ones > 0)
    tracemalloc.start()
    pairs = Purchased.of(matrix)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pairs.counts.tolist() == [1_000] * 100
    # A copy of the ages of all purchases alone would take as much.
    assert held < 8 * len(days)


def test_a_first_purchase_is_expected_again_after_the_interval_of_the_item():
    found = forecast(shop())
    assert found["new", "milk"][0] == pytest.approx(7.0, rel=0.2)
    assert found["new", "milk"][1] > found["new", "rye"][1]


def test_an_item_that_nobody_repeated_takes_the_interval_of_its_category():
    matrix = shop()
    codes = np.array([{"milk": 0, "rye": 0, "soap": 1}[one] for one in matrix.items.ids()])
    pairs = Purchased.of(matrix)
    rye = np.flatnonzero(pairs.columns == matrix.items.position("rye"))
    alone, with_milk = (
        RepurchaseIntervals().fit(matrix, given_codes).forecast(pairs, 7).interval_days[rye[0]]
        for given_codes in (None, codes)
    )
    assert with_milk == pytest.approx(7.0, rel=0.3)
    assert with_milk < alone


def test_an_interval_is_told_as_it_was_seen_the_own_from_two_on_else_that_of_the_item():
    """Milk has the intervals 20 and 34, 26, and four of 10 days; tea has four, one too few to tell."""
    matrix = matrix_of(
        *(("often", "milk", day, "order") for day in (60, 40, 6)),
        *(("twice", "milk", day, "order") for day in (38, 12)),
        *rhythm("other", "milk", 10, 5, 1),
        *rhythm("other", "tea", 10, 5, 1),
        ("once", "milk", 6, "order"),
        ("once", "tea", 6, "order"),
    )
    pairs = Purchased.of(matrix)
    told = RepurchaseIntervals().fit(matrix).forecast(pairs, 7.0).told_days
    found = {
        (matrix.customers[int(row)], matrix.items[int(column)]): days
        for row, column, days in zip(pairs.rows, pairs.columns, told, strict=True)
    }
    assert found["often", "milk"] == 27.0
    assert found["other", "milk"] == found["other", "tea"] == 10.0
    assert found["twice", "milk"] == found["once", "milk"] == pytest.approx((54 + 26 + 40) / 7)
    assert np.isnan(found["once", "tea"])


def test_what_is_due_is_likelier_than_what_was_just_bought_or_given_up_long_ago():
    rows = [row for n in range(20) for row in rhythm(f"c{n}", "soap", 30, 6, 1 + n)]
    matrix = matrix_of(
        *rows, *rhythm("due", "soap", 30, 6, 28), *rhythm("just", "soap", 30, 6, 1), *rhythm("gone", "soap", 30, 6, 600)
    )
    found = forecast(matrix)
    due, just, gone = (found[who, "soap"][1] for who in ("due", "just", "gone"))
    assert due > just
    assert due > gone


def test_purchases_of_one_trip_and_equal_events_are_one():
    pairs = Purchased.of(matrix_of(("a", "x", 9, "order"), ("a", "x", 2.1, "order"), ("a", "x", 2, "order")))
    assert (pairs.counts.tolist(), pairs.last_age_days.tolist()) == ([2], [2.0])
    assert np.exp(pairs.log_means[0]) == pytest.approx(7.0, rel=0.02)


def test_views_and_returns_are_no_purchases():
    assert len(Purchased.of(matrix_of(("a", "x", 9, "view"), ("a", "x", 2, "return"))).counts) == 0


def test_a_customer_with_a_hundred_thousand_purchases_is_answered():
    matrix = matrix_of(*((("robot", "cd", day / 100, "order")) for day in range(100_000)))
    interval, probability = forecast(matrix)["robot", "cd"]
    assert 0.9 < interval < 1.1
    assert probability > 0.9


def test_it_is_kept_and_says_what_is_missing():
    matrix = shop()
    model = create("repurchase_intervals").fit(matrix)
    again = restore("repurchase_intervals", model.state())
    pairs = Purchased.of(matrix)
    assert np.array_equal(again.forecast(pairs, 7).probabilities, model.forecast(pairs, 7).probabilities)
    with pytest.raises(NotEnoughData, match="needs 2 purchases of an item bought before and got 0"):
        RepurchaseIntervals().fit(matrix_of(("a", "x", 1, "order"), ("b", "x", 2, "order")))
    with pytest.raises(NotFitted):
        RepurchaseIntervals().forecast(pairs, 7)
    with pytest.raises(NotFitted):
        RepurchaseIntervals().state()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.floats(0, 900)), max_size=30),
    st.floats(0.5, 365),
)
def test_probabilities_are_probabilities_and_grow_with_the_horizon(rows, horizon_days):
    fixed = rhythm("c", "x", 10, 5, 2)
    matrix = matrix_of(*fixed, *((who, item, day, "order") for who, item, day in rows))
    model, pairs = RepurchaseIntervals().fit(matrix), Purchased.of(matrix)
    near, far = (model.forecast(pairs, days).probabilities for days in (horizon_days, 2 * horizon_days))
    assert ((near >= 0) & (near <= 1)).all()
    assert (far >= near - 1e-12).all()
    assert (model.forecast(pairs, horizon_days).interval_days > 0).all()
