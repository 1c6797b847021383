"""Judge the answers of a training on the horizon after its cutoff: all models, the shipped ones, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from recommender import metrics
from recommender.history import History
from recommender.models.lifetime_value import purchase_history
from recommender.outcomes import spend
from recommender.periods import Period, rfc3339
from recommender.probability_metrics import PROBABILITY_MEASURES, VALUE_MEASURES, Measure, judge
from recommender.segments import lifecycle_segments
from recommender.splits import Split, Truth
from training.backtest import Answers
from training.interactions import events_before
from training.item_evaluation import judge_item_answers
from training.offer_evaluation import judge_offers
from training.pipeline import Training
from training.recommendation_training import SLATES, top_of
from training.settings import TrainingSettings

_SLICE_AT_LEAST = 50


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
    lines = history.read("order_lines", before=window.end)
    returns = history.read("returns", before=window.end)
    if answers.offers is not None:
        head["offers"]["judged"] = judge_offers(history, answers.offers, answers.offer_facts, window, seed=seed)
    return {
        **head,
        "recommendations": judge_lists(history, training, k=k, seed=seed),
        "item_answers": judge_item_answers(history, training, k=k, seed=seed),
        "churn": judge_churn(history, training, answers.features, lines, seed=seed),
        "value": judge_value(training, lines, returns, settings, seed=seed),
    }


def judge_lists(history: History, training: Training, *, k: int, seed: int) -> dict[str, Any]:
    """Every recommender that was fitted, by slate; slices of the shipped one by how much the customer bought."""
    bundle, matrix = training.bundle, training.lists.matrix
    split = Split(bundle.as_of, bundle.horizon_days)
    truth = split.truth(events_before(history, split.window.end), matrix)
    judged: dict[str, Any] = {slate: {"models": {}} for slate in SLATES}
    for name, model in training.lists.fitted.models.items():
        lists = top_of(model, matrix, k=k)
        for slate in SLATES:
            judged[slate]["models"][name] = _list_figures(lists[slate][0], truth, slate, len(matrix.items), seed)
    activity = np.bincount(matrix.rows[matrix.is_order], minlength=len(matrix.customers))
    for slate in SLATES:
        positions = bundle.slates[slate].positions[:, :k]
        judged[slate]["shipped"] = _list_figures(positions, truth, slate, len(matrix.items), seed)
        values = metrics.ndcg(positions, getattr(truth, slate))
        is_light = activity <= np.median(activity)
        judged[slate]["slices"] = {
            name: {"ndcg": asdict(metrics.interval(values[chosen], seed=seed))}
            for name, chosen in (("light customers", is_light), ("heavy customers", ~is_light))
        }
    return {**judged, "unreachable_pairs": truth.unreachable, "strangers": truth.strangers}


def _list_figures(positions: np.ndarray, truth: Truth, slate: str, item_count: int, seed: int) -> dict[str, Any]:
    accuracy = metrics.accuracy(positions, getattr(truth, slate))
    figures: dict[str, Any] = {name: asdict(metrics.interval(values, seed=seed)) for name, values in accuracy.items()}
    figures["coverage"] = metrics.coverage(positions, item_count)
    figures["overlap"] = asdict(metrics.interval(metrics.overlap(positions, item_count), seed=seed))
    return figures


def judge_churn(
    history: History, training: Training, features: pd.DataFrame, lines: pd.DataFrame, *, seed: int
) -> dict[str, Any] | None:
    """Every churn model that was fitted; slices of the shipped one by lifecycle segment."""
    churn, bundle = training.churn, training.bundle
    if churn.model is None or features.empty:
        return None
    end = Period.after(bundle.as_of, bundle.horizon_days).end
    tables = {"order_lines": lines, "subscriptions": history.read("subscriptions", before=end)}
    left = churn.question.outcome(tables, features.index, bundle.as_of)
    before = lines[lines["ordered_at"] < bundle.as_of]
    segments = lifecycle_segments(before, features.index, bundle.as_of, churn.question.activity_days)
    shipped = churn.model.predict_proba(features[list(churn.facts["features"])])
    return {
        "customers": len(left),
        "base_rate": float(left.mean()),
        "models": {
            name: _figures(PROBABILITY_MEASURES, one.model.predict_proba(features[list(one.columns)]), left, seed)
            for name, one in churn.candidates.items()
        },
        "shipped": _figures(PROBABILITY_MEASURES, shipped, left, seed),
        "slices": _slices(segments, lambda chosen: _figures(PROBABILITY_MEASURES, shipped[chosen], left[chosen], seed)),
    }


def judge_value(
    training: Training, lines: pd.DataFrame, returns: pd.DataFrame, settings: TrainingSettings, *, seed: int
) -> dict[str, Any] | None:
    """Every value model that was fitted; slices of the shipped one by lifecycle segment."""
    value, cutoff = training.value, training.bundle.as_of
    known, back = lines[lines["ordered_at"] < cutoff], returns[returns["returned_at"] < cutoff]
    if value.model is None or known.empty:
        return None
    purchases = purchase_history(known, back, cutoff)
    truth = spend(lines, returns, purchases.index, Period.after(cutoff, settings.horizon_days))
    predictions = {name: one.predict(purchases, settings.horizon_days) for name, one in value.candidates.items()}
    shipped = value.model.predict(purchases, settings.horizon_days)
    segments = lifecycle_segments(known, purchases.index, cutoff, settings.activity_days)
    return {
        "customers": len(truth),
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
