"""Folders that commands write into."""

from __future__ import annotations

from pathlib import Path

from recommender.errors import SettingError


def require_unused(out: Path) -> None:
    """Raise SettingError where a folder for results already holds something."""
    if out.exists() and not out.is_dir():
        raise SettingError(f"{out} is a file; give a folder")
    if out.is_dir() and any(out.iterdir()):
        raise SettingError(f"{out} is not empty; choose another folder or add --force")
