"""The history that training reads: all tables as Parquet, bucketed by customer, on local disk.

``<folder>/<table>/bucket=NN/part-NNNNNN.parquet`` holds the rows of the customers whose id has that bucket; rows of
an unknown visitor go by the session; tables that belong to no customer (items, offers) have ``bucket=00`` alone.
Every part is sorted by key and holds each key once; of a key in several parts the latest part counts.
Whoever reads bucket by bucket needs memory for one bucket.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.errors import SettingError
from recommender.parquet_files import (
    arrow_schema,
    sorted_unique,
    to_arrow,
    to_frame,
    update_digest,
    without_customers,
    write_parquet,
)
from recommender.tables import Table, as_of
from recommender.touchpoints import TABLES, table_named

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

FORMAT = 1
DEFAULT_BUCKETS = 16
MOST_PARTS = 32
_STATE = "history.json"


def bucket_of(customer_id: str, buckets: int) -> int:
    """The bucket of a customer: the same on every machine and in every version."""
    return zlib.crc32(customer_id.encode()) % buckets


class History:
    """Rows of all tables, in buckets of customers; see the module for the layout."""

    def __init__(self, folder: Path, state: dict[str, Any]) -> None:
        self.folder = folder
        self._state = state

    @classmethod
    def create(cls, folder: Path, buckets: int = DEFAULT_BUCKETS) -> History:
        """An empty history; raises SettingError where the folder already holds one."""
        if (folder / _STATE).exists():
            raise SettingError(f"{folder} already holds a history; open it or choose another folder")
        if not 1 <= buckets <= 10_000:
            raise SettingError(f"{buckets} buckets are not between 1 and 10000")
        history = cls(folder, {"format": FORMAT, "buckets": buckets, "sequences": {}})
        history._save_state()
        return history

    @classmethod
    def open(cls, folder: Path) -> History:
        """The history that a folder holds; raises SettingError where there is none of this format."""
        if not (folder / _STATE).is_file():
            raise SettingError(f"{folder} holds no history; create one first")
        state = json.loads((folder / _STATE).read_text())
        if state["format"] != FORMAT:
            raise SettingError(f"the history in {folder} has format {state['format']}, not {FORMAT}; delete it")
        return cls(folder, state)

    @property
    def buckets(self) -> int:
        """Number of buckets."""
        return int(self._state["buckets"])

    def tables(self) -> set[str]:
        """Names of the tables that hold rows."""
        return {name for name in TABLES if self._parts(TABLES[name])}

    def add(self, table: str, frame: pd.DataFrame) -> None:
        """Add validated rows; of rows with an equal key the last one given counts, within a call and across calls.

        The key of a row must always come with the same customer: rows are compared within a bucket only.
        """
        declared = table_named(table)
        places = self._buckets_of(declared, frame)
        rows = to_arrow(declared, frame)
        for bucket in sorted(set(places.tolist())):
            self._write_part(declared, bucket, sorted_unique(declared, [rows.filter(places == bucket)]))
            if len(self._parts(declared, bucket)) > MOST_PARTS:
                self._rewrite(declared, bucket)

    def compact(self) -> None:
        """Bring every bucket of every table into one part: later reads need not sort."""
        for declared in TABLES.values():
            for bucket in self._buckets_held(declared):
                self._rewrite(declared, bucket)

    def read(
        self, table: str, *, before: datetime, bucket: int | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Rows of a table as known strictly before an instant, keys unique, sorted by key, with the table's dtypes.

        ``bucket`` None reads all; tables that belong to no customer ignore it. ``columns`` None gives all.
        """
        declared = table_named(table)
        wanted = list(declared.column_names if columns is None else columns)
        narrow = _narrowed(declared, wanted)
        rows = as_of(narrow, to_frame(declared, self._read_parts(narrow, bucket)), before)
        return rows[wanted]

    def last_instant(self) -> datetime | None:
        """The latest instant at which anything happened, plans left out; None where nothing did."""
        import pyarrow.parquet as pq

        latest: list[datetime] = []
        for declared in TABLES.values():
            happened = {column.name for column in declared.instant_columns if not column.is_plan}
            for part in self._parts(declared):
                latest.extend(_largest(pq.read_metadata(part), happened))
        return max(latest, default=None)

    def fingerprint(self, before: datetime) -> str:
        """Hash of all that was known before an instant: later rows and the cut into parts do not change it."""
        digest = hashlib.sha256()
        for name in sorted(self.tables()):
            for bucket in self._buckets_held(TABLES[name]):
                rows = self.read(name, before=before, bucket=bucket)
                if len(rows):
                    digest.update(f"{name} {bucket} {len(rows)}\n".encode())
                    update_digest(digest, to_arrow(TABLES[name], rows))
        return digest.hexdigest()

    def forget(self, customer_ids: Collection[str]) -> dict[str, int]:
        """Delete all rows of these customers, also where they are the second customer of a row; rows by table."""
        forgotten = {}
        for name, declared in TABLES.items():
            if declared.customer_columns and (count := self._forget(declared, customer_ids)):
                forgotten[name] = count
        return forgotten

    def _forget(self, table: Table, customer_ids: Collection[str]) -> int:
        own = {bucket_of(one, self.buckets) for one in customer_ids}
        held = [bucket for bucket in self._buckets_held(table) if len(table.customer_columns) > 1 or bucket in own]
        return sum(self._rewrite(table, bucket, without=customer_ids) for bucket in held)

    def _rewrite(self, table: Table, bucket: int, without: Collection[str] = ()) -> int:
        """Bring a bucket into one part, without the rows of some customers; the number of rows left out."""
        old = self._parts(table, bucket)
        rows = self._read_parts(table, bucket)
        kept = without_customers(table, rows, without)
        if len(old) > 1 or len(kept) < len(rows):
            if len(kept):
                self._write_part(table, bucket, kept)
            for part in old:
                part.unlink()
        return len(rows) - len(kept)

    def _buckets_held(self, table: Table) -> list[int]:
        possible = range(self.buckets if table.customer_columns else 1)
        return [bucket for bucket in possible if self._parts(table, bucket)]

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

    def _bucket_folder(self, table: Table, bucket: int) -> Path:
        return self.folder / table.name / f"bucket={bucket:02d}"

    def _parts(self, table: Table, bucket: int | None = None) -> list[Path]:
        folder = "bucket=*" if bucket is None or not table.customer_columns else f"bucket={bucket:02d}"
        return sorted((self.folder / table.name).glob(f"{folder}/part-*.parquet"))

    def _write_part(self, table: Table, bucket: int, rows: pa.Table) -> None:
        parts = self._parts(table, bucket)
        number = int(parts[-1].stem.removeprefix("part-")) + 1 if parts else 1
        write_parquet(self._bucket_folder(table, bucket) / f"part-{number:06d}.parquet", rows)

    def _read_parts(self, table: Table, bucket: int | None) -> pa.Table:
        import pyarrow.parquet as pq

        names = list(table.column_names)
        parts = [pq.read_table(part, columns=names, partitioning=None) for part in self._parts(table, bucket)]
        if not parts:
            return arrow_schema(table).empty_table()
        return parts[0] if len(parts) == 1 else sorted_unique(table, parts)

    def _save_state(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f".{_STATE}.unfinished"
        unfinished.write_text(json.dumps(self._state, indent=1, sort_keys=True))
        unfinished.replace(self.folder / _STATE)


def _narrowed(table: Table, wanted: Sequence[str]) -> Table:
    """The table with only the columns wanted and those that decide what of them was known."""
    needed = {*wanted, *table.key, table.exists_from}
    needed |= {table[name].known_at for name in wanted}
    return replace(table, columns=tuple(column for column in table.columns if column.name in needed))


def _largest(metadata: Any, names: Collection[str]) -> Iterator[datetime]:
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            statistics = column.statistics
            if column.path_in_schema in names and statistics is not None and statistics.has_min_max:
                yield statistics.max
