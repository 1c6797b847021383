"""Lists per second from factors, beside implicit: ``make bench BENCH=ranking_speed``.

Random factors of customers and items, and random items that each customer bought, are listed by ``best_items``, as
slates are, and by ``topk`` of the library implicit; both leave out what was bought, on all cores. Rounds alternate, and
the median of each is printed with that of the ratios of the rounds.
"""

from __future__ import annotations

import time

import click
import numpy as np
from implicit.cpu.topk import topk
from joblib import cpu_count
from scipy import sparse

from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.ranking import best_items


class Factors:
    """Scores that are products of factors, one row per customer of an index."""

    def __init__(self, index: IdIndex, customers: np.ndarray, items: np.ndarray) -> None:
        self.index = index
        self.customers = customers
        self.items = items

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """The products of the customers' factors with those of all items."""
        scores: np.ndarray = self.customers[self.index.positions(histories.customers.ids())] @ self.items.T
        return scores


def histories_of(customers: int, items: int, bought: int, rng: np.random.Generator) -> InteractionMatrix:
    """Every customer with so many random purchases."""
    rows = np.repeat(np.arange(customers, dtype=np.int32), bought)
    count = len(rows)
    return InteractionMatrix(
        IdIndex([f"c{one:07}" for one in range(customers)]),
        IdIndex([f"i{one:07}" for one in range(items)]),
        rows,
        rng.integers(0, items, count, dtype=np.int32),
        np.ones(count, dtype=np.float32),
        np.zeros(count, dtype=np.float32),
        np.ones(count, dtype=bool),
    )


@click.command()
@click.option("--customers", default=8_000, show_default=True)
@click.option("--items", default=41_000, show_default=True)
@click.option("--components", default=128, show_default=True)
@click.option("--bought", default=40, show_default=True, help="Purchases of each customer, which are left out.")
@click.option("--places", default=20, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(customers: int, items: int, components: int, bought: int, places: int, rounds: int, seed: int) -> None:
    """Print customers per second of both."""
    rng = np.random.default_rng(seed)
    matrix = histories_of(customers, items, bought, rng)
    model = Factors(
        matrix.customers,
        rng.standard_normal((customers, components), dtype=np.float32),
        rng.standard_normal((items, components), dtype=np.float32),
    )
    seen = sparse.csr_matrix(matrix.seen())
    spent = np.empty((rounds, 2))
    for one in range(rounds):
        begun = time.perf_counter()
        ours, _ = best_items(model, matrix, k=places)
        between = time.perf_counter()
        theirs, _ = topk(model.items, model.customers, places, filter_query_items=seen, num_threads=cpu_count())
        spent[one] = between - begun, time.perf_counter() - between
    if not np.array_equal(ours, theirs):
        raise click.ClickException("the lists differ")
    speeds = customers / np.median(spent, axis=0)
    click.echo(
        f"{customers} customers, {items} items, {components} components, top {places}, {cpu_count()} cores, seed {seed}"
    )
    click.echo(f"best_items      {speeds[0]:>8.0f} customers/s")
    click.echo(f"implicit topk   {speeds[1]:>8.0f} customers/s")
    click.echo(f"ratio           {np.median(spent[:, 1] / spent[:, 0]):>8.2f} (median of {rounds} rounds)")


if __name__ == "__main__":
    main()
