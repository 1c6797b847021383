"""Definitions of churn as a settings file declares them: ``[churn]``, and ``[churn_also.NAME]`` beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from recommender.customer_answers import MAIN_DEFINITION
from recommender.errors import SettingError, UnknownName
from recommender.retention.definitions import ChurnDefinition

KEYS = tuple(one.name for one in fields(ChurnDefinition) if one.name != "name")


def main_definition(given: Any, defaults: Mapping[str, Any]) -> ChurnDefinition | None:
    """The definition that ``[churn]`` makes; None where the table is absent and the data decide."""
    return None if given is None else _definition("churn", MAIN_DEFINITION, given, defaults)


def further_definitions(given: Any, defaults: Mapping[str, Any]) -> dict[str, ChurnDefinition]:
    """The definitions of ``[churn_also.NAME]`` by name; raises SettingError where one cannot be used."""
    if not isinstance(given, Mapping):
        raise SettingError(f"churn_also is {given!r}; give a table [churn_also.NAME] for each definition")
    if MAIN_DEFINITION in given:
        raise SettingError(f"churn_also.{MAIN_DEFINITION} has the name of the main definition; declare that as [churn]")
    return {name: _definition(f"churn_also.{name}", name, table, defaults) for name, table in given.items()}


def _definition(section: str, name: str, table: Any, defaults: Mapping[str, Any]) -> ChurnDefinition:
    if not isinstance(table, Mapping):
        raise SettingError(f"{section} is {table!r}; give a table [{section}] with at least an outcome")
    for key in table:
        if key not in KEYS:
            raise UnknownName(f"key of [{section}]", key, KEYS)
    if "outcome" not in table:
        raise SettingError(f'[{section}] has no outcome; say what leaving is, such as outcome = "no_order"')
    return ChurnDefinition(**{**defaults, **table, "name": name})
