"""Value in two parts: the probability of spending anything, times the amount of those who do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from recommender.models.boosted_trees import BoostedTrees
from recommender.models.panel_value import PanelValue
from recommender.models.tabular import Encoding
from recommender.models.tweedie_value import VALUE_TREES


class TwoPartLearner:
    """Boosted trees of a log loss for whether anything is spent, times trees of a gamma loss for how much.

    A gamma loss has the mean itself as its answer: no smearing of logarithms is needed, which one large residual would
    spoil for everybody.
    """

    def fit(self, encoding: Encoding, numbers: np.ndarray, spent: np.ndarray, seed: int) -> TwoPartLearner:
        """Learn from rows x columns and what each row spent, at least 0."""
        bought = spent > 0.0
        trees = replace(VALUE_TREES, seed=seed)
        self._bought_ = None if bought.all() else BoostedTrees.fit(numbers, bought, trees)
        self._amounts_ = BoostedTrees.fit(numbers[bought], spent[bought], replace(trees, objective="gamma"))
        return self

    def predict(self, encoding: Encoding, numbers: np.ndarray) -> np.ndarray:
        """Expected amount of each row."""
        amounts = self._amounts_.means(numbers)
        return amounts if self._bought_ is None else amounts * self._bought_.means(numbers)

    def state(self) -> dict[str, Any]:
        """Both parts as text."""
        return {"bought": None if self._bought_ is None else self._bought_.texts, "amounts": self._amounts_.texts}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TwoPartLearner:
        """The learner that ``state`` was taken from."""
        learner = cls()
        learner._bought_ = None if state["bought"] is None else BoostedTrees(state["bought"])
        learner._amounts_ = BoostedTrees(state["amounts"])
        return learner


class TwoPartValue(PanelValue):
    """Probability of spending anything times the amount of those who do, on all features."""

    name = "two_part_value"
    learners: ClassVar = {"two_part": TwoPartLearner}
