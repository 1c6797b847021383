"""From scores to lists: masks, ties, blocks and padding, written once for all models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from recommender.interaction_matrix import BLOCK_CUSTOMERS, InteractionMatrix
from recommender.models.base import Recommender
from recommender.parallel import in_parallel
from recommender.top_items import top_items

if TYPE_CHECKING:
    import pandas as pd

Found = TypeVar("Found")


def score_blocks(
    model: Recommender, histories: InteractionMatrix, *, block_customers: int = BLOCK_CUSTOMERS
) -> Iterator[tuple[np.ndarray, InteractionMatrix, np.ndarray]]:
    """Positions, histories and scores of one block of at most ``block_customers`` customers after the other."""
    return in_blocks(lambda *parts: parts, model, histories, block_customers=block_customers)


def in_blocks(
    task: Callable[[np.ndarray, InteractionMatrix, np.ndarray], Found],
    model: Recommender,
    histories: InteractionMatrix,
    *,
    block_customers: int = BLOCK_CUSTOMERS,
) -> Iterator[Found]:
    """What the task finds from positions, histories and scores of each block of customers, in order, on all cores."""
    ordered = histories.by_customer()

    def of_block(rows: range) -> Found:
        block = ordered.of_range(rows.start, rows.stop)
        return task(np.arange(rows.start, rows.stop), block, model.score(block))

    return in_parallel(of_block, histories.blocks(block_customers))


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

    def best(_: np.ndarray, block: InteractionMatrix, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return top_items(mask(scores, block, seen=exclude_seen, allowed=allowed), k)

    parts = list(in_blocks(best, model, histories))
    if not parts:
        return np.full((0, k), -1, dtype=np.int32), np.full((0, k), np.nan, dtype=np.float32)
    return np.concatenate([places for places, _ in parts]), np.concatenate([scores for _, scores in parts])


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
