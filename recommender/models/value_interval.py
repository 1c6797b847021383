"""Between what bounds a customer's value lies: read off a past window, whatever the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import NotEnoughData, NotFitted

if TYPE_CHECKING:
    import pandas as pd

LOW, HIGH = 0.1, 0.9
# A tenth of fewer customers is no more than a handful.
GROUP_CUSTOMERS = 50
MOST_GROUPS = 20


class ValueInterval:
    """The 10th and the 90th percentile of what was spent by customers of about the same prediction.

    Conformal prediction in groups of the prediction (Mondrian; Vovk, Gammerman and Shafer 2005, section 4.5): on
    customers like those of the window, 80 % lie between the bounds. Between the groups the bounds are interpolated;
    above the highest they grow with the prediction. They are widened where the prediction itself lies outside: the
    mean of a few large orders can be above the 90th percentile.
    """

    def fit(self, predicted: pd.Series, spent: pd.Series) -> ValueInterval:
        """Learn from predictions for a window, by a model that had not seen it, and what was then spent.

        Raises NotEnoughData with fewer than GROUP_CUSTOMERS customers.
        """
        if len(predicted) < GROUP_CUSTOMERS:
            raise NotEnoughData(f"an interval needs {GROUP_CUSTOMERS} customers of a past window, got {len(predicted)}")
        expected, happened = predicted.to_numpy(dtype="float64"), spent.reindex(predicted.index).to_numpy("float64")
        count = min(MOST_GROUPS, len(expected) // GROUP_CUSTOMERS)
        edges = np.unique(np.quantile(expected, np.arange(1, count) / count))
        # Equal predictions share a group.
        groups = np.searchsorted(edges, expected, side="right")
        knots = np.array([_knot(expected[groups == one], happened[groups == one]) for one in np.unique(groups)])
        self._knots_ = np.column_stack([knots[:, 0], knots[:, 1], np.maximum.accumulate(knots[:, 2])])
        return self

    def predict(self, predicted: pd.Series) -> pd.DataFrame:
        """``low, high`` of each customer, with the index of ``predicted``; NaN where that is NaN."""
        import pandas as pd

        knots = self._checked()
        expected = predicted.to_numpy(dtype="float64")
        beyond = np.maximum(expected / knots[-1, 0], 1.0) if knots[-1, 0] > 0 else 1.0
        low, high = (np.interp(expected, knots[:, 0], knots[:, place]) * beyond for place in (1, 2))
        columns = {"low": np.minimum(low, expected), "high": np.maximum(high, expected)}
        return pd.DataFrame(columns, index=predicted.index)

    def state(self) -> dict[str, Any]:
        """The groups: mean prediction and both bounds of each."""
        return {"knots": self._checked()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ValueInterval:
        """The intervals that ``state`` was taken from."""
        model = cls()
        model._knots_ = np.asarray(state["knots"])
        return model

    def _checked(self) -> np.ndarray:
        if not hasattr(self, "_knots_"):
            raise NotFitted(self)
        return self._knots_


def coverage(bounds: pd.DataFrame, spent: pd.Series) -> float:
    """Share of the customers whose value lies between their bounds."""
    return float(spent.reindex(bounds.index).between(bounds["low"], bounds["high"]).mean())


def _knot(expected: np.ndarray, happened: np.ndarray) -> tuple[float, float, float]:
    """Mean prediction of a group, and its bounds with the correction for a finite sample."""
    count = len(happened)
    low, high = max(0.0, (LOW * (count + 1) - 1) / count), min(1.0, HIGH * (count + 1) / count)
    return (
        float(expected.mean()),
        float(np.quantile(happened, low, method="lower")),
        float(np.quantile(happened, high, method="higher")),
    )
