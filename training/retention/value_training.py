"""Train the value model: let the last window decide between the candidates, then fit the winner on everything."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from recommender.errors import NotEnoughData
from recommender.history import History
from recommender.models import create
from recommender.models.lifetime_value import purchase_history
from recommender.outcomes import spend
from recommender.periods import Period
from training.selection import Choice, Judged, choose
from training.settings import TrainingSettings

BASELINE = "past_rate"
CANDIDATES = (BASELINE, "bgnbd_gamma_gamma")


@dataclass(frozen=True)
class TrainedValue:
    """The model that is shipped and the choice that led to it; None where nobody ordered."""

    model: Any | None
    choice: Choice | None
    candidates: Mapping[str, Any] = field(default_factory=dict)


def train_value(history: History, settings: TrainingSettings, *, as_of: datetime, seed: int) -> TrainedValue:
    """Decide on the window before ``as_of`` by squared error, then fit on all rows before ``as_of``."""
    lines, returns = history.read("order_lines", before=as_of), history.read("returns", before=as_of)
    if lines.empty:
        return TrainedValue(None, None)
    cutoff = as_of - timedelta(days=settings.horizon_days)
    past = purchase_history(lines[lines["ordered_at"] < cutoff], returns[returns["returned_at"] < cutoff], cutoff)
    choice = None
    if len(past):
        truth = spend(lines, returns, past.index, Period(cutoff, as_of))
        fitted = _fit_all(past, seed)
        judged = {name: judge(model.predict(past, settings.horizon_days), truth) for name, model in fitted.items()}
        choice = choose("value", judged, baseline=BASELINE, seed=seed)
    candidates = _fit_all(purchase_history(lines, returns, as_of), seed)
    shipped = choice.shipped if choice and choice.shipped in candidates else BASELINE
    return TrainedValue(candidates[shipped], choice, candidates)


def judge(predicted: pd.Series, spent: pd.Series) -> Judged:
    """Squared error per customer, negative so that higher is better."""
    difference = predicted.to_numpy() - spent.reindex(predicted.index).to_numpy(dtype="float64")
    return Judged({"negative_squared_error": -np.square(difference)}, "negative_squared_error")


def _fit_all(purchases: pd.DataFrame, seed: int) -> dict[str, Any]:
    """The candidates that the data support; the baseline always is one."""
    fitted = {BASELINE: create(BASELINE, seed).fit(purchases)}
    for name in CANDIDATES:
        if name != BASELINE:
            with suppress(NotEnoughData):
                fitted[name] = create(name, seed).fit(purchases)
    return fitted
