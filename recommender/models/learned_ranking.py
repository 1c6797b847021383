"""How candidates are ranked: trees on their features, and the calibration that makes their scores probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from recommender.errors import NotEnoughData
from recommender.models.boosted_trees import BoostedTrees, TreeSettings
from recommender.models.candidate_source import Pairs
from recommender.models.logistic import fit_offset, fit_platt
from recommender.models.ranking_examples import RankingExamples
from recommender.parallel import in_parallel

# With fewer purchases to learn from, leaves of min_child_rows say nothing.
BOUGHT_AT_LEAST = 50


@dataclass(frozen=True)
class LearnedRanking:
    """Trees over the features named; ``slope`` and ``offset`` turn their log-odds into calibrated ones."""

    names: tuple[str, ...]
    trees: BoostedTrees
    slope: float = 1.0
    offset: float = 0.0

    def probabilities(self, pairs: Pairs) -> np.ndarray:
        """The probability of a purchase of each pair within the horizon."""
        found: np.ndarray = expit(self.slope * self.trees.log_odds(pairs.matrix(self.names)) + self.offset)
        return found

    def gains(self) -> dict[str, float]:
        """Share of each feature in the gain of the trees, the largest first."""
        gains = self.trees.gains()
        total = max(float(gains.sum()), 1e-12)
        order = np.argsort(-gains, kind="stable")
        return {self.names[place]: float(gains[place] / total) for place in order}

    def state(self) -> dict[str, Any]:
        """Names, trees and calibration."""
        return {"names": list(self.names), "trees": list(self.trees.texts), "slope": self.slope, "offset": self.offset}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LearnedRanking:
        """The ranking that ``state`` was taken from."""
        return cls(tuple(state["names"]), BoostedTrees(state["trees"]), state["slope"], state["offset"])


def learn_ranking(examples: Sequence[RankingExamples], trees: TreeSettings) -> LearnedRanking:
    """A ranking from the examples of past windows, the latest first, on the features that all of them have.

    It is calibrated on the latest window as far as there are earlier ones. How confident it may be (the slope) is how
    trees that learned from the earlier windows did in it: what comes first in a list was picked for a high score. The
    level (the offset) is that of the latest window, because base rates move. Raises NotEnoughData where too little
    was bought.
    """
    bought = sum(int(one.bought.sum()) for one in examples)
    if bought < BOUGHT_AT_LEAST:
        raise NotEnoughData(f"a ranking needs {BOUGHT_AT_LEAST} purchases of candidates to learn from, got {bought}")
    shared = set.intersection(*(set(one.names) for one in examples))
    names = tuple(name for name in examples[0].names if name in shared)
    latest, *earlier = examples
    if sum(int(one.bought.sum()) for one in earlier) < BOUGHT_AT_LEAST or not latest.bought.any():
        return LearnedRanking(names, _grown(examples, names, trees))
    grown, of_earlier = in_parallel(lambda learned: _grown(learned, names, trees), [examples, earlier])
    slope, offset = _calibration(grown, of_earlier, latest, names)
    return LearnedRanking(names, grown, slope, offset)


def _grown(examples: Sequence[RankingExamples], names: tuple[str, ...], trees: TreeSettings) -> BoostedTrees:
    features = np.concatenate([one.features_of(names) for one in examples])
    outcomes = np.concatenate([one.bought for one in examples])
    weights = np.concatenate([one.weights for one in examples])
    return BoostedTrees.fit(features, outcomes, trees, weights=weights)


def _calibration(
    trees: BoostedTrees, of_earlier: BoostedTrees, latest: RankingExamples, names: tuple[str, ...]
) -> tuple[float, float]:
    """Slope and offset for the trees; those of the earlier windows have not seen the latest.

    Pairs never bought are a sample: among what was kept the log-odds are higher by the logarithm of their weight.
    """
    features, outcomes = latest.features_of(names), latest.bought.astype(np.float64)
    never = latest.weights[~latest.bought]
    raised = float(np.log(never.mean())) if len(never) else 0.0
    slope, _ = fit_platt(of_earlier.log_odds(features) + raised, outcomes)
    offset = fit_offset(slope * (trees.log_odds(features) + raised), outcomes)
    return slope, slope * raised + offset - raised
