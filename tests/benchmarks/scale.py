"""How features grow with the number of customers: seconds, memory and cost per line, from 20,000 to a million.

    make bench BENCH=scale ARGS='--customers 20000 --customers 200000 --customers 1000000'

Each size is a synthetic company. It is written once, loaded into a history bucketed by customer, and then the features
of all customers are computed bucket by bucket and written to disk. Every phase runs in processes of its own, so that
its memory is its own: the figure is the sum of the largest resident sets of its processes. The folder keeps company
and history of each size: a second run measures the features alone.
"""

from __future__ import annotations

import math
import os
import resource
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq

from recommender.features import FeatureSet
from recommender.history import History
from recommender.parquet_files import to_frame
from recommender.touchpoints import BLOCKS, TABLES
from training.progress import shown
from training.synthetic import DEFAULT_UNTIL, Plan, synthesize

NEEDED = ("customers", *sorted({table.name for block in BLOCKS for table in block.tables} - {"customers"}))


@dataclass(frozen=True)
class Cost:
    """What a phase took: wall seconds and mebibytes, and how many of what it is about it did."""

    seconds: float
    memory: float
    count: int


def write_company(folder: Path, customers: int) -> int:
    """Synthesize the company of a size; returns its number of order lines."""
    return synthesize(Plan(customers, seed=0), folder)["order_lines"]


def load_history(company: Path, folder: Path, buckets: int) -> int:
    """Load the tables that features need part by part; returns the number of rows."""
    history, count = History.create(folder, buckets), 0
    for name in NEEDED:
        for part in sorted((company / name).glob("part-*.parquet")):
            rows = pq.read_table(part)
            history.add(name, to_frame(TABLES[name], rows))
            count += len(rows)
    history.compact()
    return count


def compute_bucket(folder: Path, out: Path, bucket: int) -> int:
    """Compute and write the features of one bucket; returns the number of customers."""
    history = History.open(folder)
    tables = {name: history.read(name, before=DEFAULT_UNTIL, bucket=bucket) for name in NEEDED}
    customer_ids = tables["customers"].set_index("customer_id").index
    features = FeatureSet(BLOCKS).compute(tables, customer_ids, DEFAULT_UNTIL)
    features.to_parquet(out / f"bucket-{bucket:04d}.parquet")
    return len(features)


def run_measured(work: Callable[..., int], *arguments: Any) -> tuple[int, int, float]:
    """The result of a piece of work, the process that did it, and that process's largest resident set in MiB."""
    result = work(*arguments)
    return result, os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, workers: int, work: Callable[..., int], calls: list[tuple[Any, ...]]) -> Cost:
    """Run all calls in fresh processes, and say what it took."""
    begun = time.perf_counter()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(run_measured, work, *call) for call in calls]
        done = [one.result() for one in shown(name, pending, len(pending))]
    memory: dict[int, float] = {}
    for _, process, mebibytes in done:
        memory[process] = max(memory.get(process, 0.0), mebibytes)
    cost = Cost(time.perf_counter() - begun, sum(memory.values()), sum(count for count, *_ in done))
    click.echo(f"  {name}: {cost.seconds:.1f} s, {cost.memory:.0f} MiB, {cost.count:,}")
    return cost


def once(folder: Path, content: str, name: str, work: Callable[..., int], arguments: tuple[Any, ...]) -> None:
    """Fill a folder unless a mark says that it is complete with this content; anything else in it is removed first."""
    mark = folder.with_name(f"{folder.name}.complete")
    if mark.exists() and mark.read_text() == content:
        return
    shutil.rmtree(folder, ignore_errors=True)
    measure(name, 1, work, [arguments])
    mark.write_text(content)


def order_line_count(company: Path) -> int:
    """Number of order lines of a company."""
    return sum(pq.read_metadata(part).num_rows for part in (company / "order_lines").glob("part-*.parquet"))


def features_of_size(folder: Path, customers: int, buckets: int, workers: int) -> tuple[int, Cost]:
    """The number of order lines of a company of a size, and what its features took."""
    company, history = folder / f"company-{customers}", folder / f"history-{customers}-{buckets}"
    once(company, "company", "synthesize (order lines)", write_company, (company, customers))
    once(history, " ".join(NEEDED), "load the history (rows)", load_history, (company, history, buckets))
    out = folder / "features"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    calls = [(history, out, bucket) for bucket in range(buckets)]
    return order_line_count(company), measure("features (customers)", workers, compute_bucket, calls)


def growth(lines: list[int], values: list[float]) -> str:
    """Exponents of growth between the sizes: 1 is proportional to the number of lines."""
    pairs = zip(zip(lines, values, strict=True), zip(lines[1:], values[1:], strict=True), strict=False)
    return ", ".join(f"{math.log(w / v) / math.log(m / n):.2f}" for (n, v), (m, w) in pairs)


@click.command()
@click.option("--customers", "sizes", multiple=True, type=click.IntRange(min=1), default=(20_000,), show_default=True)
@click.option("--bucket-size", type=click.IntRange(min=1), default=16_000, show_default=True, help="Customers each.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes for features.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("var/scale"), show_default=True)
def main(sizes: tuple[int, ...], bucket_size: int, workers: int, folder: Path) -> None:
    """Features of synthetic companies of several sizes."""
    lines, costs = [], []
    for customers in sorted(sizes):
        buckets = -(-customers // bucket_size)
        click.echo(f"{customers:,} customers, {buckets} buckets, {workers} workers")
        count, cost = features_of_size(folder, customers, buckets, workers)
        click.echo(f"  {count:,} order lines, {cost.seconds / count * 1e6:.2f} microseconds per line")
        lines.append(count)
        costs.append(cost)
    if len(costs) > 1:
        click.echo(f"exponent of time: {growth(lines, [cost.seconds for cost in costs])}")
        click.echo(f"exponent of memory: {growth(lines, [cost.memory for cost in costs])}")


if __name__ == "__main__":
    main()
