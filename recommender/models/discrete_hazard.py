"""When it happens: a discrete-time hazard model with censoring.

Singer and Willett (1993), "It's about time: using discrete-time survival analysis to study duration and the timing of
events"; Tutz and Schmid (2016), "Modeling Discrete Time-to-Event Data". Each example gives one row for each interval
that it entered and that was observed to its end; a logistic regression tells of each row whether it happened there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.models.logistic import fit_logistic
from recommender.models.survival_curves import NODES, SurvivalCurves
from recommender.models.tabular import Encoding

if TYPE_CHECKING:
    import pandas as pd

DISCRETE_HAZARD = "discrete_hazard"
# An interval that fewer examples were observed in, and fewer events in all, would be learned from noise.
FEWEST_ROWS = 30
FEWEST_EVENTS = 50


@dataclass(frozen=True)
class PersonPeriods:
    """One row per example and interval observed to its end: positions of both, and whether it happened there."""

    examples: np.ndarray
    intervals: np.ndarray
    happened: np.ndarray

    @classmethod
    def of(cls, days: np.ndarray, known_days: np.ndarray) -> PersonPeriods:
        """From the days until it happened, infinite where it has not, and the days that each example was observed.

        An interval whose end was not observed tells nothing, whether it happened in its beginning or not: those who
        would be added to it early are exactly those to whom it happened.
        """
        starts = np.concatenate([[0.0], NODES[:-1]])
        entered = (days[:, None] >= starts) & (known_days[:, None] >= NODES)
        examples, intervals = np.nonzero(entered)
        return cls(examples, intervals, (days[examples] < NODES[intervals]).astype(np.float64))

    def before(self, interval: int) -> PersonPeriods:
        """The rows of the intervals before one."""
        chosen = self.intervals < interval
        return PersonPeriods(self.examples[chosen], self.intervals[chosen], self.happened[chosen])

    def life_table(self, count: int) -> np.ndarray:
        """Log-odds of the hazard of each of ``count`` intervals, half a row added to either side."""
        rows = np.bincount(self.intervals, minlength=count)
        events = np.bincount(self.intervals, weights=self.happened, minlength=count)
        return np.asarray(np.log((events + 0.5) / (rows - events + 0.5)))


class DiscreteHazard:
    """Logistic regression of the hazard of each interval between NODES on signed logarithms of the features.

    Every interval has its own level, drawn to the life table; the effect of a feature changes linearly with the
    logarithm of time, so that what tells of the first days is not held against the last. Intervals that too few
    examples were observed in are left to the tail of ``SurvivalCurves``: ``learned_days`` says up to when the curves
    are learned.
    """

    kind = DISCRETE_HAZARD

    def __init__(self, *, l2: float = 10.0) -> None:
        self.l2 = l2

    def fit(self, features: pd.DataFrame, days: np.ndarray, known_days: np.ndarray) -> DiscreteHazard:
        """Learn from one row per example; ``days`` are infinite where it has not happened within ``known_days``.

        Raises NotEnoughData where it happened to too few, or no interval was observed often enough.
        """
        if not len(features) == len(days) == len(known_days):
            raise DataError("features", f"{len(features)} rows do not match {len(days)} durations")
        periods = PersonPeriods.of(np.asarray(days, dtype=np.float64), np.asarray(known_days, dtype=np.float64))
        observed = np.bincount(periods.intervals, minlength=len(NODES)) >= FEWEST_ROWS
        count = int(np.argmin(np.append(observed, False)))
        learned = periods.before(count)
        if learned.happened.sum() < FEWEST_EVENTS:
            events = int(learned.happened.sum())
            raise NotEnoughData(f"a hazard needs {FEWEST_EVENTS} events in whole intervals and got {events}")
        self._encoding_ = Encoding.learn(features)
        self._nodes_ = NODES[:count]
        design = self._encoding_.design(self._encoding_.numbers(features))
        width = design.shape[1]
        table = learned.life_table(count)
        rows = design[learned.examples]
        times = _log_time(self._nodes_)[learned.intervals][:, None]
        matrix = np.hstack([rows, rows * times, np.eye(count)[learned.intervals]])
        coefficients, intercept = fit_logistic(matrix, learned.happened, l2=self.l2, offset=table[learned.intervals])
        self._effects_ = coefficients[: 2 * width].reshape(2, width)
        self._levels_ = table + coefficients[2 * width :] + intercept
        return self

    @property
    def learned_days(self) -> int:
        """Up to when the curves are learned; beyond, they are extrapolated."""
        return int(self._fitted()[-1])

    def curves(self, numbers: np.ndarray) -> SurvivalCurves:
        """The curves over NODES of rows x columns of the fit, NaN where unknown."""
        nodes = self._fitted()
        design = self._encoding_.design(np.where(np.isfinite(numbers), numbers, np.nan))
        constant, changing = self._effects_
        log_odds = (design @ constant)[:, None] + np.outer(design @ changing, _log_time(nodes)) + self._levels_
        return SurvivalCurves.of_hazards(nodes, expit(log_odds)).over(NODES)

    def state(self) -> dict[str, Any]:
        """Arrays and plain values that make the model."""
        nodes = self._fitted()
        encoding = self._encoding_.state()
        return {"encoding": encoding, "nodes": nodes, "effects": self._effects_, "levels": self._levels_}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> DiscreteHazard:
        """The model that ``state`` was taken from."""
        model = cls()
        model._encoding_ = Encoding.from_state(state["encoding"])
        model._nodes_, model._effects_, model._levels_ = state["nodes"], state["effects"], state["levels"]
        return model

    def _fitted(self) -> np.ndarray:
        if not hasattr(self, "_nodes_"):
            raise NotFitted(self)
        return self._nodes_


def _log_time(nodes: np.ndarray) -> np.ndarray:
    """The logarithm of the middle of each interval, about 0 within half a year."""
    starts = np.concatenate([[0.0], nodes[:-1]])
    return np.asarray(np.log((starts + nodes) / 2.0) - np.log(14.0)) / 2.0
