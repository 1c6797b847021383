"""Train the value model: a panel of past cutoffs, a window that decides, bounds and a check of the bias on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from recommender.errors import NotEnoughData
from recommender.history import History
from recommender.models import create, model_class
from recommender.models.mean_value import MeanValue
from recommender.models.value_interval import ValueInterval, coverage
from recommender.models.value_panel import ValuePanel
from recommender.probability_metrics import bias
from recommender.retention.margins import Margins
from recommender.retention.panel import panel_cutoffs
from training.progress import Steps
from training.retention.value_examples import ValueExamples, value_examples
from training.selection import Choice, Judged, choose
from training.settings import TrainingSettings

BASELINE = "past_rate"
DEFAULT = "mean_value"
_ALONE = ("two_part_value", "tweedie_value", "log_linear_value")
_COST_COLUMNS = ("item_id", "quantity", "amount", "cost")


@dataclass(frozen=True)
class TrainedValue:
    """The model that is shipped, its bounds, the choice that led to it, and the facts that scoring needs.

    The model is None where nobody ordered, ``interval`` where no past window has enough customers.
    """

    model: Any | None
    choice: Choice | None
    facts: Mapping[str, Any]
    margins: Margins
    interval: ValueInterval | None = None
    candidates: Mapping[str, Any] = field(default_factory=dict)


def train_value(
    history: History, settings: TrainingSettings, *, as_of: datetime, seed: int, steps: Steps
) -> TrainedValue:
    """Fit candidates on windows that end before the last one, let the last one decide, fit the winner on all."""
    lines = history.read("order_lines", before=as_of, columns=[*_COST_COLUMNS, "ordered_at"])
    margins = Margins.learn(lines, history.read("items", before=as_of))
    facts: dict[str, Any] = {"is_margin": margins.is_margin, "margins": asdict(margins)}
    if lines.empty:
        return TrainedValue(None, None, {**facts, "missing": "there is no order"}, margins)
    if not np.isfinite(lines["amount"]).any():
        facts["missing"] = "no order line has an amount, so that every value is 0"
    cutoffs = past_cutoffs(settings, as_of, lines["ordered_at"].min())
    examples = value_examples(history, [as_of, *cutoffs], margins, settings.horizon_days, before=as_of, steps=steps)
    now, *panel = (one for one in examples if len(one.history))
    trained = train_on(now, panel, settings, seed)
    return replace(trained, facts={**facts, **trained.facts}, margins=margins)


def train_on(now: ValueExamples, panel: Sequence[ValueExamples], settings: TrainingSettings, seed: int) -> TrainedValue:
    """The same from examples: of everybody now, and of the past cutoffs that are known completely, latest first."""
    candidates = fit_all(now, panel, settings, seed)
    past = _judged_on(panel[0], panel, settings, seed) if panel else {}
    choice = _choose(past, panel[0], seed) if past else None
    name = choice.shipped if choice and choice.shipped in candidates else BASELINE
    interval, checked = _bounds(past[name], name, panel, settings, seed) if past else (None, {})
    facts = {"kind": candidates[name].kind, **checked}
    return TrainedValue(candidates[name], choice, facts, Margins(), interval, candidates)


def fit_all(
    known: ValueExamples, panel: Sequence[ValueExamples], settings: TrainingSettings, seed: int
) -> dict[str, Any]:
    """The candidates that the data support, fitted on what was known at a cutoff; the baseline always is one."""
    history = known.history
    fitted: dict[str, Any] = {BASELINE: create(BASELINE).fit(history), "bgnbd_gamma_gamma": known.rhythm}
    complete = complete_before(panel, known.cutoff, settings)[: settings.panel_cutoffs]
    if not complete:
        return fitted
    gathered = ValuePanel.gather([(one.known, one.spent) for one in complete], settings.horizon_days)
    mean: MeanValue = create(DEFAULT, seed).fit(history, gathered, known.rhythm)
    if mean.kind == DEFAULT:
        fitted |= {DEFAULT: mean, **{name: mean.alone(model_class(name)) for name in _ALONE}}
    return fitted


def complete_before(
    panel: Sequence[ValueExamples], cutoff: datetime, settings: TrainingSettings
) -> list[ValueExamples]:
    """The examples whose outcome was known at the cutoff, latest first."""
    return [one for one in panel if one.cutoff <= cutoff - timedelta(days=settings.horizon_days)]


def judge(predicted: pd.Series, spent: pd.Series) -> Judged:
    """Squared error per customer, negative so that higher is better; an absolute error would prefer 0 for most."""
    difference = predicted.to_numpy() - spent.reindex(predicted.index).to_numpy(dtype="float64")
    return Judged({"negative_squared_error": -np.square(difference)}, "negative_squared_error")


def past_cutoffs(settings: TrainingSettings, as_of: datetime, first: datetime) -> list[datetime]:
    """Cutoffs to learn from, latest first: enough that two of them have a whole panel of complete windows."""
    more = -(-settings.horizon_days // settings.panel_step_days)
    count = settings.panel_cutoffs + 2 * more
    return panel_cutoffs(as_of, settings.horizon_days, first, count, settings.panel_step_days)[::-1]


def _judged_on(
    window: ValueExamples, panel: Sequence[ValueExamples], settings: TrainingSettings, seed: int
) -> dict[str, pd.Series]:
    """What each candidate would have said at the cutoff of a window."""
    fitted = fit_all(window, panel, settings, seed)
    return {name: model.predict(window.history, settings.horizon_days) for name, model in fitted.items()}


def _choose(predicted: Mapping[str, pd.Series], window: ValueExamples, seed: int) -> Choice:
    """The mean of models where it is better than the baseline: one window cannot tell near equals apart."""
    judged = {name: judge(one, window.spent) for name, one in predicted.items()}
    others = [name for name in judged if name not in (DEFAULT, BASELINE)]
    preferred = choose("value", judged, baseline=BASELINE, seed=seed, barred=others if DEFAULT in judged else ())
    return choose("value", judged, baseline=BASELINE, seed=seed) if preferred.is_baseline else preferred


def _bounds(
    predicted: pd.Series, name: str, panel: Sequence[ValueExamples], settings: TrainingSettings, seed: int
) -> tuple[ValueInterval | None, dict[str, Any]]:
    """Bounds from the last window, and how the shipped model did there: its bias, and the share within such bounds."""
    last = panel[0]
    checked = {
        "bias": bias(last.spent.to_numpy(), predicted.to_numpy()) if last.spent.sum() > 0.0 else None,
        "window": {"cutoff": f"{last.cutoff:%Y-%m-%d}", "customers": len(predicted)},
    }
    try:
        interval = ValueInterval().fit(predicted, last.spent)
    except NotEnoughData as problem:
        return None, {**checked, "no_interval": str(problem)}
    covered = _coverage_before(predicted, name, panel, settings, seed)
    return interval, {**checked, **({} if covered is None else {"interval_coverage": covered})}


def _coverage_before(
    predicted: pd.Series, name: str, panel: Sequence[ValueExamples], settings: TrainingSettings, seed: int
) -> float | None:
    """Coverage on the last window of bounds from the latest window that had ended before it; None without one."""
    earlier = complete_before(panel, panel[0].cutoff, settings)
    if not earlier:
        return None
    before = _judged_on(earlier[0], panel, settings, seed)
    # At its first cutoffs a shop may not hold the model yet; its baseline errs more, so the bounds are too wide.
    said = before.get(name, before[BASELINE])
    try:
        bounds = ValueInterval().fit(said, earlier[0].spent).predict(predicted)
    except NotEnoughData:
        return None
    return coverage(bounds, panel[0].spent)
