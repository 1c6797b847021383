"""Public files as they were published: one name, CSV or Parquet, original column names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from recommender.errors import DataError


def find_public(folder: Path, *names: str) -> Path:
    """The first of the named files that the folder holds; raises DataError that says which were looked for."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(str(folder), f"there is no {' or '.join(names)}; give the folder with the published files")


def read_checked(path: Path, columns: tuple[str, ...], other_names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A CSV or Parquet file that must have these columns and may have more; raises DataError that names one missing.

    ``other_names`` gives the name used here for columns that other editions call differently.
    """
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(path.name, f"the file cannot be read ({str(error).splitlines()[0]})") from None
    frame = frame.rename(columns=dict(other_names or {}))
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(path.name, f"the column {missing[0]!r} is missing; this is not the published file")
    return frame


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, low_memory=False)
    except UnicodeDecodeError:
        return pd.read_csv(path, low_memory=False, encoding="cp1252")


def read_public(folder: Path, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """``<name>.parquet`` or ``<name>.csv`` of the folder."""
    return read_checked(find_public(folder, f"{name}.parquet", f"{name}.csv"), columns)
