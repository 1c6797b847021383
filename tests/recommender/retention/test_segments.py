"""Lifecycle states: pencil-known ones, and that every customer is in exactly one."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.retention.definitions import NO_ORDER, SUBSCRIPTION_ENDED, ChurnDefinition
from recommender.retention.segments import STATES, contract_states, lifecycle_states, order_states
from recommender.touchpoints import TABLES
from tests.recommender.rows import CUTOFF, rows_of

WINDOW = 56


def orders_before(**days_before: list[float]) -> pd.DataFrame:
    """Order lines of customers, each order so many days before the cutoff."""
    rows = [
        {"order_id": f"{customer}{place}", "item_id": "i", "customer_id": customer, "ordered_at": days}
        for customer, every in days_before.items()
        for place, days in enumerate(every)
    ]
    return rows_of(TABLES["order_lines"], *rows)


def state_by_orders(*days_before: float) -> str:
    ids = pd.Index(["ann"], dtype="string")
    return order_states(orders_before(ann=list(days_before)), ids, CUTOFF, WINDOW)["ann"]


@pytest.mark.parametrize(
    ("days_before", "expected"),
    [
        ((), "prospect"),
        ((3,), "new"),
        ((WINDOW,), "new"),
        ((50, 40, 30), "new"),
        ((57,), "lapsed"),
        ((200, 150, 57), "lapsed"),
        ((90, 30), "won_back"),
        ((200, 190, 30, 20, 1), "won_back"),
        ((86, 30), "active"),
        ((200, 100, 57), "lapsed"),
        # a silence of 83 days that ended before the window was won back then, not now
        ((200, 143, 60, 50, 40, 30, 20), "active"),
        ((200, 143, 100, 80, 60, 40, 20), "active"),
        # every 10 days: up to 20 days of silence are explained
        ((70, 60, 50, 40, 30, 20), "active"),
        ((71, 61, 51, 41, 31, 21), "slipping"),
        # usually every 5 days, and twice 40: nine tenths of the intervals are no longer than 40
        ((120, 80, 75, 70, 65, 25), "active"),
        # two orders on one day are one occasion
        ((70.2, 70.1, 60, 50, 40, 30, 19.9), "active"),
    ],
)
def test_the_state_follows_from_the_days_of_the_orders(days_before, expected):
    assert state_by_orders(*days_before) == expected


def test_many_orders_on_a_single_day_tell_no_rhythm():
    assert state_by_orders(60.9, 60.5, 60.1) == "lapsed"
    assert state_by_orders(30.9, 30.5, 30.1) == "new"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 400), max_size=8), st.integers(1, 200))
def test_everybody_is_in_one_state_and_lapsed_is_who_is_outside_the_population(days_before, window):
    orders = orders_before(ann=days_before)
    definition = ChurnDefinition(NO_ORDER, 28, window)
    ids = pd.Index(["ann", "bob"], dtype="string")
    states = lifecycle_states({"order_lines": orders}, ids, CUTOFF, definition)
    assert states["bob"] == "prospect"
    assert states["ann"] in STATES
    is_inside = "ann" in definition.population({"order_lines": orders}, CUTOFF)
    assert is_inside == (states["ann"] not in {"prospect", "lapsed"})
    assert (states["ann"] == "prospect") == (not days_before)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 400), min_size=1, max_size=8))
def test_the_order_of_rows_and_other_customers_change_no_state(days_before):
    ids = pd.Index(["ann"], dtype="string")
    alone = order_states(orders_before(ann=days_before), ids, CUTOFF, WINDOW)
    among = orders_before(bob=[1, 2, 3], ann=days_before[::-1], cy=[300])
    assert order_states(among, ids, CUTOFF, WINDOW).equals(alone)


def contracts(*spans: tuple[float, float | None, float | None]) -> pd.DataFrame:
    rows = [
        {
            "subscription_id": str(place),
            "customer_id": "ann",
            "started_at": start,
            "ended_at": end,
            "monthly_amount": fee,
        }
        for place, (start, end, fee) in enumerate(spans)
    ]
    return rows_of(TABLES["subscriptions"], *rows)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ((), "prospect"),
        (((10, None, 9.0),), "new"),
        (((100, None, 9.0),), "active"),
        (((100, 20, 9.0),), "lapsed"),
        (((200, 100, 9.0), (30, None, 9.0)), "won_back"),
        (((200, 100, 9.0), (80, None, 9.0)), "active"),
        # a change of plan on the next day is no lapse; a cheaper plan is a step towards the door
        (((200, 31, 9.0), (30.5, None, 9.0)), "active"),
        (((200, 31, 9.0), (30.5, None, 5.0)), "slipping"),
        (((200, 31, 9.0), (30.5, None, 12.0)), "active"),
        # without amounts the number of contracts tells
        (((200, 31, None), (150, None, None)), "slipping"),
        (((200, 90, None), (150, None, None)), "active"),
    ],
)
def test_with_contracts_the_state_follows_from_those_that_run(spans, expected):
    ids = pd.Index(["ann"], dtype="string")
    assert contract_states(contracts(*spans), ids, CUTOFF, WINDOW)["ann"] == expected
    definition = ChurnDefinition(SUBSCRIPTION_ENDED, 28, WINDOW)
    assert lifecycle_states({"subscriptions": contracts(*spans)}, ids, CUTOFF, definition)["ann"] == expected


SPANS = st.tuples(st.floats(0.01, 400), st.none() | st.floats(0.01, 400), st.none() | st.floats(0, 50)).map(
    lambda one: (max(one[0], one[1] or 0.0) + 0.01, one[1], one[2])
)


@settings(max_examples=40, deadline=None)
@given(st.lists(SPANS, max_size=5))
def test_with_contracts_too_everybody_is_in_one_state(spans):
    subscriptions = contracts(*spans)
    ids = pd.Index(["ann", "bob"], dtype="string")
    states = contract_states(subscriptions, ids, CUTOFF, WINDOW)
    assert states["bob"] == "prospect"
    is_inside = "ann" in ChurnDefinition(SUBSCRIPTION_ENDED, 28, WINDOW).population(
        {"subscriptions": subscriptions}, CUTOFF
    )
    assert is_inside == (states["ann"] not in {"prospect", "lapsed"})


def test_nobody_has_no_state():
    nobody = pd.Index([], dtype="string")
    assert order_states(TABLES["order_lines"].empty(), nobody, CUTOFF, WINDOW).empty
    assert contract_states(TABLES["subscriptions"].empty(), nobody, CUTOFF + timedelta(days=1), WINDOW).empty
