"""How well the next set is predicted on TMS (fixed split): ``python -m tests.benchmarks.tms``.

Models learn from the train users, whose last set is known; settings were chosen on the validate users; of the test
users the last set is predicted from the earlier ones, and what they had before may come again. There are no times: an
event is as many days old as there are sets after it. The ranker learns from the train users' last sets, with all that
it looks up taken from the sets before them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from recommender import metrics, models
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.ranking import best_items
from recommender.top_items import top_items
from tests.benchmarks._peers import peers, rectools_lists
from tests.benchmarks._set_ranker import SetRanker

DATA = Path(__file__).parents[3] / "shared" / "data" / "temporal_sets_tms" / "tms.parquet"
PLACES = 10
PUBLISHED = {
    "DNNTSP (2020)": (0.4691, 0.3453, 0.6844),
    "SFCNTSP (2023)": (0.4960, 0.3924, 0.7044),
    "PIETSP (best found)": (0.4982, 0.4075, 0.7092),
}


def sets_of(frame: pd.DataFrame, items: IdIndex, *, later: int) -> tuple[InteractionMatrix, sparse.csr_matrix]:
    """The sets of users before the last ``later``, and the set after them (empty where ``later`` is 0)."""
    users = IdIndex(frame["user"].unique())
    rows, columns = users.positions(frame["user"]), items.positions(frame["item"])
    after = frame.groupby("user")["set_index"].transform("max").to_numpy() - frame["set_index"].to_numpy()
    ones = np.ones(len(frame), dtype=np.float32)
    kept, is_next = after >= later, after == later - 1
    matrix = InteractionMatrix(
        users,
        items,
        rows[kept].astype(np.int32),
        columns[kept].astype(np.int32),
        ones[kept],
        (after[kept] - later).astype(np.float32),
        ones[kept] > 0,
    )
    truth = sparse.csr_matrix((ones[is_next], (rows[is_next], columns[is_next])), shape=matrix.shape)
    return matrix, truth


def joined(one: InteractionMatrix, other: InteractionMatrix) -> InteractionMatrix:
    """The customers of both, who share the items: libraries that score only whom they were fitted on see the earlier
    sets of those who are asked for."""
    ids = [*one.customers.ids(), *other.customers.ids()]
    names = np.array(ids, dtype=object)[np.concatenate([one.rows, other.rows + len(one.customers)])]
    items = np.array(one.items.ids(), dtype=object)[np.concatenate([one.columns, other.columns])]
    pairs = InteractionMatrix.from_pairs(names.tolist(), items.tolist())
    return replace(pairs, items=one.items, columns=np.concatenate([one.columns, other.columns]))


def candidates(seed: int) -> dict[str, Recommender]:
    """Registered models with settings for sets; an age is a number of sets."""
    make = models.create
    return {
        "popularity": make("popularity", tau_days=1e6),
        "personal_frequency": make("personal_frequency", tau_days=8.0),
        "item_similarity": make("item_similarity", tau_days=4.0),
        "neighbour_baskets": make("neighbour_baskets", seed=seed, tau_days=4.0, neighbours=300, own_share=0.3),
        "user_neighbours": make("user_neighbours", seed=seed, baskets=20, locality=3.0),
    }


def listing(name: str, positions: np.ndarray, truth: sparse.csr_matrix, seconds: float, seed: int) -> str:
    """A line of the table."""
    cells = []
    for measure in (metrics.recall, metrics.ndcg, metrics.hit):
        found = metrics.interval(measure(positions, truth), seed=seed)
        cells.append(f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]")
    return f"{name:<22}  {'  '.join(cells)}  {seconds:7.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the Parquet file")
    parser.add_argument("--split", choices=["validate", "test"], default="test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="*", help="names of rows, by default all")
    parser.add_argument("--rectools", type=Path, help="Python of an environment that has RecTools")
    asked = parser.parse_args()
    if not asked.data.exists():
        parser.error(f"there is no data at {asked.data}; name the file with --data")
    frame = pd.read_parquet(asked.data)
    # Users of different splits bear the same names.
    frame["user"] = frame["split"] + " " + frame["user"]
    frame["item"] = frame["item"].astype("string")
    items = IdIndex(frame["item"].unique())
    train = frame[frame["split"] == "train"]
    whole, _ = sets_of(train, items, later=0)
    earlier, last = sets_of(train, items, later=1)
    matrix, truth = sets_of(frame[frame["split"] == asked.split], items, later=1)
    print(f"{asked.split}: {len(matrix.customers)} users, {len(items)} items, seed {asked.seed}")  # noqa: T201
    print(f"{'model':<22}  recall@10 [95 %]           NDCG@10 [95 %]             hit@10 [95 %]              seconds")  # noqa: T201

    def show(name: str, lists: Callable[[], np.ndarray]) -> None:
        if asked.models and name not in asked.models:
            return
        started = time.perf_counter()
        found = lists()
        print(listing(name, found, truth, time.perf_counter() - started, asked.seed), flush=True)  # noqa: T201

    for name, model in candidates(asked.seed).items():
        show(name, lambda model=model: best_items(model.fit(whole), matrix, k=PLACES, exclude_seen=False)[0])

    def ranked() -> np.ndarray:
        ranker = SetRanker(candidates(asked.seed), seed=asked.seed).fit(earlier, last, whole)
        return top_items(ranker.score(matrix), PLACES)[0]

    show("ranker", ranked)
    everything = joined(whole, matrix)
    for name, peer in peers(asked.seed).items():
        show(name, lambda peer=peer: best_items(peer.fit(everything), matrix, k=PLACES, exclude_seen=False)[0])
    if asked.rectools is not None:
        mine = everything.customers.positions(matrix.customers.ids())
        for name, (found, _) in rectools_lists(asked.rectools, everything.counts(), PLACES).items():
            show(name, lambda found=found: found[False][mine])
    for name, values in PUBLISHED.items():
        print(f"{name:<22}  " + "  ".join(f"{value:.4f}{'':<19}" for value in values))  # noqa: T201


if __name__ == "__main__":
    main()
