"""What customers of the same attributes buy: for customers of whom nothing else is known."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted
from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.models.checks import require_interactions, require_items
from recommender.models.sparse_arrays import csr_from_state, csr_state


class AttributePopularity:
    """Scores an item by its popularity and by how much more customers of the same attributes buy it.

    With p the share of an item in all purchases, each times ``exp(-age / tau_days)``, and q its share in those of the
    customers with an attribute value, shrunk to p as if ``prior_purchases`` more were spread like p, the score is the
    logarithmic opinion pool ``p * prod (q / p) ** (1 / n)`` over the n values that a customer has (Genest and Zidek
    1986). Attributes go together, so that their product, as naive Bayes takes it, would count them twice.

    Only attributes are looked at, never a history. Customers without a value that the fit met get the popularity;
    items that nobody bought are unknown (NaN).
    """

    feature_names_: tuple[str, ...]
    shares_: np.ndarray
    lifts_: sparse.csr_matrix

    def __init__(self, tau_days: float = 60.0, prior_purchases: float = 500.0) -> None:
        self.tau_days = tau_days
        self.prior_purchases = prior_purchases

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Count what the customers of each attribute value buy; raises NotEnoughData where there is nothing."""
        require_interactions(self, interactions)
        decayed = interactions.decayed(self.tau_days).astype(np.float64)
        totals = np.asarray(decayed.sum(axis=0)).ravel()
        self.shares_ = (totals / max(totals.sum(), np.finfo(float).tiny)).astype(np.float32)
        features = interactions.customer_features
        self.feature_names_ = () if features is None else tuple(features.names)
        values = sparse.csr_matrix((len(interactions.customers), 0)) if features is None else features.values
        bought = sparse.csr_matrix(values.T @ decayed)
        # (c + m p) / ((n + m) p) is 1 + c / (m p) up to a factor of the value, which changes no customer's order.
        spread = self.prior_purchases * np.maximum(self.shares_[bought.indices], np.finfo(np.float32).tiny)
        bought.data = np.log1p(bought.data / spread)
        self.lifts_ = sparse.csr_matrix(bought, dtype=np.float32)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """The pooled shares of the customers' attribute values, up to a factor per customer."""
        shares = getattr(self, "shares_", None)
        require_items(self, None if shares is None else len(shares), histories)
        known = self._known(histories.customer_features, len(histories.customers))
        counts = np.diff(known.indptr)
        weights = sparse.diags_array(1.0 / np.maximum(counts, 1).astype(np.float32))
        scores: np.ndarray = self.shares_ * np.exp((weights @ known @ self.lifts_).toarray())
        scores[:, self.shares_ == 0] = np.nan
        return scores.astype(np.float32, copy=False)

    def _known(self, features: FeatureMatrix | None, customers: int) -> sparse.csr_matrix:
        """Customers x values of the fit: 1 where a customer has the value."""
        place = {name: column for column, name in enumerate(self.feature_names_)}
        given = () if features is None else features.names
        kept = [column for column, name in enumerate(given) if name in place]
        if features is None or not kept:
            return sparse.csr_matrix((customers, len(place)), dtype=np.float32)
        entries = features.values[:, kept].tocoo()
        columns = np.array([place[given[column]] for column in kept])[entries.col]
        ones = np.ones(len(columns), dtype=np.float32)
        return sparse.csr_matrix((ones, (entries.row, columns)), shape=(customers, len(place)))

    def state(self) -> dict[str, Any]:
        """Settings, shares and lifts; raises NotFitted before ``fit``."""
        if not hasattr(self, "shares_"):
            raise NotFitted(self)
        return {
            "settings": {"tau_days": self.tau_days, "prior_purchases": self.prior_purchases},
            "feature_names": list(self.feature_names_),
            "shares": self.shares_,
            "lifts": csr_state(self.lifts_),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.feature_names_ = tuple(state["feature_names"])
        model.shares_, model.lifts_ = state["shares"], csr_from_state(state["lifts"])
        return model
