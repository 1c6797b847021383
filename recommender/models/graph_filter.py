"""Filters on the graph of customers and items."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from recommender.errors import NotFitted, SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions, require_items
from recommender.models.interaction_weights import history_weights, learning_weights
from recommender.models.sparse_arrays import csr_from_state, csr_state
from recommender.randomness import rng_for

_SETTINGS = ("factors", "low_pass_weight", "sharpening_steps", "sharpening_step", "weighting", "tau_days",
             "known_customers", "seed")  # fmt: skip
# Up to this number of customers or items all singular values are found exactly.
_SMALL_SIDE = 512
# Singular values closer than this share of the largest are one value: which of their vectors come first is chance.
_TIE = 1e-4
# Cells of customers scored at once x customers or items of the fit: 64 MiB of float32.
_BLOCK_CELLS = 2**24


class GraphFilter:
    """Scores items by what a filter on the graph of customers and items lets through of a customer's history.

    With ``N = C^-1/2 R D^-1/2``, the interactions R over the sums of customers and of items, a history h gets
    ``S = h P + low_pass_weight * h D^-1/2 V V' D^1/2``, where ``P = N'N`` and V holds the first right singular vectors
    of N: GF-CF of Shen et al. (2021). Each sharpening step then takes off what P would smear, ``S - step * S P``, an
    Euler step of the sharpening process of Choi et al. (2023, BSPM).

    Only histories are scored, so a new customer or event counts at once. Customers without a history are unknown
    (NaN), and so are items that the fit never met. The graph holds at most ``known_customers`` customers, drawn with
    the seed: what a score costs grows with them. There are at most as many factors as half of the customers or
    items, and those tied with the first that is left out are left out too.
    """

    normalised_: sparse.csr_matrix
    starts_: np.ndarray
    ends_: np.ndarray
    item_sums_: np.ndarray

    def __init__(
        self,
        factors: int = 256,
        low_pass_weight: float = 0.3,
        sharpening_steps: int = 1,
        sharpening_step: float = 0.6,
        weighting: str = "damped",
        tau_days: float = 120.0,
        known_customers: int = 50_000,
        seed: int = 0,
    ) -> None:
        self.factors = factors
        self.low_pass_weight = low_pass_weight
        self.sharpening_steps = sharpening_steps
        self.sharpening_step = sharpening_step
        self.weighting = weighting
        self.tau_days = tau_days
        self.known_customers = known_customers
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        return {name: getattr(self, name) for name in _SETTINGS}

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Normalise the interactions and find the factors.

        Raises NotEnoughData where there is no positive interaction, SettingError for fewer than 1 factor.
        """
        require_interactions(self, interactions)
        if self.factors < 1:
            raise SettingError(f"factors {self.factors} of GraphFilter is below 1; give the number of factors to keep")
        weights = self._drawn(learning_weights(interactions, self.weighting))
        customer_sums = np.asarray(weights.sum(axis=1), dtype=np.float64).ravel()
        self.item_sums_ = np.asarray(weights.sum(axis=0), dtype=np.float32).ravel()
        left, right = _powers(customer_sums, -0.5), _powers(self.item_sums_, -0.5)
        scaled = sparse.diags_array(left) @ weights @ sparse.diags_array(right)
        self.normalised_ = sparse.csr_matrix(scaled, dtype=np.float32)
        factors = leading_factors(self.normalised_, self.factors, self.seed)
        self.starts_ = factors * right[:, None]
        ends = np.float32(self.low_pass_weight) * factors * np.sqrt(self.item_sums_)[:, None]
        self.ends_ = self._sharpened(ends, self.normalised_)
        return self

    def _drawn(self, weights: sparse.csr_matrix) -> sparse.csr_matrix:
        """The rows of at most ``known_customers`` customers who met anything."""
        chosen = np.flatnonzero(np.diff(weights.indptr))
        if len(chosen) <= self.known_customers:
            return weights
        drawn = rng_for(self.seed, "customers of the graph filter").choice(chosen, self.known_customers, replace=False)
        return sparse.csr_matrix(weights[np.sort(drawn)])

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """What the filter lets through of each history."""
        sums = getattr(self, "item_sums_", None)
        require_items(self, None if sums is None else len(sums), histories)
        history = history_weights(histories, self.weighting, self.tau_days)
        scores = np.empty(history.shape, dtype=np.float32)
        step = max(1, _BLOCK_CELLS // max(self.normalised_.shape))
        for start in range(0, len(scores), step):
            scores[start : start + step] = self._filtered(history[start : start + step])
        scores[np.diff(history.indptr) == 0] = np.nan
        scores[:, self.item_sums_ == 0] = np.nan
        return scores

    def _filtered(self, history: sparse.csr_matrix) -> np.ndarray:
        # h N'N (I - step N'N) = h N' (I - step N N') N: the steps are taken among customers, where histories start.
        customers = self._sharpened((self.normalised_ @ history.T).toarray(), self.normalised_.T)
        filtered: np.ndarray = (self.normalised_.T @ customers).T
        filtered += (history @ self.starts_) @ self.ends_.T
        return filtered

    def _sharpened(self, columns: np.ndarray, matrix: sparse.csr_matrix) -> np.ndarray:
        """All steps on each column, with the products of the matrix's columns as the spread."""
        sharpened = columns
        for _ in range(self.sharpening_steps):
            sharpened = sharpened - np.float32(self.sharpening_step) * (matrix.T @ (matrix @ sharpened))
        return sharpened

    def state(self) -> dict[str, Any]:
        """Settings, normalised interactions and both sides of the low pass; raises NotFitted before ``fit``."""
        if not hasattr(self, "ends_"):
            raise NotFitted(self)
        return {
            "settings": self.settings(),
            "normalised": csr_state(self.normalised_),
            "starts": self.starts_,
            "ends": self.ends_,
            "item_sums": self.item_sums_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.normalised_ = csr_from_state(state["normalised"])
        model.starts_, model.ends_, model.item_sums_ = state["starts"], state["ends"], state["item_sums"]
        return model


def leading_factors(matrix: sparse.csr_matrix, count: int, seed: int) -> np.ndarray:
    """Right singular vectors of the largest singular values: columns x at most ``count``, largest first.

    At most half as many as the matrix has rows or columns, without those whose value the next one ties.
    """
    count = min(count, min(matrix.shape) // 2)
    if count == 0:
        return np.zeros((matrix.shape[1], 0), dtype=np.float32)
    if min(matrix.shape) <= _SMALL_SIDE:
        values, vectors = _all_factors(matrix)
    else:
        start = rng_for(seed, "graph filter").standard_normal(min(matrix.shape)).astype(matrix.dtype)
        _, found, rows = svds(matrix, k=count + 1, v0=start, return_singular_vectors="vh")
        order = np.argsort(-found, kind="stable")
        values, vectors = found[order], rows[order].T
    kept = int((values[:count] > values[count] + _TIE * values[0]).sum())
    return np.ascontiguousarray(vectors[:, :kept], dtype=np.float32)


def _all_factors(matrix: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """All singular values and right singular vectors, by way of the products of the smaller side with itself."""
    exact = matrix.astype(np.float64)
    is_wide = matrix.shape[0] < matrix.shape[1]
    squares, vectors = np.linalg.eigh((exact @ exact.T if is_wide else exact.T @ exact).toarray())
    values, vectors = np.sqrt(np.maximum(squares[::-1], 0.0)), vectors[:, ::-1]
    if is_wide:
        vectors = (exact.T @ vectors) * _powers(values, -1.0)
    return values, vectors


def _powers(values: np.ndarray, exponent: float) -> np.ndarray:
    """Values to a power, 0 where they are 0."""
    powers: np.ndarray = np.power(values, exponent, out=np.zeros_like(values), where=values > 0)
    return powers
