"""Counts of pairs of items as scores: how much more often two come together than chance would bring them."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def excess(
    counts: sparse.csr_matrix, occasions: np.ndarray, shares: np.ndarray, *, shrinkage: float, popularity_power: float
) -> sparse.csr_matrix:
    """Score of each pair ``i, j``: the share of the occasions of i that j has beyond chance, over ``p_j ** power``.

    ``counts`` holds how often i and j came together, ``occasions`` how often i occurred, ``shares`` the share of all
    occasions that have j. The count is taken one standard deviation low, because a pair that met once may be luck,
    and the share of a rare i is shrunk towards chance: ``(c - sqrt(c) - n_i p_j) / ((n_i + shrinkage) p_j ** power)``.
    With power 0 popular items win, with 1 (lift) rare ones. Pairs at or below 0 are left out.
    """
    scored = counts.astype(np.float64).tocsr(copy=True)
    rows = np.repeat(np.arange(scored.shape[0]), np.diff(scored.indptr))
    chance = shares[scored.indices]
    beyond = scored.data - np.sqrt(scored.data) - occasions[rows] * chance
    scored.data = beyond / ((occasions[rows] + shrinkage) * np.maximum(chance, 1e-12) ** popularity_power)
    np.maximum(scored.data, 0.0, out=scored.data)
    scored.eliminate_zeros()
    return scored


def best_of_row(neighbours: sparse.csr_matrix, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and scores of the at most k best entries of a row, best first, ties in catalogue order."""
    row = slice(neighbours.indptr[item], neighbours.indptr[item + 1])
    positions, values = neighbours.indices[row], neighbours.data[row]
    chosen = np.lexsort([positions, -values])[:k]
    return positions[chosen], values[chosen]
