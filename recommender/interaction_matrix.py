"""Who met which item, how often and how long ago: customers x items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from recommender.errors import DataError
from recommender.identifiers import IdIndex

if TYPE_CHECKING:
    import pandas as pd

# How much one event of a kind says about liking, in units of one purchase. Kinds that are not named count as a view.
KIND_WEIGHTS = {"order": 1.0, "cart_add": 0.3, "wishlist": 0.3, "rating": 0.3, "view": 0.1, "dislike": -1.0,
                "cart_remove": -0.1, "return": -1.0, "search": 0.0}  # fmt: skip
# A block of customers has at most so many of them, and so many cells: 32 MiB of float32. Larger ones leave the
# processor caches sooner and gain nothing.
BLOCK_CUSTOMERS = 1024
BLOCK_CELLS = 2**23


@dataclass(frozen=True)
class FeatureMatrix:
    """Named features of customers or items: one CSR row each, aligned with the index of the matrix it belongs to."""

    names: tuple[str, ...]
    values: sparse.csr_matrix


@dataclass(frozen=True)
class InteractionMatrix:
    """Events as parallel arrays over two indexes; rows are customers, columns are items, always.

    ``rows`` and ``columns`` are positions, ``weights`` how much each event says (KIND_WEIGHTS), ``age_days`` its age
    at the cutoff (0 where there are no times), ``is_order`` whether it is a purchase. An order of several pieces of
    one item is one event. The features, where given, belong to all customers and items of the indexes;
    ``item_known_days`` tells how many days before the cutoff an item came to be known (None: always).
    ``has_orders`` tells whether anybody orders in this shop: a part of the matrix keeps the answer of the whole.
    """

    customers: IdIndex
    items: IdIndex
    rows: np.ndarray
    columns: np.ndarray
    weights: np.ndarray
    age_days: np.ndarray
    is_order: np.ndarray
    customer_features: FeatureMatrix | None = None
    item_features: FeatureMatrix | None = None
    item_known_days: np.ndarray | None = None
    has_orders: bool | None = None

    def __post_init__(self) -> None:
        if self.has_orders is None:
            object.__setattr__(self, "has_orders", bool(self.is_order.any()))

    @classmethod
    def from_pairs(cls, customers: Sequence[str], items: Sequence[str]) -> InteractionMatrix:
        """A matrix of pairs without times, each a purchase of weight 1; equal pairs count as often as they stand."""
        if len(customers) != len(items):
            raise DataError("pairs", f"{len(customers)} customers do not match {len(items)} items")
        customer_index, item_index = IdIndex(map(str, customers)), IdIndex(map(str, items))
        count = len(items)
        return cls(
            customer_index,
            item_index,
            customer_index.positions([str(one) for one in customers]).astype(np.int32),
            item_index.positions([str(one) for one in items]).astype(np.int32),
            np.ones(count, dtype=np.float32),
            np.zeros(count, dtype=np.float32),
            np.ones(count, dtype=bool),
        )

    @classmethod
    def from_events(
        cls, events: pd.DataFrame, *, cutoff: datetime, customers: IdIndex | None = None, items: IdIndex | None = None
    ) -> InteractionMatrix:
        """A matrix of events before the cutoff.

        ``events`` has ``customer_id``, ``item_id``, ``at`` and ``kind`` (``order`` or a kind of interaction). Events
        of customers or items outside the indexes given are left out. Events that agree in all four columns are one.
        """
        import pandas as pd

        known = events[(events["at"] < cutoff) & events["customer_id"].notna() & events["item_id"].notna()]
        customers = customers or IdIndex(known["customer_id"].unique())
        items = items or IdIndex(known["item_id"].unique())
        rows, columns = customers.positions(known["customer_id"]), items.positions(known["item_id"])
        codes, kinds = pd.factorize(known["kind"])
        days = ((pd.Timestamp(cutoff) - known["at"]).dt.total_seconds() / 86_400.0).to_numpy()
        kept = np.flatnonzero((rows >= 0) & (columns >= 0))
        kept = kept[~_repeated(columns[kept], rows[kept], codes[kept], days[kept])]
        weights = np.array([KIND_WEIGHTS.get(kind, KIND_WEIGHTS["view"]) for kind in kinds], dtype=np.float32)
        return cls(
            customers,
            items,
            rows[kept].astype(np.int32),
            columns[kept].astype(np.int32),
            weights[codes[kept]],
            days[kept].astype(np.float32),
            np.asarray(kinds == "order", dtype=bool)[codes[kept]],
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of customers, number of items."""
        return len(self.customers), len(self.items)

    def __len__(self) -> int:
        return len(self.rows)

    def counts(self) -> sparse.csr_matrix:
        """Summed weights per customer and item, negative sums as 0."""
        return self._sum(self.weights)

    def decayed(self, tau_days: float) -> sparse.csr_matrix:
        """Summed weights, each times ``exp(-age / tau_days)``, negative sums as 0."""
        return self._sum(self.weights * np.exp(-self.age_days / tau_days))

    def is_purchase(self) -> np.ndarray:
        """Whether each event is an order; in a shop where nobody orders, whether it speaks for the item."""
        purchases: np.ndarray = self.is_order if self.has_orders else self.weights > 0
        return purchases

    def earlier(self, days: float) -> InteractionMatrix:
        """The same matrix as it was so many days before: what happened since is taken away, ages are less.

        Items that came to be known since keep their columns, but have no features then.
        """
        before = self.of_events(self.age_days > days)
        known, features = self.item_known_days, self.item_features
        if features is not None and known is not None and (known <= days).any():
            shown = sparse.csr_matrix(sparse.diags_array((known > days).astype(np.float32)) @ features.values)
            shown.eliminate_zeros()
            features = FeatureMatrix(features.names, shown)
        return replace(
            before,
            age_days=before.age_days - np.float32(days),
            item_features=features,
            item_known_days=None if known is None else known - np.float32(days),
        )

    def of_those_with_events(self) -> InteractionMatrix:
        """The same matrix with only the customers that have an event."""
        met = np.unique(self.rows)
        return self if len(met) == len(self.customers) else self.of_customers(met)

    def of_events(self, kept: np.ndarray) -> InteractionMatrix:
        """The same customers and items with only the events marked."""
        return replace(
            self,
            rows=self.rows[kept],
            columns=self.columns[kept],
            weights=self.weights[kept],
            age_days=self.age_days[kept],
            is_order=self.is_order[kept],
        )

    def seen(self) -> sparse.csr_matrix:
        """1 where the customer bought the item; where nobody bought anything, where the customer met it."""
        chosen = self.is_purchase() & (self.weights > 0)
        pairs = (np.ones(int(chosen.sum()), dtype=np.float32), (self.rows[chosen], self.columns[chosen]))
        matrix = sparse.csr_matrix(pairs, shape=self.shape)
        matrix.data[:] = 1.0
        return matrix

    def of_customers(self, positions: np.ndarray) -> InteractionMatrix:
        """The same matrix with only the customers at the positions given, in ascending order of their ids."""
        place = np.full(len(self.customers), -1, dtype=np.int64)
        ordered = np.unique(positions)
        place[ordered] = np.arange(len(ordered))
        kept = place[self.rows] >= 0
        features = self.customer_features
        return replace(
            self,
            customers=IdIndex(self.customers.ids(ordered)),
            rows=place[self.rows[kept]].astype(np.int32),
            columns=self.columns[kept],
            weights=self.weights[kept],
            age_days=self.age_days[kept],
            is_order=self.is_order[kept],
            customer_features=features and FeatureMatrix(features.names, features.values[ordered]),
        )

    def by_customer(self) -> InteractionMatrix:
        """The same events in the order of customers, as ``of_range`` wants them."""
        if (np.diff(self.rows) >= 0).all():
            return self
        order = np.argsort(self.rows, kind="stable")
        return replace(
            self,
            rows=self.rows[order],
            columns=self.columns[order],
            weights=self.weights[order],
            age_days=self.age_days[order],
            is_order=self.is_order[order],
        )

    def of_range(self, start: int, stop: int) -> InteractionMatrix:
        """The customers from position ``start`` (included) to ``stop`` (excluded) of a matrix ``by_customer``."""
        first, last = np.searchsorted(self.rows, [start, stop])
        features = self.customer_features
        return replace(
            self,
            customers=self.customers.between(start, stop),
            rows=self.rows[first:last] - np.int32(start),
            columns=self.columns[first:last],
            weights=self.weights[first:last],
            age_days=self.age_days[first:last],
            is_order=self.is_order[first:last],
            customer_features=features and FeatureMatrix(features.names, features.values[start:stop]),
        )

    def blocks(self, most: int = BLOCK_CUSTOMERS) -> list[range]:
        """Positions of all customers, parted into blocks that can be scored at once: at most ``most`` of them each."""
        count = len(self.customers)
        step = max(1, min(most, BLOCK_CELLS // max(len(self.items), 1)))
        return [range(start, min(start + step, count)) for start in range(0, count, step)]

    def _sum(self, values: np.ndarray) -> sparse.csr_matrix:
        # Summed in double precision: the order of the events must not show in the scores.
        sums = sparse.csr_matrix((values.astype(np.float64), (self.rows, self.columns)), shape=self.shape)
        matrix = sums.astype(np.float32)
        np.maximum(matrix.data, 0.0, out=matrix.data)
        matrix.eliminate_zeros()
        return matrix


def _repeated(*columns: np.ndarray) -> np.ndarray:
    """Whether a row of parallel columns stood there before."""
    order = np.lexsort(columns)
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for column in columns:
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    repeated = np.zeros(len(order), dtype=bool)
    # lexsort is stable: of equal rows the first one stays first.
    repeated[order[1:]] = same
    return repeated
