"""Frames of a table as Parquet files: fixed types, fixed writer options, whole files or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.column_kinds import Kind
from recommender.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ROW_GROUP_ROWS = 262_144


def arrow_type(kind: Kind) -> pa.DataType:
    """The Arrow type that holds a kind of column."""
    import pyarrow as pa

    if kind.name == "instant":
        return pa.timestamp("us", tz="UTC")
    by_name = {"decimal": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}
    return by_name.get(kind.name, pa.large_string())


def arrow_schema(table: Table) -> pa.Schema:
    """The columns of a table, in order, as Arrow types."""
    import pyarrow as pa

    return pa.schema([(column.name, arrow_type(column.kind)) for column in table.columns])


def to_arrow(table: Table, frame: pd.DataFrame) -> pa.Table:
    """A frame of the table as an Arrow table of exactly its columns; a column that is absent becomes null."""
    import pyarrow as pa

    columns = [
        pa.array(frame[field.name], type=field.type, from_pandas=True)
        if field.name in frame.columns
        else pa.nulls(len(frame), field.type)
        for field in arrow_schema(table)
    ]
    return pa.table(columns, schema=arrow_schema(table))


def to_frame(table: Table, arrow: pa.Table) -> pd.DataFrame:
    """An Arrow table of some columns of the table as a frame with the table's dtypes."""
    frame = arrow.to_pandas(types_mapper=_pandas_dtype, ignore_metadata=True)
    dtypes = {name: table[name].dtype for name in frame.columns if str(frame[name].dtype) != table[name].dtype}
    return frame.astype(dtypes) if dtypes else frame


def _pandas_dtype(kind: pa.DataType) -> Any:
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.StringDtype()
    if pa.types.is_integer(kind):
        return pd.Int64Dtype()
    return pd.BooleanDtype() if pa.types.is_boolean(kind) else None


def write_parquet(path: Path, arrow: pa.Table) -> None:
    """Write a Parquet file under a temporary name, then give it its own: a reader sees the whole file or none."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    pq.write_table(arrow, unfinished, compression="zstd", row_group_size=ROW_GROUP_ROWS)
    unfinished.replace(path)


def sorted_unique(table: Table, parts: Sequence[pa.Table]) -> pa.Table:
    """Rows sorted by key; of rows with an equal key the last."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pa.concat_tables(parts).combine_chunks()
    rows = rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in table.key]))
    if len(rows) < 2:
        return rows
    same = np.ones(len(rows) - 1, dtype=bool)
    for name in table.key:
        keys = rows[name].combine_chunks()
        same &= pc.equal(keys.slice(1), keys.slice(0, len(rows) - 1)).to_numpy(zero_copy_only=False)
    return rows.filter(pa.array(np.append(~same, True))) if same.any() else rows


def without_customers(table: Table, rows: pa.Table, customer_ids: Collection[str]) -> pa.Table:
    """Rows that name none of these customers in any of the table's customer columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not customer_ids:
        return rows
    wanted = pa.array(sorted(customer_ids), pa.large_string())
    for name in table.customer_columns:
        rows = rows.filter(pc.invert(pc.is_in(rows[name], value_set=wanted)))
    return rows


def update_digest(digest: Any, rows: pa.Table) -> None:
    """Feed a hash with the values column by column: nulls, lengths and texts, never memory that no value owns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in rows.columns:
        values = column.combine_chunks()
        digest.update(pc.is_null(values).to_numpy(zero_copy_only=False).tobytes())
        if pa.types.is_large_string(values.type):
            digest.update(pc.binary_length(values).fill_null(0).to_numpy().tobytes())
            digest.update("".join(values.drop_null().to_pylist()).encode())
        elif pa.types.is_timestamp(values.type):
            digest.update(values.fill_null(0).cast(pa.int64()).to_numpy().tobytes())
        else:
            digest.update(values.fill_null(False if pa.types.is_boolean(values.type) else 0).to_numpy(False).tobytes())
