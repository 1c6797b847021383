"""Value by boosted trees of a Tweedie loss: no order and the amounts of orders in one distribution."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from recommender.models.boosted_trees import BoostedTrees, TreeSettings
from recommender.models.panel_value import PanelValue
from recommender.models.tabular import Encoding

# Slow trees of few leaves: a panel of past cutoffs shows each customer several times, and amounts have long tails.
VALUE_TREES = TreeSettings(tree_count=300, learning_rate=0.02, leaves=7, min_child_rows=60, l2=20.0, column_share=0.5)


class TweedieLearner:
    """Boosted trees of a Tweedie loss of power 1.5 (Jorgensen 1987; Zhou, Yang and Qian 2020 for boosting)."""

    def fit(self, encoding: Encoding, numbers: np.ndarray, spent: np.ndarray, seed: int) -> TweedieLearner:
        """Learn from rows x columns and what each row spent, at least 0."""
        self._trees_ = BoostedTrees.fit(
            numbers,
            spent,
            replace(VALUE_TREES, objective="tweedie", seed=seed),
            categorical_positions=encoding.categorical_positions,
        )
        return self

    def predict(self, encoding: Encoding, numbers: np.ndarray) -> np.ndarray:
        """Expected amount of each row."""
        return self._trees_.means(numbers)

    def state(self) -> dict[str, Any]:
        """The trees as text."""
        return {"trees": self._trees_.texts}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TweedieLearner:
        """The learner that ``state`` was taken from."""
        learner = cls()
        learner._trees_ = BoostedTrees(state["trees"])
        return learner


class TweedieValue(PanelValue):
    """Boosted trees of a Tweedie loss on all features."""

    name = "tweedie_value"
    learners: ClassVar = {"tweedie": TweedieLearner}
