"""Rows of a whole file that share a key, settled as the event store settles them, without a store.

Rows go to disk in parts by the hash of their key, so all rows of one key are met together and memory is bounded by a
part. Of equal rows one remains; a row that only fills what becomes known later completes the first; of different
rows the first remains and the others are refused with the code ``key_conflict``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recommender.column_kinds import shown
from recommender.parquet_files import to_arrow, to_frame, write_parquet
from recommender.store_append import completable_names
from recommender.tables import Table
from training.quarantine import Refusal

_PARTS = 32
_LINE = "line of the file"


@dataclass(frozen=True)
class Settled:
    """Rows with unique keys, sorted by key, and what became of the others."""

    rows: pd.DataFrame
    duplicates: int
    completed: int
    refusals: tuple[Refusal, ...]


class DuplicateSettler:
    """Collects the valid rows of one table, then gives them back with every key once."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._added = 0
        self._folder = tempfile.TemporaryDirectory(prefix="regulars-")

    def __enter__(self) -> DuplicateSettler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def add(self, rows: pd.DataFrame, line_numbers: np.ndarray) -> None:
        """Take valid rows with their line numbers, in the order of the file."""
        places = pd.util.hash_array(rows[self._table.key[0]].to_numpy(dtype=object)) % _PARTS
        arrow = to_arrow(self._table, rows).append_column(_LINE, pa.array(line_numbers, pa.int64()))
        for place in np.unique(places):
            path = Path(self._folder.name) / f"{place:02d}" / f"{self._added:06d}.parquet"
            write_parquet(path, arrow.filter(places == place))
        self._added += 1

    def settle(self) -> Iterator[Settled]:
        """All rows in parts of bounded size; each key occurs in one part."""
        for folder in sorted(Path(self._folder.name).iterdir()):
            arrow = pa.concat_tables([pq.read_table(path, partitioning=None) for path in sorted(folder.iterdir())])
            keys = [(name, "ascending") for name in (*self._table.key, _LINE)]
            arrow = arrow.take(pc.sort_indices(arrow, sort_keys=keys))
            lines = arrow[_LINE].to_numpy()
            yield _settle(self._table, to_frame(self._table, arrow.drop_columns([_LINE])), lines)


def _settle(table: Table, rows: pd.DataFrame, lines: np.ndarray) -> Settled:
    key = list(table.key)
    repeats = rows[rows.duplicated(key, keep=False)]
    if repeats.empty:
        return Settled(rows, 0, 0, ())
    group = repeats.groupby(key, sort=False).ngroup()
    differs = (~repeats.duplicated()).groupby(group).transform("sum") > 1
    copies = int((~differs).sum()) - group[~differs].nunique()
    contest = _Contest(table, lines)
    contest.decide(repeats[differs])
    kept = rows.drop_duplicates(key)
    for place, name, value in contest.filled():
        kept.loc[place, name] = value
    kept = kept.reset_index(drop=True)
    return Settled(kept, copies + contest.duplicates, contest.completed, tuple(contest.refusals))


class _Contest:
    """Decides between rows with one key and different values, one after the other, as ``EventStore.append`` does."""

    def __init__(self, table: Table, lines: np.ndarray) -> None:
        self._table = table
        self._lines = lines
        self._completable = set(completable_names(table))
        self._standing: dict[tuple[Any, ...], tuple[int, dict[str, Any]]] = {}
        self._changed: dict[int, dict[str, Any]] = {}
        self.duplicates = 0
        self.completed = 0
        self.refusals: list[Refusal] = []

    def decide(self, rows: pd.DataFrame) -> None:
        plain = rows.astype(object).where(rows.notna(), None)
        for place, row in zip(rows.index, plain.to_dict("records"), strict=True):
            key = tuple(row[name] for name in self._table.key)
            if key not in self._standing:
                self._standing[key] = (place, row)
            else:
                self._decide(place, row, *self._standing[key])

    def _decide(self, place: int, row: dict[str, Any], first: int, there: dict[str, Any]) -> None:
        for name, value in row.items():
            may_be_filled = name in self._completable and (value is None or there[name] is None)
            if value != there[name] and not may_be_filled:
                self.refusals.append(self._refusal(place, row, name, first, there))
                return
        news = {name: value for name, value in row.items() if value is not None and there[name] is None}
        there.update(news)
        self._changed.setdefault(first, {}).update(news)
        self.completed += bool(news)
        self.duplicates += not news

    def _refusal(self, place: int, row: dict[str, Any], name: str, first: int, there: dict[str, Any]) -> Refusal:
        key = " ".join(str(row[one]) for one in self._table.key)
        reason = (
            f"{name} {shown(row[name])} of {shown(key)} differs from {shown(there[name])} in row {self._lines[first]}"
        )
        return Refusal(int(self._lines[place]), name, "key_conflict", reason, row)

    def filled(self) -> Iterator[tuple[int, str, Any]]:
        """Place, column and value of all that a later row filled in a first one."""
        return ((place, name, value) for place, news in self._changed.items() for name, value in news.items())
