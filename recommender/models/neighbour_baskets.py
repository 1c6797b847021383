"""What a customer and the customers with the most similar baskets buy: TIFU-KNN."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.baskets import Baskets, KnownCustomers
from recommender.models.checks import require_interactions, require_items
from recommender.models.item_similarity import strongest
from recommender.models.sparse_arrays import known_scores


class NeighbourBaskets:
    """Scores an item by how often it is in a customer's own baskets and in those of similar customers.

    The vector of a customer is the mean over groups of ``group_size`` baskets, counted backwards from the last, of
    the means over the baskets of a group; a basket counts ``basket_decay ** n`` with n baskets after it in its group,
    a group ``group_decay ** n`` with n groups after it. The score is ``own_share`` times the own vector plus the rest
    times the mean vector of the ``neighbours`` nearest customers. With ``own_share`` 0 only the neighbours speak.
    Hu, He, Gao and Zhang (2020), "Modeling personalized item frequency information for next-basket recommendation",
    equations (1) to (4). Nearest is by cosine, and who shares no item is no neighbour: the Euclidean distance of the
    paper takes customers with few baskets for near to everybody.

    Neighbours are looked for among at most ``known_customers`` customers of the fit, drawn with the seed. Items that
    neither the customer nor a neighbour has are unknown (NaN).
    """

    def __init__(
        self,
        neighbours: int = 100,
        group_size: int = 7,
        basket_decay: float = 0.9,
        group_decay: float = 0.7,
        own_share: float = 0.5,
        known_customers: int = 20_000,
        seed: int = 0,
    ) -> None:
        self.neighbours = neighbours
        self.group_size = group_size
        self.basket_decay = basket_decay
        self.group_decay = group_decay
        self.own_share = own_share
        self.known_customers = known_customers
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        names = ("neighbours", "group_size", "basket_decay", "group_decay", "own_share", "known_customers", "seed")
        return {name: getattr(self, name) for name in names}

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
        size = np.minimum(count - group * self.group_size, self.group_size)
        within = self.basket_decay ** (baskets.numbers % self.group_size) / size
        return baskets.combined(within * self.group_decay**group / -(-count // self.group_size))

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
