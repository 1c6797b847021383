"""Counts of pairs of items as scores: what comes with an item more than by chance."""

from __future__ import annotations

import numpy as np
from scipy import sparse

_ROUNDING = 1e-9


def pair_scores(
    counts: sparse.csr_matrix,
    occasions: np.ndarray,
    shares: np.ndarray,
    *,
    shrinkage: float,
    popularity_power: float,
    total: float,
    expected: np.ndarray | None = None,
    deviations: float = 2.0,
) -> sparse.csr_matrix:
    """Score of each pair ``i, j``: the share of the occasions of i that have j, over ``p_j ** popularity_power``.

    ``counts`` holds how often i and j came together, ``occasions`` how often i occurred, ``shares`` the share p of all
    ``total`` occasions that have j. The share is shrunk towards ``expected``, which is p unless given, as by
    ``shrinkage`` further occasions: ``(c + shrinkage e_j) / (n_i + shrinkage)``. With power 0 what is bought most wins,
    with 1 (lift) what is rare. Pairs that came together less often than by chance are left out, once they do so by
    ``deviations`` standard deviations of the hypergeometric distribution; these are 0 for what is on every occasion,
    so that it goes with nothing in particular.
    """
    scored = counts.astype(np.float64).tocsr(copy=True)
    rows = np.repeat(np.arange(scored.shape[0]), np.diff(scored.indptr))
    share, often = np.minimum(shares[scored.indices], 1.0), occasions[rows]
    chance = often * share
    deviation = np.sqrt(chance * (1.0 - share) * np.maximum(1.0 - often / total, 0.0))
    is_more = (scored.data > 0) & (scored.data + deviations * deviation > chance * (1.0 + _ROUNDING))
    prior = shares if expected is None else expected
    shrunk = (scored.data + shrinkage * prior[scored.indices]) / (often + shrinkage)
    scored.data = np.where(is_more, shrunk / np.maximum(share, 1e-12) ** popularity_power, 0.0)
    scored.eliminate_zeros()
    return scored


def best_of_row(neighbours: sparse.csr_matrix, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and scores of the at most k best entries of a row, best first, ties in catalogue order."""
    row = slice(neighbours.indptr[item], neighbours.indptr[item + 1])
    positions, values = neighbours.indices[row], neighbours.data[row]
    chosen = np.lexsort([positions, -values])[:k]
    return positions[chosen], values[chosen]
