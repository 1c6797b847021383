"""From scores to lists: masks, ties, blocks and padding, written once for all models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender

if TYPE_CHECKING:
    import pandas as pd

BLOCK_CUSTOMERS = 1024
# 64 MiB of float32; larger blocks only leave the processor caches sooner.
BLOCK_CELLS = 2**24
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


def score_blocks(
    model: Recommender, histories: InteractionMatrix, *, block_customers: int = BLOCK_CUSTOMERS
) -> Iterator[tuple[np.ndarray, InteractionMatrix, np.ndarray]]:
    """Positions, histories and scores of one block of customers after the other.

    A block has at most ``block_customers`` rows, fewer where the catalogue is so large that it would pass
    BLOCK_CELLS scores.
    """
    ordered = histories.by_customer()
    step = max(1, min(block_customers, BLOCK_CELLS // max(len(histories.items), 1)))
    for start in range(0, len(histories.customers), step):
        stop = min(start + step, len(histories.customers))
        block = ordered.of_range(start, stop)
        yield np.arange(start, stop), block, model.score(block)


def mask(scores: np.ndarray, block: InteractionMatrix, *, seen: bool, allowed: np.ndarray | None) -> np.ndarray:
    """The scores with NaN for items that may not be recommended: seen ones, where asked, and those not allowed."""
    masked = scores.astype(np.float32, copy=True)
    if seen:
        rows, columns = block.seen().nonzero()
        masked[rows, columns] = np.nan
    if allowed is not None:
        masked[:, ~allowed] = np.nan
    return masked


def best_items(
    model: Recommender,
    histories: InteractionMatrix,
    *,
    k: int,
    exclude_seen: bool = True,
    allowed: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Positions and scores of the k best items of every customer, -1 and NaN where there are fewer.

    ``allowed`` marks the items that may be chosen.
    """
    parts = [
        top_items(mask(scores, block, seen=exclude_seen, allowed=allowed), k)
        for _, block, scores in score_blocks(model, histories)
    ]
    if not parts:
        return np.full((0, k), -1, dtype=np.int32), np.full((0, k), np.nan, dtype=np.float32)
    return np.concatenate([places for places, _ in parts]), np.concatenate([best for _, best in parts])


def recommend(
    model: Recommender,
    histories: InteractionMatrix,
    *,
    k: int,
    exclude_seen: bool = True,
    allowed_items: list[str] | None = None,
) -> pd.DataFrame:
    """The k best items of each customer: ``customer_id, item_id, score, rank`` (1 is best), ties in catalogue order."""
    import pandas as pd

    allowed = _allowed(histories, allowed_items)
    positions, best = best_items(model, histories, k=k, exclude_seen=exclude_seen, allowed=allowed)
    rows, ranks = np.nonzero(positions >= 0)
    shown, place = np.unique(positions[rows, ranks], return_inverse=True)
    lists = pd.DataFrame(
        {
            "customer_id": np.array(histories.customers.ids(), dtype=object)[rows],
            "item_id": np.array(histories.items.ids(shown), dtype=object)[place],
            "score": best[rows, ranks],
            "rank": ranks + 1,
        }
    )
    return lists.astype({"customer_id": "string", "item_id": "string"})


def _allowed(histories: InteractionMatrix, allowed_items: list[str] | None) -> np.ndarray | None:
    if allowed_items is None:
        return None
    allowed = np.zeros(len(histories.items), dtype=bool)
    positions = histories.items.positions(allowed_items)
    allowed[positions[positions >= 0]] = True
    return allowed
