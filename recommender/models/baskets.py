"""The baskets of customers in the order of time, and customers to compare others with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.sparse_arrays import csr_from_state, csr_state
from recommender.randomness import rng_for

# Products of a block of customers with the known ones that are held at once: at most 64 MiB of values.
_BLOCK_PRODUCTS = 2**24


class Baskets:
    """What each customer met on one day, day by day: one CSR row of ``contents`` per basket, columns are items.

    A basket is the set of a customer's events at one age in whole days; where there are no times it is the whole
    history. An entry is the summed weight of the events, cut to [-1, 1]: a basket holds an item once. ``owners`` are
    the positions of the customers, ``numbers`` count a customer's baskets backwards from the last, which is 0.
    """

    def __init__(self, histories: InteractionMatrix) -> None:
        days = np.floor(histories.age_days).astype(np.int64)
        span = int(days.max(initial=0)) + 1
        keys, places = np.unique(histories.rows.astype(np.int64) * span + days, return_inverse=True)
        self.customer_count = len(histories.customers)
        self.owners: np.ndarray = keys // span
        self.counts: np.ndarray = np.bincount(self.owners, minlength=self.customer_count)
        first = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        self.numbers: np.ndarray = np.arange(len(keys)) - first[self.owners]
        self.age_days: np.ndarray = keys % span
        entries = (histories.weights.astype(np.float64), (places, histories.columns))
        self.contents = sparse.csr_matrix(entries, shape=(len(keys), len(histories.items)))
        np.clip(self.contents.data, -1.0, 1.0, out=self.contents.data)

    def combined(self, weights: np.ndarray) -> sparse.csr_matrix:
        """Customers x items: the sum of each customer's baskets times their weights, negative sums as 0."""
        shape = (self.customer_count, len(self.owners))
        shares = sparse.csr_matrix((weights, (self.owners, np.arange(len(self.owners)))), shape=shape)
        sums = sparse.csr_matrix(shares @ self.contents).astype(np.float32)
        np.maximum(sums.data, 0.0, out=sums.data)
        sums.eliminate_zeros()
        sums.sort_indices()
        return sums


class KnownCustomers:
    """Customers to look for neighbours among: what they have, and by item what they are compared by.

    ``vectors`` are known customers x items, ``by_item`` is items x known customers.
    """

    def __init__(self, customers: IdIndex, vectors: sparse.csr_matrix, by_item: sparse.csr_matrix) -> None:
        self.customers = customers
        self.vectors = vectors
        self.by_item = by_item

    @classmethod
    def drawn(
        cls, customers: IdIndex, vectors: sparse.csr_matrix, compared: sparse.csr_matrix, *, most: int, seed: int
    ) -> Self:
        """At most ``most`` of the customers whose vector is not empty, drawn at random.

        ``compared`` has the shape of ``vectors`` and holds what others are compared with.
        """
        chosen = np.flatnonzero(np.diff(vectors.indptr))
        if len(chosen) > most:
            chosen = np.sort(rng_for(seed, "known customers").choice(chosen, most, replace=False))
        return cls(IdIndex(customers.ids(chosen)), vectors[chosen], compared[chosen].T.tocsr())

    def products(
        self, customers: IdIndex, vectors: sparse.csr_matrix
    ) -> Iterator[tuple[sparse.csr_matrix, np.ndarray]]:
        """Products of the vectors of some customers with what the known are compared by, block after block.

        Each is a CSR matrix of rows x known customers, and an array that is true for those of its entries where both
        are one customer.
        """
        own = self.customers.positions_of(customers)
        step = max(1, _BLOCK_PRODUCTS // max(len(self.customers), 1))
        for start in range(0, vectors.shape[0], step):
            found = sparse.csr_matrix(vectors[start : start + step] @ self.by_item)
            yield found, found.indices == np.repeat(own[start : start + step], np.diff(found.indptr))

    def state(self) -> dict[str, Any]:
        """The arrays that make it."""
        return {
            "customers": self.customers.state(),
            "vectors": csr_state(self.vectors),
            "by_item": csr_state(self.by_item),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The customers that ``state`` was taken from; the arrays are used as they are."""
        customers = IdIndex.from_state(state["customers"])
        return cls(customers, csr_from_state(state["vectors"]), csr_from_state(state["by_item"]))
