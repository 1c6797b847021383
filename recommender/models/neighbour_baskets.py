"""What a customer and the customers with the most similar baskets buy: TIFU-KNN."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.baskets import Baskets, KnownCustomers
from recommender.models.checks import require_interactions, require_items
from recommender.models.sparse_arrays import known_scores
from recommender.models.strongest_products import strongest

_SETTINGS = ("neighbours", "own_share", "tau_days", "group_size", "basket_decay", "group_decay", "mean_power",
             "known_customers", "seed")  # fmt: skip


class NeighbourBaskets:
    """Scores an item by how often it is in a customer's own baskets and in those of similar customers.

    The vector of a customer is the sum of the baskets, each times ``exp(-age / tau_days)``, times ``basket_decay``
    for every later basket of its group and ``group_decay`` for every later group; groups are ``group_size`` baskets,
    counted backwards from the last. The sum is over the number of baskets of the group times the number of groups,
    to the power of ``mean_power``: 0 keeps the sum, so that who buys much counts much, 1 takes the mean. The score is
    ``own_share`` times the own vector plus the rest times the mean vector of the ``neighbours`` nearest customers.
    With ``own_share`` 0 only the neighbours speak.

    Hu, He, Gao and Zhang (2020), "Modeling personalized item frequency information for next-basket recommendation",
    equations (1) to (4), is ``tau_days`` infinite, both decays below 1 (0.9 and 0.7, groups of 7) and ``mean_power``
    1. Nearest is by cosine, and who shares no item is no neighbour: the Euclidean distance of the paper takes
    customers with few baskets for near to everybody.

    Neighbours are looked for among at most ``known_customers`` customers of the fit, drawn with the seed. Items that
    neither the customer nor a neighbour has are unknown (NaN).
    """

    def __init__(
        self,
        neighbours: int = 100,
        own_share: float = 0.7,
        tau_days: float = 120.0,
        group_size: int = 7,
        basket_decay: float = 1.0,
        group_decay: float = 1.0,
        mean_power: float = 0.0,
        known_customers: int = 20_000,
        seed: int = 0,
    ) -> None:
        self.neighbours = neighbours
        self.own_share = own_share
        self.tau_days = tau_days
        self.group_size = group_size
        self.basket_decay = basket_decay
        self.group_decay = group_decay
        self.mean_power = mean_power
        self.known_customers = known_customers
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        return {name: getattr(self, name) for name in _SETTINGS}

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Keep the vectors of the customers; raises NotEnoughData where there is no positive interaction."""
        require_interactions(self, interactions)
        vectors = self._vectors(interactions)
        self.known_ = KnownCustomers.drawn(
            interactions.customers, vectors, _directions(vectors), most=self.known_customers, seed=self.seed
        )
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Blend of the customers' own vectors and the mean of their neighbours'; histories count as they are given."""
        known = getattr(self, "known_", None)
        require_items(self, None if known is None else known.vectors.shape[1], histories)
        vectors = self._vectors(histories)
        means = [
            self._nearest(products, is_self) @ self.known_.vectors
            for products, is_self in self.known_.products(histories.customers, vectors)
        ]
        neighbours = sparse.vstack(means, format="csr") if means else vectors
        blended = sparse.csr_matrix(self.own_share * vectors + (1.0 - self.own_share) * neighbours)
        blended.eliminate_zeros()
        return known_scores(blended)

    def _vectors(self, histories: InteractionMatrix) -> sparse.csr_matrix:
        baskets = Baskets(histories)
        count = baskets.counts[baskets.owners]
        group = baskets.numbers // self.group_size
        in_group = np.minimum(count - group * self.group_size, self.group_size)
        groups = np.ceil(count / self.group_size)
        decay = self.basket_decay ** (baskets.numbers % self.group_size) * self.group_decay**group
        age = np.exp(-baskets.age_days / self.tau_days)
        return baskets.combined(decay * age / (in_group * groups) ** self.mean_power)

    def _nearest(self, products: sparse.csr_matrix, is_self: np.ndarray) -> sparse.csr_matrix:
        """Equal shares for the nearest known customers of each row; its length changes no order of its neighbours."""
        products.data[is_self] = 0.0
        nearest = strongest(products, self.neighbours)
        sizes = np.diff(nearest.indptr)
        nearest.data[:] = np.repeat(1.0 / np.maximum(sizes, 1), sizes)
        return nearest

    def state(self) -> dict[str, Any]:
        """Settings and the vectors of the customers; raises NotFitted before ``fit``."""
        if not hasattr(self, "known_"):
            raise NotFitted(self)
        return {"settings": self.settings(), "known": self.known_.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.known_ = KnownCustomers.from_state(state["known"])
        return model


def _directions(vectors: sparse.csr_matrix) -> sparse.csr_matrix:
    """The vectors over their lengths."""
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    inverse = np.divide(1.0, lengths, out=np.zeros(len(lengths), dtype=np.float32), where=lengths > 0)
    return sparse.csr_matrix(sparse.diags_array(inverse) @ vectors)
