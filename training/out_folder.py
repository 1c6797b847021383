"""The folder that a command writes into."""

from __future__ import annotations

from pathlib import Path

from recommender.errors import SettingError


def prepare_out(out: Path, *, force: bool) -> None:
    """Create a folder for results; raises SettingError where it holds something and nobody said ``--force``."""
    if out.exists() and not out.is_dir():
        raise SettingError(f"{out} is a file; give a folder")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise SettingError(f"{out} is not empty; choose another folder or add --force")
    out.mkdir(parents=True, exist_ok=True)
