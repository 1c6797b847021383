"""Judge the answers of a training on the horizon after its cutoff: all models, the shipped ones, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pandas as pd

from recommender.history import History
from recommender.models.value_interval import coverage
from recommender.outcomes import spend
from recommender.periods import Period, rfc3339
from recommender.probability_metrics import (
    PROBABILITY_MEASURES,
    VALUE_MEASURES,
    Measure,
    cumulative_gains,
    judge,
    reliability,
)
from recommender.retention.segments import lifecycle_states, order_states
from recommender.retention.value_history import valued
from recommender.splits import Split
from recommender.tables import as_of
from recommender.touchpoints import TABLES
from training.backtest import Answers
from training.interactions import events_before
from training.item_evaluation import judge_item_answers
from training.list_choice import BASELINES, SLATES, top_of
from training.list_evaluation import (
    Customers,
    calibration,
    evaluate_lists,
    named_bins,
    with_shipped,
    without_model,
)
from training.offer_evaluation import judge_offers
from training.pipeline import Training
from training.retention.churn_training import TrainedChurn
from training.retention.curve_evaluation import judge_training_times
from training.settings import TrainingSettings

_SLICE_AT_LEAST = 50
_SHIPPED = "shipped"


def evaluate(
    history: History, training: Training, answers: Answers, settings: TrainingSettings, *, k: int, seed: int
) -> dict[str, Any]:
    """What ``metrics.json`` says; ``judged`` is false where nothing is known at or after the cutoff."""
    bundle = training.bundle
    window = Period.after(bundle.as_of, bundle.horizon_days)
    last = history.last_instant()
    head = {
        "cutoff": rfc3339(bundle.as_of),
        "horizon_days": bundle.horizon_days,
        "k": k,
        "seed": seed,
        "data": bundle.facts["data"],
        "settings": bundle.facts["settings"],
        "left_out": bundle.facts["left_out"],
        "shipped": bundle.facts["shipped"],
        "chosen_on_the_past": bundle.facts["answers"],
        "judged": last is not None and last >= bundle.as_of,
    }
    if answers.offers is not None:
        head["offers"] = dict(answers.offer_facts)
    if not head["judged"]:
        return head
    tables = {name: history.read(name, before=window.end) for name in ("order_lines", "returns", "items")}
    if answers.offers is not None:
        head["offers"]["judged"] = judge_offers(history, answers.offers, answers.offer_facts, window, seed=seed)
    return {
        **head,
        "recommendations": judge_lists(history, training, k=k, seed=seed),
        "item_answers": judge_item_answers(history, training, k=k, seed=seed),
        "churn": judge_churn(history, training.churn, bundle.as_of, answers.features, seed=seed),
        "churn_also": {
            name: judge_churn(history, one, bundle.as_of, answers.features_also[name], seed=seed)
            for name, one in training.churn_also.items()
        },
        "value": judge_value(training, answers.purchases, tables, settings, seed=seed),
        "times": judge_training_times(history, training, answers.churn, seed=seed),
    }


def judge_lists(history: History, training: Training, *, k: int, seed: int) -> dict[str, Any]:
    """Every recommender that was fitted and what is shipped, by slate: both targets, all slices, gains, variety."""
    bundle, matrix = training.bundle, training.lists.matrix
    split = Split(bundle.as_of, bundle.horizon_days)
    truth = split.truth(events_before(history, split.window.end), matrix)
    lists = {slate: {_SHIPPED: bundle.slates[slate].positions[:, :k]} for slate in SLATES}
    for name, model in training.lists.fitted.models.items():
        for slate, (positions, _) in top_of(model, matrix, k=k).items():
            lists[slate][name] = positions
    judged = evaluate_lists(lists, truth, Customers.of(matrix), baselines=BASELINES, seed=seed)
    found = {slate: without_model(with_shipped(judged[slate], _SHIPPED), _SHIPPED) for slate in SLATES}
    for slate in _with_probabilities(bundle.facts):
        scores = bundle.slates[slate].scores[:, :k]
        found[slate]["calibration"] = calibration(lists[slate][_SHIPPED], scores, getattr(truth, slate))
    return {**found, "unreachable_pairs": truth.unreachable, "strangers": truth.strangers}


def _with_probabilities(facts: Mapping[str, Any]) -> list[str]:
    """The slates whose scores are probabilities to buy within the horizon: all or none, or told slate by slate."""
    told = facts.get("score_is_probability", False)
    return [slate for slate in SLATES if (told.get(slate, False) if isinstance(told, Mapping) else told)]


def judge_churn(
    history: History, churn: TrainedChurn, cutoff: datetime, population: pd.DataFrame, *, seed: int
) -> dict[str, Any] | None:
    """Every churn model that was fitted for a definition; slices of the shipped one by lifecycle segment.

    ``population`` has the features of those asked about; None is said where no model answers or nobody is asked.
    """
    definition = churn.definition
    end = Period.after(cutoff, definition.horizon_days).end
    tables = {name: history.read(name, before=end) for name in (*definition.tables, "returns", "order_lines")}
    if churn.model is None or population.empty:
        return None
    left = definition.happened(tables, population.index, cutoff)
    features = population.loc[left.index]
    known = {name: as_of(TABLES[name], frame, cutoff) for name, frame in tables.items()}
    segments = lifecycle_states(known, features.index, cutoff, definition)
    shipped = churn.model.predict_proba(features[list(churn.facts["features"])])
    return {
        "customers": len(left),
        "horizon_days": definition.horizon_days,
        "base_rate": float(left.mean()),
        "models": {
            name: _figures(PROBABILITY_MEASURES, one.model.predict_proba(features[list(one.columns)]), left, seed)
            for name, one in churn.candidates.items()
        },
        "shipped": _figures(PROBABILITY_MEASURES, shipped, left, seed),
        "quality": churn.facts.get("quality"),
        **_curves(shipped, left),
        "slices": _slices(segments, lambda chosen: _figures(PROBABILITY_MEASURES, shipped[chosen], left[chosen], seed)),
    }


def _curves(predicted: pd.Series, happened: pd.Series) -> dict[str, Any]:
    """What the plots of a probability show: its calibration in bins, and who is found among the highest."""
    outcomes = happened.reindex(predicted.index).to_numpy(dtype="float64")
    probabilities = predicted.to_numpy(dtype="float64")
    return {
        "calibration": named_bins(reliability(outcomes, probabilities)),
        "cumulative_gains": cumulative_gains(outcomes, probabilities),
    }


def judge_value(
    training: Training,
    purchases: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    settings: TrainingSettings,
    *,
    seed: int,
) -> dict[str, Any] | None:
    """Every value model that was fitted; slices and bounds of the shipped one. ``tables`` reach to the window's end."""
    value, cutoff = training.value, training.bundle.as_of
    if value.model is None or purchases.empty:
        return None
    lines, returns = valued(tables, value.margins)
    truth = spend(lines, returns, purchases.index, Period.after(cutoff, settings.horizon_days))
    predictions = {name: one.predict(purchases, settings.horizon_days) for name, one in value.candidates.items()}
    shipped = value.model.predict(purchases, settings.horizon_days)
    segments = order_states(lines[lines["ordered_at"] < cutoff], purchases.index, cutoff, settings.activity_days)
    covered = None if value.interval is None else coverage(value.interval.predict(shipped), truth)
    return {
        "customers": len(truth),
        "is_margin": value.margins.is_margin,
        "interval_coverage": covered,
        "models": {name: _figures(VALUE_MEASURES, one, truth, seed) for name, one in predictions.items()},
        "shipped": _figures(VALUE_MEASURES, shipped, truth, seed),
        "slices": _slices(segments, lambda chosen: _figures(VALUE_MEASURES, shipped[chosen], truth[chosen], seed)),
    }


def _figures(measures: Mapping[str, Measure], predicted: pd.Series, happened: pd.Series, seed: int) -> dict[str, Any]:
    outcomes = happened.reindex(predicted.index).to_numpy(dtype="float64")
    judged = judge(measures, outcomes, predicted.to_numpy(dtype="float64"), seed=seed)
    return {name: asdict(one) for name, one in judged.items()}


def _slices(segments: pd.Series, figures: Callable[[pd.Index], Mapping[str, Any]]) -> dict[str, Any]:
    counts = segments.value_counts()
    return {
        str(name): {"customers": int(count), **figures(segments.index[segments == name])}
        for name, count in counts.sort_index().items()
        if count >= _SLICE_AT_LEAST
    }
