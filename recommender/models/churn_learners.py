"""The uncalibrated score of the churn model: boosted trees and a logistic regression, averaged in log-odds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logit

from recommender.models.boosted_trees import BoostedTrees, TreeSettings
from recommender.models.logistic import fit_logistic
from recommender.models.tabular import Encoding

BASE_RATE = "base_rate"
LOGISTIC = "logistic"
BOOSTING_AND_LOGISTIC = "boosting_and_logistic"

# Below these counts of the rarer outcome a model of that kind learns noise.
LOGISTIC_MINIMUM = 5
BOOSTING_MINIMUM = 50


@dataclass(frozen=True)
class Recipe:
    """How much of the score is the trees', how the coefficients are drawn to 0, how the trees are grown."""

    share: float
    logistic_l2: float
    trees: TreeSettings


@dataclass(frozen=True)
class Examples:
    """Rows as numbers, with outcome, weight and fold each, and the days of their cutoffs where they have any."""

    numbers: np.ndarray
    outcomes: np.ndarray
    weights: np.ndarray
    cutoffs: np.ndarray | None
    folds: np.ndarray

    def where(self, chosen: np.ndarray) -> Examples:
        """The rows chosen by a mask or by positions."""
        cutoffs = None if self.cutoffs is None else self.cutoffs[chosen]
        return Examples(self.numbers[chosen], self.outcomes[chosen], self.weights[chosen], cutoffs, self.folds[chosen])

    @property
    def rarer(self) -> int:
        """How many rows have the rarer outcome."""
        return int(min(self.outcomes.sum(), len(self.outcomes) - self.outcomes.sum()))

    @property
    def is_latest(self) -> np.ndarray:
        """Which rows belong to the latest cutoff; all where there are no cutoffs."""
        if self.cutoffs is None:
            return np.ones(len(self.outcomes), dtype=bool)
        return np.asarray(self.cutoffs == self.cutoffs.max())

    @property
    def kind(self) -> str:
        """The kind of model that the rows can hold."""
        if self.rarer < LOGISTIC_MINIMUM:
            return BASE_RATE
        return BOOSTING_AND_LOGISTIC if self.rarer >= BOOSTING_MINIMUM else LOGISTIC


@dataclass(frozen=True)
class Learners:
    """The fitted parts: ``share`` of the trees' log-odds, the rest of the linear ones."""

    encoding: Encoding
    coefficients: np.ndarray
    intercept: float
    trees: BoostedTrees | None
    share: float

    def contributions(self, numbers: np.ndarray) -> np.ndarray:
        """Rows x (columns + 1): what each column adds to the log-odds; the last is the base."""
        parts = np.zeros((len(numbers), len(self.encoding.columns) + 1))
        terms = self.encoding.design(numbers) * self.coefficients
        starts = np.flatnonzero(np.diff(self.encoding.owners, prepend=-1))
        parts[:, :-1] = np.add.reduceat(terms, starts, axis=1) * (1.0 - self.share)
        parts[:, -1] = self.intercept * (1.0 - self.share)
        if self.trees is not None:
            parts += self.trees.contributions(numbers) * self.share
        return parts

    def log_odds(self, numbers: np.ndarray) -> np.ndarray:
        """Log-odds of each row."""
        linear = self.encoding.design(numbers) @ self.coefficients + self.intercept
        if self.trees is None:
            return np.asarray(linear)
        return np.asarray(self.share * self.trees.log_odds(numbers) + (1.0 - self.share) * linear)


def learn(encoding: Encoding, examples: Examples, kind: str, recipe: Recipe) -> Learners:
    """Fit the parts that the kind of model has; rows of one outcome give their rate, half a row added to each."""
    if kind == BASE_RATE or examples.rarer == 0:
        rate = (examples.outcomes @ examples.weights + 0.5) / (examples.weights.sum() + 1.0)
        return Learners(encoding, np.zeros(len(encoding.owners)), float(logit(rate)), None, 0.0)
    coefficients, intercept = learn_linear(encoding, examples, recipe.logistic_l2)
    if kind == LOGISTIC or recipe.share == 0.0:
        return Learners(encoding, coefficients, intercept, None, 0.0)
    trees = learn_trees(encoding, examples, recipe.trees)
    return Learners(encoding, coefficients, intercept, trees, recipe.share)


def learn_linear(encoding: Encoding, examples: Examples, l2: float) -> tuple[np.ndarray, float]:
    """Coefficients and intercept of the logistic regression."""
    design = encoding.design(examples.numbers)
    return fit_logistic(design, examples.outcomes, l2=l2, weights=examples.weights)


def learn_trees(encoding: Encoding, examples: Examples, settings: TreeSettings) -> BoostedTrees:
    """The boosted trees, with smaller leaves where there are few rows."""
    smallest = min(settings.min_child_rows, max(5, len(examples.outcomes) // 50))
    return BoostedTrees.fit(
        examples.numbers,
        examples.outcomes,
        replace(settings, min_child_rows=smallest),
        weights=examples.weights,
        categorical_positions=encoding.categorical_positions,
    )
