"""Placements are data: defaults, those of a configuration, and what is refused."""

from __future__ import annotations

import pytest

from recommender.errors import SettingError, UnknownName
from recommender.placements import DEFAULT_PLACEMENTS, Placement, placements_from, placements_to_settings


def test_a_configuration_adds_a_placement_and_keeps_the_defaults():
    placements = placements_from({"kiosk": {"strategy": "buy_again"}})
    assert placements["kiosk"] == Placement("kiosk", "buy_again")
    assert placements["home"] == DEFAULT_PLACEMENTS["home"]


def test_placements_survive_a_manifest():
    placements = placements_from({"kiosk": {"strategy": "new_for_you", "diversity": 0.5}})
    assert placements_from(placements_to_settings(placements)) == placements


def test_an_unknown_strategy_is_refused_with_those_that_exist():
    with pytest.raises(UnknownName, match="'magic'; there are: best_sellers, buy_again"):
        placements_from({"kiosk": {"strategy": "magic"}})


def test_an_unknown_key_is_refused_by_name():
    with pytest.raises(SettingError, match="unknown key 'stratgy'"):
        placements_from({"kiosk": {"stratgy": "for_you"}})


def test_diversity_outside_its_range_is_refused():
    with pytest.raises(SettingError, match="diversity 2 is not within 0 to 1"):
        placements_from({"kiosk": {"diversity": 2}})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, "placement 'kiosk' is 5; it must be a table"),
        ({"strategy": 5}, "strategy is 5; it must be a name or a list of names"),
        ({"strategy": ["for_you", 5]}, "strategy is .*; it must be a name or a list of names"),
        ({"exclude": {"bought": True}}, "exclude is .*; it must be a name or a list of names"),
        ({"filter": 5}, "filter is 5; it must be a text"),
        ({"rules": "pin"}, "rules is 'pin'; it must be a list of tables"),
        ({"rules": [5]}, r"rules is \[5\]; it must be a list of tables"),
        ({"rules": [{"action": "hide", "filter": 5}]}, "filter of a rule is 5; it must be of the kind str"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(given, message):
    with pytest.raises(SettingError, match=message):
        placements_from({"kiosk": given})
