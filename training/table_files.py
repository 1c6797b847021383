"""Tables in a folder: ``<table>.csv``, ``<table>.parquet`` or a folder ``<table>/`` of Parquet parts, read in chunks.

Whatever the format, a chunk is a frame that validation understands: text columns of dtype "string" (all columns of a
CSV file, so that identifiers stay as given), whole numbers nullable, a NaN that stands in a Parquet file kept apart
from null in a column of objects, lists and structures as JSON text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from recommender.errors import DataError
from recommender.tables import Table
from recommender.touchpoints import TABLES
from training.parquet_chunks import parquet_chunks

CHUNK_ROWS = 250_000
NEEDED_TABLES = ("order_lines", "interactions")


@dataclass(frozen=True)
class UnreadableRow:
    """A line that is no row: its number in the file, a code, a reason, and the values that could be read."""

    line_number: int
    code: str
    reason: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a file; the index counts from 0.

    ``line_numbers`` are lines of the CSV file (the header is line 1, a row of several lines has its first) or row
    numbers from 1, running over all parts, in Parquet.
    """

    frame: pd.DataFrame
    line_numbers: np.ndarray
    unreadable: tuple[UnreadableRow, ...] = ()


@dataclass(frozen=True)
class DataFolder:
    """What a folder holds: one path per table, in the order of the tables, and the names that mean nothing here."""

    paths: dict[str, Path]
    unknown: tuple[str, ...]


def open_folder(folder: Path) -> DataFolder:
    """Look what a data folder holds.

    Raises DataError where it is no folder, holds a table twice, or holds neither order lines nor interactions.
    """
    if not folder.is_dir():
        raise DataError(str(folder), "there is no such folder; give the folder that holds the tables")
    paths: dict[str, Path] = {}
    unknown = []
    for path in sorted(one for one in folder.iterdir() if not one.name.startswith(".")):
        name = _table_name(path)
        if name is None:
            unknown.append(path.name)
        elif name in paths:
            raise DataError(name, f"both {paths[name].name} and {path.name} are in {folder}; keep one of them")
        else:
            paths[name] = path
    if not any(name in paths for name in NEEDED_TABLES):
        raise DataError(str(folder), "neither order_lines nor interactions is there; one of the two is needed")
    return DataFolder({name: paths[name] for name in TABLES if name in paths}, tuple(unknown))


def _table_name(path: Path) -> str | None:
    name = path.name if path.is_dir() else path.stem
    is_readable = path.is_dir() or path.suffix in {".csv", ".parquet"}
    return name if is_readable and name in TABLES else None


def read_chunks(table: Table, path: Path, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """The rows of a table in the order of the file, in chunks of at most so many rows.

    Raises DataError where the file as a whole cannot be read.
    """
    if path.suffix == ".csv" and path.is_file():
        yield from _csv_chunks(table, path, rows)
        return
    start = 1
    for frame in parquet_chunks(table, path, rows):
        yield Chunk(frame, np.arange(start, start + len(frame)))
        start += len(frame)


def _csv_chunks(table: Table, path: Path, rows: int) -> Iterator[Chunk]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, strict=True)
        names = _header(table, path, reader, lines)
        try:
            yield from _CsvRows(names, reader, lines).chunks(rows)
        except csv.Error as error:
            raise DataError(
                table.name, f"line {lines.first} of {path.name} cannot be read as CSV ({error}); correct its quotes"
            ) from None


class _Lines:
    """Lines of a text file that say of themselves whether they were UTF-8."""

    def __init__(self, file: Iterator[str]) -> None:
        self._file = file
        self.first = 1
        self.are_utf8 = True

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            if not line.isascii() and not _is_unicode(line):
                self.are_utf8 = False
            yield line

    def next_row(self, line_number: int) -> None:
        self.first = line_number
        self.are_utf8 = True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _header(table: Table, path: Path, reader: Iterator[list[str]], lines: _Lines) -> list[str]:
    try:
        names = next((row for row in reader if row), None)
    except csv.Error as error:
        raise DataError(table.name, f"the header of {path.name} cannot be read as CSV ({error})") from None
    if names is None:
        raise DataError(table.name, f"{path.name} is empty; write a header line and one line per row")
    if not lines.are_utf8:
        raise DataError(table.name, f"the header of {path.name} is not UTF-8; save the file as UTF-8")
    for name in names:
        if not name or names.count(name) > 1:
            problem = f"the column {name!r} occurs twice" if name else "a column has no name"
            raise DataError(table.name, f"{problem} in the header of {path.name}; give each column its own name")
    return names


class _CsvRows:
    def __init__(self, names: list[str], reader: Iterator[list[str]], lines: _Lines) -> None:
        self._names = names
        self._reader = reader
        self._lines = lines

    def chunks(self, most: int) -> Iterator[Chunk]:
        rows: list[list[str]] = []
        numbers: list[int] = []
        unreadable: list[UnreadableRow] = []
        self._lines.next_row(self._reader.line_num + 1)
        for row in self._reader:
            first = self._lines.first
            if len(row) != len(self._names) or not self._lines.are_utf8:
                unreadable.extend(self._unreadable(row, first))
            else:
                rows.append(row)
                numbers.append(first)
            self._lines.next_row(self._reader.line_num + 1)
            if len(rows) + len(unreadable) >= most:
                yield self._chunk(rows, numbers, unreadable)
                rows, numbers, unreadable = [], [], []
        yield self._chunk(rows, numbers, unreadable)

    def _unreadable(self, row: list[str], first: int) -> Iterator[UnreadableRow]:
        if not row:
            return
        shown = [text.encode(errors="surrogateescape").decode(errors="replace") for text in row]
        values = dict(zip(self._names, shown, strict=False))
        if not self._lines.are_utf8:
            yield UnreadableRow(first, "not_utf8", "the line is not UTF-8; save the file as UTF-8", values)
        else:
            reason = f"the line has {len(row)} values, the header has {len(self._names)}"
            yield UnreadableRow(first, "wrong_number_of_values", reason, values)

    def _chunk(self, rows: list[list[str]], numbers: list[int], unreadable: list[UnreadableRow]) -> Chunk:
        columns = zip(*rows, strict=True) if rows else [()] * len(self._names)
        texts = {name: pa.array(values, pa.large_string()) for name, values in zip(self._names, columns, strict=True)}
        frame = pa.table(texts).to_pandas(types_mapper=lambda _: pd.StringDtype())
        return Chunk(frame, np.array(numbers, dtype=np.int64), tuple(unreadable))
