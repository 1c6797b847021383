"""Rows of tables as sorted Parquet parts in buckets: ``<folder>/<table>/bucket=NN/part-NNNNNN.parquet``.

Every part is sorted by key and holds each key once; of a key in several parts of a bucket the latest part counts.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.parquet_files import arrow_schema, sorted_unique, to_arrow, without_customers, write_parquet
from recommender.tables import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

MOST_PARTS = 32


def bucket_of(customer_id: str, buckets: int) -> int:
    """The bucket of a customer: the same on every machine and in every version."""
    return zlib.crc32(customer_id.encode()) % buckets


class BucketFiles:
    """The parts of all tables in one folder."""

    def __init__(self, folder: Path, buckets: int) -> None:
        self.folder = folder
        self.buckets = buckets

    def parts(self, table: Table, bucket: int | None = None) -> list[Path]:
        """Files of a bucket in the order they were added; of all buckets where it is None or the table has but one."""
        folder = "bucket=*" if bucket is None or not table.customer_columns else f"bucket={bucket:02d}"
        return sorted((self.folder / table.name).glob(f"{folder}/part-*.parquet"))

    def buckets_held(self, table: Table) -> list[int]:
        """The buckets that hold rows; tables that belong to no customer have bucket 0 alone."""
        possible = range(self.buckets if table.customer_columns else 1)
        return [bucket for bucket in possible if self.parts(table, bucket)]

    def add(self, table: Table, frame: pd.DataFrame) -> None:
        """Add one part to each bucket that the rows belong to."""
        places = self._buckets_of(table, frame)
        rows = to_arrow(table, frame)
        for bucket in sorted(set(places.tolist())):
            self._write_part(table, bucket, sorted_unique(table, [rows.filter(places == bucket)]))
            if len(self.parts(table, bucket)) > MOST_PARTS:
                self.rewrite(table, bucket)

    def read(self, table: Table, bucket: int | None) -> pa.Table:
        """Rows with unique keys, sorted by key; ``table`` may be narrowed to some columns, the key among them."""
        import pyarrow.parquet as pq

        names = list(table.column_names)
        read = [pq.read_table(part, columns=names, partitioning=None) for part in self.parts(table, bucket)]
        if not read:
            return arrow_schema(table).empty_table()
        return read[0] if len(read) == 1 else sorted_unique(table, read)

    def rewrite(self, table: Table, bucket: int, without: Collection[str] = ()) -> int:
        """Bring a bucket into one part, without the rows of some customers; the number of rows left out."""
        old = self.parts(table, bucket)
        if len(old) == 1 and not without:
            return 0
        rows = self.read(table, bucket)
        kept = without_customers(table, rows, without)
        if len(old) > 1 or len(kept) < len(rows):
            if len(kept):
                self._write_part(table, bucket, kept)
            for part in old:
                part.unlink()
        return len(rows) - len(kept)

    def customer_ids(self, table: Table) -> set[str]:
        """Everybody whom the rows of a table name."""
        import pyarrow.parquet as pq

        found: set[str] = set()
        for part in self.parts(table):
            for name in table.customer_columns:
                column = pq.read_table(part, columns=[name], partitioning=None)[name]
                found.update(one for one in column.unique().to_pylist() if one is not None)
        return found

    def latest(self, table: Table, column: str) -> Iterator[datetime]:
        """Instants of a column, the largest among them."""
        import pyarrow.parquet as pq

        for part in self.parts(table):
            metadata = pq.read_metadata(part)
            place = metadata.schema.names.index(column)
            for group in range(metadata.num_row_groups):
                statistics = metadata.row_group(group).column(place).statistics
                if statistics is not None and statistics.has_min_max:
                    yield statistics.max

    def clear(self, table: Table) -> None:
        """Delete all rows of a table."""
        shutil.rmtree(self.folder / table.name, ignore_errors=True)

    def _write_part(self, table: Table, bucket: int, rows: pa.Table) -> None:
        parts = self.parts(table, bucket)
        number = int(parts[-1].stem.removeprefix("part-")) + 1 if parts else 1
        write_parquet(self.folder / table.name / f"bucket={bucket:02d}" / f"part-{number:06d}.parquet", rows)

    def _buckets_of(self, table: Table, frame: pd.DataFrame) -> np.ndarray:
        import numpy as np
        import pandas as pd

        if not table.customer_columns:
            return np.zeros(len(frame), dtype=np.int64)
        owners = frame[table.customer_columns[0]]
        if "session_id" in table.column_names:
            owners = owners.fillna(frame["session_id"])
        codes, distinct = pd.factorize(owners)
        places: np.ndarray = np.array([bucket_of(str(one), self.buckets) for one in distinct], dtype=np.int64)[codes]
        return places
