"""BG/NBD: how often customers order until, unseen, they stop (Fader, Hardie and Lee 2005, Marketing Science 24:2).

While a customer is active, orders come at a rate that is Gamma(r, alpha) over customers; after each order the customer
stops with a probability that is Beta(a, b) over customers. ``frequency`` counts the order days after the first,
``age_at_last_order_days`` is the customer's age at the last of them, ``days_since_first_order`` the age at the cutoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv, digamma, expit, gammaln, hyp2f1

from recommender.errors import DataError, NotEnoughData, NotFitted

if TYPE_CHECKING:
    import pandas as pd

# Logarithms of the parameters, in units of the mean age, are searched within this distance from 0.
SEARCHED_LOG_RANGE = 12.0
# A fit without a ridge is tried first; where the data do not hold all parameters, ones that draw their logarithms to 0.
RIDGES = (0.0, 1e-3, 1e-2)
QUADRATURE_NODES = 64
HISTORY_COLUMNS = ("frequency", "age_at_last_order_days", "days_since_first_order")


@dataclass(frozen=True)
class Histories:
    """What BG/NBD needs of each customer: ``frequency``, ``recency`` (age at the last order) and ``age``, in days."""

    frequency: np.ndarray
    recency: np.ndarray
    age: np.ndarray

    @classmethod
    def of(cls, history: pd.DataFrame) -> Histories:
        """The three columns of a frame; raises DataError for values that no history can have."""
        frequency, recency, age = (history[name].to_numpy(dtype="float64") for name in HISTORY_COLUMNS)
        possible = (frequency >= 0) & (recency >= 0) & (recency <= age) & np.isfinite(frequency * age)
        possible &= (frequency > 0) == (recency > 0)
        if not possible.all():
            row = int(np.argmin(possible))
            found = f"frequency {frequency[row]}, age at last order {recency[row]}, age {age[row]} on row {row}"
            raise DataError("history", f"{found} is no purchase history; ages are days from the first order")
        return cls(frequency, recency, age)

    def distinct(self) -> tuple[Histories, np.ndarray, np.ndarray]:
        """The different histories, how often each occurs, and the place of each customer's among them."""
        stacked = np.column_stack([self.frequency, self.recency, self.age])
        rows, places, counts = np.unique(stacked, axis=0, return_inverse=True, return_counts=True)
        return Histories(*rows.T), counts.astype("float64"), places.ravel()


class BgNbd:
    """BG/NBD by maximum likelihood, optionally with a ridge on the logarithms of the parameters.

    ``ridge`` is weighed against the mean log-likelihood of a customer. ``is_healthy`` is False where the search did not
    converge or a parameter ran to the edge of the searched range: the data then do not hold all four.
    """

    def __init__(self, *, ridge: float = 0.0) -> None:
        self.ridge = ridge

    def fit(self, history: pd.DataFrame) -> BgNbd:
        """Learn from one row per customer; raises NotEnoughData without a customer or without a repeat order."""
        histories = Histories.of(history)
        if not (histories.frequency > 0).any():
            raise NotEnoughData("BG/NBD needs at least one customer with a second order; there is none")
        unit = float(histories.age.mean())
        scaled = Histories(histories.frequency, histories.recency / unit, histories.age / unit)
        distinct, counts, _ = scaled.distinct()

        def objective(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = _log_likelihood(np.exp(logarithms), distinct, counts)
            total = counts.sum()
            penalty = self.ridge * logarithms @ logarithms
            return -value / total + penalty, -gradient / total + 2.0 * self.ridge * logarithms

        bounds = [(-SEARCHED_LOG_RANGE, SEARCHED_LOG_RANGE)] * 4
        options = {"maxiter": 300, "gtol": 1e-9, "ftol": 1e-15}
        found = minimize(objective, np.zeros(4), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        self.r_, self.alpha_, self.a_, self.b_ = (float(value) for value in np.exp(found.x) * [1.0, unit, 1.0, 1.0])
        inside = np.abs(found.x) < SEARCHED_LOG_RANGE - 0.01
        self.is_healthy = bool(np.isfinite(found.fun) and inside.all() and np.abs(found.jac).max() < 1e-4)
        return self

    def log_likelihood(self, history: pd.DataFrame) -> float:
        """Log-likelihood of the histories, equation (6)."""
        distinct, counts, _ = Histories.of(history).distinct()
        return _log_likelihood(self._parameters(), distinct, counts)[0]

    def expected_orders(self, history: pd.DataFrame, horizon_days: float) -> pd.Series:
        """Expected number of further order days of each customer within the horizon, with the index of ``history``.

        Equation (10), with Euler's transformation of the hypergeometric function: its parameters then do not grow with
        the frequency, so that it neither overflows nor cancels for frequent buyers. Where it overflows all the same,
        the mean over the stopping probability is taken by quadrature.
        """

        self._parameters()
        return self._by_customer(history, lambda one: self._expected(one, horizon_days), "expected_orders")

    def growth(self, history: Histories, from_days: float, to_days: float) -> np.ndarray:
        """Orders expected within ``to_days`` as a multiple of those within ``from_days``, for each history.

        Where none are expected in either, the multiple of the days.
        """
        self._parameters()
        shorter, longer = (self._expected(history, days) for days in (from_days, to_days))
        in_proportion = np.full(len(shorter), to_days / from_days)
        return np.asarray(np.divide(longer, shorter, out=in_proportion, where=shorter > 0.0))

    def probability_alive(self, history: pd.DataFrame) -> pd.Series:
        """Probability that each customer has not stopped; 1 for every customer without a repeat order.

        Fader, Hardie and Lee (2008), "Computing P(alive) using the BG/NBD model". It is no churn score: buyers of one
        order cannot have stopped in this model.
        """
        return self._by_customer(history, self._alive, "probability_alive")

    def probability_no_order(self, history: pd.DataFrame, horizon_days: float) -> pd.Series:
        """Probability of no order within the horizon.

        A customer orders nothing who has stopped, or who is active and lets the horizon pass. Given that a customer is
        active, the rate is Gamma(r + frequency, alpha + age), so the second has the closed form
        ``((alpha + age) / (alpha + age + horizon)) ** (r + frequency)``.
        """
        return self._by_customer(history, lambda one: self.no_order(one, horizon_days), "probability_no_order")

    def no_order(self, histories: Histories, horizon_days: float) -> np.ndarray:
        """``probability_no_order`` of histories as arrays."""
        r, alpha, _, _ = self._parameters()
        silent = np.exp(-(r + histories.frequency) * np.log1p(horizon_days / (alpha + histories.age)))
        return np.asarray(1.0 - self._alive(histories) * (1.0 - silent))

    def state(self) -> dict[str, Any]:
        """The four parameters and whether the fit is healthy."""
        return {"parameters": self._parameters(), "is_healthy": self.is_healthy}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> BgNbd:
        """The model that ``state`` was taken from."""
        model = cls()
        model.r_, model.alpha_, model.a_, model.b_ = (float(value) for value in state["parameters"])
        model.is_healthy = state["is_healthy"]
        return model

    def _parameters(self) -> np.ndarray:
        if not hasattr(self, "r_"):
            raise NotFitted(self)
        return np.array([self.r_, self.alpha_, self.a_, self.b_])

    def _expected(self, one: Histories, horizon_days: float) -> np.ndarray:
        orders = self._orders_while_active(one, horizon_days)
        odd = ~np.isfinite(orders)
        if odd.any():
            few = Histories(one.frequency[odd], one.recency[odd], one.age[odd])
            orders[odd] = self._orders_by_quadrature(few, horizon_days)
        most = (self.r_ + one.frequency) * horizon_days / (self.alpha_ + one.age)
        return np.asarray(np.clip(orders, 0.0, most) * self._alive(one))

    def _orders_while_active(self, one: Histories, horizon_days: float) -> np.ndarray:
        r, alpha, a, b = self._parameters()
        # The limit at a = 1 exists, but the formula divides 0 by 0 there.
        a = a if abs(a - 1.0) > 1e-6 else 1.0 + 1e-6
        passed = horizon_days / (alpha + one.age + horizon_days)
        with np.errstate(over="ignore", invalid="ignore"):
            series = hyp2f1(a + b - 1.0 - r, a - 1.0, a + b + one.frequency - 1.0, passed)
            bracket = 1.0 - (1.0 - passed) ** (a - 1.0) * series
            return np.asarray((a + b + one.frequency - 1.0) / (a - 1.0) * bracket)

    def _orders_by_quadrature(self, one: Histories, horizon_days: float) -> np.ndarray:
        """Mean of ``(1 - (1 + p t / (alpha + age)) ** -(r + x)) / p`` over the Beta(a, b + x) of an active customer."""
        nodes, weights = np.polynomial.legendre.leggauss(QUADRATURE_NODES)
        levels = (nodes + 1.0) / 2.0
        stopping = np.maximum(betaincinv(self.a_, (self.b_ + one.frequency)[:, None], levels), 1e-12)
        silent = -(self.r_ + one.frequency)[:, None] * np.log1p(
            stopping * (horizon_days / (self.alpha_ + one.age))[:, None]
        )
        return np.asarray(-np.expm1(silent) / stopping @ weights / 2.0)

    def _alive(self, one: Histories) -> np.ndarray:
        r, alpha, a, b = self._parameters()
        repeats = np.maximum(one.frequency, 1.0)
        stopped = np.log(a) - np.log(b + repeats - 1.0)
        stopped += (r + one.frequency) * (np.log(alpha + one.age) - np.log(alpha + one.recency))
        return np.where(one.frequency > 0, expit(-stopped), 1.0)

    def _by_customer(self, history: pd.DataFrame, compute: Any, name: str) -> pd.Series:
        import pandas as pd

        distinct, _, places = Histories.of(history).distinct()
        return pd.Series(compute(distinct)[places], index=history.index, name=name)


def healthy_bgnbd(history: pd.DataFrame) -> BgNbd | None:
    """BG/NBD with the first of RIDGES that gives a healthy fit; None where there is none, or no repeat order."""
    if not (history["frequency"] > 0).any():
        return None
    fits = (BgNbd(ridge=ridge).fit(history) for ridge in RIDGES)
    return next((model for model in fits if model.is_healthy), None)


def _log_likelihood(parameters: np.ndarray, one: Histories, counts: np.ndarray) -> tuple[float, np.ndarray]:
    """Equation (6) summed over customers, and its gradient by the logarithms of the parameters."""
    r, alpha, a, b = parameters
    x, repeats = one.frequency, one.frequency > 0
    later = b + np.maximum(x, 1.0) - 1.0
    active = -(r + x) * np.log(alpha + one.age)
    stopped = np.where(repeats, np.log(a) - np.log(later) - (r + x) * np.log(alpha + one.recency), -np.inf)
    constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    constant += gammaln(b + x) - gammaln(a + b + x) - gammaln(b) + gammaln(a + b)
    share = np.where(repeats, expit(stopped - active), 0.0)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha)
    by_r -= (1.0 - share) * np.log(alpha + one.age) + share * np.log(alpha + one.recency)
    by_alpha = r / alpha - (r + x) * ((1.0 - share) / (alpha + one.age) + share / (alpha + one.recency))
    by_a = digamma(a + b) - digamma(a + b + x) + share / a
    by_b = digamma(b + x) - digamma(a + b + x) - digamma(b) + digamma(a + b) - share / later
    gradient = np.array([counts @ part for part in (by_r, by_alpha, by_a, by_b)])
    return float(counts @ (constant + np.logaddexp(active, stopped))), gradient * parameters
