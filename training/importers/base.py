"""What an importer is, and the run that writes its tables and checks them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd

from recommender.errors import DataError, SettingError
from recommender.frame_validation import validate_frame
from recommender.parquet_files import to_arrow, write_parquet
from recommender.touchpoints import table_named
from training.progress import Steps, silent


@dataclass(frozen=True)
class PublicTables:
    """Tables made from public files, how many rows were left out for which reason, and what else was counted."""

    frames: dict[str, pd.DataFrame]
    left_out: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Importer:
    """A public layout: its name, what it is, how it becomes tables, and where it lies if nobody says."""

    name: str
    title: str
    convert: Callable[[Path], PublicTables]
    default_path: Callable[[], Path] | None = None


@dataclass(frozen=True)
class ImportReport:
    """Rows written by table, rows left out by reason, and what else was counted."""

    importer: str
    folder: Path
    rows: dict[str, int]
    left_out: dict[str, int]
    notes: dict[str, int]


def run_import(
    importer: Importer, path: Path | None, out: Path, *, now: datetime, steps: Steps = silent
) -> ImportReport:
    """Write one ``<table>.parquet`` per table into ``out``; the same source gives the same bytes.

    Raises SettingError where ``path`` is needed and not given, DataError where the source is not of this layout.
    Other forms of the same tables in ``out`` are removed, all else is left alone.
    """
    source = _source(importer, path)
    made = importer.convert(source)
    rows = {}
    for name, frame in steps(f"writing {importer.name}", made.frames.items(), len(made.frames)):
        valid = _valid(name, frame, now)
        _remove_other_forms(out, name)
        write_parquet(out / f"{name}.parquet", to_arrow(table_named(name), valid))
        rows[name] = len(valid)
    return ImportReport(importer.name, out, rows, made.left_out, made.notes)


def _source(importer: Importer, path: Path | None) -> Path:
    if path is None and importer.default_path is None:
        raise SettingError(f"{importer.name} needs PATH, the folder that holds the files of {importer.title}")
    source = path or importer.default_path()
    if not source.is_dir():
        raise SettingError(f"there is no folder {source}; give the one that holds the files of {importer.title}")
    return source


def _valid(name: str, frame: pd.DataFrame, now: datetime) -> pd.DataFrame:
    table = table_named(name)
    valid = validate_frame(table, frame.reset_index(drop=True), now=now)
    if valid.rejections:
        first = valid.rejections[0]
        raise DataError(
            name, f"{len(valid.rejections)} rows of the source are not valid; {first.column}: {first.reason}"
        )
    twice = valid.rows.duplicated(list(table.key))
    if twice.any():
        raise DataError(name, f"{twice.sum()} rows of the source have the key of another row")
    return valid.rows


def _remove_other_forms(out: Path, name: str) -> None:
    (out / f"{name}.csv").unlink(missing_ok=True)
    if (out / name).is_dir():
        shutil.rmtree(out / name)
