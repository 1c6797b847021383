"""What rises: more customers in the last days than the weeks before let expect."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from recommender.errors import NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions, require_items


class Trending:
    """Scores an item by the logarithm of its shrunken rate ratio, the same for every customer.

    With n customers who met the item in the last ``recent_days``, and E expected from the ``past_days`` before them
    (its customers there, times how many times as many pairs of customer and item the last days have), the score is
    ``log((n + prior_customers) / (E + prior_customers))``. That is the posterior mean of the ratio of a Poisson count
    to its expectation under a gamma prior of mean 1: DuMouchel (1999), "Bayesian data mining in large frequency
    tables", with one component. So an item that two customers bought is no trend, and one that sells as always
    scores 0. Days are counted back from the last event. Without times the order is that of the customers.

    Items of neither time are unknown (NaN).
    """

    def __init__(self, recent_days: float = 7.0, past_days: float = 28.0, prior_customers: float = 10.0) -> None:
        self.recent_days = recent_days
        self.past_days = past_days
        self.prior_customers = prior_customers

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Count the customers of each item in both times; raises NotEnoughData where there is nothing to count."""
        require_interactions(self, interactions)
        ages = interactions.age_days - interactions.age_days.min()
        recent = _customers(interactions, ages < self.recent_days)
        past = _customers(interactions, (ages >= self.recent_days) & (ages < self.recent_days + self.past_days))
        expected = past * (recent.sum() / max(past.sum(), 1))
        ratios = (recent + self.prior_customers) / (expected + self.prior_customers)
        self.item_scores_: np.ndarray = np.where(recent + past > 0, np.log(ratios), np.nan).astype(np.float32)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """The trend of every item, once per customer."""
        item_scores = getattr(self, "item_scores_", None)
        require_items(self, None if item_scores is None else len(item_scores), histories)
        return np.tile(self.item_scores_, (len(histories.customers), 1))

    def state(self) -> dict[str, Any]:
        """The settings and the scores; raises NotFitted before ``fit``."""
        if not hasattr(self, "item_scores_"):
            raise NotFitted(self)
        return {
            "recent_days": self.recent_days,
            "past_days": self.past_days,
            "prior_customers": self.prior_customers,
            "item_scores": self.item_scores_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(state["recent_days"], state["past_days"], state["prior_customers"])
        model.item_scores_ = state["item_scores"]
        return model


def _customers(interactions: InteractionMatrix, is_inside: np.ndarray) -> np.ndarray:
    """How many customers met each item with a positive event among those marked."""
    chosen = is_inside & (interactions.weights > 0)
    pairs = np.unique(np.stack([interactions.columns[chosen], interactions.rows[chosen]]), axis=1)
    return np.bincount(pairs[0], minlength=len(interactions.items))
