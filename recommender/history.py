"""The history that training reads: all tables as Parquet, bucketed by customer, on local disk.

The rows of a customer lie in the bucket of the customer's id, those of an unknown visitor in the bucket of the
session; tables that belong to no customer (items, offers) have one bucket. Whoever reads bucket by bucket needs memory
for one bucket. ``bucket_files`` says how the files lie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from recommender.bucket_files import BucketFiles
from recommender.errors import SettingError
from recommender.parquet_files import to_arrow, to_frame, update_digest
from recommender.store_consent import customer_hash
from recommender.tables import Table, as_of
from recommender.touchpoints import TABLES, table_named

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
DEFAULT_BUCKETS = 4
MOST_BUCKETS = 100
# A bucket is what training holds in memory at once.
ROWS_PER_BUCKET = 1_000_000
PORTION_ROWS = 500_000
_STATE = "history.json"
_ERASURES = "erasures"


class ChangeSource(Protocol):
    """What a history needs of the event store."""

    def changes(self, table: str, after: int) -> Iterator[tuple[int, pd.DataFrame]]:
        """Rows stored or completed since a change number, with the number to continue from."""
        ...

    def erasures(self, after: int) -> list[tuple[int, str]]:
        """Change number and hash of each customer whose rows must go."""
        ...

    def identity(self) -> int:
        """Which store this is."""
        ...

    def last_sequence(self) -> int:
        """The highest change number so far."""
        ...


def buckets_for(rows: int) -> int:
    """How many buckets suit a history of so many rows in all: as few as fit into memory, for each costs some time."""
    return min(MOST_BUCKETS, max(DEFAULT_BUCKETS, rows // ROWS_PER_BUCKET))


class History:
    """Rows of all tables, in buckets of customers."""

    def __init__(self, folder: Path, state: dict[str, Any]) -> None:
        self.folder = folder
        self._state = state
        self._files = BucketFiles(folder, int(state["buckets"]))

    @classmethod
    def create(cls, folder: Path, buckets: int = DEFAULT_BUCKETS) -> History:
        """An empty history; raises SettingError where the folder already holds one."""
        if (folder / _STATE).exists():
            raise SettingError(f"{folder} already holds a history; open it or choose another folder")
        if not 1 <= buckets <= MOST_BUCKETS:
            raise SettingError(f"{buckets} buckets are not between 1 and {MOST_BUCKETS}")
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
            raise SettingError(f"the history in {folder} has format {state['format']}, not {FORMAT}; delete the folder")
        return cls(folder, state)

    @property
    def buckets(self) -> int:
        """Number of buckets."""
        return self._files.buckets

    def tables(self) -> set[str]:
        """Names of the tables that hold rows."""
        return {name for name, declared in TABLES.items() if self._files.parts(declared)}

    def add(self, table: str, frame: pd.DataFrame) -> None:
        """Add validated rows; of rows with an equal key the last one given counts, within a call and across calls.

        The key of a row must always come with the same customer: rows are compared within a bucket only.
        """
        self._files.add(table_named(table), frame)

    def compact(self) -> None:
        """Bring every bucket of every table into one part: later reads need not sort."""
        for declared in TABLES.values():
            for bucket in self._files.buckets_held(declared):
                self._files.rewrite(declared, bucket)

    def read(
        self, table: str, *, before: datetime, bucket: int | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Rows of a table as known strictly before an instant, keys unique, sorted by key, with the table's dtypes.

        ``bucket`` None reads all; tables that belong to no customer ignore it. ``columns`` None gives all.
        """
        declared = table_named(table)
        wanted = list(declared.column_names if columns is None else columns)
        narrow = _narrowed(declared, wanted)
        return as_of(narrow, to_frame(declared, self._files.read(narrow, bucket)), before)[wanted]

    def last_instant(self) -> datetime | None:
        """When the latest event of any table that tells time began; None where there is none."""
        latest: list[datetime] = []
        for declared in TABLES.values():
            if declared.exists_from is not None and declared.tells_time and not declared.is_entity:
                latest.extend(self._files.latest(declared, declared.exists_from))
        return max(latest, default=None)

    def fingerprint(self, before: datetime) -> str:
        """Hash of all that was known before an instant: later rows and the cut into parts do not change it."""
        digest = hashlib.sha256()
        for name in sorted(self.tables()):
            for bucket in self._files.buckets_held(TABLES[name]):
                rows = self.read(name, before=before, bucket=bucket)
                if len(rows):
                    digest.update(f"{name} {bucket} {len(rows)}\n".encode())
                    update_digest(digest, to_arrow(TABLES[name], rows))
        return digest.hexdigest()

    def forget(self, customer_ids: Collection[str]) -> dict[str, int]:
        """Delete all rows of these customers, also where they are the second customer of a row; rows by table."""
        forgotten = {}
        for name, declared in TABLES.items():
            held = self._files.buckets_held(declared) if declared.customer_columns and customer_ids else []
            count = sum(self._files.rewrite(declared, bucket, without=customer_ids) for bucket in held)
            if count:
                forgotten[name] = count
        return forgotten

    def refresh(self, source: ChangeSource) -> dict[str, int]:
        """Take over what has changed in the store since the last refresh; rows copied by table.

        Rows of customers who were erased or withdrew their consent are dropped. Safe to repeat after a failure:
        where to go on from is written down last.
        """
        marks: dict[str, int] = dict(self._state["sequences"])
        identity = source.identity()
        is_another = self._state.get("store", identity) != identity
        if is_another or source.last_sequence() < max(marks.values(), default=0):
            marks = {}
            self._clear()
        erasures = source.erasures(marks.get(_ERASURES, 0))
        self.forget(self._ids_of({one for _, one in erasures}))
        # What such a customer has done since has higher numbers: those rows went too, and are copied again.
        again = min((number for number, _ in erasures), default=source.last_sequence())
        copied = {}
        for name in TABLES:
            copied[name], mark = self._copy(name, source.changes(name, min(marks.get(name, 0), again)))
            marks[name] = max(marks.get(name, 0), mark)
        self.compact()
        marks[_ERASURES] = max([marks.get(_ERASURES, 0), *(number for number, _ in erasures)])
        self._state = {**self._state, "store": identity, "sequences": marks}
        self._save_state()
        return {name: count for name, count in copied.items() if count}

    def _copy(self, name: str, changes: Iterable[tuple[int, pd.DataFrame]]) -> tuple[int, int]:
        """Add frames in portions of some size; the number of rows and the last change number, 0 without any."""
        portion: list[pd.DataFrame] = []
        copied = mark = 0
        for number, frame in changes:
            mark = number
            copied += len(frame)
            portion.append(frame)
            if sum(map(len, portion)) >= PORTION_ROWS:
                self._add_all(name, portion)
                portion = []
        self._add_all(name, portion)
        return copied, mark

    def _add_all(self, name: str, frames: Sequence[pd.DataFrame]) -> None:
        import pandas as pd

        if frames:
            self.add(name, pd.concat(frames, ignore_index=True))

    def _ids_of(self, hashes: Collection[str]) -> set[str]:
        """The customers in this history whose ids have these hashes."""
        if not hashes:
            return set()
        named: set[str] = set().union(*(self._files.customer_ids(declared) for declared in TABLES.values()))
        return {one for one in named if customer_hash(one) in hashes}

    def _clear(self) -> None:
        for declared in TABLES.values():
            self._files.clear(declared)

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
