"""Counts of pairs of items as scores: what comes with an item more than by chance."""

from __future__ import annotations

import numpy as np
from scipy import sparse

_ROUNDING = 1e-9


def pair_scores(
    counts: sparse.csr_matrix, occasions: np.ndarray, shares: np.ndarray, *, shrinkage: float, popularity_power: float
) -> sparse.csr_matrix:
    """Score of each pair ``i, j``: the share of the occasions of i that have j, over ``p_j ** popularity_power``.

    ``counts`` holds how often i and j came together, ``occasions`` how often i occurred, ``shares`` the share p of all
    occasions that have j. The share is shrunk towards chance as by ``shrinkage`` further occasions:
    ``(c + shrinkage p_j) / (n_i + shrinkage)``. With power 0 what is bought most wins, with 1 (lift) what is rare.
    Pairs that came together no oftener than by chance are left out.
    """
    scored = counts.astype(np.float64).tocsr(copy=True)
    rows = np.repeat(np.arange(scored.shape[0]), np.diff(scored.indptr))
    chance, often = shares[scored.indices], occasions[rows]
    is_more = scored.data > often * chance * (1.0 + _ROUNDING)
    shrunk = (scored.data + shrinkage * chance) / (often + shrinkage)
    scored.data = np.where(is_more, shrunk / np.maximum(chance, 1e-12) ** popularity_power, 0.0)
    scored.eliminate_zeros()
    return scored


def best_of_row(neighbours: sparse.csr_matrix, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and scores of the at most k best entries of a row, best first, ties in catalogue order."""
    row = slice(neighbours.indptr[item], neighbours.indptr[item + 1])
    positions, values = neighbours.indices[row], neighbours.data[row]
    chosen = np.lexsort([positions, -values])[:k]
    return positions[chosen], values[chosen]
