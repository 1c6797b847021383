"""Value as a product of factors: a regression on signed logarithms of all features with a logarithmic link."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from recommender.models.log_linear import fit_log_linear, log_linear_means
from recommender.models.panel_value import PanelValue
from recommender.models.tabular import Encoding

L2 = 0.02


class LogLinearLearner:
    """Poisson quasi-likelihood with a ridge; smooth where trees are coarse, so that it ranks the middle better."""

    def fit(self, encoding: Encoding, numbers: np.ndarray, spent: np.ndarray, seed: int) -> LogLinearLearner:
        """Learn from rows x columns and what each row spent, at least 0."""
        self._coefficients_, self._intercept_ = fit_log_linear(encoding.design(numbers), spent, l2=L2)
        return self

    def predict(self, encoding: Encoding, numbers: np.ndarray) -> np.ndarray:
        """Expected amount of each row."""
        return log_linear_means(encoding.design(numbers), self._coefficients_, self._intercept_)

    def state(self) -> dict[str, Any]:
        """Coefficients and intercept."""
        return {"coefficients": self._coefficients_, "intercept": self._intercept_}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> LogLinearLearner:
        """The learner that ``state`` was taken from."""
        learner = cls()
        learner._coefficients_, learner._intercept_ = np.asarray(state["coefficients"]), state["intercept"]
        return learner


class LogLinearValue(PanelValue):
    """A regression with a logarithmic link on all features."""

    name = "log_linear_value"
    learners: ClassVar = {"log_linear": LogLinearLearner}
