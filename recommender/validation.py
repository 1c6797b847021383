"""The border: rows and frames as they come in, and what of them may pass.

``validate_rows`` serves requests and imports no pandas; ``validate_frame`` serves files. Both use the same parsers
and limits, and a test holds them to the same verdict.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recommender.column_kinds import BadValue, shown
from recommender.errors import DataError
from recommender.tables import ATTRIBUTES, Column, Table

if TYPE_CHECKING:
    import pandas as pd


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


@dataclass(frozen=True)
class ValidFrame:
    """A frame of the table's dtypes whose index tells the place (from 0) in what came in, and the rows rejected."""

    rows: pd.DataFrame
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
    if column.kind_name == "instant" and not column.is_plan and value >= now:
        raise BadValue("future_instant", f"{value.isoformat()} has not happened yet")


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


def check_columns(table: Table, names: Iterable[str]) -> None:
    """Raise DataError where a file lacks a required column or has one that the table does not know."""
    given = set(names)
    missing = [name for name in table.required_names if name not in given]
    if missing:
        raise DataError(table.name, f"the required column {missing[0]!r} is missing; add it to the file")
    if table.one_of and not given.intersection(table.one_of):
        raise DataError(table.name, f"one of the columns {', '.join(table.one_of)} is required; add one to the file")
    unknown = sorted(given.difference(table.column_names))
    if unknown and not table.allows_attributes:
        known = ", ".join(table.column_names)
        raise DataError(table.name, f"the column {unknown[0]!r} is not known; remove it or use one of {known}")


def validate_frame(table: Table, frame: pd.DataFrame, *, now: datetime) -> ValidFrame:
    """Parse and check a frame as it comes from a file; its index must count from 0.

    Raises DataError for a missing, unknown or zone-less column: then no row of the table can be used.
    """
    import pandas as pd

    check_columns(table, frame.columns)
    for name in frame.columns.intersection([column.name for column in table.instant_columns]):
        if pd.api.types.is_datetime64_dtype(frame[name].dtype):
            raise DataError(table.name, f"the instants of {name!r} have no time zone; write them in UTC")
    frame = _frame_with_attributes(table, frame)
    rejected: dict[int, Rejection] = {}
    columns = {}
    for column in table.columns:
        columns[column.name] = _parse_series(column, frame, rejected, now)
    parsed = pd.DataFrame(columns, index=frame.index)
    parsed = parsed.drop(index=list(rejected))
    _check_frame_rows(table, parsed, rejected)
    parsed = _number_frame(table, parsed.drop(index=[place for place in rejected if place in parsed.index]))
    return ValidFrame(parsed, [rejected[place] for place in sorted(rejected)])


def _frame_with_attributes(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    extra = [name for name in frame.columns if name not in table.column_names]
    if not extra:
        return frame
    records = frame[extra].astype(object).where(frame[extra].notna(), None).to_dict("records")
    own = frame[ATTRIBUTES] if ATTRIBUTES in frame else [None] * len(frame)
    attributes = [
        {**(json.loads(text) if isinstance(text, str) and text else {}), **_given(record)}
        for text, record in zip(own, records, strict=True)
    ]
    return frame.drop(columns=extra).assign(**{ATTRIBUTES: attributes})


def _given(record: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in record.items() if not is_missing(value)}


def _parse_series(column: Column, frame: pd.DataFrame, rejected: dict[int, Rejection], now: datetime) -> pd.Series:
    import pandas as pd

    if column.name not in frame.columns:
        return pd.Series(column.default, index=frame.index, dtype=column.dtype)
    series = frame[column.name]
    given = ~_missing(series)
    values, certain = column.kind.convert(series.where(given))
    certain = (certain & _within_limits(column, values, now) & given).astype(bool)
    values = values.astype(column.dtype).where(certain)
    if column.required:
        for place in series.index[~given]:
            rejected.setdefault(int(place), Rejection(int(place), column.name, "missing_value", required(column)))
    verdicts: dict[Any, Any] = {}
    good: dict[Any, Any] = {}
    for place, value in series[given & ~certain].items():
        verdict = _verdict(column, value, verdicts, now)
        if isinstance(verdict, BadValue):
            rejected.setdefault(int(place), Rejection(int(place), column.name, verdict.code, str(verdict)))
        else:
            good[place] = verdict
    if good:
        filled = pd.Series(good, dtype=object)
        values.loc[filled.index] = filled.astype(column.dtype)
    return values if column.default is None else values.fillna(column.default)


def _missing(series: pd.Series) -> pd.Series:
    if series.dtype == object:
        return series.map(is_missing).astype(bool)
    return (series.isna() | (series == "")).fillna(True).astype(bool)


def _within_limits(column: Column, values: pd.Series, now: datetime) -> pd.Series:
    within = values.notna()
    if column.choices:
        within &= values.isin(column.choices)
    if column.minimum is not None:
        within &= (values >= column.minimum).fillna(False).astype(bool)
    if column.maximum is not None:
        within &= (values <= column.maximum).fillna(False).astype(bool)
    if column.kind_name == "instant" and not column.is_plan:
        within &= values < now
    return within


def _verdict(column: Column, value: Any, verdicts: dict[Any, Any], now: datetime) -> Any:
    """The parsed value or the BadValue of a cell, remembered for equal cells of the column."""
    cell = (type(value), value if value.__hash__ else repr(value))
    if cell not in verdicts:
        try:
            verdicts[cell] = parse_value(column, None if _is_null(value, column) else value, now)
        except BadValue as bad:
            verdicts[cell] = bad
    return verdicts[cell]


def _is_null(value: Any, column: Column) -> bool:
    # In a float column of pandas NaN may stand for null; only a number column can hold a NaN that was meant.
    return is_missing(value) or (isinstance(value, float) and value != value and column.kind_name != "decimal")


def _check_frame_rows(table: Table, parsed: pd.DataFrame, rejected: dict[int, Rejection]) -> None:
    suspects = _suspect_rows(table, parsed)
    for place, row in zip(suspects.index, suspects.astype(object).to_dict("records"), strict=True):
        broken = check_row(
            table, {name: None if is_missing(value) or value != value else value for name, value in row.items()}
        )
        if broken is not None:
            rejected[int(place)] = Rejection(int(place), broken.column, broken.code, broken.reason)


def _suspect_rows(table: Table, parsed: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    suspect = pd.Series(bool(table.ranges), index=parsed.index)
    if table.one_of:
        suspect |= parsed[list(table.one_of)].isna().all(axis=1)
    if table.exists_from is not None:
        for column in table.instant_columns:
            suspect |= (parsed[column.name] < parsed[table.exists_from]).fillna(False).astype(bool)
    return parsed[suspect]


def _number_frame(table: Table, parsed: pd.DataFrame) -> pd.DataFrame:
    if table.numbered is None:
        return parsed
    others = [name for name in table.key if name != table.numbered]
    running = parsed.groupby(others, sort=False).cumcount() + 1
    return parsed.assign(**{table.numbered: parsed[table.numbered].fillna(running.astype("Int64"))})
