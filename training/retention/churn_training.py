"""Train the churn model: a panel of past cutoffs, a window that decides, and a last fit on everything known."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from recommender.errors import NotEnoughData
from recommender.history import History
from recommender.models import create
from recommender.models.no_order import FEATURES as NO_ORDER_FEATURES
from recommender.probability_metrics import area_components
from recommender.retention.definitions import NO_ORDER, SUBSCRIPTION_ENDED, ChurnDefinition
from recommender.retention.panel import gather_panel, panel_cutoffs
from training.examples import Examples, churn_examples, is_contractual, population_features
from training.progress import Steps
from training.selection import Choice, Judged, choose
from training.settings import TrainingSettings

logger = logging.getLogger(__name__)

BASELINE = "rfm_logistic"
# Recency, frequency, money: what everybody would use first.
_RFM = ("days_since_last_order", "order_count", "spend_total_amount")
_EXAMPLES_AT_LEAST = 20
WINDOWS_JUDGED = 3
_POPULATION_TABLES = (("order_lines", "ordered_at"), ("subscriptions", "started_at"))


@dataclass(frozen=True)
class ChurnCandidate:
    """A model fitted on everything known, and the features that it takes."""

    model: Any
    columns: Sequence[str]


@dataclass(frozen=True)
class TrainedChurn:
    """The model that is shipped, the choice that led to it, and the facts that scoring needs."""

    model: Any | None
    choice: Choice | None
    facts: Mapping[str, Any]
    definition: ChurnDefinition
    candidates: Mapping[str, ChurnCandidate] = field(default_factory=dict)


def train_churn(
    history: History,
    settings: TrainingSettings,
    *,
    as_of: datetime,
    seed: int,
    steps: Steps,
) -> TrainedChurn:
    """Fit candidates on windows that end before the last one, let the last one decide, fit the winner on all.

    Without a complete window of enough examples no model is shipped, and the facts say why.
    """
    outcome = SUBSCRIPTION_ENDED if is_contractual(history, as_of) else NO_ORDER
    definition = ChurnDefinition(outcome, settings.horizon_days, settings.activity_days)
    facts = {"definition": asdict(definition), "population": definition.population_name}
    cutoffs = _cutoffs(history, settings, as_of)
    panel = churn_examples(history, cutoffs, definition, before=as_of, steps=steps)
    panel = [one for one in panel if len(one.features) >= _EXAMPLES_AT_LEAST]
    if not panel:
        reason = f"no cutoff {settings.horizon_days} days before {as_of:%Y-%m-%d} has {_EXAMPLES_AT_LEAST} customers"
        return _without_outcomes(history, definition, {**facts, "missing": reason}, as_of, steps)
    names = _varying(panel)
    choice = _choose(panel, names, settings, seed=seed)
    recent = panel[: settings.panel_cutoffs]
    candidates = {
        name: ChurnCandidate(_fit(name, recent, names, settings, seed), _columns(name, names))
        for name in (BASELINE, "churn")
    }
    shipped = candidates[choice.shipped if choice else "churn"]
    facts |= {"features": list(shipped.columns), "kind": shipped.model.kind}
    return TrainedChurn(shipped.model, choice, facts, definition, candidates)


def _without_outcomes(
    history: History, definition: ChurnDefinition, facts: Mapping[str, Any], as_of: datetime, steps: Steps
) -> TrainedChurn:
    """BG/NBD on the rhythm of the orders, which needs no outcome; nothing for contracts, which have no rhythm."""
    features = population_features(history, definition, as_of, steps)
    if definition.contractual or features.empty:
        return TrainedChurn(None, None, {**facts, "features": []}, definition)
    names = list(NO_ORDER_FEATURES)
    model = create("bgnbd_no_order", horizon_days=definition.horizon_days).fit(features[names])
    return TrainedChurn(model, None, {**facts, "features": names, "kind": model.kind}, definition)


def _cutoffs(history: History, settings: TrainingSettings, as_of: datetime) -> list[datetime]:
    """Cutoffs to learn from, latest first: enough that those whose window ends before the latest are a panel too."""
    happened = [history.read(name, before=as_of, columns=[at])[at].min() for name, at in _POPULATION_TABLES]
    first = min((one for one in happened if not pd.isna(one)), default=None)
    if first is None:
        return []
    more = -(-settings.horizon_days // settings.panel_step_days)
    count, step = settings.panel_cutoffs + more, settings.panel_step_days
    return panel_cutoffs(as_of, settings.horizon_days, first, count, step)[::-1]


def _choose(panel: Sequence[Examples], names: Sequence[str], settings: TrainingSettings, *, seed: int) -> Choice | None:
    """Judge on the latest windows that have a past; one window of few leavers cannot tell two good models apart."""
    windows = [(one, _complete_before(panel, one.cutoff, settings)) for one in panel[:WINDOWS_JUDGED]]
    windows = [(one, past) for one, past in windows if past and one.churned.nunique() == 2]
    if not windows:
        return None
    judged = {}
    for name in (BASELINE, "churn"):
        columns = list(_columns(name, names))
        judged[name] = _averaged(
            [
                (
                    one.features.index,
                    judge(_fit(name, past, names, settings, seed).predict_proba(one.features[columns]), one.churned),
                )
                for one, past in windows
            ]
        )
    return choose("churn", judged, baseline=BASELINE, seed=seed)


def _complete_before(panel: Sequence[Examples], cutoff: datetime, settings: TrainingSettings) -> list[Examples]:
    """The examples whose outcome was known at the cutoff."""
    return [one for one in panel if one.cutoff <= cutoff - timedelta(days=settings.horizon_days)]


def _averaged(windows: Sequence[tuple[pd.Index, Judged]]) -> Judged:
    """One value per customer, the mean over the windows that the customer is in: customers are drawn, not rows."""
    frames = [pd.DataFrame(dict(one.measures), index=customer_ids) for customer_ids, one in windows]
    means = pd.concat(frames).groupby(level=0, sort=True).mean()
    return Judged({name: means[name].to_numpy() for name in means.columns}, windows[0][1].decisive)


def judge(probabilities: pd.Series, churned: pd.Series) -> Judged:
    """By the area under the curve, with the squared error beside it, negative so that higher is better."""
    outcomes = churned.reindex(probabilities.index).to_numpy(dtype="float64")
    predicted = probabilities.to_numpy()
    measures = {"auc": area_components(outcomes, predicted), "negative_brier": -np.square(predicted - outcomes)}
    return Judged(measures, "auc")


def _fit(name: str, panel: Sequence[Examples], names: Sequence[str], settings: TrainingSettings, seed: int) -> Any:
    by_cutoff = {one.cutoff: (one.features[list(_columns(name, names))], one.churned) for one in panel}
    gathered = gather_panel(sorted(by_cutoff), by_cutoff.__getitem__)
    keywords = {"boosting_share": 0.0} if name == BASELINE else {}
    model = create("churn", seed, **keywords)
    return model.fit(gathered.features, gathered.churned, cutoffs=gathered.cutoffs)


def _columns(name: str, names: Sequence[str]) -> Sequence[str]:
    return [one for one in names if one in _RFM] or names if name == BASELINE else names


def _varying(panel: Sequence[Examples]) -> list[str]:
    """Features that differ between any two examples: the others can tell nothing."""
    every = pd.concat([one.features for one in panel])
    varying = [name for name in every.columns if every[name].nunique(dropna=False) > 1]
    if not varying:
        raise NotEnoughData("all customers have equal features; there is nothing to tell them apart by")
    return varying
