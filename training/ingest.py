"""Files in: the tables of a folder, checked, stored, and what was refused put into quarantine.

The rules are those of the tables: a bad row goes into quarantine and the others pass; a missing or unknown column
stops its table. Chunk by chunk, so memory does not grow with the files.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from recommender.errors import DataError
from recommender.event_store import EventStore
from recommender.frame_validation import validate_frame
from recommender.touchpoints import table_named
from recommender.validation import Rejection
from training.duplicates import DuplicateSettler
from training.line_numbers import RunningNumbers
from training.progress import Steps, silent
from training.quarantine import Quarantine, Refusal
from training.table_files import Chunk, open_folder, read_chunks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableReport:
    """What became of the rows of one table; ``quarantined`` counts by code."""

    table: str
    read: int
    accepted: int
    duplicates: int
    completed: int
    quarantined: Mapping[str, int]


@dataclass(frozen=True)
class IngestReport:
    """The tables done, the sentence of each table that was stopped, and what else should be known."""

    tables: tuple[TableReport, ...]
    stopped: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def quarantined_count(self) -> int:
        """Rows in quarantine over all tables."""
        return sum(sum(one.quarantined.values()) for one in self.tables)


@dataclass
class _Tally:
    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    completed: int = 0

    def report(self, table: str, quarantine: Quarantine) -> TableReport:
        counts = dict(sorted(quarantine.counts.items()))
        return TableReport(table, self.read, self.accepted, self.duplicates, self.completed, counts)


def ingest(folder: Path, store: EventStore, quarantine_folder: Path, steps: Steps = silent) -> IngestReport:
    """Store all tables of a folder; safe to repeat.

    Raises DataError where the folder holds nothing that is needed, StoreUnavailable where the store fails. What was
    stored until then stays; the next run goes on from there.
    """

    def store_table(name: str, path: Path) -> TableReport:
        tally = _Tally()
        with Quarantine(quarantine_folder, name) as quarantine:
            for chunk in _chunks(name, path, steps):
                result = store.append(name, chunk.frame)
                tally.read += len(chunk.frame) + len(chunk.unreadable)
                tally.accepted += result.accepted
                tally.duplicates += result.duplicates
                tally.completed += result.completed
                quarantine.add(_refusals(chunk, result.rejections), chunk.frame.columns)
        return tally.report(name, quarantine)

    return _each_table(folder, store_table)


def check(folder: Path, now: datetime, quarantine_folder: Path | None = None, steps: Steps = silent) -> IngestReport:
    """What ``ingest`` into an empty store would report at ``now``; stores nothing.

    Without a ``quarantine_folder`` the rows refused are only counted.
    """

    def check_table(name: str, path: Path) -> TableReport:
        checked = CheckedTable(name, path, now, quarantine_folder, steps)
        for _ in checked.frames():
            pass
        return checked.report()

    return _each_table(folder, check_table)


def validated_frames(
    folder: Path, now: datetime, quarantine_folder: Path | None = None, steps: Steps = silent
) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables of a folder as the store would hold them after ``ingest``, as valid frames of bounded size.

    Every key occurs once in all frames of a table. Rows refused are logged by count and, where there is a
    ``quarantine_folder``, written there. Raises DataError where the folder or one of its tables cannot be used.
    """
    found = open_folder(folder)
    for warning in _warnings(found.unknown):
        logger.warning("%s", warning)
    for name, path in found.paths.items():
        checked = CheckedTable(name, path, now, quarantine_folder, steps)
        for frame in checked.frames():
            yield name, frame
        refused = sum(checked.report().quarantined.values())
        if refused:
            logger.warning("%s rows left out quarantined=%d %s", name, refused, dict(checked.report().quarantined))


def consented_frames(folder: Path, now: datetime, steps: Steps = silent) -> Iterator[tuple[str, pd.DataFrame]]:
    """``validated_frames`` without the rows of customers who do not consent to personalization."""
    withheld: set[str] = set()
    for name, frame in validated_frames(folder, now, steps=steps):
        columns = table_named(name).customer_columns
        # The customers come first.
        if name == "customers":
            withheld.update(frame.loc[~frame["consent_personalization"], "customer_id"])
        named = [frame[column].isin(withheld) for column in columns]
        yield name, frame[~pd.concat(named, axis=1).any(axis=1)] if withheld and named else frame


class CheckedTable:
    """One table of a folder, validated, with every key once, and the count of what was not."""

    def __init__(self, name: str, path: Path, now: datetime, quarantine_folder: Path | None, steps: Steps) -> None:
        self._table = table_named(name)
        self._path = path
        self._now = now
        self._steps = steps
        self._tally = _Tally()
        self._quarantine = Quarantine(quarantine_folder, name)

    def frames(self) -> Iterator[pd.DataFrame]:
        """Valid rows in frames of bounded size, in the order of the parts they were settled in."""
        columns: tuple[str, ...] = ()
        with self._quarantine, DuplicateSettler(self._table) as settler:
            for chunk in _chunks(self._table.name, self._path, self._steps):
                columns = columns or tuple(chunk.frame.columns)
                valid = validate_frame(self._table, chunk.frame, now=self._now)
                self._tally.read += len(chunk.frame) + len(chunk.unreadable)
                self._quarantine.add(_refusals(chunk, valid.rejections), columns)
                settler.add(valid.rows, chunk.line_numbers[valid.rows.index])
            for settled in settler.settle():
                self._tally.accepted += len(settled.rows)
                self._tally.duplicates += settled.duplicates
                self._tally.completed += settled.completed
                self._quarantine.add(settled.refusals, columns)
                yield settled.rows

    def report(self) -> TableReport:
        """The counts, complete once all frames were taken."""
        return self._tally.report(self._table.name, self._quarantine)


def _each_table(folder: Path, work: Callable[[str, Path], TableReport]) -> IngestReport:
    found = open_folder(folder)
    done: list[TableReport] = []
    stopped: dict[str, str] = {}
    for name, path in found.paths.items():
        try:
            done.append(work(name, path))
        except DataError as error:
            stopped[name] = str(error)
    return IngestReport(tuple(done), stopped, _warnings(found.unknown))


def _warnings(unknown: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name} is no table and was left alone" for name in unknown)


def _chunks(name: str, path: Path, steps: Steps) -> Iterator[Chunk]:
    table = table_named(name)
    with RunningNumbers(table) as numbers:
        for chunk in steps(f"reading {name}", read_chunks(table, path)):
            yield Chunk(numbers.fill(chunk.frame), chunk.line_numbers, chunk.unreadable)


def _refusals(chunk: Chunk, rejections: list[Rejection]) -> list[Refusal]:
    unreadable = [Refusal(one.line_number, "", one.code, one.reason, one.values) for one in chunk.unreadable]
    rows = chunk.frame.iloc[[one.index for one in rejections]].astype(object).to_dict("records")
    refused = [
        Refusal(int(chunk.line_numbers[one.index]), one.column, one.code, one.reason, row)
        for one, row in zip(rejections, rows, strict=True)
    ]
    return unreadable + refused
