"""What may be shown, spread over categories, with a reason each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recommender.item_lists import Candidate, due_first, is_sellable, present, reason_for, spread

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def candidates(*item_ids: str) -> list[Candidate]:
    return [Candidate(item_id, 1.0 - place / 10, "for_you") for place, item_id in enumerate(item_ids)]


def ids(chosen: list[Candidate]) -> list[str]:
    return [one.item_id for one in chosen]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (None, True),
        ({}, True),
        ({"is_available": False}, False),
        ({"available_from": NOON}, True),
        ({"available_from": NOON + HOUR}, False),
        ({"available_until": NOON}, False),
        ({"available_until": NOON + HOUR}, True),
    ],
)
def test_an_item_is_sold_from_its_start_to_before_its_end(row, expected):
    assert is_sellable(row, NOON) is expected


def test_without_diversity_the_order_of_relevance_stays():
    assert ids(spread(candidates("a", "b", "c"), {}, limit=2, diversity=0.0)) == ["a", "b"]


def test_diversity_takes_another_category_before_more_of_the_same():
    rows = {"a": {"category": "x > y"}, "b": {"category": "x > y"}, "c": {"category": "z"}}
    assert ids(spread(candidates("a", "b", "c"), rows, limit=2, diversity=0.9)) == ["a", "c"]


def test_diversity_drops_nothing():
    rows = {one: {"category": "x"} for one in "abcd"}
    assert sorted(ids(spread(candidates(*"abcd"), rows, limit=4, diversity=1.0))) == list("abcd")


def test_the_reason_names_the_customers_own_purchases():
    reason = reason_for(Candidate("milk", 1.0, "for_you", count=3, last_age_days=9.6), {})
    assert (reason.code, reason.evidence_item_id) == ("bought_before", "milk")
    assert reason.text == "You bought this 3 times, the last time 9 days ago"


@pytest.mark.parametrize(("age", "said"), [(0.2, "today"), (1.9, "yesterday"), (2.0, "2 days ago")])
def test_the_last_purchase_is_told_in_words(age, said):
    assert reason_for(Candidate("milk", 1.0, "for_you", 1, age), {}).text.endswith(f"once, the last time {said}")


@pytest.mark.parametrize(
    ("count", "interval", "age", "said"),
    [
        (3, 9.6, 9.9, "You bought this 3 times, the last time 9 days ago"),
        (3, 9.6, 10.0, "You buy this about every 10 days; the last time was 10 days ago"),
        (3, 10.4, 10.1, "You buy this about every 10 days; the last time was 10 days ago"),
        (3, 0.6, 0.9, "You bought this 3 times, the last time today"),
        (3, 0.6, 1.0, "You buy this about every day; the last time was yesterday"),
        (2, 7.2, 8.0, "Customers who buy this again do so after about 7 days; you last bought it 8 days ago"),
        (1, 1.2, 2.0, "Customers who buy this again do so after about a day; you last bought it 2 days ago"),
        (1, None, 90.0, "You bought this once, the last time 90 days ago"),
    ],
)
def test_what_is_called_due_was_bought_at_least_as_many_days_ago_as_are_told(count, interval, age, said):
    assert reason_for(Candidate("milk", 1.0, "due_again", count, age, interval_days=interval), {}).text == said


def test_of_what_is_bought_again_what_is_due_goes_first_and_all_else_keeps_its_place():
    ages = {"a": 1.0, "b": 9.0, "c": 2.0, "d": 7.0}
    again = [Candidate(one, 1.0, "due_again", 3, age, interval_days=7.0) for one, age in ages.items()]
    other = Candidate("x", 1.0, "popular_items")
    assert ids(due_first([again[0], other, *again[1:]])) == ["b", "x", "d", "a", "c"]
    assert due_first([]) == []


def test_the_reason_names_the_item_that_led_to_another_by_its_title():
    reason = reason_for(
        Candidate("jam", 1.0, "new_for_you", evidence_item_id="bread"), {"bread": {"title": "Rye bread"}}
    )
    assert (reason.code, reason.evidence_item_id) == ("goes_with", "bread")
    assert "Rye bread" in reason.text


def test_without_evidence_the_reason_claims_none():
    assert reason_for(Candidate("jam", 1.0, "popular_items"), {}).code == "in_range"


def test_ranks_count_from_one_and_properties_come_when_asked_for():
    plain = present(candidates("a", "b"), {"a": {"title": "A", "cost": 3.0}})
    assert [(one.rank, one.properties) for one in plain] == [(1, None), (2, None)]
    told = present(candidates("a"), {"a": {"title": "A", "cost": 3.0}}, include=frozenset({"properties"}))
    assert told[0].properties is not None
    assert told[0].properties["title"] == "A"
    assert "cost" not in told[0].properties
