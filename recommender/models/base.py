"""What every model promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.survival_curves import SurvivalCurves

if TYPE_CHECKING:
    import pandas as pd

    from recommender.models.bgnbd import BgNbd
    from recommender.models.value_panel import ValuePanel


class Model(Protocol):
    """A model is kept as its ``state``: arrays, numbers, texts and scikit-learn estimators, by name."""

    def state(self) -> dict[str, Any]:
        """All that ``from_state`` needs to make an equal model; raises NotFitted before ``fit``."""
        ...

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from; arrays may be mapped from files and are never written to."""
        ...


class Recommender(Model, Protocol):
    """Scores items for customers; rows are customers, columns are items, always."""

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Learn from the interactions and forget the last fit."""
        ...

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """A float32 block of customers x items, higher is better, NaN = unknown.

        ``histories`` has the items of the fit and any customers, known or not. Never writes to self.
        """
        ...


class ChurnModel(Model, Protocol):
    """Probability of leaving, from a frame of features."""

    def fit(self, features: pd.DataFrame, churned: pd.Series) -> Self:
        """Learn from one row per example; text columns and missing values are allowed."""
        ...

    def predict_proba(self, features: pd.DataFrame) -> pd.Series:
        """Probability in [0, 1] for each row, with the index of ``features``."""
        ...


class TimeModel(Model, Protocol):
    """When it happens, as curves of the probability that it has not."""

    kind: str

    def fit(self, features: pd.DataFrame, days: np.ndarray, known_days: np.ndarray) -> Self:
        """Learn from one row per example: days until it happened, infinite if not within the days observed."""
        ...

    @property
    def learned_days(self) -> int:
        """Up to when the curves are learned; beyond, they are extrapolated."""
        ...

    def curves(self, numbers: np.ndarray) -> SurvivalCurves:
        """The curves of rows x columns of the fit, NaN where unknown."""
        ...


class ValueModel(Model, Protocol):
    """Expected amount less returns within a horizon; ``kind`` says what was fitted, or what the model fell back to."""

    kind: str

    def fit(self, history: pd.DataFrame, panel: ValuePanel | None = None) -> Self:
        """Learn from one row per customer (see ``lifetime_value.purchase_history``) and from what followed before.

        A model that learns from outcomes falls back to one that does not where the panel is missing or too small.
        """
        ...

    def predict(self, history: pd.DataFrame, horizon_days: float) -> pd.Series:
        """Expected amount of each customer within the horizon, with the index of ``history``; never below 0."""
        ...

    def expected_order_amount(self, history: pd.DataFrame) -> pd.Series:
        """Expected amount of an order day of each customer, less what will come back of it."""
        ...

    @property
    def orders(self) -> BgNbd | None:
        """The rhythm of orders that other horizons are told by; None: value grows with the days."""
        ...


class UpliftModel(Model, Protocol):
    """Probability to convert if treated minus if not, from a frame of features."""

    def fit(
        self,
        features: pd.DataFrame,
        treated: pd.Series,
        converted: pd.Series,
        propensities: pd.Series | None = None,
    ) -> Self:
        """Learn from one row per assignment; ``propensities`` are the probabilities of the arms that were drawn."""
        ...

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """``uplift, uplift_low, uplift_high`` of each row, with the index of ``features``."""
        ...
