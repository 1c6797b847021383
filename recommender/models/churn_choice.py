"""Which recipe suits the data, and scores of rows that were not learned from: one set of fits gives both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from recommender.models.boosted_trees import TreeSettings
from recommender.models.churn_learners import (
    BASE_RATE,
    LOGISTIC,
    LOGISTIC_MINIMUM,
    Examples,
    Recipe,
    learn_linear,
    learn_trees,
)
from recommender.models.logistic import fit_offset, fit_platt
from recommender.models.tabular import Encoding

# Chosen on Complete Journey, cutoffs 2017-05-22 and 06-19, whose windows end before those of the benchmark begin.
CAREFUL_TREES = TreeSettings(
    tree_count=150, learning_rate=0.03, leaves=7, min_child_rows=100, l2=50.0, column_share=0.3
)
# For tables whose outcome is nearly determined by interactions of their columns, such as the Iranian churn data.
EAGER_TREES = TreeSettings(
    tree_count=150, learning_rate=0.15, leaves=15, min_child_rows=10, l2=1.0, split_column_share=0.4, repeats=5
)
CAREFUL_L2_PER_ROW = 0.1
CAREFUL_L2_MOST = 1000.0
FREE_L2 = 10.0
FOLD_COUNT = 5
MAXIMUM_ROWS = 100_000
# Another recipe than the first is taken only for a gain of more standard errors than this.
NEEDED_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Unseen:
    """Uncalibrated log-odds of rows by learners that had not seen them, with outcomes, and which are the latest."""

    scores: np.ndarray
    outcomes: np.ndarray
    is_latest: np.ndarray

    def calibration(self) -> tuple[float, float]:
        """Slope of all rows, which says how sure the scores may be, and offset of the latest, the level of today."""
        slope, offset = fit_platt(self.scores, self.outcomes)
        left = self.outcomes[self.is_latest].sum()
        if min(left, self.is_latest.sum() - left) < LOGISTIC_MINIMUM:
            return slope, offset
        return slope, fit_offset(slope * self.scores[self.is_latest], self.outcomes[self.is_latest])

    def losses(self) -> np.ndarray:
        """Log loss of each row after calibration."""
        slope, offset = fit_platt(self.scores, self.outcomes)
        signs = np.where(self.outcomes > 0, 1.0, -1.0)
        return np.asarray(np.logaddexp(0.0, -signs * (slope * self.scores + offset)))


def recipes(
    rows: int, kind: str, share: float | None, logistic_l2: float | None, trees: TreeSettings | None, seed: int
) -> list[Recipe]:
    """The recipes to compare, the one to prefer first; what is given is not varied."""
    careful_l2 = min(CAREFUL_L2_MOST, CAREFUL_L2_PER_ROW * rows)
    strengths = [careful_l2, FREE_L2] if logistic_l2 is None else [logistic_l2]
    grown = [replace(one, seed=seed) for one in ((CAREFUL_TREES, EAGER_TREES) if trees is None else (trees,))]
    if kind in (BASE_RATE, LOGISTIC) or share == 0.0:
        return [Recipe(0.0, strength, grown[0]) for strength in strengths]
    shares = [0.5, 1.0] if share is None else [share]
    combined = [Recipe(*one) for one in product(shares, strengths, grown)]
    return [one for one in combined if one.share < 1.0 or one.logistic_l2 == strengths[0]]


def choose(candidates: list[Recipe], unseen: dict[Recipe, Unseen]) -> Recipe:
    """The recipe with the lowest log loss if it beats the first beyond chance, else the first."""
    losses = {recipe: unseen[recipe].losses() for recipe in candidates}
    first = candidates[0]
    best = min(candidates, key=lambda recipe: float(losses[recipe].mean()))
    gains = losses[first] - losses[best]
    error = float(gains.std() / np.sqrt(len(gains)))
    return best if gains.mean() > NEEDED_STANDARD_ERRORS * error else first


def unseen_scores(encoding: Encoding, every: Examples, candidates: list[Recipe]) -> dict[Recipe, Unseen]:
    """Scores of each fifth of the customers by learners of the other four, for every recipe.

    Customers are kept whole: the windows of two cutoffs overlap, and learners that know a customer's other outcome by
    heart would win. Each part is fitted once however many recipes share it.
    """
    examples = every.where(np.arange(min(len(every.outcomes), MAXIMUM_ROWS)))
    folds = [examples.folds == fold for fold in range(FOLD_COUNT)]
    splits = [(~fold, fold) for fold in folds if fold.any() and examples.where(~fold).rarer > 0]
    if not splits:
        return {}
    scores: dict[Recipe, list[np.ndarray]] = {recipe: [] for recipe in candidates}
    for learned, judged in splits:
        known, numbers = examples.where(learned), examples.numbers[judged]
        design = encoding.design(numbers)
        linear, grown = {}, {}
        for strength in {recipe.logistic_l2 for recipe in candidates}:
            coefficients, intercept = learn_linear(encoding, known, strength)
            linear[strength] = design @ coefficients + intercept
        for settings in {recipe.trees for recipe in candidates if recipe.share > 0.0}:
            # One boosting shows how good a recipe is; only the fit that is kept is worth several.
            grown[settings] = learn_trees(encoding, known, replace(settings, repeats=1)).log_odds(numbers)
        for recipe, parts in scores.items():
            of_trees = grown[recipe.trees] if recipe.share > 0.0 else 0.0
            parts.append(recipe.share * of_trees + (1.0 - recipe.share) * linear[recipe.logistic_l2])
    outcomes = np.concatenate([examples.outcomes[judged] for _, judged in splits])
    latest = np.concatenate([examples.is_latest[judged] for _, judged in splits])
    return {recipe: Unseen(np.concatenate(parts), outcomes, latest) for recipe, parts in scores.items()}
