"""When a rule of a placement holds, and what it does to a list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recommender.errors import SettingError, UnknownName
from recommender.placement_rules import Rule, rule_from, rule_to_settings

MAY, JUNE = (datetime(2024, month, 1, tzinfo=UTC) for month in (5, 6))
SECOND = timedelta(seconds=1)
PIN = Rule("pin", item_id="tea", valid_from=MAY, valid_until=JUNE, context={"channel": "app", "is_open": True})
APP = {"channel": "app", "is_open": True, "weather": "rain"}


@pytest.mark.parametrize(("at", "holds"), [(MAY - SECOND, False), (MAY, True), (JUNE - SECOND, True), (JUNE, False)])
def test_a_rule_holds_from_its_first_instant_to_before_its_last(at, holds):
    assert PIN.holds(at, APP) is holds


@pytest.mark.parametrize(
    ("context", "holds"),
    [
        (APP, True),
        ({}, False),
        ({"channel": "app"}, False),
        ({"channel": "app", "is_open": False}, False),
        ({"channel": "web", "is_open": True}, False),
    ],
)
def test_a_rule_holds_where_the_context_has_all_its_values(context, holds):
    assert PIN.holds(MAY, context) is holds


def test_a_rule_without_bounds_holds_always_and_one_that_is_switched_off_never():
    always = Rule("hide", filter="price > 100")
    assert always.holds(MAY, {})
    assert always.holds(JUNE, APP)
    assert not replace(PIN, is_enabled=False).holds(MAY, APP)


def test_a_rule_survives_a_manifest():
    assert rule_from(rule_to_settings(PIN)) == PIN


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"item_id": "tea"}, "a rule has an action, one of pin, boost, bury, hide"),
        ({"action": "pin"}, "a rule that pins has an item_id, any other has a filter"),
        ({"action": "hide", "filter": "price <"}, "character 8: expected a number"),
        ({"action": "pin", "item_id": "tea", "position": 0}, "position 0 of a rule is not within 1 to 100"),
        ({"action": "hide", "filter": "price < 1", "valid_from": datetime(2024, 5, 1)}, "write it with an offset"),
        ({"action": "hide", "filter": "price < 1", "context": "app"}, "context of a rule is 'app'"),
        ({"action": "boost", "filter": "price < 1", "weight": 2.0}, "weight 2.0 of a rule is not within 0 to 1"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name(given, message):
    with pytest.raises(SettingError, match=message):
        rule_from(given)


def test_an_unknown_action_is_refused_with_those_that_exist():
    with pytest.raises(UnknownName, match="no action of a rule 'explode'; there are: boost, bury, hide, pin"):
        Rule("explode", filter="price < 1")
