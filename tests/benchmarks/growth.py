"""How the training of lists grows with the number of order lines, from 1 to 50 million.

    make bench BENCH=growth ARGS='--lines 1000000 --lines 5000000 --lines 50000000'

Every size is a matrix of synthetic purchases: 50 lines per customer on average over a year, half of them again of what
the customer bought before, from a catalogue of fixed size whose items sell by Zipf's law. Each recommender of the
default settings is fitted on it alone, the examples of one past window are made and the ranker is fitted; the
slates of at most ``--slates`` customers are laid, and their cost counts for all customers, whose slates do not depend
on each other. Every size runs in a process of its own, so that the memory is its own. Seconds are those of the
processor, over all threads: what else the machine does counts little.
"""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import click
import numpy as np

from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from training.progress import silent
from training.ranking_training import past_examples, two_stage
from training.recommender_fitting import Fitted, fit_recommenders
from training.settings import TrainingSettings, read_settings
from training.slates import lay_slates

LINES_PER_CUSTOMER = 50
DAYS = 364.0

Result = TypeVar("Result")


class Clock:
    """Processor seconds of each named stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def of(self, stage: str, work: Callable[[], Result]) -> Result:
        """What the work gives; its time is added to that of the stage."""
        begun = time.process_time()
        result = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - begun
        return result


def purchases(lines: int, items: int, seed: int) -> InteractionMatrix:
    """Synthetic purchases; the activity of customers is lognormal."""
    rng = np.random.default_rng(seed)
    customers = max(lines // LINES_PER_CUSTOMER, 1)
    activity = rng.lognormal(sigma=0.8, size=customers)
    rows = np.sort(rng.choice(customers, lines, p=activity / activity.sum()).astype(np.int32))
    shares = 1.0 / np.arange(1, items + 1)
    columns = rng.choice(items, lines, p=shares / shares.sum()).astype(np.int32)
    age_days = rng.uniform(0, DAYS, lines).astype(np.float32)
    # Half of the lines take the item of the line before them, if it is the same customer's.
    again = np.flatnonzero((rows[1:] == rows[:-1]) & (rng.random(lines - 1) < 0.5)) + 1
    columns[again] = columns[again - 1]
    return InteractionMatrix(
        IdIndex([f"c{one:08}" for one in range(customers)]),
        IdIndex([f"i{one:06}" for one in range(items)]),
        rows,
        columns,
        np.ones(lines, dtype=np.float32),
        age_days,
        np.ones(lines, dtype=bool),
    )


def train_lists(lines: int, items: int, slates: int, seed: int) -> tuple[dict[str, float], float]:
    """Processor seconds of every stage and the largest resident set in MiB."""
    settings, clock = read_settings(), Clock()
    matrix = purchases(lines, items, seed)
    fitted = fit_each(matrix, settings, seed, clock)
    past = matrix.earlier(settings.horizon_days)
    latest = clock.of(
        "fit generators before a window",
        lambda: fit_recommenders(past, settings.recommenders, seed=seed, names=settings.generators),
    )
    one_window = read_settings(ranking_cutoffs=1)
    examples = clock.of(
        "examples of a window", lambda: past_examples(matrix, latest, one_window, seed=seed, steps=silent)
    )
    ranker = clock.of("fit the ranker", lambda: two_stage(fitted, examples.before(0), settings))
    if ranker is None:
        raise click.ClickException("too few purchases for a ranker; give more --lines")
    rng = np.random.default_rng(seed)
    some = matrix.of_customers(rng.permutation(len(matrix.customers))[:slates])
    clock.of("slates", lambda: lay_slates(some, {"all": ranker, "new": ranker}, progress=list))
    clock.seconds["slates"] *= len(matrix.customers) / len(some.customers)
    return clock.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fit_each(matrix: InteractionMatrix, settings: TrainingSettings, seed: int, clock: Clock) -> Fitted:
    """Every recommender of the settings, fitted one after the other."""
    alone, left_out = {}, {}
    for name in settings.recommenders:
        one = clock.of(name, lambda: fit_recommenders(matrix, settings.recommenders, seed=seed, names=[name]))  # noqa: B023
        alone |= one.alone
        left_out |= one.left_out
    for name, problem in left_out.items():
        click.echo(f"  left out: {name}: {problem}")
    return Fitted(matrix, alone, left_out)


@click.command()
@click.option("--lines", "sizes", multiple=True, type=click.IntRange(min=1000), default=(100_000, 1_000_000))
@click.option("--items", type=click.IntRange(min=1), default=20_000, show_default=True)
@click.option(
    "--slates", type=click.IntRange(min=1), default=4_000, show_default=True, help="Customers to lay them of."
)
@click.option("--seed", default=0, show_default=True)
def main(sizes: tuple[int, ...], items: int, slates: int, seed: int) -> None:
    """Processor seconds of every stage for each number of lines and per line, and exponents between the sizes."""
    before: tuple[int, dict[str, float]] | None = None
    for lines in sorted(sizes):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            seconds, memory = pool.submit(train_lists, lines, items, slates, seed).result()
        total = sum(seconds.values())
        click.echo(
            f"{lines:,} lines, {items:,} items: {total:.0f} s, {total / lines * 1e6:.1f} us/line, {memory:.0f} MiB"
        )
        for stage, spent in {**seconds, "in all": total}.items():
            grown = "" if before is None else f"{exponent(before, (lines, seconds), stage):>8.2f}"
            click.echo(f"  {stage:<32}{spent:>9.1f} s{grown}")
        before = lines, seconds


def exponent(before: tuple[int, dict[str, float]], now: tuple[int, dict[str, float]], stage: str) -> float:
    """How a stage grew: 1 is in proportion to the lines."""
    (few, short), (many, long) = (
        (lines, {**seconds, "in all": sum(seconds.values())}) for lines, seconds in (before, now)
    )
    return math.log(long[stage] / max(short[stage], 1e-9)) / math.log(many / few)


if __name__ == "__main__":
    main()
