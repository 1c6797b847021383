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


def top_items(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and scores of the k best columns of each row, best first, ties in column order.

    NaN and -inf are never chosen: rows with fewer than k scores are filled with position -1 and score NaN.
    """
    usable = np.where(np.isnan(scores), -np.inf, scores)
    k_there = min(k, usable.shape[1])
    # The k-th best value bounds the candidates; a stable sort among them breaks ties in column order.
    bound = np.partition(usable, usable.shape[1] - k_there, axis=1)[:, usable.shape[1] - k_there, None]
    positions = np.full((len(usable), k), -1, dtype=np.int32)
    best = np.full((len(usable), k), np.nan, dtype=np.float32)
    for row, floor in enumerate(bound[:, 0]):
        candidates = np.flatnonzero((usable[row] >= floor) & (usable[row] > -np.inf))
        chosen = candidates[np.argsort(-usable[row, candidates], kind="stable")][:k_there]
        positions[row, : len(chosen)] = chosen
        best[row, : len(chosen)] = usable[row, chosen]
    return positions, best


def score_blocks(
    model: Recommender, histories: InteractionMatrix, *, block_customers: int = BLOCK_CUSTOMERS
) -> Iterator[tuple[np.ndarray, InteractionMatrix, np.ndarray]]:
    """Positions, histories and scores of one block of customers after the other."""
    for start in range(0, len(histories.customers), block_customers):
        positions = np.arange(start, min(start + block_customers, len(histories.customers)))
        block = histories.of_customers(positions)
        yield positions, block, model.score(block)


def mask(scores: np.ndarray, block: InteractionMatrix, *, seen: bool, allowed: np.ndarray | None) -> np.ndarray:
    """The scores with NaN for items that may not be recommended: seen ones, where asked, and those not allowed."""
    masked = scores.astype(np.float32, copy=True)
    if seen:
        rows, columns = block.seen().nonzero()
        masked[rows, columns] = np.nan
    if allowed is not None:
        masked[:, ~allowed] = np.nan
    return masked


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
    parts = []
    for _, block, scores in score_blocks(model, histories):
        positions, best = top_items(mask(scores, block, seen=exclude_seen, allowed=allowed), k)
        rows, ranks = np.nonzero(positions >= 0)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": np.array(block.customers.ids(), dtype=object)[rows],
                    "item_id": histories.items.ids(positions[rows, ranks]),
                    "score": best[rows, ranks],
                    "rank": ranks + 1,
                }
            )
        )
    names = {"customer_id": "string", "item_id": "string"}
    lists = pd.concat(parts, ignore_index=True) if parts else _no_lists()
    return lists.astype(names)


def _no_lists() -> pd.DataFrame:
    import pandas as pd

    columns = {"customer_id": "string", "item_id": "string", "score": "float32", "rank": "int64"}
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})


def _allowed(histories: InteractionMatrix, allowed_items: list[str] | None) -> np.ndarray | None:
    if allowed_items is None:
        return None
    allowed = np.zeros(len(histories.items), dtype=bool)
    positions = histories.items.positions(allowed_items)
    allowed[positions[positions >= 0]] = True
    return allowed
