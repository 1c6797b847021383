"""Rules of a placement: pin an item, lift, lower or hide what a filter names, for a while, in a context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from recommender.errors import SettingError, UnknownName
from recommender.filters import Filter, parse_filter
from recommender.periods import instant, rfc3339

PIN, BOOST, BURY, HIDE = "pin", "boost", "bury", "hide"
ACTIONS = (PIN, BOOST, BURY, HIDE)


@dataclass(frozen=True)
class Rule:
    """What the shop decides about a list, whatever the models say.

    ``pin`` puts ``item_id`` at ``position`` (1 is first). ``boost`` moves the items that ``filter`` names up by
    ``weight`` of the way to the first place, ``bury`` down by as much of the way to the last; ``hide`` takes them out.
    The rule holds from ``valid_from`` to before ``valid_until``, while ``is_enabled``, where the request's context has
    all values of ``context``. An item that must not be shown is not shown by a pin either.
    """

    action: str
    filter: str = ""
    item_id: str = ""
    position: int = 1
    weight: float = 0.5
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    is_enabled: bool = True
    context: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise UnknownName("action of a rule", self.action, ACTIONS)
        if (self.action == PIN) != bool(self.item_id) or (self.action == PIN) == bool(self.filter):
            raise SettingError(f"a rule that pins has an item_id, any other has a filter; this one: {self.action}")
        if not 1 <= self.position <= 100:
            raise SettingError(f"position {self.position} of a rule is not within 1 to 100")
        if not 0 <= self.weight <= 1:
            raise SettingError(f"weight {self.weight} of a rule is not within 0 to 1")
        if self.filter:
            # Parsed once, and a filter that cannot be read is told where it is set.
            _ = self.parsed

    @cached_property
    def parsed(self) -> Filter:
        """The filter of a rule that does not pin."""
        return parse_filter(self.filter)

    def holds(self, at: datetime, context: Mapping[str, Any]) -> bool:
        """Whether the rule holds at an instant in a context."""
        has_begun = self.valid_from is None or self.valid_from <= at
        has_ended = self.valid_until is not None and self.valid_until <= at
        fits = all(context.get(name) == value for name, value in self.context.items())
        return self.is_enabled and has_begun and not has_ended and fits


_KINDS = {"filter": str, "item_id": str, "position": int, "is_enabled": bool, "context": Mapping}


def rule_from(given: Mapping[str, Any]) -> Rule:
    """The rule that a configuration gives; raises SettingError for what is not known or cannot be."""
    known = {one.name for one in fields(Rule)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise SettingError(f"unknown key {unknown[0]!r} of a rule; known are {', '.join(sorted(known))}")
    if "action" not in given:
        raise SettingError(f"a rule has an action, one of {', '.join(ACTIONS)}")
    moments = {name: _moment(name, given[name]) for name in ("valid_from", "valid_until") if given.get(name)}
    for name, kind in _KINDS.items():
        if name in given and not isinstance(given[name], kind):
            raise SettingError(f"{name} of a rule is {given[name]!r}; it must be of the kind {kind.__name__}")
    if not isinstance(given.get("weight", 0.5), int | float):
        raise SettingError(f"weight of a rule is {given['weight']!r}; it must be a number from 0 to 1")
    return Rule(**{**given, **moments})


def rule_to_settings(rule: Rule) -> dict[str, Any]:
    """What ``rule_from`` reads, for a manifest."""
    given = {one.name: getattr(rule, one.name) for one in fields(Rule)}
    for name in ("valid_from", "valid_until"):
        given[name] = rfc3339(given[name]) if given[name] else None
    return {**given, "context": dict(rule.context)}


def _moment(name: str, value: Any) -> datetime:
    if isinstance(value, str):
        return instant(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise SettingError(f"{name} of a rule is {value}; write it with an offset, as in 2024-05-01T00:00:00Z")
    return value.astimezone(UTC)
