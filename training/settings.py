"""Settings of a training: what is asked, and with which models. Read once from a TOML file, then frozen."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from recommender.errors import SettingError
from recommender.placements import Placement, placements_from

DEFAULT_CONFIG = Path(__file__).parent / "configs" / "default.toml"


@dataclass(frozen=True)
class TrainingSettings:
    """What one training does.

    ``horizon_days`` is how far every answer looks; ``activity_days`` how recent an order must be for a customer to be
    in the churn population. ``recommenders`` names models and their constructor keywords; ``epoch_candidates`` are
    the numbers of epochs that LightFM may be given, judged on the window before ``as_of``.
    """

    horizon_days: int = 28
    activity_days: int = 56
    panel_cutoffs: int = 6
    panel_step_days: int = 28
    epoch_candidates: tuple[int, ...] = (5, 10, 20)
    recommenders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("horizon_days", "activity_days", "panel_cutoffs", "panel_step_days"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise SettingError(f"{name} is {value!r}; it must be a whole number of at least 1")


def read_settings(path: Path | None = None, **overrides: Any) -> TrainingSettings:
    """The default settings, those of a TOML file over them, the overrides over all.

    Raises SettingError for a key that does not exist.
    """
    given = _read(DEFAULT_CONFIG) | (_read(path) if path else {}) | overrides
    known = {one.name for one in fields(TrainingSettings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise SettingError(f"{path}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    given["epoch_candidates"] = tuple(given["epoch_candidates"])
    given["placements"] = placements_from(given.get("placements", {}))
    return TrainingSettings(**given)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise SettingError(f"there is no configuration file {path}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingError(f"the configuration file {path} cannot be read: {problem}") from None
