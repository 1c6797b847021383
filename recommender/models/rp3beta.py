"""Random walks of three steps between items."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted, SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions, require_items
from recommender.models.interaction_weights import history_weights, learning_weights
from recommender.models.sparse_arrays import csr_from_state, csr_state, known_scores
from recommender.models.strongest_products import strongest_products


class RP3Beta:
    """Scores an item by how likely walks from what the customer met end there, popular ends held back.

    The walk from item i to item j goes over a customer: ``sum_c p(i, c)^alpha p(c, j)^alpha / d_j^beta``, where p are
    the shares that the weights have of an item's and of a customer's sum, and d_j is the item's sum: RP3beta of Paudel
    et al. (2017). The ``neighbours`` likeliest ends of each item are kept, so that memory grows with the items, not
    with their pairs, and a fit holds one bounded block at a time. Items that no walk reaches are unknown (NaN).
    """

    weights_: sparse.csr_matrix

    def __init__(
        self,
        neighbours: int = 200,
        alpha: float = 0.6,
        beta: float = 0.35,
        weighting: str = "damped",
        tau_days: float = 120.0,
    ) -> None:
        self.neighbours = neighbours
        self.alpha = alpha
        self.beta = beta
        self.weighting = weighting
        self.tau_days = tau_days

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        return {name: getattr(self, name) for name in ("neighbours", "alpha", "beta", "weighting", "tau_days")}

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Find the likeliest ends of walks from every item.

        Raises NotEnoughData where there is no positive interaction, SettingError for fewer than 1 neighbour.
        """
        require_interactions(self, interactions)
        if self.neighbours < 1:
            raise SettingError(f"neighbours {self.neighbours} of RP3Beta is below 1; give the number to keep per item")
        weights = learning_weights(interactions, self.weighting)
        sums = np.asarray(weights.sum(axis=0), dtype=np.float32).ravel()
        penalties = np.power(sums, -self.beta, out=np.zeros_like(sums), where=sums > 0)

        def hold_back(products: sparse.csr_matrix, owner: np.ndarray) -> None:
            products.data *= penalties[products.indices]

        to_customers = _step(sparse.csr_matrix(weights.T), self.alpha)
        self.weights_ = strongest_products(to_customers, _step(weights, self.alpha), self.neighbours, hold_back)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Walks from what the customers met, lately more than long ago."""
        weights = getattr(self, "weights_", None)
        require_items(self, None if weights is None else weights.shape[0], histories)
        history = history_weights(histories, self.weighting, self.tau_days)
        return known_scores(sparse.csr_matrix(history @ self.weights_))

    def state(self) -> dict[str, Any]:
        """The settings and the matrix of likeliest ends; raises NotFitted before ``fit``."""
        if not hasattr(self, "weights_"):
            raise NotFitted(self)
        return {"settings": self.settings(), "weights": csr_state(self.weights_)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.weights_ = csr_from_state(state["weights"])
        return model


def _step(weights: sparse.csr_matrix, alpha: float) -> sparse.csr_matrix:
    """The shares that the weights have of the sums of their rows, to a power."""
    sums = np.asarray(weights.sum(axis=1)).ravel()
    step = weights.copy()
    step.data = np.power(step.data / np.repeat(sums, np.diff(step.indptr)), alpha).astype(np.float32)
    return step
