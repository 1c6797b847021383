"""What recommenders demand of the data they are given."""

from __future__ import annotations

from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.interaction_matrix import InteractionMatrix


def require_interactions(model: object, interactions: InteractionMatrix) -> None:
    """Raise NotEnoughData where no customer and item have a positive sum of weights."""
    is_positive = interactions.weights > 0
    if not is_positive.any() or (not is_positive.all() and interactions.counts().nnz == 0):
        raise NotEnoughData(
            f"{type(model).__name__} needs at least one purchase that was kept, or another positive interaction, and "
            f"got none among {len(interactions)} events; ingest order_lines or interactions from before the cutoff"
        )


def require_items(model: object, item_count: int | None, histories: InteractionMatrix) -> None:
    """Raise NotFitted before ``fit``, and DataError where histories stand on other items than the fit."""
    if item_count is None:
        raise NotFitted(model)
    if len(histories.items) != item_count:
        raise DataError(
            "histories",
            f"{len(histories.items)} items, but {type(model).__name__} was fitted on {item_count}; "
            "build the histories on the item index of the fit",
        )
