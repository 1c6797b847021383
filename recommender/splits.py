"""Windows of time to judge lists on: what was bought in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from recommender.identifiers import IdIndex
from recommender.interaction_matrix import KIND_WEIGHTS, InteractionMatrix
from recommender.periods import Period

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Truth:
    """What customers of an index bought in a window, among the items of an index.

    ``all`` has a 1 for every distinct item that a customer bought; ``new`` leaves out the items that the customer's
    history holds. ``unreachable`` counts the pairs of such customers with items outside the index, which no model
    can find and no measure counts; ``strangers`` counts the buyers in the window outside the index.
    """

    all: sparse.csr_matrix
    new: sparse.csr_matrix
    unreachable: int
    strangers: int

    @property
    def reachable_share(self) -> float:
        """Share of the pairs of known customers whose item is in the index; NaN where there is none."""
        pairs = self.all.nnz + self.unreachable
        return self.all.nnz / pairs if pairs else float("nan")


@dataclass(frozen=True)
class Split:
    """Fit on what lies before the cutoff, judge on the ``horizon_days`` from the cutoff on."""

    cutoff: datetime
    horizon_days: float

    @property
    def window(self) -> Period:
        """The time to judge on."""
        return Period.after(self.cutoff, self.horizon_days)

    def earlier(self, windows: int = 1) -> Split:
        """The split so many horizons before; its window ends at or before this cutoff."""
        return Split(self.cutoff - windows * timedelta(days=self.horizon_days), self.horizon_days)

    def truth(self, events: pd.DataFrame, history: InteractionMatrix) -> Truth:
        """What the customers of the history bought in the window.

        ``events`` are those of ``InteractionMatrix.from_events``; where no event is an order, every kind that
        speaks for an item counts as bought.
        """
        bought = _purchases(events)
        period = self.window
        inside = bought[(bought["at"] >= period.start) & (bought["at"] < period.end)]
        pairs = inside[["customer_id", "item_id"]].dropna().drop_duplicates()
        rows = history.customers.positions(pairs["customer_id"])
        columns = history.items.positions(pairs["item_id"])
        known = rows >= 0
        reachable = known & (columns >= 0)
        everything = _marks(rows[reachable], columns[reachable], history.shape)
        return Truth(
            everything,
            without(everything, history.seen()),
            int((known & (columns < 0)).sum()),
            int(pairs["customer_id"][~known].nunique()),
        )


def without(truth: sparse.csr_matrix, left_out: sparse.csr_matrix) -> sparse.csr_matrix:
    """The entries of the truth that the other matrix has none of."""
    kept = truth - truth.multiply(left_out > 0)
    kept.eliminate_zeros()
    return sparse.csr_matrix(kept)


def catalogue(events: pd.DataFrame, cutoff: datetime, item_ids: pd.Series | None = None) -> IdIndex:
    """The items to choose from: those of the items table, where given, and all met before the cutoff."""
    met = events.loc[(events["at"] < cutoff) & events["item_id"].notna(), "item_id"].unique()
    return IdIndex([*met, *(item_ids if item_ids is not None else [])])


def _purchases(events: pd.DataFrame) -> pd.DataFrame:
    orders = events["kind"] == "order"
    if orders.any():
        return events[orders]
    return events[events["kind"].map(KIND_WEIGHTS).fillna(KIND_WEIGHTS["view"]) > 0]


def _marks(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
