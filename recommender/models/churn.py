"""Probability of leaving: the mean of boosted trees and a logistic regression in log-odds, recalibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.features import DAY_SECONDS
from recommender.models.boosted_trees import BoostedTrees, TreeSettings
from recommender.models.churn_choice import FOLD_COUNT, choose, recipes, unseen_scores
from recommender.models.churn_learners import BASE_RATE, LOGISTIC_MINIMUM, Examples, Learners, learn
from recommender.models.logistic import fit_platt
from recommender.models.tabular import Encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


class ChurnModel:
    """Boosted trees and logistic regression on signed logarithms, averaged in log-odds, then recalibrated.

    What is not given (``boosting_share``, ``logistic_l2``, ``trees``) is chosen, and the calibration is fitted, on
    scores of each fifth of the customers by learners of the other four. With ``cutoffs``, the offset is that of the
    latest cutoff alone, whose window is the nearest to today; its slope would be noise. The learners are then fitted
    again on all rows and keep that calibration: a fifth more customers changes them by less than a window can tell,
    while a calibration on rows that the trees have seen would call them perfect.

    ``kind`` says what was fitted: ``boosting_and_logistic``, ``logistic`` where the rarer outcome has under 50 rows,
    ``base_rate`` where it has under 5. The order of the rows does not matter; above ``maximum_rows`` a sample by hash
    is learned from.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        boosting_share: float | None = None,
        logistic_l2: float | None = None,
        trees: TreeSettings | None = None,
        maximum_rows: int = 500_000,
    ) -> None:
        self.seed = seed
        self.boosting_share = boosting_share
        self.logistic_l2 = logistic_l2
        self.trees = trees
        self.maximum_rows = maximum_rows

    def fit(
        self,
        features: pd.DataFrame,
        churned: pd.Series,
        weights: Sequence[float] | np.ndarray | None = None,
        cutoffs: Sequence[Any] | np.ndarray | None = None,
    ) -> ChurnModel:
        """Learn from one row per example; ``weights`` and ``cutoffs`` are given in the order of the rows.

        Raises DataError where features and outcomes do not belong together, NotEnoughData without a row.
        """
        outcomes = _outcomes(features, churned)
        encoding = Encoding.learn(features)
        examples = self._examples(encoding, features, outcomes, weights, cutoffs)
        self.kind = examples.kind
        candidates = recipes(
            len(examples.outcomes), self.kind, self.boosting_share, self.logistic_l2, self.trees, self.seed
        )
        unseen = {}
        if self.kind != BASE_RATE:
            unseen = unseen_scores(encoding, examples, candidates)
        self.recipe_ = choose(candidates, unseen) if unseen else candidates[0]
        self._learners_ = learn(encoding, examples, self.kind, self.recipe_)
        self._slope_, self._offset_ = 1.0, 0.0
        if unseen:
            self._slope_, self._offset_ = unseen[self.recipe_].calibration()
        return self

    def calibrate(self, features: pd.DataFrame, churned: pd.Series) -> ChurnModel:
        """Replace the calibration by one on rows that ``fit`` has not seen, such as a window that has ended since.

        Fewer than five rows of either outcome change nothing.
        """
        outcomes = _outcomes(features, churned)
        learners = self._fitted()
        rarer = min(outcomes.sum(), len(outcomes) - outcomes.sum())
        if self.kind != BASE_RATE and rarer >= LOGISTIC_MINIMUM:
            scores = learners.log_odds(learners.encoding.numbers(features))
            self._slope_, self._offset_ = fit_platt(scores, outcomes)
        return self

    def move_level(self, log_odds: float) -> ChurnModel:
        """Add to the log-odds of everybody what is known to have changed since the latest window."""
        self._fitted()
        self._offset_ += log_odds
        return self

    def predict_proba(self, features: pd.DataFrame) -> pd.Series:
        """Probability in [0, 1] for each row, with the index of ``features``."""
        import pandas as pd

        learners = self._fitted()
        scores = learners.log_odds(learners.encoding.numbers(features))
        probabilities = expit(self._slope_ * scores + self._offset_)
        return pd.Series(probabilities, index=features.index, name="churn_probability")

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to the calibrated log-odds of each row.

        ``base_log_odds`` plus the sum of a row is the logit of its probability. TreeSHAP for the trees (Lundberg et
        al. 2020), coefficient times value for the logistic regression; columns made of one column are added up.
        """
        import pandas as pd

        learners = self._fitted()
        parts = learners.contributions(learners.encoding.numbers(features))[:, :-1] * self._slope_
        return pd.DataFrame(parts, index=features.index, columns=learners.encoding.names)

    @property
    def base_log_odds(self) -> float:
        """Calibrated log-odds before any column is looked at."""
        learners = self._fitted()
        nothing = np.full((1, len(learners.encoding.columns)), np.nan)
        return float(learners.contributions(nothing)[0, -1] * self._slope_ + self._offset_)

    def state(self) -> dict[str, Any]:
        """Arrays, numbers and texts that make the model."""
        learners = self._fitted()
        return {
            "kind": self.kind,
            "seed": self.seed,
            "encoding": learners.encoding.state(),
            "coefficients": learners.coefficients,
            "intercept": learners.intercept,
            "trees": None if learners.trees is None else list(learners.trees.texts),
            "share": learners.share,
            "slope": self._slope_,
            "offset": self._offset_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ChurnModel:
        """The model that ``state`` was taken from."""
        model = cls(seed=state["seed"])
        trees = None if state["trees"] is None else BoostedTrees(state["trees"])
        model._learners_ = Learners(
            Encoding.from_state(state["encoding"]), state["coefficients"], state["intercept"], trees, state["share"]
        )
        model.kind = state["kind"]
        model._slope_, model._offset_ = state["slope"], state["offset"]
        return model

    def _fitted(self) -> Learners:
        if not hasattr(self, "_learners_"):
            raise NotFitted(self)
        return self._learners_

    def _examples(
        self, encoding: Encoding, features: pd.DataFrame, outcomes: np.ndarray, weights: Any, cutoffs: Any
    ) -> Examples:
        import pandas as pd

        numbers = encoding.numbers(features)
        counted = np.ones(len(outcomes)) if weights is None else np.asarray(weights, dtype=np.float64)
        times = None if cutoffs is None else _days(cutoffs)
        for name, values in (("weights", counted), ("cutoffs", times)):
            if values is not None and len(values) != len(outcomes):
                raise DataError("features", f"{len(values)} {name} do not match {len(outcomes)} rows")
        customers = pd.util.hash_array(np.asarray(features.index.astype("string"), dtype=object), categorize=True)
        every = Examples(numbers, outcomes, counted, times, (customers % FOLD_COUNT).astype(np.int64))
        return every.where(_canonical_order(every, customers)[: self.maximum_rows])


def _outcomes(features: pd.DataFrame, churned: pd.Series) -> np.ndarray:
    import pandas as pd

    if not len(features):
        raise NotEnoughData("the churn model needs at least one example; there is none")
    if len(features) != len(churned):
        raise DataError("features", f"{len(features)} rows do not match {len(churned)} outcomes")
    if isinstance(churned, pd.Series) and not churned.index.equals(features.index):
        raise DataError("features", "rows and outcomes have different indexes; give both in one order")
    outcomes = pd.Series(churned).astype("Float64")
    if outcomes.isna().any() or not outcomes.isin([0.0, 1.0]).all():
        raise DataError("churned", "an outcome is neither true nor false; leave such rows out")
    return np.asarray(outcomes.to_numpy(dtype="float64"))


def _days(cutoffs: Any) -> np.ndarray:
    import pandas as pd

    times = pd.Series(cutoffs)
    if pd.api.types.is_numeric_dtype(times.dtype):
        return np.asarray(times.to_numpy(dtype="float64"))
    instants = pd.to_datetime(times, utc=True)
    return np.asarray((instants - instants.min()).dt.total_seconds() / DAY_SECONDS)


def _canonical_order(examples: Examples, customers: np.ndarray) -> np.ndarray:
    """An order of the rows that depends on their content alone, as good as random: its beginning is a fair sample."""
    import pandas as pd

    cutoffs = np.zeros(len(examples.outcomes)) if examples.cutoffs is None else examples.cutoffs
    columns = [customers, cutoffs, examples.outcomes, examples.weights, *examples.numbers.T]
    frame = pd.DataFrame(dict(enumerate(columns)))
    return np.argsort(pd.util.hash_pandas_object(frame, index=False).to_numpy(), kind="stable")
