"""One arm of an experiment: who converts in it, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from recommender.models.churn_learners import LOGISTIC_MINIMUM
from recommender.models.logistic import fit_logistic

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
FOLD_COUNT = 5
# The penalty is a property of the coefficients, not of the number of rows: a sample is enough to choose it.
CHOICE_ROWS = 20_000


@dataclass(frozen=True)
class ArmRows:
    """The rows of one arm: design, outcome and weight, and the number of the customer, counting from 0."""

    design: np.ndarray
    outcomes: np.ndarray
    weights: np.ndarray
    customers: np.ndarray

    @property
    def rarer(self) -> int:
        """How many rows have the rarer outcome."""
        return int(min(self.outcomes.sum(), len(self.outcomes) - self.outcomes.sum()))


@dataclass(frozen=True)
class Arm:
    """Intercept and coefficients of the log-odds, and the same for every resample of the customers, one row each."""

    parameters: np.ndarray
    resampled: np.ndarray

    def probabilities(self, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probability to convert of each row, and rows x resamples."""
        point = expit(self.parameters[0] + design @ self.parameters[1:])
        return point, expit(self.resampled[:, 0] + design @ self.resampled[:, 1:].T)


def fit_arms(
    rows: Sequence[ArmRows], customer_count: int, *, l2: float | None, resamples: int, rng: np.random.Generator
) -> list[Arm]:
    """Fit each arm, and move its parameters as every resample of the customers would.

    The customers are drawn once for all arms, so that one who stands in several is drawn into all of them. A resample
    moves the parameters by one Newton step from the fit on all rows (score bootstrap, Kline and Santos 2012).
    """
    fits = [_fit(one, l2) for one in rows]
    inverses = [_inverse_curvature(one, *fit) for one, fit in zip(rows, fits, strict=True)]
    errors = [_errors(one, parameters) for one, (parameters, _) in zip(rows, fits, strict=True)]
    moved: list[list[np.ndarray]] = [[] for _ in rows]
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(customer_count, size=customer_count), minlength=customer_count) - 1.0
        for place, one in enumerate(rows):
            pull = errors[place] * drawn[one.customers]
            score = np.concatenate([[pull.sum()], one.design.T @ pull])
            moved[place].append(fits[place][0] + inverses[place] @ score)
    arms = zip(rows, fits, moved, strict=True)
    return [_arm(one, parameters, np.array(steps), rng) for one, (parameters, _), steps in arms]


def _arm(rows: ArmRows, parameters: np.ndarray, moved: np.ndarray, rng: np.random.Generator) -> Arm:
    if rows.rarer >= LOGISTIC_MINIMUM:
        return Arm(parameters, moved)
    # So few conversions are redrawn too evenly: the rate is drawn from what they leave open (Jeffreys interval).
    count, found = len(rows.outcomes), rows.outcomes.sum()
    rates = np.clip(rng.beta(found + 0.5, count - found + 0.5, size=len(moved)), 1e-9, 1.0 - 1e-9)
    return Arm(parameters, np.column_stack([logit(rates), np.zeros((len(moved), len(parameters) - 1))]))


def _fit(rows: ArmRows, l2: float | None) -> tuple[np.ndarray, float]:
    """Parameters, intercept first, and the penalty; the rate alone where it is all that the rows can hold."""
    if rows.rarer < LOGISTIC_MINIMUM:
        rate = (rows.outcomes.sum() + 0.5) / (len(rows.outcomes) + 1.0)
        return np.concatenate([[logit(rate)], np.zeros(rows.design.shape[1])]), 1.0
    penalty = _choose_penalty(rows) if l2 is None else l2
    coefficients, intercept = fit_logistic(rows.design, rows.outcomes, l2=penalty, weights=rows.weights)
    return np.concatenate([[intercept], coefficients]), penalty


def _choose_penalty(rows: ArmRows) -> float:
    """The penalty with the smallest loss on each fifth of the customers by a fit on the other four."""
    chosen = slice(None, CHOICE_ROWS)
    design, outcomes, weights = rows.design[chosen], rows.outcomes[chosen], rows.weights[chosen]
    folds = rows.customers[chosen] % FOLD_COUNT
    losses: Mapping[float, float] = {
        penalty: sum(_unseen_loss(design, outcomes, weights, folds == fold, penalty) for fold in range(FOLD_COUNT))
        for penalty in PENALTIES
    }
    return min(losses, key=lambda penalty: losses[penalty])


def _unseen_loss(
    design: np.ndarray, outcomes: np.ndarray, weights: np.ndarray, unseen: np.ndarray, penalty: float
) -> float:
    if unseen.all() or not unseen.any():
        return 0.0
    seen = ~unseen
    coefficients, intercept = fit_logistic(design[seen], outcomes[seen], l2=penalty, weights=weights[seen])
    signs = np.where(outcomes[unseen] > 0, -1.0, 1.0)
    return float(weights[unseen] @ np.logaddexp(0.0, signs * (intercept + design[unseen] @ coefficients)))


def _errors(rows: ArmRows, parameters: np.ndarray) -> np.ndarray:
    return np.asarray(rows.weights * (rows.outcomes - expit(parameters[0] + rows.design @ parameters[1:])))


def _inverse_curvature(rows: ArmRows, parameters: np.ndarray, penalty: float) -> np.ndarray:
    """Inverse of the second derivatives of the penalised loss, the intercept first and not penalised."""
    probabilities = expit(parameters[0] + rows.design @ parameters[1:])
    spread = rows.weights * probabilities * (1.0 - probabilities)
    pulled = rows.design.T @ spread
    curvature = np.empty((len(parameters), len(parameters)))
    curvature[0, 0] = spread.sum() + 1e-9
    curvature[0, 1:] = curvature[1:, 0] = pulled
    curvature[1:, 1:] = rows.design.T @ (rows.design * spread[:, None]) + penalty * np.eye(len(parameters) - 1)
    return np.asarray(np.linalg.inv(curvature))
