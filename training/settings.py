"""Settings of a training: what is asked, and with which models. Read once from a TOML file, then frozen."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from recommender.errors import SettingError, UnknownName
from recommender.models import RECOMMENDERS, model_class
from recommender.placements import Placement, placements_from
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.treatment_settings import policy_from
from recommender.retention.treatments import TreatmentPolicy
from training.retention.churn_settings import further_definitions, main_definition

# What lists are judged against: a shop cannot do without them.
ALWAYS_FITTED = ("popularity", "personal_frequency")
DEFAULT_CONFIG = Path(__file__).parent / "configs" / "default.toml"


@dataclass(frozen=True)
class TrainingSettings:
    """What one training does.

    ``horizon_days`` is how far every answer looks; ``activity_days`` how recent an order must be for a customer to be
    in the churn population. ``recommenders`` names models and their constructor keywords; ``generators`` are those of
    them that propose candidates to the ranker, which learns from ``ranking_cutoffs`` past cutoffs and at most
    ``ranking_customers`` customers at each; ``judged_customers`` are as many as choose between recommenders at most.
    ``churn`` is what leaving means, None where the data decide; ``churn_also`` are further definitions by name.
    """

    horizon_days: int = 28
    activity_days: int = 56
    panel_cutoffs: int = 6
    panel_step_days: int = 28
    ranking_cutoffs: int = 3
    ranking_customers: int = 5000
    judged_customers: int = 20_000
    generators: tuple[str, ...] = ()
    recommenders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)
    churn: ChurnDefinition | None = None
    churn_also: Mapping[str, ChurnDefinition] = field(default_factory=dict)
    treatments: TreatmentPolicy = field(default_factory=TreatmentPolicy)

    def __post_init__(self) -> None:
        for name in (
            "horizon_days",
            "activity_days",
            "panel_cutoffs",
            "panel_step_days",
            "ranking_cutoffs",
            "ranking_customers",
            "judged_customers",
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise SettingError(f"{name} is {value!r}; it must be a whole number of at least 1")
        for name in self.generators:
            if name not in self.recommenders:
                raise UnknownName("recommender that generates candidates:", name, self.recommenders)


def read_settings(path: Path | None = None, *, tuned: Path | None = None, **overrides: Any) -> TrainingSettings:
    """The default settings, those that were tuned, those of a TOML file, the overrides: each over those before.

    The file of tuned settings need not be there. What files say of recommenders is put together name by name and
    keyword by keyword; ``name = false`` takes one away. An overriding ``horizon_days`` is that of the main definition
    of churn too.

    Raises SettingError for a key, a recommender or a keyword that does not exist.
    """
    default, tuned_file = _read(DEFAULT_CONFIG), _read(tuned) if tuned and tuned.exists() else {}
    file = _read(path) if path else {}
    recommenders = _joined([one.get("recommenders", {}) for one in (default, tuned_file, file)])
    chosen = tuned_file | file | {"recommenders": recommenders} | overrides
    given = default | chosen
    known = {one.name for one in fields(TrainingSettings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise SettingError(f"{path}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    if "generators" not in chosen:
        given["generators"] = [name for name in given["generators"] if name in given["recommenders"]]
    _check(given["recommenders"])
    given["generators"] = tuple(given["generators"])
    given["placements"] = placements_from(given.get("placements", {}))
    given["treatments"] = policy_from(given.get("treatments", {}))
    return TrainingSettings(**{**given, **_definitions(given, overrides)})


def _definitions(given: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What leaving means; a definition without a horizon or a window of its own has those of the training."""
    defaults = {name: given[name] for name in ("horizon_days", "activity_days")}
    main = given.get("churn")
    if isinstance(main, Mapping) and "horizon_days" in overrides:
        main = {**main, "horizon_days": overrides["horizon_days"]}
    return {
        "churn": main_definition(main, defaults),
        "churn_also": further_definitions(given.get("churn_also", {}), defaults),
    }


def _joined(tables: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Recommenders with their keywords from several tables, the later ones over the earlier."""
    found: dict[str, dict[str, Any]] = {}
    for table in tables:
        for name, keywords in table.items():
            if keywords is False:
                found.pop(name, None)
            elif isinstance(keywords, Mapping):
                found[name] = {**found.get(name, {}), **keywords}
            else:
                raise SettingError(f"recommenders.{name} is {keywords!r}; give a table of keywords, or false for none")
    return {**{name: {} for name in ALWAYS_FITTED}, **found}


def _check(recommenders: Mapping[str, Mapping[str, Any]]) -> None:
    for name, keywords in recommenders.items():
        if name not in RECOMMENDERS:
            raise UnknownName("recommender", name, RECOMMENDERS)
        known = inspect.signature(model_class(name)).parameters
        for keyword in keywords:
            if keyword not in known:
                raise UnknownName(f"keyword of the recommender {name}", keyword, known)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise SettingError(f"there is no configuration file {path}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingError(f"the configuration file {path} cannot be read: {problem}") from None
