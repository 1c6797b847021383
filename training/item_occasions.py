"""What the answers that start from items are judged on: where each starts, and what happened afterwards.

One observation per customer or session; of the sessions of one customer is known whose they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from recommender.history import History
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.item_lists import Candidate
from recommender.periods import Period
from recommender.randomness import rng_for
from training.list_evaluation import category_codes

# More sessions make the intervals narrower, not the answer another.
MOST_OBSERVATIONS = 2_000


@dataclass(frozen=True)
class Occasions:
    """What each answer starts from, oldest first, and what happened afterwards: an entry per item, a row per list.

    ``clusters`` numbers whose occasion each is, where a customer may have several.
    """

    starts: Sequence[Sequence[int]]
    truth: sparse.csr_matrix
    clusters: np.ndarray | None = None


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


def within_category(occasions: Occasions, matrix: InteractionMatrix) -> Occasions:
    """The same with only what is of the category of the first item of the start (``category_codes``): substitutes.

    Starts after which nothing of the kind was bought have no truth, and count nowhere.
    """
    codes = category_codes(matrix)
    own = codes[[start[0] for start in occasions.starts]] if len(occasions.starts) else codes[:0]
    truth = occasions.truth.tocoo()
    kept = (codes[truth.col] == own[truth.row]) & (own[truth.row] >= 0)
    pairs = (truth.data[kept], (truth.row[kept], truth.col[kept]))
    return Occasions(occasions.starts, sparse.csr_matrix(pairs, shape=truth.shape))


def session_halves(
    sessions: pd.DataFrame, matrix: InteractionMatrix, window: Period, seed: int, most: int = MOST_OBSERVATIONS
) -> Occasions:
    """The first half of each session or day of a customer in the window; the truth is what is new in the other half.

    Of more than ``most`` sessions so many are drawn.
    """
    inside = sessions[(sessions["at"] >= window.start) & (sessions["at"] < window.end)]
    inside = inside.assign(column=matrix.items.positions(inside["item_id"]))
    inside = inside[inside["column"] >= 0].drop_duplicates(["owner", "column", "at"])
    inside = inside.assign(drawn=rng_for(seed, "order of simultaneous events").random(len(inside)))
    inside = inside.sort_values(["owner", "at", "drawn"]).drop_duplicates(["owner", "column"])
    inside = inside[inside.groupby("owner")["column"].transform("size") > 1]
    owners = inside["owner"].drop_duplicates()
    owners = owners.sample(min(len(owners), most), random_state=seed).sort_values()
    inside = inside[inside["owner"].isin(owners)]
    by_owner = inside.groupby("owner")["column"]
    is_start = by_owner.cumcount() < (by_owner.transform("size") + 1) // 2
    starts = inside[is_start].groupby("owner")["column"].agg(list)
    truth = inside[~is_start].rename(columns={"owner": "row"})
    # Who signs in within a session is the customer from its beginning.
    whose = inside.groupby("owner")["whose"].min().reindex(starts.index)
    return Occasions(starts.tolist(), _marks(starts.index, truth, len(matrix.items)), pd.factorize(whose)[0])


def purchases_again(placed: pd.DataFrame, matrix: InteractionMatrix) -> Occasions:
    """Every customer who bought before and in the window; starts hold the customer, the truth all items bought."""
    orders = placed[placed["kind"] == "order"]
    buyers = np.unique(matrix.rows[matrix.is_order])
    rows = np.intersect1d(buyers, orders["row"].unique())
    chosen = orders[orders["row"].isin(rows)]
    return Occasions([[int(one)] for one in rows], _marks(pd.Index(rows), chosen, len(matrix.items)))


def placed_in(events: pd.DataFrame, matrix: InteractionMatrix, window: Period) -> pd.DataFrame:
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


def sessions_within(history: History, window: Period) -> pd.DataFrame:
    """What was done in each session of a window, and where there is no session id on each day of a customer."""
    columns = ["session_id", "customer_id", "item_id", "occurred_at"]
    rows = history.read("interactions", before=window.end, columns=columns).rename(columns={"occurred_at": "at"})
    lines = history.read("order_lines", before=window.end, columns=["customer_id", "item_id", "ordered_at"])
    lines = lines.rename(columns={"ordered_at": "at"}).assign(session_id=pd.NA)
    events = pd.concat([part for part in (rows, lines) if len(part)] or [rows], ignore_index=True)
    return owned(events[events["at"] >= window.start])


def owned(events: pd.DataFrame) -> pd.DataFrame:
    """``owner, whose, item_id, at`` of events with ``session_id, customer_id, item_id, at``.

    The owner is a session, else a day of a customer; ``whose`` it is, is the customer, else the session.
    """
    days = events["customer_id"].astype("string") + " " + events["at"].dt.floor("D").astype("string")
    session = "session " + events["session_id"].astype("string")
    whose = ("customer " + events["customer_id"].astype("string")).fillna(session)
    return events.assign(owner=session.fillna("day " + days), whose=whose)[["owner", "whose", "item_id", "at"]].dropna()


def positions_of(items: IdIndex, listed: Iterable[Candidate]) -> list[int]:
    """Where the items of a list stand in the catalogue, -1 for one that it does not hold."""
    places = (items.position(one.item_id) for one in listed)
    return [-1 if place is None else place for place in places]


def padded(lists: Iterable[Sequence[int]], k: int) -> np.ndarray:
    """Lists as rows of k positions, -1 where one is shorter."""
    rows = [[*one[:k], *[-1] * (k - len(one[:k]))] for one in lists]
    return np.array(rows, dtype=np.int64).reshape(-1, k)
