"""The border for rows of requests: what of them may pass, without pandas.

``frame_validation`` does the same for files, with the same parsers and limits; a test holds both to one verdict.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recommender.column_kinds import BadValue, shown
from recommender.tables import ATTRIBUTES, Column, Table

# Nothing that a company does with a customer is older: earlier instants stand for ones that are not known.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rejection:
    """One row that may not pass: its place (from 0), the column, a code for programs and a reason for people."""

    index: int
    column: str
    code: str
    reason: str


@dataclass(frozen=True)
class ValidRows:
    """Rows as parsed values by column name, each with its place in what came in, and those rejected."""

    rows: list[dict[str, Any]]
    places: list[int]
    rejections: list[Rejection]


def is_missing(value: Any) -> bool:
    """Whether a single value counts as not given: None, an empty text, or a missing marker; NaN is a bad number."""
    return value is None or (isinstance(value, str) and value == "") or type(value).__name__ in {"NAType", "NaTType"}


def check_value(column: Column, value: Any, now: datetime) -> None:
    """Raise BadValue where a parsed value breaks the limits of its column."""
    if column.choices and value not in column.choices:
        raise BadValue("not_allowed", f"{shown(value)} is none of {', '.join(column.choices)}")
    if column.minimum is not None and value < column.minimum:
        code = "negative" if column.minimum == 0 else "out_of_range"
        raise BadValue(code, f"{value:g} is below {column.minimum:g}")
    if column.maximum is not None and value > column.maximum:
        raise BadValue("out_of_range", f"{value:g} is above {column.maximum:g}")
    if column.kind_name == "instant" and not column.is_plan:
        check_not_ancient(value)
        if value >= now:
            raise BadValue("future_instant", f"{value.isoformat()} has not happened yet")


def check_not_ancient(moment: datetime) -> None:
    """Raise BadValue where something is said to have happened before EARLIEST."""
    if moment < EARLIEST:
        raise BadValue("out_of_range", f"{moment.isoformat()} lies before {EARLIEST.year}; leave out what is not known")


def required(column: Column) -> str:
    """What is said where a required column is empty."""
    return f"{column.name} is required"


def parse_value(column: Column, value: Any, now: datetime) -> Any:
    """The parsed value of one cell, its default, or None; raises BadValue."""
    if is_missing(value):
        if column.required:
            raise BadValue("missing_value", required(column))
        return column.default
    parsed = column.kind.parse(value)
    check_value(column, parsed, now)
    return parsed


def check_row(table: Table, row: Mapping[str, Any]) -> Rejection | None:
    """The rejection of a parsed row for what its columns say together, or None."""
    if table.one_of and all(is_missing(row.get(name)) for name in table.one_of):
        return Rejection(-1, table.one_of[0], "missing_value", f"one of {', '.join(table.one_of)} is required")
    for name, (by, limits) in (table.ranges or {}).items():
        low, high = limits.get(row[by], (float("-inf"), float("inf")))
        if row.get(name) is not None and not low <= row[name] <= high:
            return Rejection(-1, name, "out_of_range", f"{row[name]:g} is not in {low:g} to {high:g} for {row[by]}")
    begins = row.get(table.exists_from or "")
    for column in table.instant_columns:
        ends = row.get(column.name)
        if column.name != table.exists_from and begins is not None and ends is not None and ends < begins:
            return Rejection(-1, column.name, "before_start", f"{column.name} lies before {table.exists_from}")
    return None


def validate_rows(table: Table, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> ValidRows:
    """Parse and check rows as they come in a request.

    A column that is not declared becomes an attribute where the table allows attributes, else its row is rejected.
    """
    result = ValidRows([], [], [])
    for index, row in enumerate(rows):
        try:
            parsed = _parse_row(table, row, now)
        except _BadCell as bad:
            result.rejections.append(Rejection(index, bad.column, bad.code, str(bad)))
            continue
        broken = check_row(table, parsed)
        if broken is not None:
            result.rejections.append(Rejection(index, broken.column, broken.code, broken.reason))
        else:
            result.rows.append(parsed)
            result.places.append(index)
    _number_rows(table, result.rows)
    return result


class _BadCell(BadValue):
    def __init__(self, column: str, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.column = column


def _parse_row(table: Table, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise _BadCell("", "wrong_type", f"{shown(row)} is not an object")
    given = _with_attributes(table, row)
    parsed = {}
    for column in table.columns:
        try:
            parsed[column.name] = parse_value(column, given.get(column.name), now)
        except BadValue as bad:
            raise _BadCell(column.name, bad.code, str(bad)) from None
    return parsed


def _with_attributes(table: Table, row: Mapping[str, Any]) -> Mapping[str, Any]:
    names = table.column_names
    extra = {name: value for name, value in row.items() if name not in names and not is_missing(value)}
    if not extra:
        return row
    if not table.allows_attributes:
        unknown = sorted(map(str, extra))[0]
        raise _BadCell(unknown, "unknown_column", f"{table.name} has no column {shown(unknown)}")
    own = row.get(ATTRIBUTES)
    try:
        return {**row, ATTRIBUTES: (json.loads(table[ATTRIBUTES].kind.parse(own)) if own else {}) | extra}
    except BadValue as bad:
        raise _BadCell(ATTRIBUTES, bad.code, str(bad)) from None


def _number_rows(table: Table, rows: Iterable[dict[str, Any]]) -> None:
    if table.numbered is None:
        return
    others = [name for name in table.key if name != table.numbered]
    seen: dict[tuple[Any, ...], int] = {}
    for row in rows:
        group = tuple(row[name] for name in others)
        seen[group] = seen.get(group, 0) + 1
        if row[table.numbered] is None:
            row[table.numbered] = seen[group]
