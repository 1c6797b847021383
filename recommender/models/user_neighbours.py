"""What customers who bought the same things buy lately: UP-CF@r."""

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


class UserNeighbours:
    """Scores an item by its share of the last baskets of the customer and of similar customers.

    The share is that of the last ``baskets`` baskets that hold the item. Customers u and v of item sets U and V in
    those baskets are similar by ``|U and V| / (|U| ** asymmetry * |V| ** (1 - asymmetry))``, to the power of
    ``locality``: large powers leave only the customer and the nearest. The score is the sum over the customer, whose
    similarity is 1, and the ``neighbours`` most similar others, of similarity times share. Faggioli, Polato and
    Aiolli (2020), "Recency aware collaborative filtering for next basket recommendation", UP-CF@r.

    Similar customers are looked for among at most ``known_customers`` of the fit, drawn with the seed. Items that
    neither the customer nor a similar one has are unknown (NaN).
    """

    def __init__(
        self,
        baskets: int = 50,
        asymmetry: float = 0.5,
        locality: float = 3.0,
        neighbours: int = 500,
        known_customers: int = 20_000,
        seed: int = 0,
    ) -> None:
        self.baskets = baskets
        self.asymmetry = asymmetry
        self.locality = locality
        self.neighbours = neighbours
        self.known_customers = known_customers
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        names = ("baskets", "asymmetry", "locality", "neighbours", "known_customers", "seed")
        return {name: getattr(self, name) for name in names}

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Keep the shares of the customers; raises NotEnoughData where there is no positive interaction."""
        require_interactions(self, interactions)
        shares = self._shares(interactions)
        self.known_ = KnownCustomers.drawn(
            interactions.customers,
            shares,
            _scaled_sets(shares, 1.0 - self.asymmetry),
            most=self.known_customers,
            seed=self.seed,
        )
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Shares of the customers themselves and of those similar to the histories given."""
        known = getattr(self, "known_", None)
        require_items(self, None if known is None else known.vectors.shape[1], histories)
        shares = self._shares(histories)
        others = [
            self._similar(similarities, is_self) @ self.known_.vectors
            for similarities, is_self in self.known_.products(histories.customers, _scaled_sets(shares, self.asymmetry))
        ]
        return known_scores(sparse.csr_matrix(shares + sparse.vstack(others, format="csr")) if others else shares)

    def _shares(self, histories: InteractionMatrix) -> sparse.csr_matrix:
        found = Baskets(histories)
        counted = np.minimum(found.counts, self.baskets)[found.owners]
        return found.combined((found.numbers < self.baskets) / counted)

    def _similar(self, similarities: sparse.csr_matrix, is_self: np.ndarray) -> sparse.csr_matrix:
        similarities.data **= self.locality
        similarities.data[is_self] = 0.0
        return strongest(similarities, self.neighbours)

    def state(self) -> dict[str, Any]:
        """Settings and the shares of the customers; raises NotFitted before ``fit``."""
        if not hasattr(self, "known_"):
            raise NotFitted(self)
        return {"settings": self.settings(), "known": self.known_.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.known_ = KnownCustomers.from_state(state["known"])
        return model


def _scaled_sets(matrix: sparse.csr_matrix, power: float) -> sparse.csr_matrix:
    """For each entry of a row one over the number of entries of the row to a power."""
    sizes = np.diff(matrix.indptr)
    values = np.repeat(np.maximum(sizes, 1).astype(np.float32) ** -power, sizes)
    return sparse.csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
