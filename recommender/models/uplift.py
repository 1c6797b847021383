"""What an offer changes: probability to convert if treated minus if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.models.tabular import Encoding
from recommender.models.uplift_arms import Arm, ArmRows, fit_arms
from recommender.randomness import rng_for

if TYPE_CHECKING:
    import pandas as pd

UPLIFT_COLUMNS = ("uplift", "uplift_low", "uplift_high")
# A row that stands for more than these many others would decide alone.
MAXIMUM_WEIGHT = 20.0
_BLOCK_ROWS = 8_192


class TwoModelUplift:
    """Two models: a logistic regression of those treated, another of those not, and the difference of the two.

    The T-learner of Künzel, Sekhon, Bickel and Yu (2019). With propensities each row counts by the inverse of the
    probability of its arm, at most 20 times. The bounds are those of 95 % of ``resamples`` resamples of the customers;
    they tell how far other customers would move the estimate, not how far the penalty ``l2`` draws it to the mean of
    its arm. Without ``l2`` each arm takes the penalty that predicts unseen customers best. The index of the rows names
    the customer and may repeat; the order of the rows does not matter. Above ``maximum_rows`` a sample by hash is
    learned from.
    """

    def __init__(
        self, seed: int = 0, *, l2: float | None = None, resamples: int = 100, maximum_rows: int = 200_000
    ) -> None:
        self.seed = seed
        self.l2 = l2
        self.resamples = resamples
        self.maximum_rows = maximum_rows

    def fit(
        self,
        features: pd.DataFrame,
        treated: pd.Series,
        converted: pd.Series,
        propensities: pd.Series | None = None,
    ) -> TwoModelUplift:
        """Learn from one row per assignment, all given in the order of ``features``.

        Raises DataError where they do not belong together or a propensity is not above 0 and at most 1, NotEnoughData
        where one arm has no row.
        """
        import pandas as pd

        is_treated, outcomes = _flags("treated", treated, features), _flags("converted", converted, features)
        if is_treated.all() or not is_treated.any():
            raise NotEnoughData("uplift needs customers who were treated and customers who were not; one arm is empty")
        weights = _weights(propensities, features)
        encoding = Encoding.learn(features)
        order = _canonical_order(encoding.numbers(features), features.index, is_treated, outcomes, weights)
        order = order[: self.maximum_rows]
        names = np.asarray(features.index.astype("string"), dtype=object)[order]
        customers, distinct = pd.factorize(names)
        design = encoding.design(encoding.numbers(features.iloc[order]))
        arms = []
        for arm in (True, False):
            chosen = is_treated[order] == arm
            counted = weights[order][chosen]
            counted = counted / counted.mean()
            arms.append(ArmRows(design[chosen], outcomes[order][chosen], counted, customers[chosen]))
        rng = rng_for(self.seed, "uplift resamples")
        self._arms_ = fit_arms(arms, len(distinct), l2=self.l2, resamples=self.resamples, rng=rng)
        self._encoding_ = encoding
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """``uplift, uplift_low, uplift_high`` of each row in [-1, 1], with the index of ``features``."""
        import pandas as pd

        self._check()
        numbers = self._encoding_.numbers(features)
        parts = [
            self._block(self._encoding_.design(numbers[start : start + _BLOCK_ROWS]))
            for start in range(0, len(numbers), _BLOCK_ROWS)
        ]
        values = np.vstack(parts) if parts else np.empty((0, len(UPLIFT_COLUMNS)))
        return pd.DataFrame(values, index=features.index, columns=list(UPLIFT_COLUMNS))

    def state(self) -> dict[str, Any]:
        """Arrays and numbers that make the model."""
        self._check()
        return {
            "seed": self.seed,
            "encoding": self._encoding_.state(),
            "parameters": [arm.parameters for arm in self._arms_],
            "resampled": [arm.resampled for arm in self._arms_],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TwoModelUplift:
        """The model that ``state`` was taken from."""
        model = cls(seed=state["seed"])
        model._encoding_ = Encoding.from_state(state["encoding"])
        model._arms_ = [Arm(*both) for both in zip(state["parameters"], state["resampled"], strict=True)]
        return model

    def _block(self, design: np.ndarray) -> np.ndarray:
        treated, untreated = (arm.probabilities(design) for arm in self._arms_)
        uplift = treated[0] - untreated[0]
        low, high = np.quantile(treated[1] - untreated[1], [0.025, 0.975], axis=1)
        return np.column_stack([uplift, np.minimum(low, uplift), np.maximum(high, uplift)])

    def _check(self) -> None:
        if not hasattr(self, "_encoding_"):
            raise NotFitted(self)


def _flags(name: str, values: pd.Series, features: pd.DataFrame) -> np.ndarray:
    import pandas as pd

    if len(values) != len(features):
        raise DataError(name, f"{len(values)} values do not match {len(features)} rows of features")
    flags = pd.Series(values).astype("Float64")
    if flags.isna().any() or not flags.isin([0.0, 1.0]).all():
        raise DataError(name, "a value is neither true nor false; leave such rows out")
    return np.asarray(flags.to_numpy(dtype="float64"))


def _weights(propensities: pd.Series | None, features: pd.DataFrame) -> np.ndarray:
    if propensities is None:
        return np.ones(len(features))
    given = np.asarray(propensities, dtype="float64")
    if len(given) != len(features):
        raise DataError("propensities", f"{len(given)} values do not match {len(features)} rows of features")
    if not ((given > 0.0) & (given <= 1.0)).all():
        raise DataError("propensities", "a propensity is not above 0 and at most 1; leave such rows out")
    return np.minimum(1.0 / given, MAXIMUM_WEIGHT)


def _canonical_order(numbers: np.ndarray, index: pd.Index, *columns: np.ndarray) -> np.ndarray:
    """An order of the rows that depends on their content alone, as good as random: its beginning is a fair sample."""
    import pandas as pd

    customers = pd.util.hash_array(np.asarray(index.astype("string"), dtype=object), categorize=True)
    frame = pd.DataFrame(dict(enumerate([customers, *columns, *numbers.T])))
    return np.argsort(pd.util.hash_pandas_object(frame, index=False).to_numpy(), kind="stable")
