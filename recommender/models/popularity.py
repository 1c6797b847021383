"""What everybody buys lately."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from recommender.errors import NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions, require_items


class DecayedPopularity:
    """Scores an item by its interactions of all customers, each times ``exp(-age / tau_days)``.

    The same scores for every customer, known or not. An item without interactions scores 0: that nobody bought it
    is known. Without times all interactions count alike.
    """

    def __init__(self, tau_days: float = 28.0) -> None:
        self.tau_days = tau_days

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Sum the decayed weights of each item; raises NotEnoughData where there is nothing to sum."""
        require_interactions(self, interactions)
        decayed = interactions.weights * np.exp(-interactions.age_days.astype(np.float64) / self.tau_days)
        totals = np.bincount(interactions.columns, weights=decayed, minlength=len(interactions.items))
        self.item_scores_: np.ndarray = np.maximum(totals, 0.0).astype(np.float32)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """The popularity of every item, once per customer."""
        item_scores = getattr(self, "item_scores_", None)
        require_items(self, None if item_scores is None else len(item_scores), histories)
        return np.tile(self.item_scores_, (len(histories.customers), 1))

    def state(self) -> dict[str, Any]:
        """The decay and the scores; raises NotFitted before ``fit``."""
        if not hasattr(self, "item_scores_"):
            raise NotFitted(self)
        return {"tau_days": self.tau_days, "item_scores": self.item_scores_}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(tau_days=state["tau_days"])
        model.item_scores_ = state["item_scores"]
        return model
