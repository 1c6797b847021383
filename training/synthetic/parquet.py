"""Rows of all tables into Parquet, part by part, with fixed options so that the same rows give the same bytes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recommender.tables import Table
from recommender.touchpoints import table_named
from training.synthetic.columns import Columns

_TYPES = {"decimal": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "instant": pa.timestamp("us", "UTC")}
# Without the stored schema dictionaries are read back as plain text; the zone of instants is kept all the same.
_OPTIONS = {"compression": "zstd", "compression_level": 1, "store_schema": False, "write_statistics": True}


def known_rows(table: Table, columns: Columns, until: datetime) -> pa.Table:
    """The rows of a table as the company knew them at ``until``; columns not given are null.

    The same rule as ``recommender.tables.as_of``, on Arrow columns.
    """
    count = len(next(iter(columns.values())))
    arrays = {column.name: _array(columns.get(column.name), column.kind_name, count) for column in table.columns}
    end = pa.scalar(until, pa.timestamp("us", "UTC"))
    for column in table.instant_columns:
        if column.name != table.exists_from and not column.is_plan:
            arrays[column.name] = _where(pc.less(arrays[column.name], end), arrays[column.name])
    for column in table.columns:
        if column.known_at is not None:
            arrays[column.name] = _where(pc.is_valid(arrays[column.known_at]), arrays[column.name])
    rows = pa.table(arrays)
    return rows if table.exists_from is None else rows.filter(_exists(rows[table.exists_from], end))


def _exists(begins: pa.ChunkedArray, end: pa.Scalar) -> pa.ChunkedArray:
    return pc.fill_null(pc.less(begins, end), True)


def _where(holds: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(holds, False), values, pa.scalar(None, values.type))


def _array(values: object, kind_name: str, count: int) -> pa.Array:
    wanted = _TYPES.get(kind_name, pa.string())
    if values is None:
        return pa.nulls(count, wanted)
    if isinstance(values, pa.DictionaryArray):
        return values
    # In the simulation NaN stands for what there is not.
    array = values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)
    return array.cast(wanted)


class CompanyWriter:
    """Writes parts of tables (``<table>/part-00000.parquet``) and the truth (``truth/<name>.parquet``)."""

    def __init__(self, folder: Path, until: datetime) -> None:
        self._folder = folder
        self._until = until
        self._truth: dict[str, pq.ParquetWriter] = {}
        self.counts: dict[str, int] = {}

    def write(self, name: str, part: int, columns: Columns) -> None:
        """Write one part of a table: what of its rows was known at the end."""
        rows = known_rows(table_named(name), columns, self._until)
        path = self._folder / name / f"part-{part:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path, **_OPTIONS)
        self.counts[name] = self.counts.get(name, 0) + len(rows)

    def write_truth(self, name: str, columns: Columns) -> None:
        """Append rows to a table of the truth."""
        rows = pa.table({key: _truth_array(values) for key, values in columns.items()})
        if name not in self._truth:
            path = self._folder / "truth" / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._truth[name] = pq.ParquetWriter(path, rows.schema, **_OPTIONS)
        self._truth[name].write_table(rows)

    def close(self) -> None:
        """Finish the files of the truth."""
        for writer in self._truth.values():
            writer.close()


def _truth_array(values: object) -> pa.Array:
    array = values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)
    return array.cast(_TYPES["instant"]) if pa.types.is_timestamp(array.type) else array
