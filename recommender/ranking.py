"""From scores to lists: masks, ties, blocks and padding, written once for all models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.top_items import top_items

if TYPE_CHECKING:
    import pandas as pd

BLOCK_CUSTOMERS = 1024
# 64 MiB of float32; larger blocks only leave the processor caches sooner.
BLOCK_CELLS = 2**24


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
