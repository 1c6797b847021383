"""Regression with a logarithmic link: expected amounts as a product of factors."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

# Beyond e to this power an expected amount is no forecast but an overflow.
LARGEST_LOG = 30.0


def fit_log_linear(design: np.ndarray, amounts: np.ndarray, *, l2: float) -> tuple[np.ndarray, float]:
    """Coefficients and intercept by Poisson quasi-likelihood, which asks only for the mean to be right.

    ``amounts`` are at least 0 and about 1 on average; ``l2`` draws the coefficients, not the intercept, to 0 and is
    weighed against the mean of the rows. The objective is convex, so that the start does not matter. McCullagh and
    Nelder (1989), chapter 9.
    """
    rows, columns = design.shape

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        logs = np.minimum(design @ parameters[:-1] + parameters[-1], LARGEST_LOG)
        means = np.exp(logs)
        left = (means - amounts) / rows
        value = float((means - amounts * logs).sum() / rows + 0.5 * l2 * parameters[:-1] @ parameters[:-1])
        gradient = np.append(design.T @ left + l2 * parameters[:-1], left.sum())
        return value, gradient

    start = np.append(np.zeros(columns), np.log(max(float(amounts.mean()), 1e-9)))
    options = {"maxiter": 500, "gtol": 1e-6, "ftol": 1e-12}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    return found.x[:-1], float(found.x[-1])


def log_linear_means(design: np.ndarray, coefficients: np.ndarray, intercept: float) -> np.ndarray:
    """Expected amount of each row."""
    return np.asarray(np.exp(np.minimum(design @ coefficients + intercept, LARGEST_LOG)))
