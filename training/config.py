"""Settings of the offline side, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """Where one shop's data live. ``home`` is REGULARS_HOME, ``store_url`` REGULARS_STORE."""

    home: Path
    store_url: str

    @property
    def artifacts(self) -> Path:
        """The folder of bundles."""
        return self.home / "artifacts"

    @property
    def tuned(self) -> Path:
        """The settings that the command ``tune`` found, if it ran."""
        return self.home / "tuned.toml"

    @property
    def reports(self) -> Path:
        """The folder of the reports of all trainings."""
        return self.home / "reports"

    @property
    def history(self) -> Path:
        """The folder of the history that training reads."""
        return self.home / "history"

    @property
    def quarantine(self) -> Path:
        """The folder of rows that could not be used."""
        return self.home / "quarantine"


def read_config(environment: Mapping[str, str]) -> Config:
    """The settings of an environment, with the defaults ``./var`` and a SQLite file in it."""
    home = Path(environment.get("REGULARS_HOME") or "var")
    return Config(home, environment.get("REGULARS_STORE") or f"sqlite:///{home / 'store.sqlite'}")
