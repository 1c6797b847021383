"""Factors of customers and items, learned together with those of their features."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted, SettingError
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.models.checks import require_interactions, require_items
from recommender.randomness import seed_for

if TYPE_CHECKING:
    from lightfm import LightFM


_SETTINGS = ("components", "epochs", "learning_rate", "loss", "max_sampled", "item_alpha", "customer_alpha",
             "with_features", "seed")  # fmt: skip


class LightFMHybrid:
    """Scores an item by the product of its factors with the customer's, plus both biases (Kula, 2015).

    Every customer and item has factors of its own beside those of its features; a row's shares sum to 1. Pairs are
    learned with the weight ``log1p`` of their summed interactions. Customers and items that the fit met in no
    interaction are scored by their features alone, and are unknown (NaN) without any or ``with_features`` False.
    Learning runs in one thread: one seed gives one model. Scores are products of the arrays learned, so serving
    needs no LightFM.
    """

    # factors, 1, bias of each customer; factors, bias, 1 of each item; as of a customer for each customer feature
    customers_: IdIndex
    customer_vectors_: np.ndarray
    item_vectors_: np.ndarray
    feature_names_: tuple[str, ...]
    feature_vectors_: np.ndarray

    def __init__(
        self,
        components: int = 32,
        epochs: int = 20,
        learning_rate: float = 0.05,
        loss: str = "warp",
        max_sampled: int = 10,
        item_alpha: float = 0.0,
        customer_alpha: float = 0.0,
        with_features: bool = True,
        seed: int = 0,
    ) -> None:
        self.components = components
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.loss = loss
        self.max_sampled = max_sampled
        self.item_alpha = item_alpha
        self.customer_alpha = customer_alpha
        self.with_features = with_features
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        return {name: getattr(self, name) for name in _SETTINGS}

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Learn for ``epochs`` rounds.

        Raises NotEnoughData where there is no positive interaction, SettingError where learning diverges.
        """
        require_interactions(self, interactions)
        if not self.with_features:
            interactions = replace(interactions, customer_features=None, item_features=None)
        learner, tables = self._learner(), _Tables(interactions)
        for _ in range(self.epochs):
            self._learn(learner, tables)
        self._export(learner, tables, interactions)
        return self

    def _learner(self) -> LightFM:
        from lightfm import LightFM

        return LightFM(
            no_components=self.components,
            learning_rate=self.learning_rate,
            loss=self.loss,
            max_sampled=self.max_sampled,
            item_alpha=self.item_alpha,
            user_alpha=self.customer_alpha,
            random_state=seed_for(self.seed, "lightfm"),
        )

    def _learn(self, learner: LightFM, tables: _Tables) -> None:
        try:
            with np.errstate(invalid="ignore"):
                learner.fit_partial(
                    tables.positives,
                    user_features=tables.customer_shares,
                    item_features=tables.item_shares,
                    sample_weight=tables.weights,
                    epochs=1,
                    num_threads=1,
                )
        except ValueError as problem:
            raise SettingError(
                f"LightFM diverged at learning_rate {self.learning_rate}; lower it or raise the alphas ({problem})"
            ) from problem

    def _export(self, learner: LightFM, tables: _Tables, interactions: InteractionMatrix) -> None:
        customer_factors = np.column_stack(
            [learner.user_embeddings, np.ones(len(learner.user_biases)), learner.user_biases]
        ).astype(np.float32)
        item_factors = np.column_stack(
            [learner.item_embeddings, learner.item_biases, np.ones(len(learner.item_biases))]
        ).astype(np.float32)
        self.customers_ = interactions.customers
        self.customer_vectors_ = _vectors(tables.known_customers, interactions.customer_features, customer_factors)
        self.item_vectors_ = _vectors(tables.known_items, interactions.item_features, item_factors)
        features = interactions.customer_features
        self.feature_names_ = features.names if features is not None else ()
        self.feature_vectors_ = customer_factors[len(interactions.customers) :]

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Products of factors; the histories tell which customers are asked for and what features they have."""
        items = getattr(self, "item_vectors_", None)
        require_items(self, None if items is None else len(items), histories)
        positions = self.customers_.positions_of(histories.customers)
        vectors = np.full((len(positions), self.item_vectors_.shape[1]), np.nan, dtype=np.float32)
        vectors[positions >= 0] = self.customer_vectors_[positions[positions >= 0]]
        unknown = np.flatnonzero(np.isnan(vectors[:, 0]))
        vectors[unknown] = self._guessed(histories.customer_features, unknown)
        scores: np.ndarray = vectors @ self.item_vectors_.T
        return scores

    def _guessed(self, features: FeatureMatrix | None, rows: np.ndarray) -> np.ndarray:
        """Vectors from the features alone, NaN for rows without a feature that the fit met."""
        if features is None or not self.feature_names_:
            return np.full((len(rows), self.item_vectors_.shape[1]), np.nan, dtype=np.float32)
        place = {name: column for column, name in enumerate(self.feature_names_)}
        columns = [column for column, name in enumerate(features.names) if name in place]
        vectors = self.feature_vectors_[[place[features.names[column]] for column in columns]]
        return _mean_vectors(features.values[rows][:, columns], vectors)

    def state(self) -> dict[str, Any]:
        """Settings and learned arrays; raises NotFitted before ``fit``."""
        if not hasattr(self, "item_vectors_"):
            raise NotFitted(self)
        return {
            "settings": self.settings(),
            "customers": self.customers_.state(),
            "customer_vectors": self.customer_vectors_,
            "item_vectors": self.item_vectors_,
            "feature_names": list(self.feature_names_),
            "feature_vectors": self.feature_vectors_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.customers_ = IdIndex.from_state(state["customers"])
        model.customer_vectors_ = state["customer_vectors"]
        model.item_vectors_ = state["item_vectors"]
        model.feature_names_ = tuple(state["feature_names"])
        model.feature_vectors_ = state["feature_vectors"]
        return model


class _Tables:
    """What LightFM learns from: distinct positive pairs with weights, and the shares of identity and features."""

    def __init__(self, interactions: InteractionMatrix) -> None:
        counts = interactions.counts()
        counts.sum_duplicates()
        pairs = counts.tocoo()
        weights = np.log1p(pairs.data)
        self.weights = sparse.coo_matrix(
            ((weights / weights.mean()).astype(np.float32), (pairs.row, pairs.col)), shape=counts.shape
        )
        self.positives = sparse.coo_matrix(
            (np.ones(pairs.nnz, dtype=np.float32), (pairs.row, pairs.col)), shape=counts.shape
        )
        self.known_customers = np.bincount(pairs.row, minlength=counts.shape[0]) > 0
        self.known_items = np.bincount(pairs.col, minlength=counts.shape[1]) > 0
        self.customer_shares = _normalised(_columns(np.ones(counts.shape[0]), interactions.customer_features))
        self.item_shares = _normalised(_columns(np.ones(counts.shape[1]), interactions.item_features))


def _columns(identity: np.ndarray, features: FeatureMatrix | None) -> sparse.csr_matrix:
    """An own column per row, where marked, beside those of the features."""
    own = sparse.diags_array(identity.astype(np.float32))
    parts = [own] if features is None else [own, features.values]
    rows = sparse.csr_matrix(sparse.hstack(parts, format="csr", dtype=np.float32))
    rows.eliminate_zeros()
    return rows


def _normalised(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    sums = np.asarray(rows.sum(axis=1)).ravel()
    inverse = np.divide(1.0, sums, out=np.zeros(len(sums)), where=sums > 0).astype(np.float32)
    return sparse.csr_matrix(sparse.diags_array(inverse) @ rows)


def _mean_vectors(rows: sparse.csr_matrix, factors: np.ndarray) -> np.ndarray:
    """The mean of the factors that each row names, NaN for rows that name none."""
    normalised = _normalised(rows)
    vectors: np.ndarray = (normalised @ factors).astype(np.float32)
    vectors[np.diff(normalised.indptr) == 0] = np.nan
    return vectors


def _vectors(known: np.ndarray, features: FeatureMatrix | None, factors: np.ndarray) -> np.ndarray:
    """One vector per customer or item; the own factors of those never met are noise and are left out."""
    return _mean_vectors(_columns(known, features), factors)
