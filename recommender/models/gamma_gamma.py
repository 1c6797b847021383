"""Gamma-Gamma: what an order of each customer is worth.

Fader and Hardie (2013), "The Gamma-Gamma Model of Monetary Value", a note on brucehardie.com.

The amounts of a customer's orders are Gamma(p, nu) and nu is Gamma(q, gamma) over customers, whatever the frequency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from recommender.errors import NotEnoughData, NotFitted

SEARCHED_LOG_RANGE = 12.0
# A fit without a ridge is tried first; where the data do not hold all parameters, ones that draw their logarithms to 0.
RIDGES = (0.0, 1e-3, 1e-2)
MINIMUM_CUSTOMERS = 2


class GammaGamma:
    """Gamma-Gamma by maximum likelihood, optionally with a ridge on the logarithms of the parameters.

    ``is_healthy`` is False where the search did not converge, a parameter ran to the edge of the searched range, or the
    mean over customers is not finite (q at most 1).
    """

    def __init__(self, *, ridge: float = 0.0) -> None:
        self.ridge = ridge

    def fit(self, order_counts: np.ndarray, mean_amounts: np.ndarray) -> GammaGamma:
        """Learn from the number of orders and their mean amount, one of each per customer; amounts of 0 are left out.

        Raises NotEnoughData where fewer than two customers have paid anything.
        """
        usable = _usable(order_counts, mean_amounts)
        if usable.sum() < MINIMUM_CUSTOMERS:
            raise NotEnoughData(f"Gamma-Gamma needs two customers with an amount above 0; there are {usable.sum()}")
        counts, unit = order_counts[usable].astype("float64"), float(mean_amounts[usable].mean())
        amounts = mean_amounts[usable] / unit

        def objective(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = _log_likelihood(np.exp(logarithms), counts, amounts)
            penalty = self.ridge * logarithms @ logarithms
            return -value / len(counts) + penalty, -gradient / len(counts) + 2.0 * self.ridge * logarithms

        bounds = [(-SEARCHED_LOG_RANGE, SEARCHED_LOG_RANGE)] * 3
        options = {"maxiter": 300, "gtol": 1e-9, "ftol": 1e-15}
        found = minimize(objective, np.full(3, 0.5), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        self.p_, self.q_, self.gamma_ = (float(value) for value in np.exp(found.x) * [1.0, 1.0, unit])
        inside = np.abs(found.x) < SEARCHED_LOG_RANGE - 0.01
        converged = np.isfinite(found.fun) and np.abs(found.jac).max() < 1e-4
        self.is_healthy = bool(inside.all() and converged and self.q_ > 1.0)
        return self

    def expected_amount(self, order_counts: np.ndarray, mean_amounts: np.ndarray) -> np.ndarray:
        """Expected amount of an order of each customer, equation (5) of the note: own mean and population weighed.

        A customer without orders gets the mean of the population. Amounts are in the currency of the fit.
        """
        p, q, gamma = self._parameters()
        sums = np.where(order_counts > 0, np.nan_to_num(mean_amounts) * order_counts, 0.0)
        return np.asarray(p * (gamma + sums) / (p * order_counts + q - 1.0))

    def state(self) -> dict[str, Any]:
        """The three parameters and whether the fit is healthy."""
        return {"parameters": self._parameters(), "is_healthy": self.is_healthy}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> GammaGamma:
        """The model that ``state`` was taken from."""
        model = cls()
        model.p_, model.q_, model.gamma_ = (float(value) for value in state["parameters"])
        model.is_healthy = state["is_healthy"]
        return model

    def _parameters(self) -> np.ndarray:
        if not hasattr(self, "p_"):
            raise NotFitted(self)
        return np.array([self.p_, self.q_, self.gamma_])


def healthy_gamma_gamma(order_counts: np.ndarray, mean_amounts: np.ndarray) -> GammaGamma | None:
    """Gamma-Gamma with the first of RIDGES that gives a healthy fit; None where there is none, or too few amounts."""
    if _usable(order_counts, mean_amounts).sum() < MINIMUM_CUSTOMERS:
        return None
    fits = (GammaGamma(ridge=ridge).fit(order_counts, mean_amounts) for ridge in RIDGES)
    return next((model for model in fits if model.is_healthy), None)


def _usable(order_counts: np.ndarray, mean_amounts: np.ndarray) -> np.ndarray:
    """Customers who paid anything that can be told from 0 beside the largest amount."""
    finite = np.isfinite(mean_amounts)
    largest = mean_amounts[finite].max(initial=0.0)
    return np.asarray(finite & (order_counts > 0) & (mean_amounts > 1e-9 * largest))


def _log_likelihood(parameters: np.ndarray, counts: np.ndarray, amounts: np.ndarray) -> tuple[float, np.ndarray]:
    """Equation (1a) of the note summed over customers, and its gradient by the logarithms of the parameters."""
    p, q, gamma = parameters
    whole = p * counts + q
    sums = gamma + counts * amounts
    values = gammaln(whole) - gammaln(p * counts) - gammaln(q) + q * np.log(gamma)
    values += (p * counts - 1.0) * np.log(amounts) + p * counts * np.log(counts) - whole * np.log(sums)
    by_p = counts * (digamma(whole) - digamma(p * counts) + np.log(amounts) + np.log(counts) - np.log(sums))
    by_q = digamma(whole) - digamma(q) + np.log(gamma) - np.log(sums)
    by_gamma = q / gamma - whole / sums
    gradient = np.array([by_p.sum(), by_q.sum(), by_gamma.sum()])
    return float(values.sum()), gradient * parameters
