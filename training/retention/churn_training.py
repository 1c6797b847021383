"""Train a churn model: a panel of past cutoffs, windows that decide, and a last fit on everything known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from recommender.history import History
from recommender.parallel import in_parallel
from recommender.retention.definitions import NO_ORDER, SPEND_DROP, SUBSCRIPTION_ENDED, ChurnDefinition
from recommender.retention.panel import MINIMUM_HISTORY_DAYS, panel_cutoffs
from recommender.touchpoints import TABLES
from training.examples import Examples, churn_examples, is_contractual, population_features
from training.progress import Steps
from training.retention.churn_candidates import (
    PANEL_MODEL,
    RFM_LOGISTIC,
    RHYTHM,
    ChurnCandidate,
    columns_of,
    rhythm,
)
from training.retention.churn_drift import drift_facts
from training.retention.churn_judging import fitted, judged_by_name, judged_windows, names_of
from training.retention.quality import quality
from training.retention.season import season_cutoffs, seasonal_shift
from training.selection import Choice, Judged, choose
from training.settings import TrainingSettings

_EXAMPLES_AT_LEAST = 20
# With fewer customers than this, windows seldom show what a model has learned: the rhythm of orders is the baseline.
SMALL_SHOP_CUSTOMERS = 500


@dataclass(frozen=True)
class TrainedChurn:
    """The model that is shipped, the choice that led to it, and the facts that scoring needs."""

    model: Any | None
    choice: Choice | None
    facts: Mapping[str, Any]
    definition: ChurnDefinition
    candidates: Mapping[str, ChurnCandidate] = field(default_factory=dict)


def definition_of(history: History, settings: TrainingSettings, as_of: datetime) -> ChurnDefinition:
    """The main definition of churn: the one that is declared, else the one that the data suggest."""
    if settings.churn is not None:
        return settings.churn
    outcome = SUBSCRIPTION_ENDED if is_contractual(history, as_of) else NO_ORDER
    return ChurnDefinition(outcome, settings.horizon_days, settings.activity_days)


def train_churn(
    history: History,
    definition: ChurnDefinition,
    settings: TrainingSettings,
    *,
    as_of: datetime,
    seed: int,
    steps: Steps,
) -> TrainedChurn:
    """Judge candidates on the latest windows by fits on the windows before, then fit the winner on all.

    Without two complete windows of enough examples nothing that learns from outcomes is shipped: no order is told from
    the rhythm of orders, anything else not at all, and the facts say why.
    """
    facts = {
        "definition": asdict(definition),
        "population": definition.population_name,
        "outcome": definition.outcome_name,
    }
    panel, season = _panel(history, definition, settings, as_of, steps)
    varying = _varying(panel) if panel else []
    if not varying:
        facts["missing"] = _why_nothing_is_learned(definition, as_of, panel)
        return _without_outcomes(history, definition, facts, as_of, steps)
    windows = judged_windows(history, definition, panel, varying, seed=seed)
    judged = judged_by_name(windows, names_of(definition))
    choice = _choice(definition.model_name, judged, panel, seed=seed) if judged else None
    if choice is None:
        facts["missing"] = "no window with both outcomes has another one before it to learn from"
    recent = panel[: settings.panel_cutoffs]
    candidates = _candidates(history, definition, recent, varying, as_of, seed)
    facts["seasonal_shift"] = seasonal_shift(recent, *season, seed=seed) if season else 0.0
    for name in (RFM_LOGISTIC, PANEL_MODEL):
        candidates[name].model.move_level(facts["seasonal_shift"])
    unjudged = RHYTHM if RHYTHM in candidates else PANEL_MODEL
    name = choice.shipped if choice else unjudged
    shipped = candidates[name]
    facts |= {"features": list(shipped.columns), "kind": shipped.model.kind}
    facts["quality"] = quality(windows, name, seed=seed) if windows else None
    today = population_features(history, definition, as_of, steps)
    then, now = (shipped.model.predict_proba(one[list(shipped.columns)]) for one in (panel[0].features, today))
    facts["drift"] = drift_facts(panel, season[1] if season else None, then, now)
    return TrainedChurn(shipped.model, choice, facts, definition, candidates)


def _why_nothing_is_learned(definition: ChurnDefinition, as_of: datetime, panel: Sequence[Examples]) -> str:
    if panel:
        return "all customers of the past have equal features; there is nothing to tell them apart by"
    return f"no cutoff {definition.horizon_days} days before {as_of:%Y-%m-%d} has {_EXAMPLES_AT_LEAST} customers"


def _candidates(
    history: History,
    definition: ChurnDefinition,
    panel: Sequence[Examples],
    varying: Sequence[str],
    as_of: datetime,
    seed: int,
) -> dict[str, ChurnCandidate]:
    """All candidates by name, fitted on everything known."""

    def candidate(name: str) -> ChurnCandidate:
        columns = columns_of(name, varying)
        return ChurnCandidate(fitted(name, history, definition, panel, columns, as_of, seed), columns)

    names = names_of(definition)
    return dict(zip(names, in_parallel(candidate, names), strict=True))


def _without_outcomes(
    history: History, definition: ChurnDefinition, facts: Mapping[str, Any], as_of: datetime, steps: Steps
) -> TrainedChurn:
    """The rhythm of orders, which needs no outcome; nothing where another thing than no order is asked."""
    if definition.outcome != NO_ORDER or population_features(history, definition, as_of, steps).empty:
        return TrainedChurn(None, None, {**facts, "features": []}, definition)
    model = rhythm(history, as_of, definition.horizon_days)
    names = list(columns_of(RHYTHM, ()))
    return TrainedChurn(model, None, {**facts, "features": names, "kind": model.kind}, definition)


def _panel(
    history: History, definition: ChurnDefinition, settings: TrainingSettings, as_of: datetime, steps: Steps
) -> tuple[list[Examples], list[Examples]]:
    """Examples of the cutoffs that have enough, latest first, and of the same seasons a year before if there are any.

    None lies before the last of the tables that the definition needs has begun: absence would then mean nothing.
    """
    begun = []
    for name in definition.tables:
        at = TABLES[name].exists_from or ""
        begun.append(history.read(name, before=as_of, columns=[at])[at].min())
    if any(pd.isna(one) for one in begun):
        return [], []
    first = max(begun)
    more = -(-definition.horizon_days // settings.panel_step_days)
    count, step = settings.panel_cutoffs + more, settings.panel_step_days
    needed = definition.horizon_days if definition.outcome == SPEND_DROP else 0.0
    least = max(MINIMUM_HISTORY_DAYS, needed)
    cutoffs = panel_cutoffs(as_of, definition.horizon_days, first, count, step, least)[::-1]
    seasons = season_cutoffs(definition, as_of, first)
    every = churn_examples(history, [*cutoffs, *seasons], definition, before=as_of, steps=steps)
    found = {one.cutoff: one for one in every if len(one.features) >= _EXAMPLES_AT_LEAST}
    season = [found[cutoff] for cutoff in seasons if cutoff in found]
    return [found[cutoff] for cutoff in cutoffs if cutoff in found], season if len(season) == 2 else []


def _choice(answer: str, judged: Mapping[str, Judged], panel: Sequence[Examples], *, seed: int) -> Choice:
    """The model that beats recency, frequency and money; where none does the rhythm of orders, if that is better.

    In a small shop the rhythm of orders is what has to be beaten.
    """
    if RHYTHM in judged and len(panel[0].features) < SMALL_SHOP_CUSTOMERS:
        return choose(answer, judged, baseline=RHYTHM, seed=seed)
    choice = choose(answer, judged, baseline=RFM_LOGISTIC, seed=seed)
    means = {name: float(np.nanmean(one.values)) for name, one in judged.items()}
    if choice.is_baseline and means.get(RHYTHM, 0.0) > means[RFM_LOGISTIC]:
        return choose(answer, judged, baseline=RHYTHM, seed=seed)
    return choice


def _varying(panel: Sequence[Examples]) -> list[str]:
    """Features that differ between any two examples: the others can tell nothing."""
    every = pd.concat([one.features for one in panel])
    return [name for name in every.columns if every[name].nunique(dropna=False) > 1]
