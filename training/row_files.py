"""Rows as a file for people: CSV or Parquet, by the ending of its name."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recommender.errors import SettingError


def write_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], out: Path) -> None:
    """Write the columns named of all rows; raises SettingError for another ending than .csv or .parquet."""
    if out.suffix not in {".csv", ".parquet"}:
        raise SettingError(f"{out.name!r} ends in neither .csv nor .parquet; name the file so that it does")
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([{name: row[name] for name in columns} for row in rows]), out)
        return
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
