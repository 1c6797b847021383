"""How good lists are: one number per customer first, means and intervals second.

Lists are ``positions``: customers x k item positions, best first, -1 where a list is shorter. The truth is a CSR
matrix of the same customers x all items with an entry per relevant item. A customer without truth gets NaN from the
measures that need it, and means leave NaN out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.randomness import rng_for


@dataclass(frozen=True)
class Interval:
    """A mean over customers and the bounds of its bootstrap interval."""

    mean: float
    low: float
    high: float
    customers: int


def hits(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """True where the item of a list is in the customer's truth."""
    item_count = truth.shape[1]
    rows = np.repeat(np.arange(truth.shape[0], dtype=np.int64), np.diff(truth.indptr))
    relevant = rows * item_count + truth.indices
    shown = np.arange(len(positions), dtype=np.int64)[:, None] * item_count + positions
    return np.isin(shown, relevant) & (positions >= 0)


def recall(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """Share of a customer's truth that the list holds."""
    return _share(hits(positions, truth).sum(axis=1), _sizes(truth))


def precision(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """Share of the k places that hold a relevant item; an empty place counts as a miss."""
    found = hits(positions, truth).sum(axis=1) / positions.shape[1]
    return np.where(_sizes(truth) > 0, found, np.nan)


def hit(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """1 where at least one item of the list is relevant, else 0."""
    return np.where(_sizes(truth) > 0, hits(positions, truth).any(axis=1).astype(float), np.nan)


def reciprocal_rank(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """1 / rank of the first relevant item, 0 where there is none."""
    found = hits(positions, truth)
    ranks = found.argmax(axis=1) + 1
    return np.where(_sizes(truth) > 0, np.where(found.any(axis=1), 1.0 / ranks, 0.0), np.nan)


def ndcg(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """Discounted gain ``1 / log2(rank + 1)`` of the hits over that of the best list of min(k, truth) hits."""
    discounts = 1.0 / np.log2(np.arange(2, positions.shape[1] + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(_sizes(truth), positions.shape[1])]
    return _share(hits(positions, truth) @ discounts, ideal)


def novelty(positions: np.ndarray, buyer_counts: np.ndarray, customer_count: int) -> np.ndarray:
    """Mean of ``-log2`` of the share of customers who bought each listed item, in bits; nobody counts as one."""
    shares = np.maximum(buyer_counts, 1) / customer_count
    return _list_mean(-np.log2(shares)[positions], positions >= 0)


def category_diversity(positions: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """Share of the pairs of a list whose categories differ; NaN for lists of fewer than two items.

    ``categories`` has one code per item; items with the code -1 have none, which is like nobody else's.
    """
    codes = np.where(positions >= 0, categories[positions], -1)
    sizes = (positions >= 0).sum(axis=1)
    equal = np.zeros(len(positions))
    for place in range(1, positions.shape[1]):
        same = (codes[:, place:] == codes[:, :-place]) & (codes[:, place:] >= 0)
        equal += same.sum(axis=1)
    return 1.0 - _share(equal, sizes * (sizes - 1) / 2)


def overlap(positions: np.ndarray, item_count: int) -> np.ndarray:
    """Mean share of a customer's list that another customer's list holds too; NaN for a lonely customer."""
    shown = positions >= 0
    listed_by = np.bincount(positions[shown], minlength=item_count)
    others = (listed_by[positions] - 1) / max(len(positions) - 1, 1)
    return _list_mean(others, shown) if len(positions) > 1 else np.full(len(positions), np.nan)


def coverage(positions: np.ndarray, item_count: int) -> float:
    """Share of the catalogue that stands in at least one list."""
    return len(np.unique(positions[positions >= 0])) / item_count


def accuracy(positions: np.ndarray, truth: sparse.csr_matrix) -> dict[str, np.ndarray]:
    """The measures that need a truth, by name, one value per customer."""
    measures = {"ndcg": ndcg, "recall": recall, "precision": precision, "hit": hit, "mrr": reciprocal_rank}
    return {name: measure(positions, truth) for name, measure in measures.items()}


def interval(values: np.ndarray, *, seed: int, samples: int = 1000, level: float = 0.95) -> Interval:
    """Mean of the values that are not NaN, with the percentile interval of its bootstrap over customers."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    rng = rng_for(seed, "bootstrap of a mean")
    means = np.array([known[rng.integers(len(known), size=len(known))].mean() for _ in range(samples)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(known.mean()), float(low), float(high), len(known))


def paired_interval(
    ours: np.ndarray, theirs: np.ndarray, *, seed: int, samples: int = 1000, level: float = 0.95
) -> Interval:
    """Interval of the mean difference over the customers that both have a value for; above 0 ours is better."""
    return interval(ours - theirs, seed=seed, samples=samples, level=level)


def _sizes(truth: sparse.csr_matrix) -> np.ndarray:
    return np.diff(truth.indptr)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    shares: np.ndarray = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return shares


def _list_mean(values: np.ndarray, shown: np.ndarray) -> np.ndarray:
    return _share(np.where(shown, values, 0.0).sum(axis=1), shown.sum(axis=1))
