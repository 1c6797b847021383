"""Candidates of several generators, ranked by the probability that the customer buys them within the horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from recommender.errors import NotEnoughData, NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.models.blending import RankBlend
from recommender.models.boosted_trees import BoostedTrees, TreeSettings
from recommender.models.candidate_source import CandidateSource, Pairs
from recommender.models.checks import require_interactions, require_items
from recommender.randomness import rng_for

GENERATORS = ("popularity", "personal_frequency", "item_similarity")
TREES = TreeSettings(
    tree_count=200, learning_rate=0.05, leaves=63, min_child_rows=200, l2=10.0, column_share=0.25, bins=63
)
# With fewer purchases to learn from, leaves of min_child_rows say nothing.
BOUGHT_AT_LEAST = 50


@dataclass(frozen=True)
class RankingExamples:
    """Pairs as of a past cutoff: their features, whether each was bought within the horizon after, and weights."""

    names: tuple[str, ...]
    features: np.ndarray
    bought: np.ndarray
    weights: np.ndarray


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


def learn_ranking(examples: Sequence[RankingExamples], trees: TreeSettings) -> tuple[tuple[str, ...], BoostedTrees]:
    """Trees over the features that all examples share; raises NotEnoughData where too little was bought."""
    bought = sum(int(one.bought.sum()) for one in examples)
    if bought < BOUGHT_AT_LEAST:
        raise NotEnoughData(f"a ranking needs {BOUGHT_AT_LEAST} purchases of candidates to learn from, got {bought}")
    shared = set.intersection(*(set(one.names) for one in examples))
    names = tuple(name for name in examples[0].names if name in shared)
    features = np.concatenate([one.features[:, [one.names.index(name) for name in names]] for one in examples])
    outcomes = np.concatenate([one.bought for one in examples])
    weights = np.concatenate([one.weights for one in examples])
    return names, BoostedTrees.fit(features, outcomes, trees, weights=weights)


class TwoStage:
    """Scores the items that the generators propose by the calibrated probability of a purchase within the horizon.

    Examples are made at ``cutoffs`` past instants, a horizon apart; before each all generators are fitted anew on what
    was known then. Items that no generator proposes are unknown (NaN). Where no past window holds enough to learn
    from, the generators' ranks are blended instead (``RankBlend``). The generators are named, with the keywords of
    each; binary log loss, because it beats pairwise losses here and yields probabilities.
    """

    source_: CandidateSource
    names_: tuple[str, ...]
    trees_: BoostedTrees | None

    def __init__(
        self,
        generators: Mapping[str, Mapping[str, Any]] | None = None,
        horizon_days: float = 28.0,
        cutoffs: int = 3,
        customers_at_most: int = 5_000,
        seed: int = 0,
    ) -> None:
        self.generators = dict(generators) if generators is not None else {name: {} for name in GENERATORS}
        self.horizon_days = horizon_days
        self.cutoffs = cutoffs
        self.customers_at_most = customers_at_most
        self.seed = seed

    @classmethod
    def of_parts(cls, source: CandidateSource, names: tuple[str, ...], trees: BoostedTrees) -> Self:
        """A fitted model of a source and the trees that rank what it proposes by the features named."""
        model = cls({name: {} for name in source.generators})
        model.source_, model.names_, model.trees_ = source, names, trees
        return model

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Learn the ranking from past cutoffs, and fit the generators on everything."""
        require_interactions(self, interactions)
        self.names_, self.trees_ = self._learned(interactions)
        self.source_ = self._source(interactions)
        return self

    def _learned(self, interactions: InteractionMatrix) -> tuple[tuple[str, ...], BoostedTrees | None]:
        try:
            return learn_ranking(self._past_examples(interactions), TREES)
        except NotEnoughData:
            return (), None

    def _source(self, interactions: InteractionMatrix) -> CandidateSource:
        fitted = {name: create(name, self.seed, **given).fit(interactions) for name, given in self.generators.items()}
        return CandidateSource.of_fitted(fitted, interactions)

    def _past_examples(self, interactions: InteractionMatrix) -> list[RankingExamples]:
        sampling = Sampling(self.customers_at_most, seed=self.seed)
        found = []
        for window in range(1, self.cutoffs + 1):
            days = window * self.horizon_days
            try:
                source = self._source(interactions.earlier(days))
                found.append(
                    ranking_examples(source, interactions, days=days, horizon_days=self.horizon_days, sampling=sampling)
                )
            except NotEnoughData:
                break
        if not found:
            raise NotEnoughData("no past window holds both a history and what was bought after it")
        return found

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Probability of a purchase within the horizon for every candidate, NaN for other items."""
        source: CandidateSource | None = getattr(self, "source_", None)
        require_items(self, None if source is None else len(source.facts.values), histories)
        if self.trees_ is None:
            return RankBlend.of_fitted(tuple(self.source_.generators.values())).score(histories)
        scores = np.full((len(histories.customers), len(histories.items)), np.nan, dtype=np.float32)
        for start, pairs in self.source_.blocks(histories):
            log_odds = self.trees_.log_odds(pairs.matrix(self.names_))
            scores[pairs.rows + start, pairs.columns] = 1.0 / (1.0 + np.exp(-log_odds))
        return scores

    def feature_gains(self) -> dict[str, float]:
        """Share of each feature in the gain of the trees, the largest first; empty without trees."""
        if self.trees_ is None:
            return {}
        gains = self.trees_.gains()
        total = max(float(gains.sum()), 1e-12)
        order = np.argsort(-gains, kind="stable")
        return {self.names_[place]: float(gains[place] / total) for place in order}

    def state(self) -> dict[str, Any]:
        """Settings, generators, item facts and trees; raises NotFitted before ``fit``."""
        if not hasattr(self, "source_"):
            raise NotFitted(self)
        return {
            "settings": {
                "generators": self.generators,
                "horizon_days": self.horizon_days,
                "cutoffs": self.cutoffs,
                "customers_at_most": self.customers_at_most,
                "seed": self.seed,
            },
            "source": self.source_.state(),
            "names": list(self.names_),
            "trees": None if self.trees_ is None else self.trees_.text,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.source_ = CandidateSource.from_state(state["source"])
        model.names_ = tuple(state["names"])
        model.trees_ = None if state["trees"] is None else BoostedTrees(state["trees"])
        return model


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
