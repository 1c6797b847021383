"""What customers will be worth: expected orders times their amount, less what comes back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import NotFitted
from recommender.features import age_days
from recommender.models.bgnbd import BgNbd, healthy_bgnbd
from recommender.models.gamma_gamma import GammaGamma, healthy_gamma_gamma
from recommender.models.past_rate import PAST_RATE, PastRate

if TYPE_CHECKING:
    import pandas as pd

    from recommender.models.value_panel import ValuePanel

BGNBD_GAMMA_GAMMA = "bgnbd_gamma_gamma"
BGNBD_MEAN_AMOUNT = "bgnbd_mean_amount"


def purchase_history(order_lines: pd.DataFrame, returns: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """One row per customer with an order, from both tables as of the cutoff, sorted by ``customer_id``.

    Several orders on one day count as one; days are the 24 hours counted back from the cutoff, each with its beginning
    and without its end. ``frequency`` counts the order days after the first, ``age_at_last_order_days`` and
    ``days_since_first_order`` are whole days from the beginning of the first,
    ``mean_order_amount`` is per order day and at least 0, ``return_share`` the returned part of the amount, from 0 to
    1. An amount that is missing or not finite counts as 0.
    """
    import pandas as pd

    days = np.ceil(age_days(order_lines["ordered_at"], cutoff))
    visits = pd.DataFrame({"customer_id": order_lines["customer_id"], "day": days}).drop_duplicates()
    by_customer = visits.groupby("customer_id")["day"]
    count, first, last = by_customer.size(), by_customer.max(), by_customer.min()
    paid = total_amounts(order_lines).clip(lower=0.0)
    back = total_amounts(returns).reindex(count.index, fill_value=0.0)
    return pd.DataFrame(
        {
            "frequency": count - 1,
            "age_at_last_order_days": first - last,
            "days_since_first_order": first,
            "mean_order_amount": paid / count,
            "return_share": (back / paid.where(paid > 0)).fillna(0.0).clip(0.0, 1.0),
        }
    ).astype("float64")


def total_amounts(rows: pd.DataFrame) -> pd.Series:
    """Sum of the amounts of each customer of order lines or returns; one that is not finite counts as 0."""
    return rows["amount"].where(np.isfinite(rows["amount"]), 0.0).groupby(rows["customer_id"]).sum()


class LifetimeValue:
    """BG/NBD times Gamma-Gamma times the share that is kept.

    ``kind`` says what was fitted: ``bgnbd_gamma_gamma``; ``bgnbd_mean_amount`` where the amounts do not hold a
    Gamma-Gamma and each customer's own mean is used; ``past_rate`` where nobody has ordered twice or the orders do not
    hold a BG/NBD. Above ``maximum_customers`` a sample by hash is fitted and everybody is predicted.
    """

    def __init__(self, *, maximum_customers: int = 100_000) -> None:
        self.maximum_customers = maximum_customers

    def fit(self, history: pd.DataFrame, panel: ValuePanel | None = None) -> LifetimeValue:
        """Learn from one row per customer of ``purchase_history``; outcomes of the past are not looked at."""
        sample = hash_sample(history, self.maximum_customers)
        self._return_share_, self._order_amount_ = _population(sample)
        self._orders_ = healthy_bgnbd(sample)
        self._amounts_ = _healthy_amounts(sample)
        if self._orders_ is None:
            self.kind = PAST_RATE
        else:
            self.kind = BGNBD_MEAN_AMOUNT if self._amounts_ is None else BGNBD_GAMMA_GAMMA
        return self

    def predict(self, history: pd.DataFrame, horizon_days: float) -> pd.Series:
        """Expected amount less returns of each customer within the horizon, with the index of ``history``."""
        self._check()
        if self._orders_ is None:
            return PastRate().fit(history).predict(history, horizon_days)
        orders = self._orders_.expected_orders(history, horizon_days)
        return (orders * self.expected_order_amount(history)).rename("predicted_value")

    def expected_order_amount(self, history: pd.DataFrame) -> pd.Series:
        """Expected amount of the next order day of each customer, less what will come back of it."""
        import pandas as pd

        self._check()
        amounts = history["mean_order_amount"].to_numpy(dtype="float64")
        if self._amounts_ is not None:
            counts = history["frequency"].to_numpy(dtype="float64") + 1.0
            amounts = self._amounts_.expected_amount(counts, amounts)
        kept = 1.0 - self.expected_return_share(history)
        return pd.Series(amounts * kept, index=history.index, name="expected_order_amount")

    def expected_return_share(self, history: pd.DataFrame) -> pd.Series:
        """Share of the amount that will come back: the customer's own, drawn to everybody's by one mean order."""
        self._check()
        paid = history["mean_order_amount"] * (history["frequency"] + 1.0)
        own, weight = history["return_share"] * paid, self._order_amount_
        if weight <= 0.0:
            return history["return_share"]
        return ((own + self._return_share_ * weight) / (paid + weight)).rename("expected_return_share")

    @property
    def orders(self) -> BgNbd | None:
        """The fitted BG/NBD, None where it fell back."""
        self._check()
        return self._orders_

    def state(self) -> dict[str, Any]:
        """Numbers that make the model."""
        self._check()
        return {
            "kind": self.kind,
            "return_share": self._return_share_,
            "order_amount": self._order_amount_,
            "orders": None if self._orders_ is None else self._orders_.state(),
            "amounts": None if self._amounts_ is None else self._amounts_.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> LifetimeValue:
        """The model that ``state`` was taken from."""
        model = cls()
        model.kind = state["kind"]
        model._return_share_, model._order_amount_ = state["return_share"], state["order_amount"]
        model._orders_ = None if state["orders"] is None else BgNbd.from_state(state["orders"])
        model._amounts_ = None if state["amounts"] is None else GammaGamma.from_state(state["amounts"])
        return model

    def _check(self) -> None:
        if not hasattr(self, "kind"):
            raise NotFitted(self)


def hash_sample(history: pd.DataFrame, maximum: int) -> pd.DataFrame:
    """At most ``maximum`` rows, those with the smallest hash of their index: the same ones in any order of the rows."""
    import pandas as pd

    if len(history) <= maximum:
        return history
    hashes = pd.util.hash_array(np.asarray(history.index.astype("string"), dtype=object))
    return history.iloc[np.sort(np.argsort(hashes, kind="stable")[:maximum])]


def _population(history: pd.DataFrame) -> tuple[float, float]:
    """Returned share of all that was paid, and the mean amount of an order day."""
    counts = history["frequency"] + 1.0
    paid = history["mean_order_amount"] * counts
    total, days = float(paid.sum()), float(counts.sum())
    share = float((history["return_share"] * paid).sum()) / total if total > 0 else 0.0
    return share, total / days if days > 0 else 0.0


def _healthy_amounts(history: pd.DataFrame) -> GammaGamma | None:
    counts = history["frequency"].to_numpy(dtype="float64") + 1.0
    amounts = history["mean_order_amount"].to_numpy(dtype="float64")
    return healthy_gamma_gamma(counts, amounts)
