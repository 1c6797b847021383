"""How good the generators are on Gowalla, fixed split: ``python -m tests.benchmarks.gowalla``.

Recall@20 and NDCG@20 over the full catalogue, items of train masked, beside published figures and beside other
libraries run on the same split with the same metric code. Settings were chosen by ``--validate``: fitted on 90 % of
train, judged on the other 10 % (drawn by the seed), never on test.

RecTools holds numpy and pandas back and gets an environment of its own, which ``--rectools`` names::

    python3 -m venv rectools && rectools/bin/pip install rectools
    make bench BENCH=gowalla ARGS='--rectools rectools/bin/python'
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recommender import metrics, models
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.randomness import rng_for
from recommender.ranking import best_items
from tests.benchmarks._peers import peers, rectools_lists

DATA = Path(__file__).parents[3] / "shared" / "data" / "gowalla"
PLACES = 20
HELD_OUT_SHARE = 0.1
# Recall@20 and NDCG@20 on this split as their authors or the BARS leaderboard give them.
PUBLISHED = {
    "ItemCF": (0.157, 0.1214),
    "SLIM": (0.1699, 0.1382),
    "EASE^R": (0.1765, 0.1467),
    "LightGCN": (0.183, 0.1554),
    "GF-CF": (0.1849, 0.1518),
    "UltraGCN": (0.1862, 0.1580),
    "SimpleX": (0.1872, 0.1557),
    "BSPM-EM": (0.1920, 0.1597),
}
Positions = np.ndarray


@dataclass(frozen=True)
class Entry:
    """A registered model and its keywords, under a name of the table."""

    name: str
    model: str
    keywords: dict[str, Any]

    def create(self, seed: int) -> Recommender:
        return models.create(self.model, seed=seed, **self.keywords)


FILTER = {"factors": 448, "low_pass_weight": 0.3, "sharpening_step": 0.6}
LEAST_SQUARES = {"factors": 128, "regularisation": 30.0, "confidence": 30.0}


def blend(name: str, *others: Entry, weight: float) -> Entry:
    """The sharpened graph filter with others, each of the same weight."""
    parts = [models.create(one.model, **one.keywords) for one in (SHARPENED, *others)]
    weights = [1.0, *[weight] * len(others)]
    return Entry(name, "score_blending", {"recommenders": parts, "weights": weights})


PLAIN = Entry("graph filter, not sharpened", "graph_filter", {"sharpening_steps": 0})
SHARPENED = Entry("graph filter", "graph_filter", FILTER)
WALKS = Entry("RP3beta", "rp3beta", {})
ALS = Entry("ALS", "als", LEAST_SQUARES)
CHOSEN = [
    PLAIN,
    SHARPENED,
    WALKS,
    ALS,
    Entry("EASE, 8,000 items", "ease", {}),
    blend("graph filter, RP3beta, ALS", WALKS, ALS, weight=0.8),
]
CELLS = [
    PLAIN,
    SHARPENED,
    Entry("graph filter, low pass .5", "graph_filter", {**FILTER, "low_pass_weight": 0.5}),
    Entry("graph filter, two steps", "graph_filter", {**FILTER, "sharpening_steps": 2}),
    WALKS,
    ALS,
    blend("graph filter, RP3beta at .4", WALKS, weight=0.4),
    blend("graph filter, ALS at .4", ALS, weight=0.4),
    blend("graph filter, RP3beta, ALS at .2", WALKS, ALS, weight=0.2),
    blend("graph filter, RP3beta, ALS at .4", WALKS, ALS, weight=0.4),
    blend("graph filter, RP3beta, ALS at .8", WALKS, ALS, weight=0.8),
]


def read(folder: Path) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Train and test as customers x items."""
    train, test = (pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
    shape = tuple(max(train[name].max(), test[name].max()) + 1 for name in ("user", "item"))
    return tuple(_matrix(pairs["user"], pairs["item"], shape) for pairs in (train, test))


def _matrix(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)


def held_out(train: sparse.csr_matrix, seed: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """A random tenth of the pairs of train as a truth, and what is left to fit on."""
    pairs = train.tocoo()
    kept = rng_for(seed, "held out of train").random(pairs.nnz) >= HELD_OUT_SHARE
    return tuple(_matrix(pairs.row[one], pairs.col[one], train.shape) for one in (kept, ~kept))


def interactions(matrix: sparse.csr_matrix) -> InteractionMatrix:
    """The pairs as purchases without times; ids are positions, so wide that their order is that of the positions."""
    pairs = matrix.tocoo()
    customers, items = (IdIndex(f"{one:07}" for one in range(size)) for size in matrix.shape)
    ones, none = np.ones(pairs.nnz, dtype=np.float32), np.zeros(pairs.nnz, dtype=np.float32)
    return InteractionMatrix(
        customers, items, pairs.row.astype(np.int32), pairs.col.astype(np.int32), ones, none, ones > 0
    )


@dataclass(frozen=True)
class Judged:
    """One model: seconds to fit, recall and NDCG of every customer."""

    name: str
    fit_seconds: float
    recall: np.ndarray
    ndcg: np.ndarray


def judged(name: str, positions: Positions, fit_seconds: float, truth: sparse.csr_matrix) -> Judged:
    """What lists are worth."""
    return Judged(name, fit_seconds, metrics.recall(positions, truth), metrics.ndcg(positions, truth))


def lists(model: Recommender, matrix: InteractionMatrix, asked: InteractionMatrix) -> tuple[Positions, float]:
    """Lists of a model for the customers asked for, and the seconds to fit."""
    started = time.perf_counter()
    model.fit(matrix)
    spent = time.perf_counter() - started
    return best_items(model, asked, k=PLACES)[0], spent


def line(found: Judged, first: Judged | None, seed: int) -> str:
    """Means with 95 % intervals, and the paired differences to the first model."""
    cells = [f"{found.name:<34}"]
    for measure in ("recall", "ndcg"):
        mean = metrics.interval(getattr(found, measure), seed=seed)
        cells.append(f"{mean.mean:.4f} [{mean.low:.4f}, {mean.high:.4f}]")
    if first is not None:
        for measure in ("recall", "ndcg"):
            gain = metrics.paired_interval(getattr(found, measure), getattr(first, measure), seed=seed)
            cells.append(f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")
    return "  ".join([*cells, f"{found.fit_seconds:.1f} s"])


def show(table: Iterator[Judged], seed: int) -> None:
    """Print each line as soon as it is known."""
    print(  # noqa: T201
        f"{'model':<34}  {'recall@20 [95 %]':<24}  {'NDCG@20 [95 %]':<24}  less that of the first: recall, NDCG; fit"
    )
    first: Judged | None = None
    for found in table:
        print(line(found, first, seed), flush=True)  # noqa: T201
        first = first or found


def drawn_customers(truth: sparse.csr_matrix, count: int | None, seed: int) -> np.ndarray:
    """Positions of ``count`` customers that have a truth, drawn at random; all of them where there is no count."""
    able = np.flatnonzero(np.diff(truth.indptr))
    return np.sort(rng_for(seed, "customers to judge").permutation(able)[:count])


def validation(train: sparse.csr_matrix, customers: int | None, seed: int) -> Iterator[Judged]:
    """Every cell of settings on the tenth of train held out, judged on some of the customers."""
    kept, truth = held_out(train, seed)
    matrix = interactions(kept)
    drawn = drawn_customers(truth, customers, seed)
    asked = matrix.of_customers(drawn)
    for entry in CELLS:
        yield judged(entry.name, *lists(entry.create(seed), matrix, asked), truth[drawn])


def test(train: sparse.csr_matrix, truth: sparse.csr_matrix, asked: argparse.Namespace) -> Iterator[Judged]:
    """Our models with the settings chosen, then the other libraries."""
    matrix = interactions(train)
    drawn = drawn_customers(truth, asked.customers, asked.seed)
    judges, wanted = matrix.of_customers(drawn), truth[drawn]
    for entry in CHOSEN:
        if not asked.models or entry.name in asked.models:
            yield judged(entry.name, *lists(entry.create(asked.seed), matrix, judges), wanted)
    for name, peer in peers(asked.seed).items():
        if not asked.models or name in asked.models:
            yield judged(name, *lists(peer, matrix, judges), wanted)
    if asked.rectools is not None:
        for name, (positions, spent) in rectools_lists(asked.rectools, train, PLACES).items():
            yield judged(name, positions[True][drawn], spent, wanted)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with train.parquet and test.parquet")
    parser.add_argument("--validate", action="store_true", help="show the table that settings were chosen by")
    parser.add_argument("--customers", type=int, help="judge so many customers, by default all")
    parser.add_argument("--models", nargs="*", help="names of the table, by default all")
    parser.add_argument("--rectools", type=Path, help="Python of an environment that has RecTools")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if not asked.data.exists():
        parser.error(f"there is no folder {asked.data}; name it with --data")
    train, truth = read(asked.data)
    print(f"{train.shape[0]} customers, {train.shape[1]} items, {train.nnz} pairs; seed {asked.seed}")  # noqa: T201
    if asked.validate:
        show(validation(train, asked.customers, asked.seed), asked.seed)
        return
    show(test(train, truth, asked), asked.seed)
    for name, (recall, ndcg) in PUBLISHED.items():
        print(f"{name + ', published':<34}  {recall:.4f}{'':<20}{ndcg:.4f}")  # noqa: T201


if __name__ == "__main__":
    main()
