"""A ranker of items for the next set: generators, features of customer and item, LightGBM with binary loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from scipy import sparse

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.models.baskets import Baskets
from recommender.randomness import rng_for
from recommender.ranking import score_blocks

_BLOCK = 1024


class Transitions:
    """Scores what follows: how often an item is in the set after one that holds an item, for the last sets.

    ``back`` says after which set: 1 is the one before, 2 the one before that.
    """

    def __init__(self, back: int = 1, shrinkage: float = 5.0) -> None:
        self.back = back
        self.shrinkage = shrinkage

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Count followers among all sets of the histories."""
        found = Baskets(interactions)
        contents = _marks(found.contents)
        earlier = np.arange(len(found.owners)) + self.back
        inside = earlier < len(found.owners)
        inside[inside] = found.owners[earlier[inside]] == found.owners[inside]
        before, after = contents[earlier[inside]], contents[np.flatnonzero(inside)]
        counts = sparse.csr_matrix(before.T @ after)
        occurrences = np.asarray(before.sum(axis=0)).ravel()
        self.probabilities_ = sparse.csr_matrix(sparse.diags_array(1.0 / (occurrences + self.shrinkage)) @ counts)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Summed probabilities after the items of the set so many back from the next."""
        found = Baskets(histories)
        last = found.combined((found.numbers == self.back - 1).astype(float))
        return np.asarray((_marks(last) @ self.probabilities_).todense(), dtype=np.float32)


class SetRanker:
    """Ranks the best candidates of several generators by their scores and by features of customer and item.

    Each example is a user with one candidate of the set to come. The scores of the generators say nothing about the
    set to predict: they are fitted on the sets before it, for the train users, and on all their sets for the others.
    """

    def __init__(
        self, generators: Mapping[str, Recommender], *, seed: int, candidates: int = 30, users: int = 5_000
    ) -> None:
        follow = {f"transitions_{back}": Transitions(back) for back in (1, 2, 3)}
        self.generators = {**generators, **follow}
        self.seed = seed
        self.candidates = candidates
        self.users = users

    def fit(self, earlier: InteractionMatrix, last: sparse.csr_matrix, whole: InteractionMatrix) -> Self:
        """Learn from the last sets of ``users`` users drawn at random; then fit the generators on all their sets."""
        count = len(earlier.customers)
        drawn = np.sort(rng_for(self.seed, "users to learn from").choice(count, min(self.users, count), replace=False))
        features, labels = [], []
        for frame, rows, items in self._blocks(earlier.of_customers(drawn), earlier):
            features.append(frame)
            labels.append(np.asarray(last[drawn[rows], items]).ravel() > 0)
        self.learner_ = LGBMClassifier(
            n_estimators=200, learning_rate=0.05, num_leaves=31, min_child_samples=100, subsample=0.8,
            subsample_freq=1, colsample_bytree=0.6, random_state=self.seed, n_jobs=1, deterministic=True,
            force_row_wise=True, verbose=-1,
        )  # fmt: skip
        self.learner_.fit(pd.concat(features), np.concatenate(labels))
        self.whole_ = whole
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Probability that an item is in the next set; NaN for those that are no candidates."""
        scores = np.full(histories.shape, np.nan, dtype=np.float32)
        for frame, rows, items in self._blocks(histories, self.whole_):
            scores[rows, items] = self.learner_.predict_proba(frame)[:, 1]
        return scores

    def importances(self) -> pd.Series:
        """Summed gain of each feature, largest first."""
        gains = self.learner_.booster_.feature_importance("gain")
        return pd.Series(gains, index=self.learner_.feature_name_).sort_values(ascending=False)

    def _blocks(self, histories: InteractionMatrix, known: InteractionMatrix):
        """Features, rows and items of the candidates, block by block."""
        for model in self.generators.values():
            model.fit(known)
        bought = np.asarray(known.counts().sum(axis=0)).ravel()
        streams = zip(
            *(score_blocks(model, histories, block_customers=_BLOCK) for model in self.generators.values()),
            strict=True,
        )
        for parts in streams:
            positions, block = parts[0][0], parts[0][1]
            scores = np.stack([part[2] for part in parts])
            rows, items = np.nonzero(self._chosen(scores))
            yield _features(scores, list(self.generators), block, bought, rows, items), positions[rows], items

    def _chosen(self, scores: np.ndarray) -> np.ndarray:
        chosen = np.zeros(scores.shape[1:], dtype=bool)
        for one in scores:
            filled = np.where(np.isnan(one), -np.inf, one)
            bound = np.partition(filled, -self.candidates, axis=1)[:, -self.candidates, None]
            chosen |= (filled >= bound) & (filled > 0)
        return chosen


def _features(
    scores: np.ndarray,
    names: list[str],
    block: InteractionMatrix,
    bought: np.ndarray,
    rows: np.ndarray,
    items: np.ndarray,
) -> pd.DataFrame:
    sets = Baskets(block)
    columns = {name: scores[place, rows, items] for place, name in enumerate(names)}
    personal = {
        "own_count": sets.combined(np.ones(len(sets.owners))),
        **{f"own_last_{count}": sets.combined((sets.numbers < count).astype(float)) for count in (1, 2, 3, 5)},
        **{f"own_decay_{tau}": sets.combined(np.exp(-sets.age_days / tau)) for tau in (2, 5)},
    }
    for name, matrix in personal.items():
        columns[name] = np.asarray(matrix[rows, items]).ravel()
    since, first = _recency(sets)
    columns["sets_since_last"] = since[rows, items]
    columns["sets_since_first"] = first[rows, items]
    columns["mean_gap"] = (first[rows, items] - since[rows, items]) / np.maximum(columns["own_count"] - 1, 1)
    columns["set_count"] = sets.counts[rows]
    columns["mean_set_size"] = (np.asarray(personal["own_count"].sum(axis=1)).ravel() / np.maximum(sets.counts, 1))[
        rows
    ]
    columns["last_set_size"] = np.asarray(personal["own_last_1"].sum(axis=1)).ravel()[rows]
    columns["distinct_share"] = (np.diff(personal["own_count"].indptr) / np.maximum(sets.counts, 1))[rows]
    columns["bought_by_all"] = bought[items]
    return pd.DataFrame(columns).astype(np.float32)


def _recency(sets: Baskets) -> tuple[np.ndarray, np.ndarray]:
    """Sets since the customer had an item for the last and for the first time, NaN where never."""
    entries = sets.contents.tocoo()
    customers, numbers = sets.owners[entries.row], sets.numbers[entries.row]
    shape = (sets.customer_count, sets.contents.shape[1])
    since = np.full(shape, np.inf, dtype=np.float32)
    first = np.full(shape, -np.inf, dtype=np.float32)
    np.minimum.at(since, (customers, entries.col), numbers)
    np.maximum.at(first, (customers, entries.col), numbers)
    return np.where(np.isinf(since), np.nan, since), np.where(np.isinf(first), np.nan, first)


def _marks(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    marked = sparse.csr_matrix(matrix, dtype=np.float32)
    marked.data = (marked.data > 0).astype(np.float32)
    return marked
