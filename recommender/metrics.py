"""How good lists are: one number per customer first, means and intervals second.

Lists are ``positions``: customers x k item positions, best first, -1 where a list is shorter. The truth is a CSR
matrix of the same customers x all items with an entry per relevant item. A customer without truth gets NaN from the
measures that need it, and means leave NaN out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import rankdata

from recommender.randomness import rng_for

# The most popular items that together have this share of all buyers are the short head.
HEAD_SHARE = 0.2
# Customers that the bootstrap draws one by one; of more it draws groups.
MAXIMUM_GROUPS = 10_000
# Weights of 32 MiB at once.
_BLOCK_WEIGHTS = 2**22


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
    relevant = np.sort(rows * item_count + truth.indices)
    if not len(relevant):
        return np.zeros(positions.shape, dtype=bool)
    shown = np.arange(len(positions), dtype=np.int64)[:, None] * item_count + positions
    places = np.minimum(np.searchsorted(relevant, shown), len(relevant) - 1)
    return np.asarray((relevant[places] == shown) & (positions >= 0))


def recall(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """Share of a customer's truth that the list holds."""
    return _recall(hits(positions, truth), _sizes(truth))


def precision(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """Share of the k places that hold a relevant item; an empty place counts as a miss."""
    return _precision(hits(positions, truth), _sizes(truth))


def hit(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """1 where at least one item of the list is relevant, else 0."""
    return _hit(hits(positions, truth), _sizes(truth))


def reciprocal_rank(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """1 / rank of the first relevant item, 0 where there is none."""
    return _reciprocal_rank(hits(positions, truth), _sizes(truth))


def ndcg(positions: np.ndarray, truth: sparse.csr_matrix) -> np.ndarray:
    """Discounted gain ``1 / log2(rank + 1)`` of the hits over that of the best list of min(k, truth) hits."""
    return _ndcg(hits(positions, truth), _sizes(truth))


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


def popularity_percentiles(buyer_counts: np.ndarray) -> np.ndarray:
    """How popular each item is: its mid-rank in the catalogue by number of buyers, over the number of items.

    Near 1 is the most popular item; items with equally many buyers share one value.
    """
    return np.asarray((rankdata(buyer_counts) - 0.5) / max(len(buyer_counts), 1))


def short_head(buyer_counts: np.ndarray, share: float = HEAD_SHARE) -> np.ndarray:
    """True for the fewest most popular items that together have at least the share of all buyers.

    Of items with equally many buyers the first of the catalogue is taken; nothing is popular where nobody bought.
    """
    order = np.argsort(-buyer_counts, kind="stable")
    before = np.cumsum(buyer_counts[order]) - buyer_counts[order]
    is_head = np.zeros(len(buyer_counts), dtype=bool)
    is_head[order[before < share * buyer_counts.sum()]] = True
    return is_head


def mean_over_list(positions: np.ndarray, item_values: np.ndarray) -> np.ndarray:
    """Mean of a value of the items, over the items of each list; NaN for an empty list."""
    return _list_mean(item_values[positions], positions >= 0)


def mean_over_truth(truth: sparse.csr_matrix, item_values: np.ndarray) -> np.ndarray:
    """Mean of a value of the items, over the truth of each customer; NaN for a customer without truth."""
    return _share((truth > 0) @ item_values, _sizes(truth))


def overlap_of_sets(sets: sparse.csr_matrix) -> np.ndarray:
    """Mean share of a customer's set that another customer's set holds too, for sets as rows of a matrix.

    NaN for an empty set and for a lonely customer. It is ``overlap`` for sets of any size.
    """
    if sets.shape[0] < 2:
        return np.full(sets.shape[0], np.nan)
    held_by = np.bincount(sets.indices, minlength=sets.shape[1])
    return mean_over_truth(sets, (held_by - 1) / (sets.shape[0] - 1))


def accuracy(positions: np.ndarray, truth: sparse.csr_matrix) -> dict[str, np.ndarray]:
    """The measures that need a truth, by name, one value per customer."""
    found, sizes = hits(positions, truth), _sizes(truth)
    return {name: measure(found, sizes) for name, measure in _ACCURACY.items()}


def interval(
    values: np.ndarray, *, seed: int, samples: int = 1000, level: float = 0.95, clusters: np.ndarray | None = None
) -> Interval:
    """Mean of the values that are not NaN, with the percentile interval of its bootstrap over customers.

    ``clusters`` is as in ``intervals``.
    """
    is_known = ~np.isnan(values)
    own = None if clusters is None else clusters[is_known]
    return intervals({"": values[is_known]}, seed=seed, samples=samples, level=level, clusters=own)[""]


def intervals(
    values: Mapping[str, np.ndarray],
    *,
    seed: int,
    samples: int = 1000,
    level: float = 0.95,
    clusters: np.ndarray | None = None,
) -> dict[str, Interval]:
    """Interval of the mean of each column over the same customers, all from one bootstrap; NaN counts nowhere.

    Where a customer has several values, ``clusters`` numbers the customer of each: who is drawn comes with all of them.

    Each sample gives every customer a Poisson(1) weight, which for many customers is drawing as many anew with
    replacement (Chamandy et al. 2012), so that all means of all samples are matrix products. More than
    MAXIMUM_GROUPS customers are dealt at random into so many groups of equal size that are drawn whole: the spread
    expected is the same.
    """
    columns = list(values.values())
    if not columns:
        return {}
    rng = rng_for(seed, "bootstrap of a mean")
    sums, counts = _group_sums(columns, rng, clusters)
    drawn = _drawn_means(sums, counts, samples, rng)
    bounds = [(1 - level) / 2, (1 + level) / 2]
    found = {}
    for place, (name, column) in enumerate(values.items()):
        known = column[~np.isnan(column)]
        means = drawn[:, place][~np.isnan(drawn[:, place])]
        if len(known) and len(means):
            low, high = np.quantile(means, bounds)
            found[name] = Interval(float(known.mean()), float(low), float(high), len(known))
        else:
            found[name] = Interval(np.nan, np.nan, np.nan, len(known))
    return found


def paired_interval(
    ours: np.ndarray,
    theirs: np.ndarray,
    *,
    seed: int,
    samples: int = 1000,
    level: float = 0.95,
    clusters: np.ndarray | None = None,
) -> Interval:
    """Interval of the mean difference over the customers that both have a value for; above 0 ours is better.

    ``clusters`` is as in ``intervals``.
    """
    return interval(ours - theirs, seed=seed, samples=samples, level=level, clusters=clusters)


def _group_sums(
    columns: Sequence[np.ndarray], rng: np.random.Generator, clusters: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the known values of each group of customers, groups x columns."""
    groups = np.arange(len(columns[0])) if clusters is None else clusters
    customers = int(groups.max(initial=-1)) + 1
    if customers > MAXIMUM_GROUPS:
        groups = (rng.permutation(customers) % MAXIMUM_GROUPS)[groups]
    size = min(customers, MAXIMUM_GROUPS)
    sums, counts = np.zeros((size, len(columns))), np.zeros((size, len(columns)))
    for place, column in enumerate(columns):
        known = ~np.isnan(column)
        sums[:, place] = np.bincount(groups[known], weights=column[known], minlength=size)
        counts[:, place] = np.bincount(groups[known], minlength=size)
    return sums, counts


def _drawn_means(sums: np.ndarray, counts: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Means of the samples x columns; NaN where a sample drew nobody with a value."""
    means = np.full((samples, sums.shape[1]), np.nan)
    # Columns known for the same customers have the same counts: these are drawn once.
    places: dict[bytes, int] = {}
    same = [places.setdefault(counts[:, column].tobytes(), len(places)) for column in range(counts.shape[1])]
    distinct = counts[:, [same.index(place) for place in range(len(places))]]
    step = max(1, _BLOCK_WEIGHTS // max(len(sums), 1))
    for start in range(0, samples, step):
        stop = min(start + step, samples)
        weights = _POISSON[rng.integers(len(_POISSON), size=(stop - start, len(sums)), dtype=np.uint16)]
        totals, drawn = weights @ sums, (weights @ distinct)[:, same]
        np.divide(totals, drawn, out=means[start:stop], where=drawn > 0)
    return means


def _recall(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return _share(found.sum(axis=1), sizes)


def _precision(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.where(sizes > 0, found.sum(axis=1) / found.shape[1], np.nan)


def _hit(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.where(sizes > 0, found.any(axis=1).astype(float), np.nan)


def _reciprocal_rank(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    ranks = found.argmax(axis=1) + 1
    return np.where(sizes > 0, np.where(found.any(axis=1), 1.0 / ranks, 0.0), np.nan)


def _ndcg(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    discounts = 1.0 / np.log2(np.arange(2, found.shape[1] + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(sizes, found.shape[1])]
    return _share(found @ discounts, ideal)


_ACCURACY = {"ndcg": _ndcg, "recall": _recall, "precision": _precision, "hit": _hit, "mrr": _reciprocal_rank}


def _poisson_table() -> np.ndarray:
    """The Poisson(1) weight of each of 65,536 equally probable draws."""
    probabilities = np.exp(-1.0) / np.cumprod([1.0, *range(1, 12)])
    return np.searchsorted(np.cumsum(probabilities), (np.arange(2**16) + 0.5) / 2**16).astype(np.float64)


_POISSON = _poisson_table()


def _sizes(truth: sparse.csr_matrix) -> np.ndarray:
    return np.diff(truth.indptr)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    shares: np.ndarray = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return shares


def _list_mean(values: np.ndarray, shown: np.ndarray) -> np.ndarray:
    return _share(np.where(shown, values, 0.0).sum(axis=1), shown.sum(axis=1))
