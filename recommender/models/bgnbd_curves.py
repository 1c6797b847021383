"""When the next order comes, from the rhythm of the orders alone: for shops too small to learn a hazard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import NotEnoughData, NotFitted
from recommender.models.bgnbd import HISTORY_COLUMNS, BgNbd, Histories, healthy_bgnbd
from recommender.models.order_rhythm import RHYTHM
from recommender.models.survival_curves import NODES, SurvivalCurves

if TYPE_CHECKING:
    import pandas as pd

BGNBD_CURVES = "bgnbd_curves"


class BgNbdCurves:
    """BG/NBD probability of no order within each of NODES; it needs no outcomes.

    ``learned_days`` is how long the shop was watched: beyond, the model alone speaks.
    """

    kind = BGNBD_CURVES

    def fit(
        self, features: pd.DataFrame, days: np.ndarray | None = None, known_days: np.ndarray | None = None
    ) -> BgNbdCurves:
        """Learn from the columns of RHYTHM, one row per customer; what happened later is not looked at.

        Raises NotEnoughData where the orders do not hold a BG/NBD.
        """
        import pandas as pd

        histories = _histories(features[list(RHYTHM)].to_numpy(dtype="float64"))
        columns = (histories.frequency, histories.recency, histories.age)
        orders = healthy_bgnbd(pd.DataFrame(dict(zip(HISTORY_COLUMNS, columns, strict=True))))
        if orders is None:
            raise NotEnoughData("the orders do not hold a BG/NBD; too few customers ordered on a second day")
        self._orders_, self._watched_days_ = orders, int(histories.age.max())
        return self

    @property
    def learned_days(self) -> int:
        """Up to when the shop was watched, at most the last node."""
        self._fitted()
        return min(self._watched_days_, int(NODES[-1]))

    def curves(self, numbers: np.ndarray) -> SurvivalCurves:
        """The curves of customers x RHYTHM; who has no order is one who has just come."""
        histories = _histories(numbers)
        silent = [self._fitted().no_order(histories, horizon_days) for horizon_days in NODES]
        return SurvivalCurves.of(NODES, np.column_stack(silent))

    def state(self) -> dict[str, Any]:
        """Numbers that make the model."""
        return {"orders": self._fitted().state(), "watched_days": self._watched_days_}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> BgNbdCurves:
        """The model that ``state`` was taken from."""
        model = cls()
        model._orders_, model._watched_days_ = BgNbd.from_state(state["orders"]), state["watched_days"]
        return model

    def _fitted(self) -> BgNbd:
        if not hasattr(self, "_orders_"):
            raise NotFitted(self)
        return self._orders_


def _histories(numbers: np.ndarray) -> Histories:
    """Order days as BG/NBD counts them: whole, from the beginning of the first."""
    count, last, first = np.nan_to_num(numbers[:, :3], posinf=0.0, neginf=0.0).T
    age, since = np.floor(np.maximum(first, 0.0)) + 1.0, np.floor(np.maximum(last, 0.0)) + 1.0
    frequency = np.maximum(count - 1.0, 0.0)
    recency = np.where(frequency > 0, np.maximum(age - since, frequency), 0.0)
    return Histories(frequency, recency, np.maximum(age, recency))
