"""Linear weights between items, fitted in closed form."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dpotrf, dpotri

from recommender.errors import NotFitted, SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions, require_items
from recommender.models.interaction_weights import history_weights, learning_weights

# The inverse works in double precision in its own place (8 bytes a cell) and is copied to the weights (4 bytes).
_BYTES_PER_CELL = 12
_BLOCK_ROWS = 512


class Ease:
    """Scores an item by weighted sums of the history, the weights those that best predict each item from the others.

    ``B = -P / diag(P)`` off the diagonal, 0 on it, with ``P = (X'X + regularisation I)^-1``: EASE^R of Steck (2019).
    ``regularisation`` is in customers: with fewer of them, weights fall back to scaled co-purchase counts.

    Only the ``most_items`` items of most customers are weighed, fewer where the fit would take more than
    ``memory_bytes``; the others are unknown (NaN), and so is everything for customers who met none of them. The
    weights stay dense (4 bytes per pair of items): a history reads whole rows of them, which a mapped file serves
    from the pages it touches, and the many small negative weights that a cut to the strongest would lose are what
    sets the model apart from counting.
    """

    items_: np.ndarray
    weights_: np.ndarray
    item_count_: int

    def __init__(
        self,
        regularisation: float = 200.0,
        most_items: int = 8000,
        memory_bytes: int = 2**30,
        weighting: str = "damped",
        tau_days: float = 120.0,
    ) -> None:
        self.regularisation = regularisation
        self.most_items = most_items
        self.memory_bytes = memory_bytes
        self.weighting = weighting
        self.tau_days = tau_days

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        names = ("regularisation", "most_items", "memory_bytes", "weighting", "tau_days")
        return {name: getattr(self, name) for name in names}

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Weigh the items of most customers.

        Raises NotEnoughData where there is no positive interaction, SettingError where the memory allows no item or
        the regularisation is not above 0.
        """
        require_interactions(self, interactions)
        if self.regularisation <= 0:
            raise SettingError(f"regularisation {self.regularisation} of Ease is not above 0; give a positive number")
        weights = learning_weights(interactions, self.weighting)
        self.item_count_ = weights.shape[1]
        self.items_ = _most_met(weights, self._affordable())
        products = _products(sparse.csr_matrix(weights[:, self.items_]))
        products[np.diag_indices_from(products)] += self.regularisation
        self.weights_ = _item_weights(products)
        return self

    def _affordable(self) -> int:
        """How many items the settings allow."""
        affordable = min(self.most_items, int(np.sqrt(max(self.memory_bytes, 0) / _BYTES_PER_CELL)))
        if affordable < 1:
            raise SettingError(
                f"most_items {self.most_items} and memory_bytes {self.memory_bytes} of Ease leave no item; "
                f"n items need {_BYTES_PER_CELL} n^2 bytes"
            )
        return affordable

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Weighted sums of what the customers met, lately more than long ago."""
        require_items(self, getattr(self, "item_count_", None), histories)
        history = history_weights(histories, self.weighting, self.tau_days)[:, self.items_]
        scores = np.full((history.shape[0], self.item_count_), np.nan, dtype=np.float32)
        rows = np.flatnonzero(np.diff(history.indptr))
        scores[np.ix_(rows, self.items_)] = history[rows] @ self.weights_
        return scores

    def state(self) -> dict[str, Any]:
        """Settings, positions of the items weighed and their weights; raises NotFitted before ``fit``."""
        if not hasattr(self, "weights_"):
            raise NotFitted(self)
        return {
            "settings": self.settings(),
            "items": self.items_,
            "weights": self.weights_,
            "item_count": self.item_count_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.items_, model.weights_, model.item_count_ = state["items"], state["weights"], state["item_count"]
        return model


def _most_met(weights: sparse.csr_matrix, count: int) -> np.ndarray:
    """Ascending positions of the ``count`` items that most customers met, of equals the first; never of unmet ones."""
    customers = np.bincount(weights.indices, minlength=weights.shape[1])
    chosen = np.argsort(-customers, kind="stable")[:count]
    kept: np.ndarray = np.sort(chosen[customers[chosen] > 0])
    return kept


def _products(weights: sparse.csr_matrix) -> np.ndarray:
    """``X'X``, dense and in Fortran order, so that the inverse can take its place."""
    columns = weights.T.tocsr()
    products = np.empty((weights.shape[1],) * 2, dtype=np.float64, order="F")
    for start in range(0, len(products), _BLOCK_ROWS):
        products[:, start : start + _BLOCK_ROWS] = (columns[start : start + _BLOCK_ROWS] @ weights).toarray().T
    return products


def _item_weights(products: np.ndarray) -> np.ndarray:
    """The weights from the positive definite products, which are overwritten by their inverse."""
    factor, failed = dpotrf(products, lower=1, overwrite_a=1)
    inverse, undone = dpotri(factor, lower=1, overwrite_c=1)
    if failed or undone:
        raise SettingError("the products of items have no inverse in double precision; raise regularisation of Ease")
    scale = -1.0 / np.diag(inverse)
    weights = np.empty(inverse.shape, dtype=np.float32)
    for start in range(0, len(weights), _BLOCK_ROWS):
        # Only the lower triangle is filled: the rest of a row stands in its column.
        stop = min(start + _BLOCK_ROWS, len(weights))
        weights[start:stop, :stop] = inverse[start:stop, :stop]
        weights[:stop, start:stop] = np.tril(inverse[start:stop, :stop], k=start).T
        square = np.tril(inverse[start:stop, start:stop])
        weights[start:stop, start:stop] = square + np.tril(square, k=-1).T
    weights *= scale.astype(np.float32)
    np.fill_diagonal(weights, 0.0)
    return weights
