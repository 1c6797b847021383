"""What is like the things a customer buys: for items that nobody has bought yet."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.attribute_codes import attribute_codes, one_hot, with_pairs
from recommender.models.checks import require_interactions, require_items
from recommender.models.sparse_arrays import csr_from_state, csr_state
from recommender.randomness import rng_for

# Pairs of a customer and an item that the weights are learned from, and as many times others per pair.
_EXAMPLES = 20_000
_OTHERS = 10
_SET_ASIDE_SHARE = 0.2


class Affinity:
    """Scores an item by how often the customer bought others with the same category, brand and further attributes.

    For an attribute, or a pair of attributes, with ``c`` decayed purchases of the customer among its value, of ``n``
    in all, the expected share of the value is ``(c + prior P) / (n + prior)``, where P is its share for everybody and
    ``prior`` is ``prior_purchases``. Over the number N of items with the value it is the expected share of one of
    them; its logarithms are summed with one weight per attribute. The weights are those of a logistic regression
    that tells what customers bought among items set aside, a fifth of all drawn with the seed, from other items set
    aside: so an attribute counts as much as it tells about things never seen. Pairs are formed of the ``attributes``
    that tell most. The product of two such rates is the rule of MODELS.md 1c; the smoothing is the Dirichlet prior
    of Zhai and Lafferty (2004).

    Items without attributes are unknown (NaN). Customers without purchases get what everybody likes.
    """

    def __init__(
        self, tau_days: float = 120.0, prior_purchases: float = 10.0, attributes: int = 6, seed: int = 0
    ) -> None:
        self.tau_days = tau_days
        self.prior_purchases = prior_purchases
        self.attributes = attributes
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The keywords that make an equal, unfitted model."""
        return {name: getattr(self, name) for name in ("tau_days", "prior_purchases", "attributes", "seed")}

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Learn the weights of the attributes; raises NotEnoughData where there is no positive interaction."""
        require_interactions(self, interactions)
        met = interactions.decayed(self.tau_days)
        codes = np.zeros((0, len(interactions.items)), dtype=np.int64)
        if interactions.item_features is not None:
            codes = attribute_codes(interactions.item_features)
        examples = _examples(met, codes, self.seed)
        codes = with_pairs(codes[_most_telling(examples.rates(codes, self.prior_purchases), examples, self.attributes)])
        weights = _weights(examples.rates(codes, self.prior_purchases), examples)
        self.values_, attribute_of = one_hot(codes)
        self.items_: sparse.csr_matrix = self.values_.T.tocsr()
        self.value_weights_: np.ndarray = weights[attribute_of].astype(np.float32)
        self.shares_: np.ndarray = _shares(met, self.values_, attribute_of)
        self.base_: np.ndarray = _base(codes, weights, self.values_, self.shares_)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Weighted logarithms of the expected shares, less what is the same for all items of a customer."""
        base = getattr(self, "base_", None)
        require_items(self, None if base is None else len(base), histories)
        bought = sparse.csr_matrix(histories.decayed(self.tau_days) @ self.values_)
        lifts = np.log1p(bought.data / (self.prior_purchases * self.shares_[bought.indices]))
        bought.data = (self.value_weights_[bought.indices] * lifts).astype(np.float32)
        scores: np.ndarray = (bought @ self.items_).toarray()
        scores += self.base_
        return scores

    def state(self) -> dict[str, Any]:
        """Settings, the values of the items, their shares and weights; raises NotFitted before ``fit``."""
        if not hasattr(self, "base_"):
            raise NotFitted(self)
        return {
            "settings": self.settings(),
            "values": csr_state(self.values_),
            "items": csr_state(self.items_),
            "value_weights": self.value_weights_,
            "shares": self.shares_,
            "base": self.base_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.values_ = csr_from_state(state["values"])
        model.items_ = csr_from_state(state["items"])
        model.value_weights_ = state["value_weights"]
        model.shares_ = state["shares"]
        model.base_ = state["base"]
        return model


class _Examples:
    """Customers and items, whether bought, and the purchases without the items set aside that tell about them."""

    def __init__(self, met: sparse.csr_matrix, rows: np.ndarray, items: np.ndarray, is_bought: np.ndarray) -> None:
        self.met = met
        self.rows = rows
        self.items = items
        self.is_bought = is_bought

    def rates(self, codes: np.ndarray, prior: float) -> np.ndarray:
        """Examples x attributes: logarithms of the expected shares of an item; those of any item where unknown."""
        values, attribute_of = one_hot(codes)
        shares = _shares(self.met, values, attribute_of)
        per_item = np.log(shares / np.asarray(values.sum(axis=0)).ravel())
        bought = sparse.csr_matrix(self.met @ values)
        totals = np.log1p(np.asarray(self.met.sum(axis=1)).ravel() / prior)
        starts = np.searchsorted(attribute_of, np.arange(len(codes)))
        rates = np.full((len(self.rows), len(codes)), -np.log(codes.shape[1]))
        for attribute, start in enumerate(starts):
            code = codes[attribute, self.items]
            known = np.flatnonzero(code >= 0)
            value = start + code[known]
            counts = np.asarray(bought[self.rows[known], value]).ravel()
            lifts = np.log1p(counts / (prior * shares[value]))
            rates[known, attribute] = lifts + per_item[value] - totals[self.rows[known]]
        return rates


def _examples(met: sparse.csr_matrix, codes: np.ndarray, seed: int) -> _Examples:
    rng = rng_for(seed, "affinity examples")
    described = np.flatnonzero((np.diff(met.tocsc().indptr) > 0) & (codes >= 0).any(axis=0))
    aside = np.sort(rng.choice(described, int(np.ceil(_SET_ASIDE_SHARE * len(described))), replace=False))
    kept = np.ones(met.shape[1], dtype=np.float32)
    kept[aside] = 0.0
    pairs = met[:, aside].tocoo()
    chosen = rng.permutation(pairs.nnz)[:_EXAMPLES]
    rows, items = pairs.row[chosen], aside[pairs.col[chosen]]
    other_rows = np.repeat(rows, _OTHERS)
    others = rng.choice(aside, len(other_rows)) if len(aside) else items
    is_new = np.asarray(met[other_rows, others]).ravel() == 0 if len(others) else np.zeros(0, dtype=bool)
    rows = np.concatenate([rows, other_rows[is_new]])
    items = np.concatenate([items, others[is_new]])
    is_bought = np.arange(len(rows)) < len(chosen)
    customers, rows = np.unique(rows, return_inverse=True)
    known = sparse.csr_matrix(met[customers] @ sparse.diags_array(kept))
    known.eliminate_zeros()
    return _Examples(known, rows, items, is_bought)


def _most_telling(rates: np.ndarray, examples: _Examples, count: int) -> np.ndarray:
    """Positions of the attributes whose rates lie farthest apart for bought and other items, in their order."""
    bought, others = rates[examples.is_bought], rates[~examples.is_bought]
    if not len(bought) or not len(others):
        return np.arange(min(rates.shape[1], count))
    apart = (bought.mean(axis=0) - others.mean(axis=0)) / np.maximum(rates.std(axis=0), 1e-9)
    return np.sort(np.argsort(-apart, kind="stable")[:count])


def _weights(rates: np.ndarray, examples: _Examples) -> np.ndarray:
    """Weights of the attributes; equal ones where there is nothing to learn from."""
    if rates.shape[1] == 0 or examples.is_bought.all():
        return np.ones(rates.shape[1])
    from sklearn.linear_model import LogisticRegression

    scale = np.maximum(rates.std(axis=0), 1e-9)
    learner = LogisticRegression(max_iter=500).fit((rates - rates.mean(axis=0)) / scale, examples.is_bought)
    weights: np.ndarray = learner.coef_[0] / scale
    return weights


def _shares(met: sparse.csr_matrix, values: sparse.csr_matrix, attribute_of: np.ndarray) -> np.ndarray:
    """Share of each value in the purchases of its attribute, with one purchase more that is spread over the items."""
    bought = np.asarray(met.sum(axis=0)).ravel() @ values
    items = np.asarray(values.sum(axis=0)).ravel()
    count = int(attribute_of.max(initial=-1)) + 1
    described = np.bincount(attribute_of, weights=items, minlength=count)[attribute_of]
    totals = np.bincount(attribute_of, weights=bought, minlength=count)[attribute_of]
    return np.asarray((bought + items / described) / (totals + 1.0))


def _base(codes: np.ndarray, weights: np.ndarray, values: sparse.csr_matrix, shares: np.ndarray) -> np.ndarray:
    """What an item scores for a customer without purchases."""
    starts = np.concatenate([[0], np.cumsum(codes.max(axis=1, initial=-1) + 1)])
    per_item = np.log(shares / np.asarray(values.sum(axis=0)).ravel())
    base = np.zeros(codes.shape[1])
    for attribute, weight in enumerate(weights):
        known = codes[attribute] >= 0
        base[known] += weight * per_item[starts[attribute] + codes[attribute, known]]
        base[~known] -= weight * np.log(codes.shape[1])
    base[~(codes >= 0).any(axis=0)] = np.nan
    return base.astype(np.float32)
