import math

import pandas as pd

from recommender.outcomes import (
    active_population,
    churned,
    converted,
    days_to_order,
    days_to_subscription_end,
    redeemed,
    running_subscribers,
    spend,
    subscription_ended,
)
from recommender.periods import Period, instant

MARCH = Period(instant("2024-03-01"), instant("2024-04-01"))
THREE = pd.Index(["ann", "bob", "cid"], dtype="string", name="customer_id")


def order_lines(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.astype({"customer_id": "string", "amount": "float64"}).assign(
        ordered_at=_instants(frame["ordered_at"])
    )


def returns(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "returned_at", "amount"])
    return frame.astype({"customer_id": "string", "amount": "float64"}).assign(
        returned_at=_instants(frame["returned_at"])
    )


def subscriptions(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "started_at", "ended_at"])
    return frame.astype({"customer_id": "string"}).assign(
        started_at=_instants(frame["started_at"]), ended_at=_instants(frame["ended_at"])
    )


def _instants(values):
    return pd.to_datetime(values, utc=True, format="ISO8601").astype("datetime64[us, UTC]")


def test_a_customer_without_an_order_in_the_period_has_churned():
    lines = order_lines(("ann", "2024-03-10", 5), ("bob", "2024-02-10", 5), ("bob", "2024-04-10", 5))
    assert churned(lines, THREE, MARCH).to_dict() == {"ann": False, "bob": True, "cid": True}


def test_an_order_at_the_start_counts_and_one_at_the_end_does_not():
    lines = order_lines(("ann", "2024-03-01T00:00:00Z", 5), ("bob", "2024-04-01T00:00:00Z", 5))
    assert churned(lines, THREE[:2], MARCH).to_dict() == {"ann": False, "bob": True}


def test_churn_without_any_order_line_is_true_for_everybody():
    assert churned(order_lines(), THREE, MARCH).all()


def test_spend_is_ordered_less_returned_and_may_be_negative():
    lines = order_lines(("ann", "2024-03-02", 10), ("ann", "2024-03-03", 5), ("ann", "2024-04-02", 100))
    back = returns(("ann", "2024-03-20", 4), ("bob", "2024-03-20", 7))
    assert spend(lines, back, THREE, MARCH).to_dict() == {"ann": 11.0, "bob": -7.0, "cid": 0.0}


def test_a_line_without_an_amount_adds_nothing_to_spend():
    lines = order_lines(("ann", "2024-03-02", None), ("ann", "2024-03-03", 5))
    assert spend(lines, returns(), THREE, MARCH)["ann"] == 5.0


def test_the_population_ordered_within_the_days_before_the_cutoff():
    lines = order_lines(
        ("cid", "2024-02-29T23:59:59Z", 1),
        ("ann", "2024-02-01T00:00:00Z", 1),
        ("bob", "2024-03-01T00:00:00Z", 1),
        ("dan", "2024-01-31T23:59:59Z", 1),
    )
    assert active_population(lines, MARCH.start, 29).tolist() == ["ann", "cid"]


def test_a_subscription_runs_from_its_start_until_its_end():
    contracts = subscriptions(
        ("ann", "2024-01-01", None),
        ("bob", "2024-01-01", "2024-02-15"),
        ("cid", "2024-03-01", None),
        ("dan", "2024-01-01", "2024-03-01"),
    )
    assert running_subscribers(contracts, MARCH.start).tolist() == ["ann", "dan"]


def test_a_subscription_that_ends_in_the_period_has_ended():
    contracts = subscriptions(
        ("ann", "2024-01-01", "2024-03-31"), ("bob", "2024-01-01", None), ("cid", "2024-01-01", "2024-04-01")
    )
    assert subscription_ended(contracts, THREE, MARCH).to_dict() == {"ann": True, "bob": False, "cid": False}


def test_a_change_of_plan_is_no_end():
    contracts = subscriptions(("ann", "2024-01-01", "2024-03-10"), ("ann", "2024-03-10", None))
    assert not subscription_ended(contracts, THREE[:1], MARCH)["ann"]


def assignments(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "offer_id", "assigned_at"])
    return frame.astype({"customer_id": "string", "offer_id": "string"}).assign(
        assigned_at=_instants(frame["assigned_at"])
    )


def test_an_assignment_converts_with_an_order_from_its_instant_until_before_the_end_of_its_window():
    drawn = assignments(
        ("cid", "f1", "2024-03-01"),
        ("ann", "f1", "2024-03-08"),
        ("ann", "f2", "2024-03-01"),
        ("bob", "f1", "2024-03-01"),
    )
    lines = order_lines(
        ("ann", "2024-03-08T00:00:00Z", 5), ("bob", "2024-02-29T23:59:59Z", 5), ("bob", "2024-03-09", 5)
    )
    assert converted(lines, drawn, 7).tolist() == [False, True, False, False]
    assert converted(order_lines(), drawn, 7).tolist() == [False] * 4


def test_an_offer_is_redeemed_by_its_own_use_alone():
    drawn = assignments(("ann", "f1", "2024-03-01"), ("ann", "f2", "2024-03-01"), ("bob", "f1", "2024-03-01"))
    uses = assignments(("ann", "f2", "2024-03-02")).rename(columns={"assigned_at": "redeemed_at"})
    assert redeemed(uses, drawn, 7).tolist() == [False, True, False]


AT = instant("2024-03-01")


def test_days_to_order_count_from_the_cutoff_and_are_infinite_without_one():
    lines = order_lines(
        ("ann", "2024-02-28", 1.0),
        ("ann", "2024-03-11", 1.0),
        ("ann", "2024-03-05T12:00Z", 1.0),
        ("bob", "2024-03-01", 1.0),
    )
    assert days_to_order(lines, THREE, AT).tolist() == [4.5, 0.0, math.inf]


def test_a_contract_that_goes_on_in_another_has_not_ended():
    contracts = subscriptions(
        ("ann", "2024-01-01", "2024-03-11"),  # and on the same day
        ("ann", "2024-03-11", "2024-03-21"),
        ("bob", "2024-01-01", "2024-03-11"),  # and two days later
        ("bob", "2024-03-13", None),
        ("cid", "2024-01-01", None),
    )
    assert days_to_subscription_end(contracts, THREE, AT).tolist() == [20.0, 10.0, math.inf]


def test_a_long_contract_is_not_ended_by_a_short_one_within_it():
    contracts = subscriptions(
        ("ann", "2024-01-01", "2024-05-30"), ("ann", "2024-02-01", "2024-03-05"), ("bob", "2023-01-01", "2023-06-01"),
        ("bob", "2024-02-01", "2024-03-02"), ("cid", "2024-02-01", "2024-03-01"),
    )  # fmt: skip
    assert days_to_subscription_end(contracts, THREE, AT).tolist() == [90.0, 1.0, 0.0]
