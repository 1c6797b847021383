"""How good probabilities and predicted values are, with bootstrap intervals over customers.

Every measure takes the outcome and the prediction of each customer. Customers with equal predictions count as their
mean, so that no measure depends on the order of the rows. A measure without an answer, such as the area under the curve
where nobody has left, is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import rankdata

from recommender.metrics import Interval
from recommender.randomness import rng_for

Measure = Callable[[np.ndarray, np.ndarray], float]

CALIBRATION_BINS = 10
TOP_SHARE = 0.1
# Larger bootstrap samples take long and say little more: their spread is scaled instead.
MAXIMUM_RESAMPLED = 20_000


def area_under_curve(outcomes: np.ndarray, probabilities: np.ndarray) -> float:
    """Probability that one who left had the higher score than one who stayed, equal scores counting half (ROC AUC)."""
    left = outcomes.sum()
    stayed = len(outcomes) - left
    if left == 0 or stayed == 0:
        return float("nan")
    ranks = rankdata(probabilities)
    return float((ranks @ outcomes - left * (left + 1) / 2) / (left * stayed))


def area_components(outcomes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """One value per customer whose mean is the area under the curve, and whose spread gives its standard error.

    The area plus each customer's influence on it, so that a paired bootstrap of the values compares two models as
    DeLong, DeLong and Clarke-Pearson (1988) do. NaN where nobody or everybody has left.
    """
    has_left = outcomes > 0
    left, stayed = int(has_left.sum()), int((~has_left).sum())
    if left == 0 or stayed == 0:
        return np.full(len(outcomes), np.nan)
    ranks = rankdata(probabilities)
    own = np.empty(len(outcomes))
    own[has_left], own[~has_left] = rankdata(probabilities[has_left]), rankdata(probabilities[~has_left])
    # Share of the other group that the customer is on the right side of, ties counting half.
    beaten = np.where(has_left, (ranks - own) / stayed, 1.0 - (ranks - own) / left)
    area = beaten[has_left].mean()
    return np.asarray(area + (beaten - area) * len(outcomes) / np.where(has_left, left, stayed))


def average_precision(outcomes: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean over those who left of the precision at their score (PR-AUC as a step function)."""
    if outcomes.sum() == 0:
        return float("nan")
    order = np.argsort(-probabilities, kind="stable")
    last_of_ties = np.append(np.diff(probabilities[order]) != 0, True)
    found = np.cumsum(outcomes[order])[last_of_ties]
    precision = found / (np.flatnonzero(last_of_ties) + 1)
    return float(np.diff(found, prepend=0.0) @ precision / found[-1])


def brier_score(outcomes: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean squared distance of probability and outcome."""
    return float(np.mean((probabilities - outcomes) ** 2))


def log_loss(outcomes: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean of minus the logarithm of the probability given to what happened, held above 1e-15."""
    given = np.where(outcomes > 0, probabilities, 1.0 - probabilities)
    return float(-np.mean(np.log(np.clip(given, 1e-15, 1.0))))


def calibration_error(outcomes: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean over customers of the distance between probability and share that left, in ten bins of equal count (ECE)."""
    table = reliability(outcomes, probabilities)
    return float(np.average(np.abs(table[:, 1] - table[:, 0]), weights=table[:, 2]))


def reliability(outcomes: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS) -> np.ndarray:
    """Mean probability, share that left and customers of each bin of equal count, lowest probability first."""
    order = np.argsort(probabilities, kind="stable")
    shares = _mean_of_ties(outcomes, probabilities)
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return np.array([[probabilities[part].mean(), shares[part].mean(), len(part)] for part in parts])


def cumulative_gains(outcomes: np.ndarray, probabilities: np.ndarray, steps: int = 20) -> list[float]:
    """Share of those who left among the highest 1/steps, 2/steps, ... of the customers; empty where nobody left."""
    if outcomes.sum() == 0:
        return []
    ordered = _mean_of_ties(outcomes, probabilities)[np.argsort(-probabilities, kind="stable")]
    found = np.concatenate([[0.0], np.cumsum(ordered)]) / outcomes.sum()
    places = np.arange(1, steps + 1) / steps * len(outcomes)
    return [float(one) for one in np.interp(places, np.arange(len(found)), found)]


def lift(outcomes: np.ndarray, probabilities: np.ndarray) -> float:
    """Share that left among the tenth with the highest scores, divided by the share of all."""
    captured = top_capture(outcomes, probabilities)
    return captured * len(outcomes) / _top_count(len(outcomes))


def top_capture(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Part of the total that lies with the tenth of customers with the highest predictions."""
    if actual.sum() == 0:
        return float("nan")
    best = np.argsort(-predicted, kind="stable")[: _top_count(len(actual))]
    return float(_mean_of_ties(actual, predicted)[best].sum() / actual.sum())


def normalised_gini(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Gini coefficient of the actual values in order of the predicted ones, divided by that in their own order."""
    possible = _gini(actual, actual)
    return _gini(actual, predicted) / possible if possible > 0 else float("nan")


def root_mean_squared_error(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Root of the mean squared error, in the account currency."""
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))


def mean_absolute_error(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Mean absolute error, in the account currency; never a criterion of choice: the median of most customers is 0."""
    return float(np.mean(np.abs(predicted - actual)))


def rank_correlation(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Correlation of the ranks (Spearman)."""
    ranks, expected = rankdata(actual), rankdata(predicted)
    if np.ptp(ranks) == 0 or np.ptp(expected) == 0:
        return float("nan")
    return float(np.corrcoef(ranks, expected)[0, 1])


def bias(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Total predicted divided by total actual; 1 is right."""
    return float(predicted.sum() / actual.sum()) if actual.sum() != 0 else float("nan")


PROBABILITY_MEASURES: Mapping[str, Measure] = {
    "auc": area_under_curve,
    "pr_auc": average_precision,
    "brier": brier_score,
    "ece": calibration_error,
    "lift_at_10_percent": lift,
    "log_loss": log_loss,
}
VALUE_MEASURES: Mapping[str, Measure] = {
    "normalised_gini": normalised_gini,
    "rmse": root_mean_squared_error,
    "mae": mean_absolute_error,
    "spearman": rank_correlation,
    "bias": bias,
    "top_10_percent_capture": top_capture,
}


def measured(
    measure: Measure, outcomes: np.ndarray, predictions: np.ndarray, *, seed: int, samples: int = 200
) -> Interval:
    """A measure with the 95 % interval of its bootstrap over customers."""
    return bootstrap(lambda rows: measure(outcomes[rows], predictions[rows]), len(outcomes), seed=seed, samples=samples)


def paired_difference(
    measure: Measure,
    outcomes: np.ndarray,
    ours: np.ndarray,
    theirs: np.ndarray,
    *,
    seed: int,
    samples: int = 200,
) -> Interval:
    """Our measure less theirs on the same customers, with the 95 % interval of its bootstrap over them."""

    def difference(rows: np.ndarray) -> float:
        return measure(outcomes[rows], ours[rows]) - measure(outcomes[rows], theirs[rows])

    return bootstrap(difference, len(outcomes), seed=seed, samples=samples)


def judge(
    measures: Mapping[str, Measure], outcomes: np.ndarray, predictions: np.ndarray, *, seed: int
) -> dict[str, Interval]:
    """All measures of a table such as PROBABILITY_MEASURES, by name."""
    return {name: measured(measure, outcomes, predictions, seed=seed) for name, measure in measures.items()}


def bootstrap(statistic: Callable[[np.ndarray], float], count: int, *, seed: int, samples: int = 200) -> Interval:
    """A statistic of the rows at some positions below ``count``, with the 95 % interval of its bootstrap over them."""
    if count == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    found = statistic(np.arange(count))
    rng = rng_for(seed, "bootstrap of a measure")
    size = min(count, MAXIMUM_RESAMPLED)
    drawn = np.array([statistic(rng.integers(count, size=size)) for _ in range(samples)])
    known = drawn[~np.isnan(drawn)]
    if np.isnan(found) or len(known) == 0:
        return Interval(found, np.nan, np.nan, count)
    if size == count:
        low, high = np.quantile(known, [0.025, 0.975])
    else:
        low, high = found + (np.quantile(known, [0.025, 0.975]) - np.median(known)) * np.sqrt(size / count)
    return Interval(found, float(low), float(high), count)


def _mean_of_ties(values: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Each value replaced by the mean of those with the same prediction."""
    _, groups, counts = np.unique(predictions, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(groups, weights=values) / counts)[groups])


def _gini(actual: np.ndarray, order_by: np.ndarray) -> float:
    if actual.sum() <= 0:
        return float("nan")
    ordered = _mean_of_ties(actual, order_by)[np.argsort(-order_by, kind="stable")]
    held = np.cumsum(ordered) / actual.sum()
    return float(held.mean() - (len(actual) + 1) / (2 * len(actual)))


def _top_count(count: int) -> int:
    return max(1, round(count * TOP_SHARE))
