"""Rows between Python, pandas and SQL: instants as microseconds, missing values as NULL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.periods import from_microseconds, to_microseconds
from recommender.tables import Table

if TYPE_CHECKING:
    import pandas as pd

SqlRow = tuple[Any, ...]


def rows_to_sql(table: Table, rows: Iterable[Mapping[str, Any]]) -> list[SqlRow]:
    """Validated rows as tuples in the order of the table's columns."""
    instants = {column.name for column in table.instant_columns}
    names = table.column_names
    return [tuple(_moment_to_sql(row[name]) if name in instants else row[name] for name in names) for row in rows]


def _moment_to_sql(moment: Any) -> int | None:
    return None if moment is None else to_microseconds(moment)


def row_from_sql(table: Table, values: Sequence[Any]) -> dict[str, Any]:
    """One stored row as plain values by column name, instants as aware datetimes in UTC."""
    row = dict(zip(table.column_names, values, strict=True))
    for column in table.instant_columns:
        if row[column.name] is not None:
            row[column.name] = from_microseconds(row[column.name])
    return row


def frame_to_sql(table: Table, frame: pd.DataFrame) -> list[SqlRow]:
    """A validated frame as tuples in the order of the table's columns."""
    return list(zip(*(_series_to_sql(frame[name]) for name in table.column_names), strict=True))


def _series_to_sql(series: pd.Series) -> list[Any]:
    import pandas as pd

    if isinstance(series.dtype, pd.DatetimeTZDtype):
        microseconds = series.to_numpy(dtype="datetime64[us]").view("int64")
        return _with_none(microseconds, series.isna().to_numpy())
    if series.dtype == "float64":
        return _with_none(series.to_numpy(), series.isna().to_numpy())
    return list(series.to_numpy(dtype=object, na_value=None).tolist())


def _with_none(values: np.ndarray, missing: np.ndarray) -> list[Any]:
    if not missing.any():
        return list(values.tolist())
    boxed = values.astype(object)
    boxed[missing] = None
    return list(boxed.tolist())


def frame_from_sql(table: Table, rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Stored rows as a frame with the table's dtypes, by way of Arrow."""
    import pandas as pd
    import pyarrow as pa

    if not rows:
        return table.empty()
    arrays = {
        column.name: pa.array(values, type=_arrow_type(column.kind_name))
        for column, values in zip(table.columns, zip(*rows, strict=True), strict=True)
    }
    extension_types = {pa.string(): pd.StringDtype(), pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    return pa.table(arrays).to_pandas(types_mapper=extension_types.get)


def _arrow_type(kind_name: str) -> Any:
    import pyarrow as pa

    types = {
        "instant": pa.timestamp("us", tz="UTC"),
        "decimal": pa.float64(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
    }
    return types.get(kind_name, pa.string())


def is_storable(identifier: str) -> bool:
    """Whether a text can be an identifier in the store at all; others are unknown without asking the database."""
    if "\x00" in identifier:
        return False
    try:
        identifier.encode()
    except UnicodeEncodeError:
        return False
    return True
