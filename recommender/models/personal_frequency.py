"""What a customer buys again and again."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from recommender.errors import NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions, require_items
from recommender.models.sparse_arrays import known_scores


class DecayedPersonalFrequency:
    """Scores an item by the customer's own interactions with it, each times ``exp(-age / tau_days)``.

    All it knows comes from the histories given to ``score``, so a purchase of a minute ago counts at once. An item
    that the customer never met, or met with no positive sum of weights, is unknown (NaN).
    """

    def __init__(self, tau_days: float = 120.0) -> None:
        self.tau_days = tau_days

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Remember the number of items; raises NotEnoughData where there is no positive interaction."""
        require_interactions(self, interactions)
        self.item_count_ = len(interactions.items)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Decayed sums of the customers' own interactions."""
        require_items(self, getattr(self, "item_count_", None), histories)
        return known_scores(histories.decayed(self.tau_days))

    def state(self) -> dict[str, Any]:
        """The decay and the number of items; raises NotFitted before ``fit``."""
        if not hasattr(self, "item_count_"):
            raise NotFitted(self)
        return {"tau_days": self.tau_days, "item_count": self.item_count_}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(tau_days=state["tau_days"])
        model.item_count_ = state["item_count"]
        return model
