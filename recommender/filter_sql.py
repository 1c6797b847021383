"""What the database can say of a filter: a condition that every row passes that the filter may let pass.

The condition narrows what is read; the filter itself decides. So what SQL cannot say exactly is said wider: texts with
characters beyond ASCII, whose letters have other lower cases than the database knows, and attributes, of which only
the JSON text is looked at. Where ``is_exact`` the condition says the same as the filter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from recommender.filter_terms import (
    Compares,
    Contains,
    Equals,
    Field,
    Joined,
    Missing,
    Not,
    Operand,
    Owner,
    Pair,
    Term,
    Under,
    path_steps,
)
from recommender.periods import to_microseconds
from recommender.store_rows import is_storable
from recommender.store_schema import EVENT_TABLES
from recommender.tables import ATTRIBUTES
from recommender.touchpoints import table_named

Condition = sa.ColumnElement[bool]
Leaf = Equals | Compares | Contains | Under
_BYTE_COUNTS: dict[str, Callable[[sa.ColumnElement[Any]], sa.ColumnElement[int]]] = {
    "sqlite": lambda column: sa.func.length(sa.cast(column, sa.LargeBinary)),
    "postgresql": sa.func.octet_length,
}


@dataclass(frozen=True)
class FilteredRows:
    """What the rows hold that are filtered: the kind of each field and where it stands, ``attributes`` included."""

    kinds: Mapping[str, str]
    columns: Mapping[str, sa.ColumnElement[Any]]


ITEM_ROWS = FilteredRows(
    {column.name: column.kind_name for column in table_named("items").columns}, dict(EVENT_TABLES["items"].columns)
)


class FilterBounds:
    """Conditions on rows, by default those of the items, for who asks, in the words of one kind of database."""

    def __init__(self, customer: Owner, dialect: str, rows: FilteredRows = ITEM_ROWS) -> None:
        self._nothing = Pair(Owner({}), customer)
        self._columns = rows.columns
        self._kinds = rows.kinds
        self._byte_count = _BYTE_COUNTS[dialect]

    def of(self, term: Term, *, is_wanted: bool = True) -> Condition | None:
        """A condition that holds wherever the term does, or where it does not; None where every item may pass."""
        if isinstance(term, Not):
            return self.of(term.term, is_wanted=not is_wanted)
        if isinstance(term, Joined):
            parts = [self.of(one, is_wanted=is_wanted) for one in term.terms]
            return _all(parts) if (term.word == "and") is is_wanted else _any(parts)
        if term.field.is_customers:
            return None if term.holds(self._nothing) is is_wanted else sa.false()
        if isinstance(term, Missing):
            return self._missing(term.field, is_wanted)
        if not is_wanted:
            return self._otherwise(term)
        return self._attribute(term) if term.field.is_attribute else self._column(term)

    def is_exact(self, term: Term) -> bool:
        """Whether ``of`` is a condition that holds where the term does and nowhere else."""
        if isinstance(term, Not):
            return self.is_exact(term.term)
        if isinstance(term, Joined):
            return all(self.is_exact(one) for one in term.terms)
        if term.field.is_customers:
            return True
        if isinstance(term, Contains | Under) or term.field.is_attribute:
            return False
        return isinstance(term, Missing) or self._column(term) is not None

    def _otherwise(self, term: Leaf) -> Condition | None:
        """Where a term does not hold, as far as SQL can say where it does."""
        if term.field.is_attribute or isinstance(term, Under):
            return None
        if isinstance(term, Contains):
            text = _folded(self._value(term.text))
            condition = None if text is None or not text.isascii() else self._has_folded(term.field, text)
        else:
            condition = self._column(term)
        return None if condition is None else sa.not_(sa.func.coalesce(condition, sa.false()))

    def _missing(self, field: Field, is_wanted: bool) -> Condition | None:
        if field.is_attribute:
            return None if is_wanted else self._holds_name(field)
        column = self._columns[field.name]
        return column.is_(None) if is_wanted else column.is_not(None)

    def _column(self, term: Leaf) -> Condition | None:
        column = self._columns[term.field.name]
        if isinstance(term, Equals):
            values = [self._to_sql(self._value(one), term.field) for one in term.operands]
            return None if _UNSURE in values else column.in_([one for one in values if one is not None])
        if isinstance(term, Compares):
            value = self._to_sql(self._value(term.operand), term.field)
            return None if value is _UNSURE else sa.false() if value is None else _compared(column, term.order, value)
        wanted = self._value(term.text if isinstance(term, Contains) else term.path)
        if not isinstance(wanted, str) or not is_storable(wanted):
            return sa.false()
        if isinstance(term, Under):
            return sa.and_(column.is_not(None), *(column.contains(one, autoescape=True) for one in path_steps(wanted)))
        # A text of ASCII alone stays one whatever the case; only others can hold what is beyond.
        is_beyond = self._byte_count(column) != sa.func.length(column)
        folded = wanted.casefold()
        return sa.or_(self._has_folded(term.field, folded), is_beyond) if folded.isascii() else is_beyond

    def _has_folded(self, field: Field, folded: str) -> Condition:
        return sa.func.lower(self._columns[field.name]).contains(folded, autoescape=True)

    def _attribute(self, term: Leaf) -> Condition:
        values = [self._value(one) for one in term.operands] if isinstance(term, Equals) else [None]
        texts = [one for one in values if isinstance(one, str) and is_storable(one)]
        if len(texts) < len(values):
            return self._holds_name(term.field)
        return sa.or_(*(self._holds_name(term.field, f" {_json(one)}") for one in texts))

    def _holds_name(self, field: Field, value: str = "") -> Condition:
        if not is_storable(field.name):
            return sa.false()
        return self._columns[ATTRIBUTES].contains(f"{_json(field.name)}:{value}", autoescape=True)

    def _value(self, operand: Operand) -> Any:
        return operand.of(self._nothing) if isinstance(operand, Field) else operand

    def _to_sql(self, value: Any, field: Field) -> Any:
        """A value as the column holds it; None where it can hold no such value, _UNSURE where that is not known."""
        kind = self._kinds[field.name]
        if kind == "boolean" or isinstance(value, bool):
            return value if kind == "boolean" and isinstance(value, bool) else None
        if kind == "instant":
            is_text = isinstance(value, str)
            return to_microseconds(value) if isinstance(value, datetime) else _UNSURE if is_text else None
        if kind == "decimal":
            return _to_decimal(value) if isinstance(value, int | float) else None
        return value if isinstance(value, str) and is_storable(value) else None


_UNSURE: Any = object()


def _to_decimal(number: int | float) -> Any:
    # A list of whole and broken numbers would make PostgreSQL take all for whole ones.
    return float(number) if abs(number) < 2**53 else _UNSURE


def _folded(value: Any) -> str | None:
    return value.casefold() if isinstance(value, str) else None


def _json(value: str) -> str:
    """A text as it stands in the JSON of attributes."""
    return json.dumps(value, ensure_ascii=False)


def _compared(column: sa.ColumnElement[Any], order: str, value: Any) -> Condition:
    return column.op(order, is_comparison=True)(value)


def _all(parts: list[Condition | None]) -> Condition | None:
    known = [one for one in parts if one is not None]
    return sa.and_(*known) if known else None


def _any(parts: list[Condition | None]) -> Condition | None:
    known = [one for one in parts if one is not None]
    return sa.or_(*known) if len(known) == len(parts) else None
