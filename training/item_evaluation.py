"""Judge the answers that start from items, sessions and intervals on the window after the cutoff.

Lists come from the functions that serve them. Each is held against popularity and against plain counts of what stood
in baskets together, both without the items that the answer starts from. One observation per customer or session, so
that the intervals are over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recommender import item_candidates, metrics
from recommender.bundle import ModelBundle
from recommender.history import History
from recommender.interaction_matrix import InteractionMatrix
from recommender.item_lists import Candidate
from recommender.live_history import Event
from recommender.models.bought_together import baskets_of
from recommender.models.co_occurrence import best_of_row
from recommender.models.repurchase_intervals import Purchased
from recommender.models.strongest_products import strongest
from recommender.periods import Period
from recommender.randomness import rng_for
from training.interactions import events_before
from training.pipeline import Training

_LARGEST_BASKET = 200
# More sessions make the intervals narrower, not the answer another.
_MOST_OBSERVATIONS = 2_000
_BLOCK_OBSERVATIONS = 500


@dataclass(frozen=True)
class Occasions:
    """What each answer starts from, oldest first, and what happened afterwards: an entry per item, a row per list."""

    starts: Sequence[Sequence[int]]
    truth: sparse.csr_matrix


def judge_item_answers(history: History, training: Training, *, k: int, seed: int) -> dict[str, Any]:
    """Figures of bought together, similar, session and buy again for ``metrics.json``."""
    bundle = training.bundle
    window = Period.after(bundle.as_of, bundle.horizon_days)
    events = events_before(history, window.end)
    sessions = sessions_before(history, window.end)
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
    """The figures of a bundle; ``events`` as of ``events_before``, ``sessions`` with ``owner, item_id, at``."""
    window = Period.after(bundle.as_of, bundle.horizon_days)
    placed = _placed(events, matrix, window)
    basket, later = first_baskets(placed, len(matrix.items), seed)
    following = session_halves(sessions, matrix, window, seed)
    again = purchases_again(placed, matrix)
    baskets = baskets_of(matrix, _LARGEST_BASKET)
    together = _lists(bundle, basket.starts, lambda start: item_candidates.bought_together(bundle, start), k)
    similar = _lists(bundle, basket.starts, lambda start: item_candidates.similar(bundle, start), k)
    followers = _lists(bundle, following.starts, lambda start: _next(bundle, start), k)
    in_baskets = _rivals(bundle, baskets, basket, k)
    due = _figures(
        _due_lists(bundle, again.starts, k), again, _rivals(bundle, baskets, _last_bought(again, matrix), k), seed
    )
    return {
        "bought_together_same_basket": _figures(together, basket, in_baskets, seed),
        "bought_together": _figures(together, later, in_baskets, seed),
        "similar": _figures(similar, later, in_baskets, seed),
        "session": _figures(followers, following, _rivals(bundle, baskets, following, k), seed),
        "buy_again": due and {**due, "due_date": due_date_errors(bundle, matrix, placed, seed=seed)},
    }


def first_baskets(placed: pd.DataFrame, item_count: int, seed: int) -> tuple[Occasions, Occasions]:
    """One item drawn from the first basket of two items or more of each customer in the window.

    Its truth is the rest of that basket; in the second answer all else that the customer buys from then on.
    """
    orders = placed[placed["kind"] == "order"].drop_duplicates(["row", "column", "at"])
    baskets = orders[orders.groupby(["row", "at"])["column"].transform("size") > 1]
    if baskets.empty:
        nothing = Occasions([], sparse.csr_matrix((0, item_count)))
        return nothing, nothing
    first = baskets.groupby("row")["at"].min()
    begins = orders["row"].map(first)
    in_basket = orders[orders["at"] == begins].sort_values(["row", "column"])
    drawn = in_basket.iloc[rng_for(seed, "seed items").permutation(len(in_basket))].groupby("row")["column"].first()
    drawn = drawn.sort_index()
    starts = [[int(one)] for one in drawn]
    after = orders[orders["at"] >= begins]
    rest = [chosen[chosen["column"] != chosen["row"].map(drawn)] for chosen in (in_basket, after)]
    basket, later = (_marks(drawn.index, chosen, item_count) for chosen in rest)
    return Occasions(starts, basket), Occasions(starts, later)


def session_halves(sessions: pd.DataFrame, matrix: InteractionMatrix, window: Period, seed: int) -> Occasions:
    """The first half of each session or day of a customer in the window; the truth is what is new in the other half."""
    inside = sessions[(sessions["at"] >= window.start) & (sessions["at"] < window.end)]
    inside = inside.assign(column=matrix.items.positions(inside["item_id"]))
    inside = inside[inside["column"] >= 0].drop_duplicates(["owner", "column", "at"])
    inside = inside.assign(drawn=rng_for(seed, "order of simultaneous events").random(len(inside)))
    inside = inside.sort_values(["owner", "at", "drawn"]).drop_duplicates(["owner", "column"])
    inside = inside[inside.groupby("owner")["column"].transform("size") > 1]
    owners = inside["owner"].drop_duplicates()
    owners = owners.sample(min(len(owners), _MOST_OBSERVATIONS), random_state=seed).sort_values()
    inside = inside[inside["owner"].isin(owners)]
    by_owner = inside.groupby("owner")["column"]
    is_start = by_owner.cumcount() < (by_owner.transform("size") + 1) // 2
    starts = inside[is_start].groupby("owner")["column"].agg(list)
    truth = inside[~is_start].rename(columns={"owner": "row"})
    return Occasions(starts.tolist(), _marks(starts.index, truth, len(matrix.items)))


def purchases_again(placed: pd.DataFrame, matrix: InteractionMatrix) -> Occasions:
    """Every customer who bought before and in the window; starts hold the customer, the truth all items bought."""
    orders = placed[placed["kind"] == "order"]
    buyers = np.unique(matrix.rows[matrix.is_order])
    rows = np.intersect1d(buyers, orders["row"].unique())
    chosen = orders[orders["row"].isin(rows)]
    return Occasions([[int(one)] for one in rows], _marks(pd.Index(rows), chosen, len(matrix.items)))


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
    if not len(occasions.starts):
        return None
    figures: dict[str, Any] = {"observations": len(occasions.starts)}
    for measure, values_of in (("hit", metrics.hit), ("ndcg", metrics.ndcg)):
        ours = values_of(lists, occasions.truth)
        theirs = {name: values_of(rival, occasions.truth) for name, rival in rivals.items()}
        figures[measure] = {
            "ours": asdict(metrics.interval(ours, seed=seed)),
            **{name: asdict(metrics.interval(values, seed=seed)) for name, values in theirs.items()},
            **{
                f"gain_over_{name}": asdict(metrics.paired_interval(ours, values, seed=seed))
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
    return _padded(([one for one in popular if one not in start] for start in map(set, occasions.starts)), k)


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
    return _padded(parts, k)


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


def _next(bundle: ModelBundle, start: Sequence[int]) -> list[Candidate]:
    events = [Event(bundle.items[place], bundle.as_of, "view") for place in start]
    return item_candidates.next_in_session(bundle, events)


def _due_lists(bundle: ModelBundle, starts: Sequence[Sequence[int]], k: int) -> np.ndarray:
    if not bundle.due:
        return _padded(([] for _ in starts), k)
    rows = np.array([start[0] for start in starts], dtype=np.int64)
    return _padded((bundle.due["positions"][row, :k].tolist() for row in rows), k)


def _lists(
    bundle: ModelBundle, starts: Sequence[Sequence[int]], find: Callable[[Sequence[int]], Sequence[Candidate]], k: int
) -> np.ndarray:
    found = ([bundle.items.position(one.item_id) or 0 for one in find(start)[:k]] for start in starts)
    return _padded(found, k)


def _padded(lists: Iterable[Sequence[int]], k: int) -> np.ndarray:
    rows = [[*one[:k], *[-1] * (k - len(one[:k]))] for one in lists]
    return np.array(rows, dtype=np.int64).reshape(-1, k)


def _placed(events: pd.DataFrame, matrix: InteractionMatrix, window: Period) -> pd.DataFrame:
    """Events of the window with positions; those of customers or items that were not known are left out."""
    inside = events[(events["at"] >= window.start) & (events["at"] < window.end) & events["customer_id"].notna()]
    inside = inside[inside["item_id"].notna()]
    rows, columns = matrix.customers.positions(inside["customer_id"]), matrix.items.positions(inside["item_id"])
    placed = inside.assign(row=rows, column=columns)
    return placed[(rows >= 0) & (columns >= 0)]


def _marks(index: pd.Index, pairs: pd.DataFrame, item_count: int) -> sparse.csr_matrix:
    rows = index.get_indexer(pairs["row"])
    known = rows >= 0
    shape = (len(index), item_count)
    marks = sparse.csr_matrix(
        (np.ones(int(known.sum())), (rows[known], pairs["column"].to_numpy()[known])), shape=shape
    )
    marks.data[:] = 1.0
    return marks


def sessions_before(history: History, end: datetime) -> pd.DataFrame:
    """What was done in each session, and where there is no session id on each day of a customer."""
    columns = ["session_id", "customer_id", "item_id", "occurred_at"]
    rows = history.read("interactions", before=end, columns=columns).rename(columns={"occurred_at": "at"})
    lines = history.read("order_lines", before=end, columns=["customer_id", "item_id", "ordered_at"])
    lines = lines.rename(columns={"ordered_at": "at"}).assign(session_id=pd.NA)
    events = pd.concat([part for part in (rows, lines) if len(part)] or [rows], ignore_index=True)
    return owned(events)


def owned(events: pd.DataFrame) -> pd.DataFrame:
    """``owner, item_id, at`` of events with ``session_id, customer_id, item_id, at``: a session, else a day."""
    days = events["customer_id"].astype("string") + " " + events["at"].dt.floor("D").astype("string")
    owner = ("session " + events["session_id"].astype("string")).fillna("day " + days)
    return events.assign(owner=owner)[["owner", "item_id", "at"]].dropna()
