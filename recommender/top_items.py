"""The best columns of each row of scores, ties in column order."""

from __future__ import annotations

import numpy as np

# Columns of one group in the search for the best: few enough groups to partition, enough to hold the best apart.
GROUP_COLUMNS = 64


def top_items(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and scores of the k best columns of each row, best first, ties in column order.

    NaN and -inf are never chosen: rows with fewer than k scores are filled with position -1 and score NaN.
    """
    positions = np.full((len(scores), k), -1, dtype=np.int32)
    best = np.full((len(scores), k), np.nan, dtype=np.float32)
    if k < 1 or scores.size == 0:
        return positions, best
    for row, bound in enumerate(_bounds(scores, k)):
        candidates = np.flatnonzero(scores[row] >= bound)
        chosen = _best_of(scores[row, candidates], candidates, k)
        positions[row, : len(chosen)] = chosen
        best[row, : len(chosen)] = scores[row, chosen]
    return positions, best


def _bounds(scores: np.ndarray, k: int) -> np.ndarray:
    """A value per row that none of its k best is below, and few others are above.

    The k-th largest of the maxima of disjoint groups of columns is such a value: one pass over the scores finds it,
    where the k-th largest score itself takes a partition of every row.
    """
    depth = max(1, min(GROUP_COLUMNS, scores.shape[1] // (4 * k)))
    width = scores.shape[1] // depth
    groups = scores[:, : width * depth].reshape(len(scores), depth, width)
    maxima = np.concatenate([np.fmax.reduce(groups, axis=1), scores[:, width * depth :]], axis=1)
    np.copyto(maxima, -np.inf, where=np.isnan(maxima))
    if maxima.shape[1] > k:
        bounds = np.partition(maxima, maxima.shape[1] - k, axis=1)[:, maxima.shape[1] - k]
    else:
        bounds = np.full(len(scores), -np.inf, dtype=scores.dtype)
    return np.maximum(bounds, np.finfo(scores.dtype).min)


def _best_of(values: np.ndarray, candidates: np.ndarray, k: int) -> np.ndarray:
    """The k best of the candidates, which stand in column order; of equal values the first."""
    if len(values) > 4 * k:
        bound = np.partition(values, len(values) - k)[len(values) - k]
        above = np.flatnonzero(values > bound)
        kept = np.sort(np.concatenate([above, np.flatnonzero(values == bound)[: k - len(above)]]))
        values, candidates = values[kept], candidates[kept]
    chosen: np.ndarray = candidates[np.argsort(-values, kind="stable")[:k]]
    return chosen
