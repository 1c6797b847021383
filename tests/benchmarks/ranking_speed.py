"""Lists per second from factors: ``python -m tests.benchmarks.ranking_speed``.

Scores of random factors are listed by ``top_items`` and, beside it, by NumPy's ``argpartition`` and a sort of what it
leaves. Both get the same blocks; the product of the factors is timed apart, because both need it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from recommender.interaction_matrix import BLOCK_CELLS, BLOCK_CUSTOMERS
from recommender.top_items import top_items

PLACES = 20


def partitioned(scores: np.ndarray, k: int) -> np.ndarray:
    """The k best columns of each row by ``argpartition``, ties in any order."""
    chosen = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
    order = np.argsort(-np.take_along_axis(scores, chosen, axis=1), axis=1)
    return np.take_along_axis(chosen, order, axis=1)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The shortest of several runs."""
    spent = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return min(spent)


def main() -> None:
    """Print customers per second for the product, each way to list, and both together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=41_000)
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    rows = min(BLOCK_CUSTOMERS, BLOCK_CELLS // asked.items)
    customers = rng.standard_normal((rows, asked.components), dtype=np.float32)
    items = rng.standard_normal((asked.items, asked.components), dtype=np.float32)
    scores = customers @ items.T
    product = seconds(lambda: customers @ items.T, asked.repeats)
    ways = {
        "top_items": seconds(lambda: top_items(scores, PLACES), asked.repeats),
        "argpartition": seconds(lambda: partitioned(scores, PLACES), asked.repeats),
    }
    print(f"{asked.items} items, {asked.components} components, top {PLACES}, blocks of {rows}; seed {asked.seed}")  # noqa: T201
    print(f"product        {rows / product:>9.0f} customers/s")  # noqa: T201
    for name, spent in ways.items():
        print(f"{name:<14} {rows / spent:>9.0f} customers/s, with the product {rows / (spent + product):.0f}")  # noqa: T201


if __name__ == "__main__":
    main()
