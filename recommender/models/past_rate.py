"""What customers will be worth if they go on as before: the baseline of every value model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from recommender.models.value_panel import ValuePanel

PAST_RATE = "past_rate"


class PastRate:
    """What a customer has kept per day so far, continued; it learns nothing from other customers.

    A customer younger than ``minimum_age_days`` is taken to be that old: one order yesterday is no order a day.
    """

    kind = PAST_RATE

    def __init__(self, *, minimum_age_days: float = 28.0) -> None:
        self.minimum_age_days = minimum_age_days

    def fit(self, history: pd.DataFrame, panel: ValuePanel | None = None) -> PastRate:
        """Nothing to learn."""
        return self

    def predict(self, history: pd.DataFrame, horizon_days: float) -> pd.Series:
        """Amount less returns so far, by day, times the days of the horizon, with the index of ``history``."""
        kept = self.expected_order_amount(history) * (history["frequency"] + 1.0)
        age = history["days_since_first_order"].clip(lower=self.minimum_age_days)
        return (kept / age * horizon_days).rename("predicted_value")

    def expected_order_amount(self, history: pd.DataFrame) -> pd.Series:
        """What an order day of each customer has brought so far, less returns."""
        kept = history["mean_order_amount"] * (1.0 - history["return_share"])
        return kept.rename("expected_order_amount")

    @property
    def orders(self) -> None:
        """No rhythm of orders is learned: value grows with the days."""
        return None

    def state(self) -> dict[str, Any]:
        """The minimum age."""
        return {"minimum_age_days": self.minimum_age_days}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> PastRate:
        """The model that ``state`` was taken from."""
        return cls(minimum_age_days=state["minimum_age_days"])
