"""Candidates of several generators, ranked by the probability that the customer buys them within the horizon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from recommender.errors import NotEnoughData, NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.models.blending import RankBlend
from recommender.models.boosted_trees import TreeSettings
from recommender.models.candidate_source import CandidateSource
from recommender.models.checks import require_interactions, require_items
from recommender.models.learned_ranking import LearnedRanking, learn_ranking
from recommender.models.ranking_examples import RankingExamples, Sampling, ranking_examples
from recommender.parallel import in_parallel

GENERATORS = ("popularity", "personal_frequency", "item_similarity")
TREES = TreeSettings(
    tree_count=200, learning_rate=0.05, leaves=63, min_child_rows=200, l2=10.0, column_share=0.25, bins=63
)


class TwoStage:
    """Scores the items that the generators propose by the calibrated probability of a purchase within the horizon.

    Examples are made at ``cutoffs`` past instants, a horizon apart; before each all generators are fitted anew on what
    was known then. Items that no generator proposes are unknown (NaN). Where no past window holds enough to learn
    from, the generators' ranks are blended instead (``RankBlend``). The generators are named, with the keywords of
    each; binary log loss, because it beats pairwise losses here and yields probabilities.
    """

    source_: CandidateSource
    ranking_: LearnedRanking | None

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
    def of_parts(cls, source: CandidateSource, ranking: LearnedRanking) -> Self:
        """A fitted model of a source and the ranking of what it proposes."""
        model = cls({name: {} for name in source.generators})
        model.source_, model.ranking_ = source, ranking
        return model

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Learn the ranking from past cutoffs, and fit the generators on everything."""
        require_interactions(self, interactions)
        self.ranking_ = self._learned(interactions)
        self.source_ = self._source(interactions)
        return self

    def _learned(self, interactions: InteractionMatrix) -> LearnedRanking | None:
        try:
            return learn_ranking(self._past_examples(interactions), TREES)
        except NotEnoughData:
            return None

    def _source(self, interactions: InteractionMatrix) -> CandidateSource:
        names = list(self.generators)
        models = in_parallel(lambda name: create(name, self.seed, **self.generators[name]).fit(interactions), names)
        return CandidateSource.of_fitted(dict(zip(names, models, strict=True)), interactions)

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
        if self.ranking_ is None:
            return RankBlend.of_fitted(tuple(self.source_.generators.values())).score(histories)
        scores = np.full((len(histories.customers), len(histories.items)), np.nan, dtype=np.float32)
        for start, pairs in self.source_.blocks(histories):
            scores[pairs.rows + start, pairs.columns] = self.ranking_.probabilities(pairs)
        return scores

    def feature_gains(self) -> dict[str, float]:
        """Share of each feature in the gain of the trees, the largest first; empty without trees."""
        return {} if self.ranking_ is None else self.ranking_.gains()

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
            "ranking": None if self.ranking_ is None else self.ranking_.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**state["settings"])
        model.source_ = CandidateSource.from_state(state["source"])
        model.ranking_ = None if state["ranking"] is None else LearnedRanking.from_state(state["ranking"])
        return model
