"""Lay down the slates of all customers, with the evidence that their reasons need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.bundle import Slates
from recommender.candidates import DEPTH
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.parallel import in_parallel
from recommender.ranking import mask
from recommender.top_items import top_items

POPULAR_DEPTH = 2_000


@dataclass(frozen=True)
class Purchases:
    """How often each customer bought each item and how long ago last, sorted by ``row * items + column``."""

    keys: np.ndarray
    counts: np.ndarray
    last_age_days: np.ndarray

    @classmethod
    def of(cls, matrix: InteractionMatrix) -> Purchases:
        """The purchases of a matrix."""
        bought = matrix.is_order
        keys = matrix.rows[bought].astype(np.int64) * len(matrix.items) + matrix.columns[bought]
        ages = matrix.age_days[bought]
        order = np.lexsort((ages, keys))
        distinct, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
        return cls(distinct, counts.astype(np.int32), ages[order][first])

    def at(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Counts and last ages at the keys given: 0 and NaN where there is no purchase."""
        if not len(self.keys):
            return np.zeros(keys.shape, dtype=np.int32), np.full(keys.shape, np.nan, dtype=np.float32)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found = self.keys[places] == keys
        return np.where(found, self.counts[places], 0), np.where(found, self.last_age_days[places], np.nan)


@dataclass(frozen=True)
class LaidSlates:
    """Slates by name, and the history arrays of the bundle that belong to ``all``."""

    slates: Mapping[str, Slates]
    history: Mapping[str, np.ndarray]


def lay_slates(
    matrix: InteractionMatrix,
    models: Mapping[str, Recommender],
    *,
    progress: Callable[[Sequence[range]], Iterable[range]],
) -> LaidSlates:
    """The best items of every customer: ``all`` with bought items, ``new`` without; found on all cores."""
    depth = min(DEPTH, len(matrix.items))
    laid = {name: blank(len(matrix.customers), depth) for name in models}
    ordered, blocks = matrix.by_customer(), matrix.blocks()

    def best(rows: range) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        block = ordered.of_range(rows.start, rows.stop)
        # Slates of one model share its scores: scoring is what laying them costs.
        scores = {id(model): model.score(block) for model in models.values()}
        return {
            name: top_items(mask(scores[id(model)], block, seen=name == "new", allowed=None), depth)
            for name, model in models.items()
        }

    for rows, found in zip(progress(blocks), in_parallel(best, blocks), strict=True):
        for name, (positions, scores) in found.items():
            laid[name].positions[rows], laid[name].scores[rows] = positions, scores
    counts, ages = _history(matrix, laid["all"].positions)
    return LaidSlates(laid, {"counts": counts, "last_age_days": ages})


def one_row(item_scores: np.ndarray, depth: int = POPULAR_DEPTH) -> Slates:
    """The best items as one row; those whose score is NaN are left out."""
    return Slates(*top_items(item_scores[None, :].astype(np.float32), min(depth, len(item_scores))))


def blank(rows: int, depth: int) -> Slates:
    """Slates in which no place is taken yet."""
    return Slates(np.full((rows, depth), -1, dtype=np.int32), np.full((rows, depth), np.nan, dtype=np.float32))


def _history(matrix: InteractionMatrix, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(len(positions), dtype=np.int64)[:, None]
    counts, ages = Purchases.of(matrix).at(rows * len(matrix.items) + positions)
    nothing = positions < 0
    return np.where(nothing, 0, counts).astype(np.int32), np.where(nothing, np.nan, ages).astype(np.float32)
