"""Factors of customers and items by alternating least squares."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted, SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions, require_items
from recommender.models.interaction_weights import history_weights, learning_weights
from recommender.randomness import seed_for

# Cells of the equations of customers that are solved at once: 32 MiB of float64.
_BLOCK_CELLS = 2**22


class AlternatingLeastSquares:
    """Scores an item by the product of its factors with those that explain the customer's history best.

    Every pair of customer and item counts as preference 1 where they met, else 0, with the confidence
    ``1 + confidence * weight``: Hu, Koren and Volinsky (2008), fitted by the library ``implicit`` in one thread, so
    that one seed gives one model. There are at most as many factors as a quarter of the customers or items.

    The fit keeps the factors of items alone. Those of every customer to score, known or not, are solved from the
    history by the same least squares, so a new customer or event counts at once. Customers without a history are
    unknown (NaN), and so are items that the fit never met.
    """

    item_factors_: np.ndarray
    products_: np.ndarray
    is_known_: np.ndarray

    def __init__(
        self,
        factors: int = 64,
        regularisation: float = 1.0,
        confidence: float = 10.0,
        iterations: int = 15,
        weighting: str = "damped",
        tau_days: float = 120.0,
        seed: int = 0,
    ) -> None:
        self.factors = factors
        self.regularisation = regularisation
        self.confidence = confidence
        self.iterations = iterations
        self.weighting = weighting
        self.tau_days = tau_days
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        names = ("factors", "regularisation", "confidence", "iterations", "weighting", "tau_days", "seed")
        return {name: getattr(self, name) for name in names}

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Find the factors of the items.

        Raises NotEnoughData where there is no positive interaction, SettingError for a setting that is not above 0.
        """
        require_interactions(self, interactions)
        for name in ("factors", "regularisation", "confidence", "iterations"):
            if getattr(self, name) <= 0:
                raise SettingError(f"{name} {getattr(self, name)} of AlternatingLeastSquares is not above 0; raise it")
        weights = learning_weights(interactions, self.weighting)
        self.is_known_ = np.bincount(weights.indices, minlength=weights.shape[1]) > 0
        self.item_factors_ = self._learned(self._confidences(weights))
        self.products_ = products_of(self.item_factors_, self.regularisation)
        return self

    def _learned(self, confidences: sparse.csr_matrix) -> np.ndarray:
        from implicit.cpu import als
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            learner = als.AlternatingLeastSquares(
                factors=max(1, min(self.factors, min(confidences.shape) // 4)),
                regularization=self.regularisation,
                iterations=self.iterations,
                num_threads=1,
                random_state=seed_for(self.seed, "alternating least squares"),
            )
            learner.fit(confidences, show_progress=False)
        return np.ascontiguousarray(learner.item_factors, dtype=np.float32)

    def _confidences(self, weights: sparse.csr_matrix) -> sparse.csr_matrix:
        confidences = weights.copy()
        confidences.data = 1.0 + np.float32(self.confidence) * confidences.data
        return confidences

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Products of the items' factors with those of the histories."""
        items = getattr(self, "item_factors_", None)
        require_items(self, None if items is None else len(items), histories)
        history = history_weights(histories, self.weighting, self.tau_days)
        factors = solved_factors(self._confidences(history), self.item_factors_, self.products_)
        scores: np.ndarray = factors @ self.item_factors_.T
        scores[np.diff(history.indptr) == 0] = np.nan
        scores[:, ~self.is_known_] = np.nan
        return scores

    def state(self) -> dict[str, Any]:
        """Settings, the factors of items and their products; raises NotFitted before ``fit``."""
        if not hasattr(self, "item_factors_"):
            raise NotFitted(self)
        return {
            "settings": self.settings(),
            "item_factors": self.item_factors_,
            "is_known": self.is_known_,
            "products": self.products_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.item_factors_, model.is_known_ = state["item_factors"], state["is_known"]
        model.products_ = state["products"]
        return model


def products_of(item_factors: np.ndarray, regularisation: float) -> np.ndarray:
    """``Y'Y + regularisation I`` of the factors Y: what the equations of all customers share, in double precision."""
    exact = item_factors.astype(np.float64)
    products: np.ndarray = exact.T @ exact + regularisation * np.eye(exact.shape[1])
    return products


def solved_factors(confidences: sparse.csr_matrix, item_factors: np.ndarray, products: np.ndarray) -> np.ndarray:
    """The factors of each row: ``(Y'Y + Y'(C - I)Y + regularisation I)^-1 Y'C p``, equation (4) of Hu et al. (2008).

    ``confidences`` has the entries of C above 1, one row per customer; p is 1 where it has an entry. ``products`` is
    what ``products_of`` finds from the factors.
    """
    size = item_factors.shape[1]
    factors = np.empty((confidences.shape[0], size), dtype=np.float32)
    step = max(1, _BLOCK_CELLS // size**2)
    for start in range(0, len(factors), step):
        block = confidences[start : start + step]
        factors[start : start + step] = _solved(block, item_factors, products)
    return factors


def _solved(confidences: sparse.csr_matrix, item_factors: np.ndarray, products: np.ndarray) -> np.ndarray:
    left = np.tile(products, (confidences.shape[0], 1, 1))
    right = np.empty(left.shape[:2])
    for row, (start, stop) in enumerate(zip(confidences.indptr[:-1], confidences.indptr[1:], strict=True)):
        met = item_factors[confidences.indices[start:stop]].astype(np.float64)
        weights = confidences.data[start:stop].astype(np.float64)
        left[row] += (met.T * (weights - 1.0)) @ met
        right[row] = weights @ met
    solved: np.ndarray = np.linalg.solve(left, right[:, :, None])[:, :, 0]
    return solved
