"""How good estimates of uplift are, judged on customers of whom some were treated at random and some were not.

Nobody is seen in both arms, so the judgement is of groups: what treating the customers with the highest estimates
would have brought. Customers with equal estimates count as their mean. ``weights`` are inverse propensities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from recommender.metrics import Interval
from recommender.probability_metrics import bootstrap


@dataclass(frozen=True)
class Trial:
    """One row per assignment: whether treated, whether converted, how much it counts, and the estimated uplift."""

    treated: np.ndarray
    converted: np.ndarray
    weights: np.ndarray
    uplift: np.ndarray

    def rows(self, positions: np.ndarray) -> Trial:
        """The assignments at these positions."""
        return Trial(*(values[positions] for values in (self.treated, self.converted, self.weights, self.uplift)))


def average_effect(trial: Trial) -> float:
    """Share that converts if treated minus if not, over all; NaN where an arm is empty."""
    if not 0 < trial.treated.sum() < len(trial.treated):
        return float("nan")
    rates = [
        np.average(trial.converted[chosen], weights=trial.weights[chosen]) for chosen in (trial.treated, ~trial.treated)
    ]
    return float(rates[0] - rates[1])


def area_under_uplift(trial: Trial) -> float:
    """Mean over all shares of the conversions per customer that treating the best share brings (AUUC)."""
    if not 0 < trial.treated.sum() < len(trial.treated):
        return float("nan")
    shares, gains = _gain_curve(trial)
    return float(np.trapezoid(gains, shares))


def qini(trial: Trial) -> float:
    """The area under the uplift less that of treating customers in any order (Radcliffe 2007); 0 is chance."""
    return area_under_uplift(trial) - average_effect(trial) / 2


UPLIFT_MEASURES: Mapping[str, Callable[[Trial], float]] = {
    "average_effect": average_effect,
    "auuc": area_under_uplift,
    "qini": qini,
}


def judge_uplift(trial: Trial, *, seed: int) -> dict[str, Interval]:
    """All measures with the 95 % interval of their bootstrap over assignments, by name."""
    return {name: _judged(measure, trial, seed) for name, measure in UPLIFT_MEASURES.items()}


def _judged(measure: Callable[[Trial], float], trial: Trial, seed: int) -> Interval:
    return bootstrap(lambda positions: measure(trial.rows(positions)), len(trial.treated), seed=seed)


def _gain_curve(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the customers, best estimates first, and the conversions per customer that treating each brings."""
    order = np.argsort(-trial.uplift, kind="stable")
    ends = np.append(np.diff(trial.uplift[order]) != 0, True)
    sums = []
    for arm in (trial.treated, ~trial.treated):
        counted = np.where(arm, trial.weights, 0.0)[order]
        found, size = np.cumsum(counted * trial.converted[order]), np.cumsum(counted)
        sums.append(np.divide(found, size, out=np.zeros(len(size)), where=size > 0))
        sums.append(size)
    # Before both arms have a customer there is nothing to compare.
    known = (sums[1] > 0) & (sums[3] > 0)
    shares = np.arange(1, len(order) + 1) / len(order)
    gains = np.where(known, sums[0] - sums[2], 0.0) * shares
    return np.concatenate([[0.0], shares[ends]]), np.concatenate([[0.0], gains[ends]])
