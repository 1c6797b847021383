"""The border for frames: what of a file may pass, column by column; the verdicts are those of ``validation``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recommender.column_kinds import BadValue
from recommender.errors import DataError
from recommender.tables import ATTRIBUTES, Column, Table
from recommender.validation import EARLIEST, Rejection, check_row, is_missing, parse_value, required

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ValidFrame:
    """A frame of the table's dtypes whose index tells the place (from 0) in what came in, and the rows rejected."""

    rows: pd.DataFrame
    rejections: list[Rejection]


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
        within &= (values >= EARLIEST) & (values < now)
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
