"""Logistic regression by penalised maximum likelihood, kept as plain arrays."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

MINIMUM_SLOPE = 0.1


def fit_logistic(
    design: np.ndarray,
    outcomes: np.ndarray,
    *,
    l2: float,
    weights: np.ndarray | None = None,
    offset: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """Coefficients and intercept that maximise the weighted log-likelihood less ``l2 / 2`` times the sum of squares.

    ``offset`` is added to the log-odds of each row with a coefficient of 1; the intercept is not penalised.
    """
    counted = np.ones(len(outcomes)) if weights is None else weights
    start_log_odds = np.zeros(len(outcomes)) if offset is None else offset
    signs = np.where(outcomes > 0, 1.0, -1.0)
    total = counted.sum()

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        coefficients = parameters[1:]
        margins = signs * (start_log_odds + parameters[0] + design @ coefficients)
        loss = counted @ np.logaddexp(0.0, -margins) + 0.5 * l2 * coefficients @ coefficients
        slopes = -counted * signs * expit(-margins)
        gradient = np.concatenate([[slopes.sum()], design.T @ slopes + l2 * coefficients])
        return loss / total, gradient / total

    start = np.zeros(design.shape[1] + 1)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "gtol": 1e-8, "ftol": 0})
    return found.x[1:], float(found.x[0])


def fit_platt(scores: np.ndarray, outcomes: np.ndarray, *, l2: float = 10.0) -> tuple[float, float]:
    """Slope and offset that turn log-odds into calibrated ones (Platt 1999).

    The slope is drawn towards 1 and never below 0.1: a calibration corrects the confidence of scores, not their order.
    """
    change, offset = fit_logistic(scores[:, None], outcomes, l2=l2, offset=scores)
    slope = float(1.0 + change[0])
    if slope >= MINIMUM_SLOPE:
        return slope, offset
    return MINIMUM_SLOPE, fit_offset(MINIMUM_SLOPE * scores, outcomes)


def fit_offset(scores: np.ndarray, outcomes: np.ndarray) -> float:
    """What to add to log-odds so that their mean probability is the share of outcomes."""
    return fit_logistic(np.zeros((len(scores), 0)), outcomes, l2=0.0, offset=scores)[1]
