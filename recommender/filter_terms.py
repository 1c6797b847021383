"""What a filter is made of: terms about one field of an item, joined by and, or, not.

A term about a missing value, or about a value of another type than its literal, is false. ``not`` turns it, and
``!=``, ``not in`` and ``is not missing`` are the negations of ``=``, ``in`` and ``is missing``: a missing brand is
different from any brand. An item without a row has only its id.
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
    """A column of the items, or with ``is_attribute`` a field of their attributes."""

    name: str
    is_attribute: bool = False

    def __str__(self) -> str:
        if not self.is_attribute:
            return self.name
        shown = self.name if BARE_NAME.fullmatch(self.name) else json.dumps(self.name, ensure_ascii=False)
        return f"{ATTRIBUTES}.{shown}"

    def of(self, item: Item) -> Any:
        """The value of an item, None where it is missing."""
        return item.attributes.get(self.name) if self.is_attribute else item.row.get(self.name)


class Item:
    """A row of the items with its attributes, which are parsed once and only if a term asks for them."""

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
class Equals:
    """The field equals one of the literals: ``=`` for one, ``in`` for several."""

    field: Field
    literals: tuple[Literal, ...]
    is_list: bool = False

    def __str__(self) -> str:
        shown = [shown_literal(one) for one in self.literals]
        return f"{self.field} in [{', '.join(shown)}]" if self.is_list else f"{self.field} = {shown[0]}"

    def holds(self, item: Item) -> bool:
        """Whether the item's value is one of them."""
        value = self.field.of(item)
        return any(_comparable(value, one) == one for one in self.literals)


@dataclass(frozen=True)
class Compares:
    """The field lies on one side of a number or an instant."""

    field: Field
    order: str
    literal: Literal

    def __str__(self) -> str:
        return f"{self.field} {self.order} {shown_literal(self.literal)}"

    def holds(self, item: Item) -> bool:
        """Whether the item's value lies there."""
        value = _comparable(self.field.of(item), self.literal)
        return value is not None and ORDERS[self.order](value, self.literal)


@dataclass(frozen=True)
class Contains:
    """The text of the field has the text in it, whatever the case of letters."""

    field: Field
    text: str

    def __str__(self) -> str:
        return f"{self.field} contains {shown_literal(self.text)}"

    def holds(self, item: Item) -> bool:
        """Whether the item's text has it."""
        value = self.field.of(item)
        return isinstance(value, str) and self.text.casefold() in value.casefold()


@dataclass(frozen=True)
class Under:
    """The path of the field (``a > b > c``) is the path given or lies below it."""

    field: Field
    path: str

    def __str__(self) -> str:
        return f"{self.field} under {shown_literal(self.path)}"

    def holds(self, item: Item) -> bool:
        """Whether the item's path begins with it."""
        value, wanted = self.field.of(item), path_steps(self.path)
        return isinstance(value, str) and path_steps(value)[: len(wanted)] == wanted


@dataclass(frozen=True)
class Missing:
    """The item has no value in the field."""

    field: Field

    def __str__(self) -> str:
        return f"{self.field} is missing"

    def holds(self, item: Item) -> bool:
        """Whether there is none."""
        return self.field.of(item) is None


@dataclass(frozen=True)
class Not:
    """The term does not hold."""

    term: Term

    def __str__(self) -> str:
        return f"not ({self.term})"

    def holds(self, item: Item) -> bool:
        """Whether it does not."""
        return not self.term.holds(item)


@dataclass(frozen=True)
class Joined:
    """All of the terms hold (``and``), or any of them (``or``)."""

    word: str
    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(f"({one})" if isinstance(one, Joined) else str(one) for one in self.terms)

    def holds(self, item: Item) -> bool:
        """Whether they do."""
        return (all if self.word == "and" else any)(one.holds(item) for one in self.terms)


Term = Equals | Compares | Contains | Under | Missing | Not | Joined


def path_steps(path: str) -> tuple[str, ...]:
    """The names along a category path."""
    return tuple(part.strip() for part in path.split(_SEPARATOR) if part.strip())


def shown_literal(literal: Literal) -> str:
    """A literal as the language writes it."""
    if isinstance(literal, datetime):
        return rfc3339(literal)
    return json.dumps(literal, ensure_ascii=False)


def _comparable(value: Any, literal: Literal) -> Any:
    """The value where it has the type of the literal, else None; attributes hold instants as text."""
    if isinstance(literal, datetime):
        return value if isinstance(value, datetime) else _instant_or_none(value)
    if isinstance(literal, bool) or isinstance(value, bool):
        return value if isinstance(literal, bool) and isinstance(value, bool) else None
    kinds = (int, float) if isinstance(literal, int | float) else (str,)
    return value if isinstance(value, kinds) else None


def _instant_or_none(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return instant(value)
    except (SettingError, OverflowError):
        return None
