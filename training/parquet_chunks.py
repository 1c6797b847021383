"""Parquet files of any writer as frames that validation understands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recommender.errors import DataError
from recommender.tables import Table

_INTEGERS = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}
# What pandas adds to a file when the rows of a frame were chosen before it was written: no column of anybody's.
_INDEX_OF_PANDAS = re.compile(r"__index_level_\d+__")
_NESTED_KINDS = {"list", "object"}
# A day within the limits of datetime, so that any offset stays within.
_CALENDAR = (datetime(1, 1, 2), datetime(9999, 12, 30))


def parquet_chunks(table: Table, path: Path, rows: int) -> Iterator[pd.DataFrame]:
    """Rows of a Parquet file, or of all ``*.parquet`` files of a folder in the order of their names.

    Raises DataError where a part cannot be read or there is none.
    """
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not parts:
        raise DataError(table.name, f"the folder {path.name} holds no .parquet file")
    for part in parts:
        if part.stat().st_size == 0:
            raise DataError(table.name, f"{part.name} is empty; write it again")
        try:
            with pq.ParquetFile(part) as file:
                if file.metadata.num_rows == 0:
                    yield _frame(table, file.schema_arrow.empty_table())
                for batch in file.iter_batches(batch_size=rows):
                    yield _frame(table, pa.Table.from_batches([batch]))
        except (pa.ArrowInvalid, OSError) as error:
            reason = str(error).split("\n", 1)[0]
            raise DataError(table.name, f"{part.name} cannot be read as Parquet ({reason})") from None


def _frame(table: Table, arrow: pa.Table) -> pd.DataFrame:
    columns = {}
    for name in arrow.column_names:
        if name not in table.column_names and _INDEX_OF_PANDAS.fullmatch(name):
            continue
        is_attribute = name not in table.column_names
        may_be_nested = is_attribute or table[name].kind_name in _NESTED_KINDS
        plain = _plain(_as_json(arrow[name]) if may_be_nested else arrow[name])
        columns[name] = _attribute(plain) if is_attribute else _series(plain)
    return pd.DataFrame(columns, index=range(len(arrow)))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as one of few types; the values stay the same."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return column.cast(pa.large_string())
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        return column.cast(pa.float64())
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(kind):
        # Nanoseconds are cut off; seconds that are too many for microseconds are an error.
        return column.cast(pa.timestamp("us", tz=kind.tz), safe=kind.unit != "ns")
    return column


def _as_json(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Lists and structures as JSON text; other columns as they are."""
    if not pa.types.is_nested(column.type):
        return column
    values = column.to_pylist()
    texts = [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in values]
    return pa.chunked_array([pa.array(texts, pa.large_string())])


def _series(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    if pa.types.is_large_string(kind):
        return column.to_pandas(types_mapper=lambda _: pd.StringDtype())
    if kind in _INTEGERS:
        return column.to_pandas(types_mapper=_INTEGERS.get)
    if pa.types.is_boolean(kind):
        return column.to_pandas(types_mapper=lambda _: pd.BooleanDtype())
    if pa.types.is_timestamp(kind):
        return _instants(column)
    if pa.types.is_floating(kind) and not pc.any(pc.is_nan(column)).as_py():
        return column.to_pandas()
    # In a float column null and NaN would be one; among objects they are told apart.
    return pd.Series(column.to_pylist(), dtype=object)


def _instants(column: pa.ChunkedArray) -> pd.Series:
    """Times as they are, but as text where no calendar of Python has them: validation refuses a text like that."""
    first, last = (pa.scalar(moment, pa.timestamp("us")) for moment in _CALENDAR)
    local = column.cast(pa.timestamp("us"))
    outside = pc.or_(pc.less(local, first), pc.greater(local, last))
    if not pc.any(outside).as_py():
        return column.to_pandas()
    times = pc.if_else(outside, None, column).to_pylist()
    texts = column.cast(pa.large_string()).to_pylist()
    return pd.Series([text if time is None else time for time, text in zip(times, texts, strict=True)], dtype=object)


def _attribute(column: pa.ChunkedArray) -> pd.Series:
    """A column that becomes part of the attributes: numbers, truth values and text only, NaN not given."""
    kind = column.type
    if pa.types.is_floating(kind):
        return column.to_pandas()
    is_plain = kind in _INTEGERS or pa.types.is_boolean(kind) or pa.types.is_large_string(kind)
    return _series(column if is_plain else pc.cast(column, pa.large_string(), safe=False))
