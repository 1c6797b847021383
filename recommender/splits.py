"""Windows of time to judge lists on: what was bought in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    history holds. ``next_basket`` has what the customer bought on the first day with a purchase; days are whole days
    counted from the cutoff. ``cold`` has the purchases of items that were first met less than a horizon before the
    cutoff, or never. ``unreachable`` counts the pairs of such customers with items outside the index, which no model
    can find and no measure counts; ``strangers`` counts the buyers in the window outside the index.
    """

    all: sparse.csr_matrix
    new: sparse.csr_matrix
    next_basket: sparse.csr_matrix
    cold: sparse.csr_matrix
    unreachable: int
    strangers: int

    @property
    def repeat(self) -> sparse.csr_matrix:
        """What the customer bought in the window and before."""
        return without(self.all, self.new)

    def of_customers(self, positions: np.ndarray) -> Truth:
        """The truth of the customers at some positions, in that order; the counts stay those of all."""
        parts = {name: getattr(self, name)[positions] for name in ("all", "new", "next_basket", "cold")}
        return replace(self, **parts)

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
        inside = inside.dropna(subset=["customer_id", "item_id"])
        rows = history.customers.positions(inside["customer_id"])
        columns = history.items.positions(inside["item_id"])
        known = rows >= 0
        reachable = known & (columns >= 0)
        everything = _marks(rows[reachable], columns[reachable], history.shape)
        next_basket = reachable & _on_first_day(rows, _days_after(inside["at"], self.cutoff))
        unreachable = inside.loc[known & (columns < 0), ["customer_id", "item_id"]].drop_duplicates()
        return Truth(
            everything,
            without(everything, history.seen()),
            _marks(rows[next_basket], columns[next_basket], history.shape),
            _only(everything, is_cold(history, self.horizon_days)),
            len(unreachable),
            int(inside["customer_id"][~known].nunique()),
        )


def is_cold(history: InteractionMatrix, days: float) -> np.ndarray:
    """True for the items that no customer met at least so many days before the cutoff of the history."""
    oldest = np.full(len(history.items), -np.inf)
    np.maximum.at(oldest, history.columns, history.age_days)
    return np.asarray(oldest < days)


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


def _days_after(instants: pd.Series, cutoff: datetime) -> np.ndarray:
    """Number of whole days from the cutoff to each instant."""
    import pandas as pd

    return np.asarray((instants - pd.Timestamp(cutoff)) // pd.Timedelta(days=1), dtype=np.int64)


def _on_first_day(rows: np.ndarray, days: np.ndarray) -> np.ndarray:
    """True for the events that lie on the first day of their row; never for those of row -1."""
    known = rows >= 0
    first = np.full(int(rows.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, rows[known], days[known])
    on_first = np.zeros(len(rows), dtype=bool)
    on_first[known] = days[known] == first[rows[known]]
    return on_first


def _only(truth: sparse.csr_matrix, is_kept: np.ndarray) -> sparse.csr_matrix:
    kept = sparse.csr_matrix(truth.multiply(is_kept[None, :].astype(np.float32)))
    kept.eliminate_zeros()
    return kept


def _marks(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """A 1 at each place that is named at least once."""
    marks = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    marks.data[:] = 1.0
    return marks
