"""Readiness: facts counted by the database, and what they are enough for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recommender.touchpoints import TABLES
from training.readiness import judge_facts
from training.readiness_facts import Facts, Span, gather_facts

START = datetime(2024, 1, 1, tzinfo=UTC)
NOTHING = Facts(dict.fromkeys(TABLES, 0), {}, 0, 0, 0, 0, 0, 0, 0, {}, 0)


def verdicts(facts):
    return {one.answer: one.missing for one in judge_facts(facts).answers}


@pytest.fixture
def facts(store):
    rows = [
        # order, item, customer, day, amount
        ("o1", "tea", "ann", 1, 3.0),
        ("o1", "jam", "ann", 1, 2.0),
        ("o2", "tea", "ann", 100, 3.0),
        ("o3", "tea", "bob", 1, None),
        ("o4", "tea", "bob", 2, 3.0),
        ("o5", "tea", "eve", 1, 3.0),
    ]
    lines = [
        {
            "order_id": order,
            "item_id": item,
            "customer_id": customer,
            "ordered_at": START + timedelta(days=day),
            "amount": amount,
        }
        for order, item, customer, day, amount in rows
    ]
    assert store.append_rows("order_lines", lines).rejections == []
    view = {"kind": "view", "item_id": "jam", "customer_id": "bob"}
    store.append_rows("interactions", [{"event_id": "e", "occurred_at": START, **view}])
    store.append_rows("items", [{"item_id": "tea", "category": "drinks"}, {"item_id": "jam"}])
    store.append_rows("customers", [{"customer_id": "eve", "consent_personalization": False}])
    draws = [("a1", "treatment", 0.5), ("a2", "control", 0.5), ("a3", "treatment", None)]
    store.append_rows(
        "assignments",
        [
            {
                "assignment_id": one,
                "offer_id": "x",
                "customer_id": "ann",
                "assigned_at": START,
                "arm": arm,
                "propensity": propensity,
            }
            for one, arm, propensity in draws
        ],
    )
    return gather_facts(store)


def test_facts_are_counted_without_those_who_do_not_consent(facts):
    assert facts.counts["order_lines"] == 5
    assert facts.ordering_customers == 2
    assert facts.spans["order_lines"] == Span(START + timedelta(days=1), START + timedelta(days=100))
    assert facts.item_events == 6


def test_facts_tell_customers_apart(facts):
    assert facts.paying_customers == 1
    assert facts.silent_customers == 1
    assert facts.exploring_customers == 2


def test_facts_tell_draws_from_assignments_without_a_propensity(facts):
    assert facts.arms == {"control": 1, "treatment": 1}
    assert facts.assigned_without_propensity == 1
    assert facts.described_items == 1


def test_enough_orders_are_enough_for_churn_and_value():
    span = {"order_lines": Span(START, START + timedelta(days=180))}
    enough = replace(NOTHING, spans=span, ordering_customers=500, silent_customers=50, paying_customers=200)
    assert verdicts(enough)["churn of customers who order"] is None
    assert verdicts(enough)["value"] is None
    too_short = replace(enough, spans={"order_lines": Span(START, START + timedelta(days=30))})
    assert verdicts(too_short)["value"] == "180 days of orders are needed, 30 are there"


def test_new_items_need_descriptions_besides():
    met = replace(NOTHING, item_events=1_000, exploring_customers=25, described_items=3)
    assert verdicts(met)["recommendations"] is None
    assert verdicts(met)["discovery of new items"] == "50 items with a category or a brand are needed, 3 are there"


def test_visitors_need_sessions_alone():
    met = replace(NOTHING, item_events=1_000, exploring_sessions=25)
    assert verdicts(met)["next item for visitors"] is None
    assert verdicts(replace(met, exploring_sessions=3))["next item for visitors"] == (
        "25 sessions of visitors who met at least two items are needed, 3 are there"
    )


def test_offers_need_customers_drawn_not_to_get_them():
    drawn = replace(
        NOTHING, counts={**NOTHING.counts, "offers": 1}, arms={"treatment": 60}, assigned_without_propensity=6_589
    )
    assert verdicts(drawn)["offers"] == (
        "50 assignments to control with a propensity (6,589 have none) are needed, 0 are there"
    )
