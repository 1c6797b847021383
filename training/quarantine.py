"""The quarantine: what was refused, where it stood, and why."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from recommender.validation import is_missing

OWN_COLUMNS = ("line_number", "column", "code", "reason")


@dataclass(frozen=True)
class Refusal:
    """One row that was refused: its line in the file, the column at fault, a code, a reason, and the row itself."""

    line_number: int
    column: str
    code: str
    reason: str
    values: Mapping[str, Any]


class Quarantine:
    """Refused rows of one table, counted by code and, where there is a folder, written to ``<table>.csv``.

    The file has the columns ``line_number``, ``column``, ``code`` and ``reason``, then those of the row; a column of
    the row that bears one of these four names has ``row_`` before it. The file of an earlier run is replaced when the
    table is done, and removed where nothing was refused.
    """

    def __init__(self, folder: Path | None, table: str) -> None:
        self.counts: Counter[str] = Counter()
        self._path = None if folder is None else folder / f"{table}.csv"
        self._unfinished = None if folder is None else folder / f".{table}.csv.unfinished"
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._unfinished.replace(self._path)
        elif self._path is not None and kind is None:
            self._path.unlink(missing_ok=True)

    def add(self, refusals: Iterable[Refusal], columns: Iterable[str]) -> None:
        """Count and write refusals in the order of their lines; ``columns`` are those of the file they came from."""
        for refusal in sorted(refusals, key=lambda one: one.line_number):
            self.counts[refusal.code] += 1
            if self._path is not None:
                self._write(refusal, columns)

    def _write(self, refusal: Refusal, columns: Iterable[str]) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._unfinished.open("w", encoding="utf-8", newline="", errors="replace")
            self._writer = csv.DictWriter(self._file, [*OWN_COLUMNS, *map(_own_name, columns)], extrasaction="ignore")
            self._writer.writeheader()
        own = {name: getattr(refusal, name) for name in OWN_COLUMNS}
        row = {_own_name(name): _text(value) for name, value in refusal.values.items()}
        self._writer.writerow({**row, **own})


def _own_name(column: str) -> str:
    return f"row_{column}" if column in OWN_COLUMNS else column


def _text(value: Any) -> str:
    if is_missing(value):
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
