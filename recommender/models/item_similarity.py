"""Items that the same customers buy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions, require_items
from recommender.models.sparse_arrays import csr_from_state, csr_state, known_scores
from recommender.models.strongest_products import strongest_products


class ItemSimilarity:
    """Scores an item by how similar it is to what the customer met.

    Similarity is the cosine of the customers of two items, shrunk where few customers support it:
    ``x.y / (|x| |y| + shrinkage)``. x and y hold damped counts (``log1p``) of the customers, each over the square root
    of the number of items that the customer met, scaled to a mean square of 1, so that ``shrinkage`` is in customers.
    The ``neighbours`` most similar items of each are kept. An item without interactions is compared by its features,
    where there are any; features that more than a twentieth of the items share say nothing. Items near nothing that
    the customer met are unknown (NaN).
    """

    def __init__(
        self, neighbours: int = 100, shrinkage: float = 20.0, tau_days: float = 120.0, content_weight: float = 0.1
    ) -> None:
        self.neighbours = neighbours
        self.shrinkage = shrinkage
        self.tau_days = tau_days
        self.content_weight = content_weight

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Find the neighbours of every item; raises NotEnoughData where there is no positive interaction."""
        require_interactions(self, interactions)
        met = _damped(interactions.counts())
        bought_together = nearest(met, self.neighbours, self.shrinkage)
        alike = self.alike(interactions, np.diff(met.tocsc().indptr) == 0)
        self.similar_: sparse.csr_matrix = (bought_together + alike).tocsr()
        # A newcomer is found from the items that it resembles: its neighbours count in the other direction.
        self.weights_: sparse.csr_matrix = (bought_together + self.content_weight * alike.T).tocsr().astype(np.float32)
        return self

    def alike(self, interactions: InteractionMatrix, chosen: np.ndarray) -> sparse.csr_matrix:
        """Items x items: to each item chosen the ``neighbours`` that its features resemble most; others have none."""
        features = interactions.item_features
        if features is None or not chosen.any():
            return sparse.csr_matrix((len(chosen), len(chosen)), dtype=np.float32)
        telling = _telling(features.values)
        return nearest(telling.T.tocsr(), self.neighbours, self.shrinkage, only=chosen)

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Summed similarities to what the customers met, lately more than long ago."""
        weights = getattr(self, "weights_", None)
        require_items(self, None if weights is None else weights.shape[0], histories)
        met = histories.decayed(self.tau_days)
        np.log1p(met.data, out=met.data)
        return known_scores((met @ self.weights_).tocsr())

    def similar(self, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions and similarities of at most k items most similar to the one at a position, best first."""
        if not hasattr(self, "similar_"):
            raise NotFitted(self)
        row = slice(self.similar_.indptr[item], self.similar_.indptr[item + 1])
        positions, values = self.similar_.indices[row], self.similar_.data[row]
        chosen = np.lexsort([positions, -values])[:k]
        return positions[chosen], values[chosen]

    def state(self) -> dict[str, Any]:
        """The settings and both matrices of neighbours; raises NotFitted before ``fit``."""
        if not hasattr(self, "weights_"):
            raise NotFitted(self)
        return {
            "neighbours": self.neighbours,
            "shrinkage": self.shrinkage,
            "tau_days": self.tau_days,
            "content_weight": self.content_weight,
            "similar": csr_state(self.similar_),
            "weights": csr_state(self.weights_),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(state["neighbours"], state["shrinkage"], state["tau_days"], state["content_weight"])
        model.similar_ = csr_from_state(state["similar"])
        model.weights_ = csr_from_state(state["weights"])
        return model


def nearest(rows: sparse.csr_matrix, count: int, shrinkage: float, only: np.ndarray | None = None) -> sparse.csr_matrix:
    """The ``count`` most similar columns of each column: shrunk cosines above 0, never of a column with itself.

    ``only`` restricts the columns whose neighbours are looked for. Ties go to the first columns.
    """
    columns = rows.T.tocsr()
    norms = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=1)).ravel())

    def shrunk(products: sparse.csr_matrix, owner: np.ndarray) -> None:
        products.data /= norms[owner] * norms[products.indices] + shrinkage

    if only is not None:
        columns = sparse.csr_matrix(sparse.diags_array(only.astype(np.float32)) @ columns)
        columns.eliminate_zeros()
    return strongest_products(columns, rows, count, shrunk)


def _damped(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    damped = counts.copy()
    sizes = np.diff(damped.indptr)
    damped.data = np.log1p(damped.data) / np.sqrt(np.repeat(sizes, sizes)).astype(np.float32)
    damped.data /= np.sqrt(np.mean(damped.data**2))
    return damped


def _telling(features: sparse.csr_matrix) -> sparse.csr_matrix:
    """Features weighted by how few items have them; those of more than a twentieth of the items are left out."""
    shares = np.diff(features.tocsc().indptr) / max(features.shape[0], 1)
    weights = np.where((shares > 0) & (shares <= 0.05), -np.log(np.maximum(shares, 1e-12)), 0.0)
    telling = sparse.csr_matrix(features @ sparse.diags_array(weights.astype(np.float32)))
    telling.eliminate_zeros()
    return telling
