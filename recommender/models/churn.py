"""Probability of leaving: the mean of boosted trees and a logistic regression in log-odds, recalibrated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit

from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.features import DAY_SECONDS
from recommender.models.boosted_trees import BoostedTrees, TreeSettings
from recommender.models.logistic import fit_logistic, fit_platt
from recommender.models.tabular import Encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

BASE_RATE = "base_rate"
LOGISTIC = "logistic"
BOOSTING_AND_LOGISTIC = "boosting_and_logistic"

# Below these counts of the rarer outcome a model of that kind learns noise.
LOGISTIC_MINIMUM = 5
BOOSTING_MINIMUM = 50
FOLD_COUNT = 5


@dataclass(frozen=True)
class _Learners:
    """The uncalibrated score: ``share`` of the trees' log-odds, the rest of the linear ones."""

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


@dataclass(frozen=True)
class _Examples:
    numbers: np.ndarray
    outcomes: np.ndarray
    weights: np.ndarray
    cutoffs: np.ndarray | None
    folds: np.ndarray

    def where(self, chosen: np.ndarray) -> _Examples:
        """The rows chosen by a mask or by positions."""
        cutoffs = None if self.cutoffs is None else self.cutoffs[chosen]
        return _Examples(self.numbers[chosen], self.outcomes[chosen], self.weights[chosen], cutoffs, self.folds[chosen])

    @property
    def rarer(self) -> int:
        """How many rows have the rarer outcome."""
        return int(min(self.outcomes.sum(), len(self.outcomes) - self.outcomes.sum()))


class ChurnModel:
    """Boosted trees and logistic regression on signed logarithms, averaged in log-odds, then recalibrated.

    The calibration is fitted on rows that the scores were not learned from: with ``cutoffs`` the latest cutoff is
    scored by learners of the older ones (those at least ``gap_days`` older, where there are any), without them each
    fifth of the rows by the other four. The learners are then fitted again on all rows and keep that calibration:
    one more window makes them better by less than one window can tell, while a calibration on rows that the trees
    have seen would call them perfect.

    ``kind`` says what was fitted: ``boosting_and_logistic``, ``logistic`` where the rarer outcome has under 50 rows,
    ``base_rate`` where it has under 5. The order of the rows does not matter.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        boosting_share: float = 0.5,
        logistic_l2: float = 10.0,
        trees: TreeSettings = TreeSettings(),  # noqa: B008 - frozen
        gap_days: float = 0.0,
        maximum_rows: int = 500_000,
    ) -> None:
        self.seed = seed
        self.boosting_share = boosting_share
        self.logistic_l2 = logistic_l2
        self.trees = trees
        self.gap_days = gap_days
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
        self.kind = self._kind(examples)
        self._learners_ = self._learn(encoding, examples)
        self._slope_, self._offset_ = 1.0, 0.0
        if self.kind != BASE_RATE:
            self._calibrate_on(*self._unseen_scores(encoding, examples))
        return self

    def calibrate(self, features: pd.DataFrame, churned: pd.Series) -> ChurnModel:
        """Replace the calibration by one on rows that ``fit`` has not seen, such as the latest complete window."""
        outcomes = _outcomes(features, churned)
        learners = self._fitted()
        if self.kind != BASE_RATE:
            self._calibrate_on(learners.log_odds(learners.encoding.numbers(features)), outcomes)
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
            "trees": None if learners.trees is None else learners.trees.text,
            "share": learners.share,
            "slope": self._slope_,
            "offset": self._offset_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ChurnModel:
        """The model that ``state`` was taken from."""
        model = cls(seed=state["seed"])
        trees = None if state["trees"] is None else BoostedTrees(state["trees"])
        model._learners_ = _Learners(
            Encoding.from_state(state["encoding"]), state["coefficients"], state["intercept"], trees, state["share"]
        )
        model.kind = state["kind"]
        model._slope_, model._offset_ = state["slope"], state["offset"]
        return model

    def _fitted(self) -> _Learners:
        if not hasattr(self, "_learners_"):
            raise NotFitted(self)
        return self._learners_

    def _kind(self, examples: _Examples) -> str:
        if examples.rarer < LOGISTIC_MINIMUM:
            return BASE_RATE
        has_trees = examples.rarer >= BOOSTING_MINIMUM and self.boosting_share > 0.0
        return BOOSTING_AND_LOGISTIC if has_trees else LOGISTIC

    def _examples(
        self, encoding: Encoding, features: pd.DataFrame, outcomes: np.ndarray, weights: Any, cutoffs: Any
    ) -> _Examples:
        import pandas as pd

        numbers = encoding.numbers(features)
        counted = np.ones(len(outcomes)) if weights is None else np.asarray(weights, dtype=np.float64)
        times = None if cutoffs is None else _days(cutoffs)
        for name, values in (("weights", counted), ("cutoffs", times)):
            if values is not None and len(values) != len(outcomes):
                raise DataError("features", f"{len(values)} {name} do not match {len(outcomes)} rows")
        customers = pd.util.hash_array(np.asarray(features.index.astype("string"), dtype=object), categorize=True)
        every = _Examples(numbers, outcomes, counted, times, (customers % FOLD_COUNT).astype(np.int64))
        return every.where(_canonical_order(every, customers)[: self.maximum_rows])

    def _learn(self, encoding: Encoding, examples: _Examples) -> _Learners:
        design = encoding.design(examples.numbers)
        if self.kind == BASE_RATE or examples.rarer == 0:
            churned, rows = examples.outcomes @ examples.weights, examples.weights.sum()
            rate = (churned + 0.5) / (rows + 1.0)
            return _Learners(encoding, np.zeros(design.shape[1]), float(logit(rate)), None, 0.0)
        coefficients, intercept = fit_logistic(design, examples.outcomes, l2=self.logistic_l2, weights=examples.weights)
        if self.kind == LOGISTIC:
            return _Learners(encoding, coefficients, intercept, None, 0.0)
        grown = BoostedTrees.fit(
            examples.numbers,
            examples.outcomes,
            replace(self.trees, seed=self.seed, min_child_rows=self._min_child_rows(examples)),
            weights=examples.weights,
            categorical_positions=encoding.categorical_positions,
        )
        return _Learners(encoding, coefficients, intercept, grown, self.boosting_share)

    def _min_child_rows(self, examples: _Examples) -> int:
        return min(self.trees.min_child_rows, max(5, len(examples.outcomes) // 50))

    def _unseen_scores(self, encoding: Encoding, examples: _Examples) -> tuple[np.ndarray, np.ndarray]:
        scores, outcomes = [], []
        for learned, judged in self._splits(examples):
            learners = self._learn(encoding, examples.where(learned))
            scores.append(learners.log_odds(examples.numbers[judged]))
            outcomes.append(examples.outcomes[judged])
        return np.concatenate(scores), np.concatenate(outcomes)

    def _splits(self, examples: _Examples) -> list[tuple[np.ndarray, np.ndarray]]:
        cutoffs = examples.cutoffs
        if cutoffs is None or len(np.unique(cutoffs)) < 2:
            folds = [examples.folds == fold for fold in range(FOLD_COUNT)]
            return [(~fold, fold) for fold in folds if fold.any() and not fold.all()]
        latest = cutoffs == cutoffs.max()
        apart = cutoffs <= cutoffs.max() - self.gap_days
        older = apart & ~latest
        return [(older if older.any() else ~latest, latest)]

    def _calibrate_on(self, scores: np.ndarray, outcomes: np.ndarray) -> None:
        rarer = min(outcomes.sum(), len(outcomes) - outcomes.sum())
        if rarer >= LOGISTIC_MINIMUM:
            self._slope_, self._offset_ = fit_platt(scores, outcomes)


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


def _canonical_order(examples: _Examples, customers: np.ndarray) -> np.ndarray:
    """An order of the rows that depends on their content alone, as good as random: its beginning is a fair sample."""
    import pandas as pd

    cutoffs = np.zeros(len(examples.outcomes)) if examples.cutoffs is None else examples.cutoffs
    columns = [customers, cutoffs, examples.outcomes, examples.weights, *examples.numbers.T]
    frame = pd.DataFrame(dict(enumerate(columns)))
    return np.argsort(pd.util.hash_pandas_object(frame, index=False).to_numpy(), kind="stable")
