"""What all value models share that learn from what followed past cutoffs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from recommender.errors import NotFitted
from recommender.models.bgnbd import BgNbd, Histories
from recommender.models.lifetime_value import LifetimeValue
from recommender.models.tabular import Encoding
from recommender.models.value_panel import ValuePanel, known_of

if TYPE_CHECKING:
    import pandas as pd

# With fewer rows, or fewer that spent anything, outcomes teach less than the rhythm of all customers.
MINIMUM_ROWS = 200
MINIMUM_BUYERS = 50
RHYTHM = "rhythm"


class Learner(Protocol):
    """Learns expected amounts, in units of the mean of those above 0, from rows of numbers."""

    def fit(self, encoding: Encoding, numbers: np.ndarray, spent: np.ndarray, seed: int) -> Learner:
        """Learn from rows x columns and what each row spent, at least 0; ``encoding`` knows what the columns are."""
        ...

    def predict(self, encoding: Encoding, numbers: np.ndarray) -> np.ndarray:
        """Expected amount of each row."""
        ...

    def state(self) -> dict[str, Any]:
        """Texts and numbers that make the learner."""
        ...

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Learner:
        """The learner that ``state`` was taken from."""
        ...


class PanelValue:
    """The mean of learners that look at all features, weighed by ``weights``, in which RHYTHM may have a part too.

    They learn what was spent within the horizon of the panel; to another horizon the answer grows as the orders that
    the rhythm expects. An outcome below 0 counts as 0: what came back was bought before. ``kind`` is the name of the
    model, or what the rhythm says of itself (see ``LifetimeValue``) where there is no panel of MINIMUM_ROWS rows, of
    which MINIMUM_BUYERS spent anything. Above ``maximum_rows`` a sample by hash of the customers is learned from.
    """

    name: ClassVar[str]
    learners: ClassVar[dict[str, type[Any]]]
    weights: ClassVar[dict[str, float]] = {}

    def __init__(self, seed: int = 0, *, maximum_rows: int = 300_000) -> None:
        self.seed = seed
        self.maximum_rows = maximum_rows

    def fit(
        self, history: pd.DataFrame, panel: ValuePanel | None = None, rhythm: LifetimeValue | None = None
    ) -> PanelValue:
        """Learn from the panel; ``rhythm`` is one that was fitted on ``history`` already."""
        self._rhythm_ = rhythm or LifetimeValue().fit(history)
        self._fitted_: dict[str, Learner] = {}
        self.kind = self._rhythm_.kind
        if panel is None or len(panel.spent) < MINIMUM_ROWS or (panel.spent > 0.0).sum() < MINIMUM_BUYERS:
            return self
        known, spent = _sample(panel, self.maximum_rows)
        self.kind, self._horizon_days_ = self.name, float(panel.horizon_days)
        self._encoding_ = Encoding.learn(known[_varying(known)])
        self._unit_ = float(spent[spent > 0.0].mean())
        numbers = self._encoding_.numbers(known)
        for name, learner in self.learners.items():
            self._fitted_[name] = learner().fit(self._encoding_, numbers, spent / self._unit_, self.seed)
        return self

    def predict(self, history: pd.DataFrame, horizon_days: float) -> pd.Series:
        """Expected amount less returns of each customer within the horizon, with the index of ``history``."""
        import pandas as pd

        rhythm = self._checked()
        if not self._fitted_:
            return rhythm.predict(history, horizon_days)
        known = known_of(history, rhythm, self._horizon_days_)
        numbers = self._encoding_.numbers(known)
        parts = {
            name: np.maximum(one.predict(self._encoding_, numbers), 0.0) * self._unit_
            for name, one in self._fitted_.items()
        }
        parts[RHYTHM] = known["rhythm_amount"].to_numpy()
        weights = self.weights or dict.fromkeys(self.learners, 1.0)
        value = np.average([parts[name] for name in weights], axis=0, weights=list(weights.values()))
        growth = value_growth(self.orders, history, self._horizon_days_, horizon_days)
        return pd.Series(value * growth, index=history.index, name="predicted_value")

    def expected_order_amount(self, history: pd.DataFrame) -> pd.Series:
        """Expected amount of an order day of each customer, less what will come back of it: that of the rhythm."""
        return self._checked().expected_order_amount(history)

    @property
    def orders(self) -> BgNbd | None:
        """The rhythm of orders, None where the data hold none."""
        return self._checked().orders

    def alone(self, model: type[PanelValue]) -> PanelValue:
        """The model of another class whose learners this one has fitted too."""
        state = self.state()
        learners = {name: state["learners"][name] for name in model.learners}
        return model.from_state({**state, "kind": model.name, "learners": learners})

    def state(self) -> dict[str, Any]:
        """Numbers and texts that make the model."""
        rhythm = self._checked()
        found: dict[str, Any] = {"kind": self.kind, "seed": self.seed, "rhythm": rhythm.state()}
        if self._fitted_:
            found["horizon_days"], found["unit"] = self._horizon_days_, self._unit_
            found["encoding"] = self._encoding_.state()
            found["learners"] = {name: one.state() for name, one in self._fitted_.items()}
        return found

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> PanelValue:
        """The model that ``state`` was taken from."""
        model = cls(seed=state["seed"])
        model.kind, model._rhythm_ = state["kind"], LifetimeValue.from_state(state["rhythm"])
        model._fitted_ = {name: cls.learners[name].from_state(one) for name, one in state.get("learners", {}).items()}
        if model._fitted_:
            model._horizon_days_, model._unit_ = state["horizon_days"], state["unit"]
            model._encoding_ = Encoding.from_state(state["encoding"])
        return model

    def _checked(self) -> LifetimeValue:
        if not hasattr(self, "_rhythm_"):
            raise NotFitted(self)
        return self._rhythm_


def value_growth(orders: BgNbd | None, history: pd.DataFrame, from_days: float, to_days: float) -> np.ndarray:
    """What a value within ``from_days`` is multiplied by to be one within ``to_days``, for each customer."""
    if orders is None or from_days == to_days:
        return np.full(len(history), to_days / from_days)
    distinct, _, places = Histories.of(history).distinct()
    return np.asarray(orders.growth(distinct, from_days, to_days)[places])


def _sample(panel: ValuePanel, maximum_rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows in an order of their own, whatever the order given; at most so many, of customers as good as random."""
    import pandas as pd

    spent = np.maximum(panel.spent.to_numpy(dtype="float64"), 0.0)
    numbers = panel.known.assign(spent=spent).select_dtypes("number")
    hashes = pd.util.hash_pandas_object(numbers, index=True).to_numpy()
    chosen = np.argsort(hashes, kind="stable")[:maximum_rows]
    return panel.known.iloc[chosen], spent[chosen]


def _varying(known: pd.DataFrame) -> list[str]:
    """Columns that tell any two rows apart."""
    return [str(name) for name in known.columns if known[name].nunique(dropna=False) > 1]
