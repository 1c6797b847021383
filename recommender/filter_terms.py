"""What a filter is made of: terms about one field of an item or of the customer, joined by and, or, not.

A field is compared with a literal or with a field of the customer. A term about a missing value, on either side, or
about values of different types is false. ``not`` turns it, and ``!=``, ``not in`` and ``is not missing`` are the
negations of ``=``, ``in`` and ``is missing``: a missing brand is different from any brand. An item without a row has
only its id; of a customer who is not known, or did not agree to personalization, everything is missing.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recommender.errors import SettingError
from recommender.periods import instant, rfc3339
from recommender.tables import ATTRIBUTES, attributes_of

Literal = str | int | float | bool | datetime
CUSTOMER = "customer"
BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SEPARATOR = ">"


@dataclass(frozen=True)
class Field:
    """A column of the items, or with ``is_attribute`` a field of their attributes; or so of the customer."""

    name: str
    is_attribute: bool = False
    is_customers: bool = False

    def __str__(self) -> str:
        owner = f"{CUSTOMER}." if self.is_customers else ""
        if not self.is_attribute:
            return f"{owner}{self.name}"
        shown = self.name if BARE_NAME.fullmatch(self.name) else json.dumps(self.name, ensure_ascii=False)
        return f"{owner}{ATTRIBUTES}.{shown}"

    def of(self, pair: Pair) -> Any:
        """The value of an item or of who asks, None where it is missing."""
        owner = pair.customer if self.is_customers else pair.item
        return owner.attributes.get(self.name) if self.is_attribute else owner.row.get(self.name)


Operand = Literal | Field


class Owner:
    """A row of the items or customers with its attributes, which are parsed once and only if a term asks for them."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self._attributes: dict[str, Any] | None = None

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The attributes by name."""
        if self._attributes is None:
            self._attributes = attributes_of(self.row)
        return self._attributes


@dataclass(frozen=True)
class Pair:
    """An item and who asks for it."""

    item: Owner
    customer: Owner


@dataclass(frozen=True)
class Equals:
    """The field equals one of the operands: ``=`` for one, ``in`` for several."""

    field: Field
    operands: tuple[Operand, ...]
    is_list: bool = False

    def __str__(self) -> str:
        shown = [shown_operand(one) for one in self.operands]
        return f"{self.field} in [{', '.join(shown)}]" if self.is_list else f"{self.field} = {shown[0]}"

    def holds(self, pair: Pair) -> bool:
        """Whether the value is one of them."""
        value = self.field.of(pair)
        alike = (_alike(value, _value(one, pair)) for one in self.operands)
        return any(both is not None and both[0] == both[1] for both in alike)


@dataclass(frozen=True)
class Compares:
    """The field lies on one side of a number or an instant."""

    field: Field
    order: str
    operand: Operand

    def __str__(self) -> str:
        return f"{self.field} {self.order} {shown_operand(self.operand)}"

    def holds(self, pair: Pair) -> bool:
        """Whether the value lies there."""
        both = _alike(self.field.of(pair), _value(self.operand, pair))
        return both is not None and not isinstance(both[0], str | bool) and ORDERS[self.order](*both)


@dataclass(frozen=True)
class Contains:
    """The text of the field has the text in it, whatever the case of letters."""

    field: Field
    text: Operand

    def __str__(self) -> str:
        return f"{self.field} contains {shown_operand(self.text)}"

    def holds(self, pair: Pair) -> bool:
        """Whether the text has it."""
        value, wanted = self.field.of(pair), _value(self.text, pair)
        return isinstance(value, str) and isinstance(wanted, str) and wanted.casefold() in value.casefold()


@dataclass(frozen=True)
class Under:
    """The path of the field (``a > b > c``) is the path given or lies below it."""

    field: Field
    path: Operand

    def __str__(self) -> str:
        return f"{self.field} under {shown_operand(self.path)}"

    def holds(self, pair: Pair) -> bool:
        """Whether the path begins with it."""
        value, wanted = self.field.of(pair), _value(self.path, pair)
        if not isinstance(value, str) or not isinstance(wanted, str):
            return False
        steps = path_steps(wanted)
        return path_steps(value)[: len(steps)] == steps


@dataclass(frozen=True)
class Missing:
    """There is no value in the field."""

    field: Field

    def __str__(self) -> str:
        return f"{self.field} is missing"

    def holds(self, pair: Pair) -> bool:
        """Whether there is none."""
        return self.field.of(pair) is None


@dataclass(frozen=True)
class Not:
    """The term does not hold."""

    term: Term

    def __str__(self) -> str:
        return f"not ({self.term})"

    def holds(self, pair: Pair) -> bool:
        """Whether it does not."""
        return not self.term.holds(pair)


@dataclass(frozen=True)
class Joined:
    """All of the terms hold (``and``), or any of them (``or``)."""

    word: str
    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(f"({one})" if isinstance(one, Joined) else str(one) for one in self.terms)

    def holds(self, pair: Pair) -> bool:
        """Whether they do."""
        return (all if self.word == "and" else any)(one.holds(pair) for one in self.terms)


Term = Equals | Compares | Contains | Under | Missing | Not | Joined


def path_steps(path: str) -> tuple[str, ...]:
    """The names along a category path."""
    return tuple(part.strip() for part in path.split(_SEPARATOR) if part.strip())


def shown_operand(operand: Operand) -> str:
    """A literal or a field as the language writes it."""
    if isinstance(operand, Field):
        return str(operand)
    if isinstance(operand, datetime):
        return rfc3339(operand)
    return json.dumps(operand, ensure_ascii=False)


def _value(operand: Operand, pair: Pair) -> Any:
    return operand.of(pair) if isinstance(operand, Field) else operand


def _alike(one: Any, other: Any) -> tuple[Any, Any] | None:
    """Both values where they have the same type, else None; beside an instant a text is one too, as in attributes."""
    if isinstance(one, datetime) and isinstance(other, str):
        other = _instant_or_none(other)
    elif isinstance(other, datetime) and isinstance(one, str):
        one = _instant_or_none(one)
    kinds = [next((kind for kind in _KINDS if isinstance(value, kind)), None) for value in (one, other)]
    return (one, other) if kinds[0] is not None and kinds[0] is kinds[1] else None


# A boolean is an integer to Python: it stands first.
_KINDS = (bool, int | float, str, datetime)


def _instant_or_none(text: str) -> datetime | None:
    try:
        return instant(text)
    except SettingError:
        return None
