"""Judge the answers that start from items, sessions and intervals on the window after the cutoff.

Lists come from the functions that serve them. Each is held against popularity and against plain counts of what stood
in baskets together, both without the items that the answer starts from. One observation per customer or session; who
is drawn for an interval comes with all sessions of the own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recommender import item_candidates, metrics
from recommender.bundle import ModelBundle
from recommender.history import History
from recommender.interaction_matrix import InteractionMatrix
from recommender.item_lists import Candidate, due_first
from recommender.live_history import Event
from recommender.models.bought_together import baskets_of
from recommender.models.co_occurrence import best_of_row
from recommender.models.repurchase_intervals import Purchased
from recommender.models.strongest_products import strongest
from recommender.periods import Period
from recommender.randomness import rng_for
from training.interactions import events_before
from training.item_occasions import (
    Occasions,
    first_baskets,
    padded,
    placed_in,
    positions_of,
    purchases_again,
    session_halves,
    sessions_within,
    within_category,
)
from training.pipeline import Training

_LARGEST_BASKET = 200
_BLOCK_OBSERVATIONS = 500
_FALLBACK = 100

Way = Callable[[ModelBundle, Sequence[int]], Sequence[Candidate]]


def judge_item_answers(history: History, training: Training, *, k: int, seed: int) -> dict[str, Any]:
    """Figures of bought together, similar, session and buy again for ``metrics.json``."""
    bundle = training.bundle
    window = Period.after(bundle.as_of, bundle.horizon_days)
    events = events_before(history, window.end)
    sessions = sessions_within(history, window)
    return judge_on(bundle, training.lists.matrix, events, sessions, k=k, seed=seed)


def judge_on(
    bundle: ModelBundle,
    matrix: InteractionMatrix,
    events: pd.DataFrame,
    sessions: pd.DataFrame,
    *,
    k: int,
    seed: int,
) -> dict[str, Any]:
    """The figures of a bundle; ``events`` as of ``events_before``, ``sessions`` as of ``owned``."""
    window = Period.after(bundle.as_of, bundle.horizon_days)
    placed = placed_in(events, matrix, window)
    basket, later = first_baskets(placed, len(matrix.items), seed)
    following = session_halves(sessions, matrix, window, seed)
    again = purchases_again(placed, matrix)
    baskets = baskets_of(matrix, _LARGEST_BASKET)
    together = _lists(bundle, basket.starts, lambda start: _served(bundle, start, item_candidates.bought_together), k)
    similar = _lists(bundle, basket.starts, lambda start: _served(bundle, start), k)
    followers = _lists(bundle, following.starts, lambda start: _next(bundle, start), k)
    in_baskets = _rivals(bundle, baskets, basket, k)
    due = _figures(
        _due_lists(bundle, again.starts, k), again, _rivals(bundle, baskets, _last_bought(again, matrix), k), seed
    )
    return {
        "bought_together_same_basket": _figures(together, basket, in_baskets, seed),
        "bought_together": _figures(together, later, in_baskets, seed),
        "similar": _figures(similar, later, in_baskets, seed),
        "similar_same_category": _figures(similar, within_category(later, matrix), in_baskets, seed),
        "session": _figures(followers, following, _rivals(bundle, baskets, following, k), seed),
        "buy_again": due and {**due, "due_date": due_date_errors(bundle, matrix, placed, seed=seed)},
    }


def due_date_errors(
    bundle: ModelBundle, matrix: InteractionMatrix, placed: pd.DataFrame, *, seed: int
) -> dict[str, Any] | None:
    """Days between when a purchase was due and when it happened, median over customers of the mean of each.

    Of the items that a customer had bought at least twice and bought again in the window. A date before the cutoff
    is taken as the cutoff, for ours and for the item's median interval alike.
    """
    model = bundle.models.get("repurchase")
    if model is None:
        return None
    pairs = Purchased.of(matrix)
    orders = placed[placed["kind"] == "order"]
    days = (orders["at"] - pd.Timestamp(bundle.as_of)).dt.total_seconds() / 86_400.0
    happened = orders.assign(days=days).groupby(["row", "column"])["days"].min()
    found = model.forecast(pairs, bundle.horizon_days).interval_days
    medians = pd.Series(_item_medians(matrix)).reindex(pairs.columns).to_numpy()
    known = pd.DataFrame(
        {"row": pairs.rows, "column": pairs.columns, "age": pairs.last_age_days, "ours": found, "item": medians}
    )[(pairs.counts > 1)]
    known = known.join(happened, on=["row", "column"]).dropna(subset=["days", "item"])
    if known.empty:
        return None
    errors = {
        name: ((known[name] - known["age"]).clip(lower=0.0) - known["days"]).abs().groupby(known["row"]).mean()
        for name in ("ours", "item")
    }
    ours, item = (one.to_numpy() for one in errors.values())
    return {
        "pairs": len(known),
        "customers": len(ours),
        "median_absolute_days": _median_interval(ours, seed),
        "item_median_interval_absolute_days": _median_interval(item, seed),
        "gain_days": asdict(metrics.paired_interval(item, ours, seed=seed)),
    }


def _item_medians(matrix: InteractionMatrix) -> dict[int, float]:
    """The median days between two purchases of each item by one customer."""
    chosen = matrix.is_order & (matrix.weights > 0)
    bought = pd.DataFrame(
        {"row": matrix.rows[chosen], "column": matrix.columns[chosen], "age": matrix.age_days[chosen]}
    ).sort_values(["row", "column", "age"])
    gaps = bought.groupby(["row", "column"])["age"].diff()
    medians: dict[int, float] = gaps[gaps >= 0.5].groupby(bought["column"]).median().to_dict()
    return medians


def _median_interval(values: np.ndarray, seed: int, samples: int = 1000) -> dict[str, float]:
    rng = rng_for(seed, "bootstrap of a median")
    medians = [np.median(values[rng.integers(len(values), size=len(values))]) for _ in range(samples)]
    low, high = np.quantile(medians, [0.025, 0.975])
    return {"median": float(np.median(values)), "low": float(low), "high": float(high)}


def _figures(
    lists: np.ndarray, occasions: Occasions, rivals: Mapping[str, np.ndarray], seed: int
) -> dict[str, Any] | None:
    """Hit and NDCG of the lists with intervals, beside those of the rivals, and the paired gains over them."""
    if not occasions.truth.nnz:
        return None
    figures: dict[str, Any] = {"observations": len(occasions.starts)}
    drawn: dict[str, Any] = {"seed": seed, "clusters": occasions.clusters}
    for measure, values_of in (("hit", metrics.hit), ("ndcg", metrics.ndcg)):
        ours = values_of(lists, occasions.truth)
        theirs = {name: values_of(rival, occasions.truth) for name, rival in rivals.items()}
        figures[measure] = {
            "ours": asdict(metrics.interval(ours, **drawn)),
            **{name: asdict(metrics.interval(values, **drawn)) for name, values in theirs.items()},
            **{
                f"gain_over_{name}": asdict(metrics.paired_interval(ours, values, **drawn))
                for name, values in theirs.items()
            },
        }
    return figures


def _rivals(bundle: ModelBundle, baskets: sparse.csr_matrix, occasions: Occasions, k: int) -> dict[str, np.ndarray]:
    if not len(occasions.starts):
        return {}
    return {
        "popularity": _popular_lists(bundle, occasions, k),
        "co_purchase_counts": _count_lists(baskets, occasions, k),
    }


def _popular_lists(bundle: ModelBundle, occasions: Occasions, k: int) -> np.ndarray:
    longest = max(map(len, occasions.starts))
    popular = bundle.popular.positions[0, : k + longest].tolist()
    return padded(([one for one in popular if one not in start] for start in map(set, occasions.starts)), k)


def _count_lists(baskets: sparse.csr_matrix, occasions: Occasions, k: int) -> np.ndarray:
    """The items that stood most often in baskets with those that the answer starts from."""
    parts: list[list[int]] = []
    columns_of = baskets.T.tocsr()
    for first in range(0, len(occasions.starts), _BLOCK_OBSERVATIONS):
        starts = occasions.starts[first : first + _BLOCK_OBSERVATIONS]
        rows, columns = np.repeat(np.arange(len(starts)), list(map(len, starts))), np.concatenate(starts)
        shape = (len(starts), baskets.shape[1])
        seeds = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
        counts = sparse.csr_matrix((seeds @ columns_of) @ baskets)
        counts = strongest(sparse.csr_matrix(counts - counts.multiply(seeds > 0)), k)
        parts.extend(best_of_row(counts, row, k)[0].tolist() for row in range(len(starts)))
    return padded(parts, k)


def _last_bought(again: Occasions, matrix: InteractionMatrix) -> Occasions:
    """The same truth; rivals of buy again start from what the customer bought last."""
    newest: dict[int, tuple[float, list[int]]] = {}
    chosen = matrix.is_order
    for row, column, age in zip(
        matrix.rows[chosen].tolist(), matrix.columns[chosen].tolist(), matrix.age_days[chosen].tolist(), strict=True
    ):
        held = newest.get(row)
        if held is None or age < held[0]:
            newest[row] = (age, [column])
        elif age == held[0]:
            held[1].append(column)
    return Occasions([newest[start[0]][1] for start in again.starts], again.truth)


def _served(bundle: ModelBundle, start: Sequence[int], *ways: Way) -> Sequence[Candidate]:
    """The list of the first way that finds something, then what is similar, then what is popular.

    The API asks the best sellers of the category between the last two, and labels each of these stand-ins.
    """
    seeds = {bundle.items[place] for place in start}
    for way in (*ways, item_candidates.similar):
        if found := way(bundle, start):
            return found
    return [one for one in item_candidates.best_sellers(bundle, limit=_FALLBACK) if one.item_id not in seeds]


def _next(bundle: ModelBundle, start: Sequence[int]) -> list[Candidate]:
    events = [Event(bundle.items[place], bundle.as_of, "view") for place in start]
    return item_candidates.next_in_session(bundle, events)


def _due_lists(bundle: ModelBundle, starts: Sequence[Sequence[int]], k: int) -> np.ndarray:
    """The first page of what each customer buys again; a start holds the customer."""
    pages = (due_first(item_candidates.due_again(bundle, start[0], k)) for start in starts)
    return padded((positions_of(bundle.items, page) for page in pages), k)


def _lists(
    bundle: ModelBundle, starts: Sequence[Sequence[int]], find: Callable[[Sequence[int]], Sequence[Candidate]], k: int
) -> np.ndarray:
    return padded((positions_of(bundle.items, find(start)[:k]) for start in starts), k)
