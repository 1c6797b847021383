"""The models that may answer who leaves: what each learns from, and how one is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from recommender.history import History
from recommender.models import create
from recommender.models.lifetime_value import purchase_history
from recommender.models.no_order import FEATURES as RHYTHM_FEATURES
from recommender.probability_metrics import area_components
from recommender.retention.panel import gather_panel
from recommender.touchpoints import TABLES
from training.examples import Examples
from training.selection import Judged

PANEL_MODEL = "churn"
RFM_LOGISTIC = "rfm_logistic"
RHYTHM = "bgnbd_no_order"
# Judged to compare, never shipped.
RECENCY = "recency"
# Recency, frequency, money: what everybody would use first.
_RECENCY = "days_since_last_order"
_RFM = (_RECENCY, "order_count", "spend_total_amount")


@dataclass(frozen=True)
class ChurnCandidate:
    """A model fitted on everything known, and the features that it takes."""

    model: Any
    columns: Sequence[str]


def columns_of(name: str, varying: Sequence[str]) -> Sequence[str]:
    """The features that a candidate takes of those that tell customers apart."""
    if name == RHYTHM:
        return list(RHYTHM_FEATURES)
    if name == RECENCY:
        return [one for one in varying if one == _RECENCY]
    return [one for one in varying if one in _RFM] or varying if name == RFM_LOGISTIC else varying


def learned(name: str, panel: Sequence[Examples], columns: Sequence[str], seed: int) -> Any:
    """The panel model, or a logistic regression of recency (frequency and money), from examples of past cutoffs."""
    by_cutoff = {one.cutoff: (one.features[list(columns)], one.churned) for one in panel}
    gathered = gather_panel(sorted(by_cutoff), by_cutoff.__getitem__)
    keywords = {} if name == PANEL_MODEL else {"boosting_share": 0.0}
    model = create(PANEL_MODEL, seed, **keywords)
    return model.fit(gathered.features, gathered.churned, cutoffs=gathered.cutoffs)


def rhythm(history: History, cutoff: datetime, horizon_days: int) -> Any:
    """BG/NBD on the order days of everybody before the cutoff: those who went silent long ago belong to the rhythm."""
    lines = history.read("order_lines", before=cutoff, columns=["customer_id", "ordered_at", "amount"])
    everybody = purchase_history(lines, TABLES["returns"].empty(), cutoff)
    everybody["order_day_count"] = everybody["frequency"] + 1.0
    return create(RHYTHM, horizon_days=horizon_days).fit(everybody)


def judge(probabilities: pd.Series, churned: pd.Series) -> Judged:
    """By the area under the curve, with the squared error beside it, negative so that higher is better."""
    outcomes = churned.reindex(probabilities.index).to_numpy(dtype="float64")
    predicted = probabilities.to_numpy()
    measures = {"auc": area_components(outcomes, predicted), "negative_brier": -np.square(predicted - outcomes)}
    return Judged(measures, "auc")


def averaged(windows: Sequence[tuple[pd.Index, Judged]]) -> Judged:
    """One value per customer, the mean over the windows that the customer is in: customers are drawn, not rows."""
    frames = [pd.DataFrame(dict(one.measures), index=customer_ids) for customer_ids, one in windows]
    means = pd.concat(frames).groupby(level=0, sort=True).mean()
    return Judged({name: means[name].to_numpy() for name in means.columns}, windows[0][1].decisive)
