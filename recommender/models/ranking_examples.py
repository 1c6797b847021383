"""What a ranker learns from: candidates as of a past cutoff, and which of them were bought after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.errors import NotEnoughData
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.candidate_source import CandidateSource, Pairs
from recommender.randomness import rng_for


@dataclass(frozen=True)
class RankingExamples:
    """Pairs as of a past cutoff: their features, whether each was bought within the horizon after, and weights."""

    names: tuple[str, ...]
    features: np.ndarray
    bought: np.ndarray
    weights: np.ndarray

    def features_of(self, names: tuple[str, ...]) -> np.ndarray:
        """The columns of the features named."""
        return self.features[:, [self.names.index(name) for name in names]]


@dataclass(frozen=True)
class Sampling:
    """How many customers examples are made of at most, and which share of the pairs never bought is kept."""

    customers_at_most: int = 5_000
    negative_share: float = 0.1
    seed: int = 0


def ranking_examples(
    source: CandidateSource, interactions: InteractionMatrix, *, days: float, horizon_days: float, sampling: Sampling
) -> RankingExamples:
    """Examples as of ``days`` before the cutoff of the interactions, from a source that is fitted as of then.

    Raises NotEnoughData where nobody had met an item by then, or nothing was bought within the horizon after.
    """
    rng = rng_for(sampling.seed, f"ranking examples {days:g}")
    past = interactions.earlier(days)
    chosen = _sampled(np.unique(past.rows), sampling.customers_at_most, rng)
    window = (
        interactions.is_purchase() & (interactions.age_days <= days) & (interactions.age_days > days - horizon_days)
    )
    if not len(chosen) or not window.any():
        raise NotEnoughData(f"no customer is known {days:g} days before the cutoff, or none bought anything after")
    keys = np.sort(_keys(interactions, interactions.rows[window], interactions.columns[window]))
    parts = []
    for start, pairs in source.blocks(past.of_customers(chosen)):
        bought = _is_in(_keys(interactions, chosen[pairs.rows + start], pairs.columns), keys)
        kept = bought | (rng.random(len(bought)) < sampling.negative_share)
        parts.append(_examples(pairs, bought, kept, sampling.negative_share))
    return _joined(parts)


def _sampled(customers: np.ndarray, at_most: int, rng: np.random.Generator) -> np.ndarray:
    if len(customers) <= at_most:
        return customers
    return np.sort(rng.choice(customers, at_most, replace=False))


def _keys(interactions: InteractionMatrix, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    keys: np.ndarray = rows.astype(np.int64) * len(interactions.items) + columns
    return keys


def _is_in(wanted: np.ndarray, keys: np.ndarray) -> np.ndarray:
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found: np.ndarray = keys[places] == wanted
    return found


def _examples(pairs: Pairs, bought: np.ndarray, kept: np.ndarray, negative_share: float) -> RankingExamples:
    names = tuple(pairs.features)
    weights = np.where(bought, 1.0, 1.0 / negative_share)[kept]
    features = np.column_stack([values[kept] for values in pairs.features.values()]).astype(np.float32)
    return RankingExamples(names, features, bought[kept], weights)


def _joined(parts: Sequence[RankingExamples]) -> RankingExamples:
    return RankingExamples(
        parts[0].names,
        np.concatenate([one.features for one in parts]),
        np.concatenate([one.bought for one in parts]),
        np.concatenate([one.weights for one in parts]),
    )
