"""Products of items with items through the customers between them, of which only the strongest are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy import sparse

from recommender.parallel import in_parallel

# Products of a block of items that a core holds at once; bounds its memory to about 0.25 GiB.
_BLOCK_PRODUCTS = 2**23


def strongest_products(
    items: sparse.csr_matrix,
    customers: sparse.csr_matrix,
    count: int,
    weigh: Callable[[sparse.csr_matrix, np.ndarray], None],
) -> sparse.csr_matrix:
    """The ``count`` largest positive entries of each row of ``items @ customers``, never of an item with itself.

    ``items`` has a row per item and ``customers`` a column per item. ``weigh`` changes the entries of a block of
    products before they are compared; it is given the block and the item (row of the whole) of each entry. Ties go
    to the first columns.
    """

    def strongest_of(block: tuple[int, int]) -> sparse.csr_matrix:
        start, stop = block
        products = sparse.csr_matrix(items[start:stop] @ customers)
        owner = np.repeat(np.arange(start, stop), np.diff(products.indptr))
        weigh(products, owner)
        products.data[products.indices == owner] = 0.0
        return strongest(products, count)

    parts = list(in_parallel(strongest_of, list(item_blocks(items, customers))))
    return sparse.csr_matrix(sparse.vstack(parts, format="csr", dtype=np.float32))


def item_blocks(items: sparse.csr_matrix, customers: sparse.csr_matrix) -> Iterator[tuple[int, int]]:
    """Ranges of items whose products with all others number at most _BLOCK_PRODUCTS."""
    sizes = np.diff(customers.indptr).astype(np.int64)
    per_entry = np.concatenate([[0], np.cumsum(sizes[items.indices])])
    work = per_entry[items.indptr]
    start = 0
    while start < items.shape[0]:
        stop = int(np.searchsorted(work, work[start] + _BLOCK_PRODUCTS, side="right")) - 1
        stop = min(max(stop, start + 1), start + _BLOCK_PRODUCTS, items.shape[0])
        yield start, stop
        start = stop


def strongest(products: sparse.csr_matrix, count: int) -> sparse.csr_matrix:
    """The ``count`` largest positive entries of each row, of equals those of the first columns."""
    kept = [
        start + _largest(products.data[start:stop], products.indices[start:stop], count)
        for start, stop in zip(products.indptr[:-1], products.indptr[1:], strict=True)
    ]
    chosen = np.concatenate(kept)
    indptr = np.concatenate([[0], np.cumsum([len(places) for places in kept])]).astype(products.indptr.dtype)
    arrays = (products.data[chosen].astype(np.float32), products.indices[chosen], indptr)
    kept_matrix = sparse.csr_matrix(arrays, shape=products.shape)
    kept_matrix.sort_indices()
    return kept_matrix


def _largest(values: np.ndarray, columns: np.ndarray, count: int) -> np.ndarray:
    if len(values) <= count:
        return np.flatnonzero(values > 0)
    bound = max(np.partition(values, len(values) - count)[len(values) - count], np.finfo(values.dtype).tiny)
    places = np.flatnonzero(values >= bound)
    if len(places) > count:
        places = places[np.lexsort([columns[places], -values[places]])[:count]]
    return places
