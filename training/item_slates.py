"""Lay down what is precomputed per item, per category and for everybody, and who may want an item."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from scipy import sparse

from recommender.bundle import Slates
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.item_similarity import ItemSimilarity
from recommender.models.repurchase_intervals import Purchased, RepurchaseIntervals
from training.slates import blank, one_row

NEIGHBOUR_DEPTH = 50
CUSTOMER_DEPTH = 100
CATEGORY_DEPTH = 150
DUE_DEPTH = 50
# An item is new for so long, and is worth showing half as much after so many days.
NEW_DAYS = 90.0
NEW_HALF_LIFE_DAYS = 28.0
SURE_DAYS = 28.0
# Each level of the category that two items share makes them so many times as similar.
CLOSER = 1.5
# An item with so many customers is judged by them and by its features alike; one with more by them rather.
_EVEN_CUSTOMERS = 10.0
_FUSION_RANKS = 10.0
_BLOCK_CUSTOMERS = 16_384

Neighbours = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def neighbour_slates(
    item_count: int, neighbours_of: Neighbours, depth: int = NEIGHBOUR_DEPTH, only: Iterable[int] | None = None
) -> Slates:
    """One row per item of what a model says goes with it; ``only`` names the items whose rows are laid."""
    slates = blank(item_count, depth)
    for item in range(item_count) if only is None else only:
        near, values = neighbours_of(item, depth)
        slates.positions[item, : len(near)], slates.scores[item, : len(near)] = near, values
    return slates


def similar_slates(matrix: InteractionMatrix, model: ItemSimilarity, paths: Mapping[int, str]) -> Slates:
    """The items most like each, by customers and by features both, the less customers the more by features.

    What the same customers buy may be a complement: each level of the category path that two items share counts
    CLOSER times as much (``paths`` gives that of an item). The list so ordered and that of the features are fused by
    their ranks, because their similarities have no common unit (Cormack, Clarke and Büttcher 2009), weighted by how
    many customers met the item. An item that nobody met has only features, which the model compares itself.
    """
    customers = np.diff(matrix.counts().tocsc().indptr)
    is_thin = (customers > 0) & (customers < NEIGHBOUR_DEPTH)
    alike = model.alike(matrix, is_thin)
    levels = _level_codes(paths, len(matrix.items))

    def fused(item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        met, values = model.similar(item, model.neighbours)
        shared = (levels[:, met] == levels[:, [item]]) & (levels[:, [item]] >= 0)
        closer = values * CLOSER ** shared.sum(axis=0)
        order = np.lexsort([met, -closer])[:k]
        if not is_thin[item]:
            return met[order], closer[order]
        weight = customers[item] / (customers[item] + _EVEN_CUSTOMERS)
        return _fused(met[order], _ordered(alike, item)[:k], weight, k)

    return neighbour_slates(len(matrix.items), fused)


def _level_codes(paths: Mapping[int, str], item_count: int) -> np.ndarray:
    """Levels x items: a number for the path down to each level, -1 where an item's path is shorter."""
    parts = {item: path.split(" > ") for item, path in paths.items()}
    codes = np.full((max(map(len, parts.values()), default=0), item_count), -1, dtype=np.int32)
    known: dict[tuple[str, ...], int] = {}
    for item, steps in parts.items():
        for level in range(len(steps)):
            codes[level, item] = known.setdefault(tuple(steps[: level + 1]), len(known))
    return codes


def _ordered(neighbours: sparse.csr_matrix, item: int) -> np.ndarray:
    row = slice(neighbours.indptr[item], neighbours.indptr[item + 1])
    return neighbours.indices[row][np.argsort(-neighbours.data[row], kind="stable")]


def _fused(one: np.ndarray, other: np.ndarray, weight: float, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The union of two ranked lists, best first: ``weight`` of an item's share comes from its rank in the first."""
    union = np.union1d(one, other)
    scores = np.zeros(len(union))
    for listed, share in ((one, weight), (other, 1.0 - weight)):
        gained = share * _FUSION_RANKS / (_FUSION_RANKS + np.arange(len(listed)))
        scores[np.searchsorted(union, listed)] += gained
    chosen = np.lexsort([union, -scores])[:k]
    return union[chosen], scores[chosen]


def customer_slates(slates: Sequence[Slates], item_count: int) -> Slates:
    """For each item the customers in whose slates it stands highest, best first; the first slates go first.

    Positions are those of customers, the score is 1 for a first place down to 0. Of equal places the higher score of
    the model goes first.
    """
    laid = blank(item_count, CUSTOMER_DEPTH)
    taken = np.zeros(item_count, dtype=np.int64)
    for slate in slates:
        depth = slate.positions.shape[1]
        for rank in range(depth):
            _lay_rank(laid, taken, slate, rank, 1.0 - rank / depth)
    return laid


def _lay_rank(laid: Slates, taken: np.ndarray, slate: Slates, rank: int, score: float) -> None:
    items = slate.positions[:, rank]
    customers = np.flatnonzero(items >= 0)
    customers = customers[taken[items[customers]] < CUSTOMER_DEPTH]
    order = np.lexsort((customers, -slate.scores[customers, rank], items[customers]))
    customers = customers[order]
    listed = items[customers]
    first = np.searchsorted(listed, listed)
    places = taken[listed] + np.arange(len(listed)) - first
    fits = places < CUSTOMER_DEPTH
    laid.positions[listed[fits], places[fits]] = customers[fits]
    laid.scores[listed[fits], places[fits]] = score
    np.add.at(taken, listed[fits], 1)


def due_slates(
    matrix: InteractionMatrix, model: RepurchaseIntervals, horizon_days: int, *, may_repeat: np.ndarray
) -> dict[str, np.ndarray]:
    """The ``due`` arrays of the bundle, a block of customers at a time, of the items that ``may_repeat`` marks."""
    customers, depth = len(matrix.customers), min(DUE_DEPTH, len(matrix.items))
    slates = blank(customers, depth)
    due = {"positions": slates.positions, "scores": slates.scores}
    due |= {name: np.full((customers, depth), np.nan, dtype=np.float32) for name in ("interval_days", "last_age_days")}
    due["counts"] = np.zeros((customers, depth), dtype=np.int32)
    ordered = matrix.by_customer()
    for start in range(0, customers, _BLOCK_CUSTOMERS):
        pairs = Purchased.of(ordered.of_range(start, min(start + _BLOCK_CUSTOMERS, customers)))
        found = model.forecast(pairs, horizon_days)
        order = np.lexsort((pairs.columns, -found.probabilities, pairs.rows))
        order = order[may_repeat[pairs.columns[order]]]
        rows = pairs.rows[order]
        ranks = np.arange(len(rows)) - np.searchsorted(rows, rows)
        order, places = order[ranks < depth], (rows[ranks < depth] + start, ranks[ranks < depth])
        due["positions"][places], due["scores"][places] = pairs.columns[order], found.probabilities[order]
        due["interval_days"][places] = found.told_days[order]
        due["last_age_days"][places], due["counts"][places] = pairs.last_age_days[order], pairs.counts[order]
    return due


def new_arrivals(items: pd.DataFrame, matrix: InteractionMatrix, as_of: datetime) -> Slates:
    """Items that came within NEW_DAYS, newest first, those that sell before others of their age.

    An item came with its ``available_from``, else with its first event, unless that lies within SURE_DAYS of the
    beginning of the history: then it may have been there before.
    """
    arrived = np.full(len(matrix.items), -np.inf)
    np.maximum.at(arrived, matrix.columns, matrix.age_days)
    arrived[arrived > matrix.age_days.max(initial=0.0) - SURE_DAYS] = -np.inf
    given = items[items["available_from"].notna()]
    ages = (pd.Timestamp(as_of) - given["available_from"]).dt.total_seconds().to_numpy() / 86_400.0
    arrived[matrix.items.positions(given["item_id"])] = ages
    is_new = np.isfinite(arrived) & (arrived <= NEW_DAYS)
    sold = np.maximum(np.bincount(matrix.columns, weights=matrix.weights, minlength=len(arrived)), 0.0)
    with np.errstate(over="ignore"):
        fresh = 0.5 ** (np.maximum(arrived, 0.0) / NEW_HALF_LIFE_DAYS)
    return one_row(np.where(is_new, (1.0 + np.log1p(sold)) * fresh, np.nan))


def customer_counts(matrix: InteractionMatrix, days: float) -> Slates:
    """All items that customers bought in the last ``days``, or met where nobody orders, by how many customers did."""
    counts_as = matrix.is_order | (not matrix.has_orders)
    chosen = counts_as & (matrix.weights > 0) & (matrix.age_days < days)
    pairs = np.unique(np.stack([matrix.columns[chosen], matrix.rows[chosen]]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(matrix.items)).astype(np.float64)
    return one_row(np.where(counts > 0, counts, np.nan), depth=len(counts))


def best_sellers(paths: Mapping[int, str], item_scores: np.ndarray) -> tuple[IdIndex, Slates]:
    """For each category path and those above it the best items; ``paths`` gives the category of an item."""
    listed: dict[str, list[int]] = {}
    for item in sorted(paths, key=lambda one: (-item_scores[one], one)):
        parts = paths[item].split(" > ")
        for level in range(1, len(parts) + 1):
            within = listed.setdefault(" > ".join(parts[:level]), [])
            if len(within) < CATEGORY_DEPTH:
                within.append(item)
    categories = IdIndex(listed)
    slates = blank(len(categories), CATEGORY_DEPTH)
    for row, category in enumerate(categories.ids()):
        slates.positions[row, : len(listed[category])] = listed[category]
        slates.scores[row, : len(listed[category])] = item_scores[listed[category]]
    return categories, slates
