"""Probability of no order from the rhythm of orders alone: for shops without a complete window to learn churn from."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logit

from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.models.bgnbd import BgNbd, healthy_bgnbd

if TYPE_CHECKING:
    import pandas as pd

BGNBD_NO_ORDER = "bgnbd_no_order"
EVERYBODY_ALIKE = "everybody_alike"
FEATURES = ("order_day_count", "age_at_last_order_days", "days_since_first_order")
CERTAINTY = 1e-6
LONGEST_DAYS = 100_000.0


class NoOrderModel:
    """BG/NBD probability of no order within ``horizon_days``; it needs no outcomes, so it answers on the first day.

    It reads three features of orders: ``order_day_count``, ``age_at_last_order_days``, ``days_since_first_order``.
    ``kind`` is ``bgnbd_no_order``, or ``everybody_alike`` where no customer has ordered on two days: then everybody
    gets the share of customers that have not ordered within a horizon before the cutoff.
    """

    def __init__(self, *, horizon_days: float = 56.0) -> None:
        self.horizon_days = horizon_days

    def fit(self, features: pd.DataFrame, churned: pd.Series | None = None) -> NoOrderModel:
        """Learn the rhythm of all customers; outcomes are not looked at."""
        if not len(features):
            raise NotEnoughData("the churn model needs at least one example; there is none")
        history = _history(features)
        self._reference_ = {str(name): float(value) for name, value in history.median().items()}
        self._orders_ = healthy_bgnbd(_possible(history))
        self.kind = EVERYBODY_ALIKE if self._orders_ is None else BGNBD_NO_ORDER
        silence = history["days_since_first_order"] - history["age_at_last_order_days"]
        self._silent_share_ = float(((silence >= self.horizon_days).sum() + 0.5) / (len(history) + 1.0))
        return self

    def predict_proba(self, features: pd.DataFrame) -> pd.Series:
        """Probability in [0, 1] for each row, with the index of ``features``."""
        self._check()
        return self._probabilities(_history(features)).rename("churn_probability")

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to the log-odds of each row: exact Shapley values against the median customer."""
        import pandas as pd

        self._check()
        history = _history(features)
        values = pd.DataFrame(0.0, index=features.index, columns=[str(name) for name in features.columns])
        for feature, column in zip(FEATURES, history.columns, strict=True):
            values[feature] = self._shapley(history, column)
        return values

    @property
    def base_log_odds(self) -> float:
        """Log-odds of the median customer."""
        self._check()
        import pandas as pd

        return float(logit(self._probabilities(pd.DataFrame([self._reference_]))).iloc[0])

    def state(self) -> dict[str, Any]:
        """Numbers that make the model."""
        self._check()
        return {
            "kind": self.kind,
            "horizon_days": self.horizon_days,
            "silent_share": self._silent_share_,
            "reference": dict(self._reference_),
            "orders": None if self._orders_ is None else self._orders_.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> NoOrderModel:
        """The model that ``state`` was taken from."""
        model = cls(horizon_days=state["horizon_days"])
        model.kind = state["kind"]
        model._silent_share_ = state["silent_share"]
        model._reference_ = dict(state["reference"])
        model._orders_ = None if state["orders"] is None else BgNbd.from_state(state["orders"])
        return model

    def _check(self) -> None:
        if not hasattr(self, "kind"):
            raise NotFitted(self)

    def _probabilities(self, history: pd.DataFrame) -> pd.Series:
        import pandas as pd

        if self._orders_ is None:
            return pd.Series(self._silent_share_, index=history.index)
        found = self._orders_.probability_no_order(_possible(history), self.horizon_days)
        return found.clip(CERTAINTY, 1.0 - CERTAINTY)

    def _shapley(self, history: pd.DataFrame, column: str) -> np.ndarray:
        others = [name for name in history.columns if name != column]
        total = np.zeros(len(history))
        for size in range(len(others) + 1):
            for known in combinations(others, size):
                weight = 1.0 / (len(history.columns) * comb(len(others), size))
                total += weight * (self._log_odds(history, {*known, column}) - self._log_odds(history, set(known)))
        return total

    def _log_odds(self, history: pd.DataFrame, known: set[str]) -> np.ndarray:
        unknown = {name: self._reference_[name] for name in history.columns if name not in known}
        return np.asarray(logit(self._probabilities(history.assign(**unknown))))


def _history(features: pd.DataFrame) -> pd.DataFrame:
    """The histories behind the features; a customer without an order is one who has just come."""
    import pandas as pd

    for name in FEATURES:
        if name not in features.columns:
            raise DataError("features", f"the column {name!r} is missing; compute the features of orders")
    finite = features[list(FEATURES)].astype("float64").replace([np.inf, -np.inf], np.nan).fillna(0.0)
    values = finite.to_numpy()
    columns = {"frequency": values[:, 0] - 1.0, "age_at_last_order_days": values[:, 1]}
    history = pd.DataFrame({**columns, "days_since_first_order": values[:, 2]}, index=features.index)
    return history.clip(lower=0.0, upper=LONGEST_DAYS)


def _possible(history: pd.DataFrame) -> pd.DataFrame:
    """Histories of the same frequency that contradict themselves nowhere."""
    last = np.maximum(history["age_at_last_order_days"], history["frequency"])
    last = last.where(history["frequency"] > 0, 0.0)
    return history.assign(
        age_at_last_order_days=last, days_since_first_order=np.maximum(history["days_since_first_order"], last)
    )
