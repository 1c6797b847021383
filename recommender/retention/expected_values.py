"""What a bundle expects of customers: value with bounds, orders, and what an order brings; also for other horizons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.models.bgnbd import Histories

if TYPE_CHECKING:
    import pandas as pd

    from recommender.bundle import ModelBundle

PREDICTED = (
    "predicted_value",
    "predicted_value_low",
    "predicted_value_high",
    "predicted_orders",
    "predicted_order_amount",
)
# How the value of another horizon than the bundle's was found.
BY_RHYTHM, BY_DAYS = "expected_orders", "days"
_DAY = timedelta(days=1)


def predicted_values(bundle: ModelBundle, history: pd.DataFrame) -> pd.DataFrame:
    """The columns PREDICTED of each customer of a ``value_history``.

    An order brings what the rhythm of the customer's orders says; the orders are as many as make up the value, NaN
    where nothing is known of amounts. Bounds are NaN where no past window was there to read them off.
    """
    import pandas as pd

    model, interval = bundle.models["value"], bundle.models.get("value_interval")
    values = model.predict(history, bundle.horizon_days)
    brought = model.expected_order_amount(history)
    unknown = pd.DataFrame(np.nan, index=history.index, columns=["low", "high"])
    bounds = unknown if interval is None else interval.predict(values)
    columns = (values, bounds["low"], bounds["high"], values / brought.where(brought > 0.0), brought)
    return pd.DataFrame(dict(zip(PREDICTED, columns, strict=True)), index=history.index)


@dataclass(frozen=True)
class Growth:
    """What the values of one horizon are multiplied by to be those of another, and how that was found."""

    factor: float
    found_by: str


def growth_of(model: Any, ordered_at: Sequence[datetime], as_of: datetime, from_days: int, to_days: int) -> Growth:
    """The growth for one customer whose orders before ``as_of`` are given.

    As many more orders as the rhythm of all customers expects of one with such a history, the amount of an order being
    the same; in proportion to the days where the model holds no rhythm. No pandas: a request comes through here.
    """
    if model is None or model.orders is None or not ordered_at:
        return Growth(to_days / from_days, BY_DAYS)
    # Days are the 24 hours counted back from as_of, each with its beginning, as in purchase_history.
    days = sorted({-(-(as_of - one) // _DAY) for one in ordered_at})
    history = Histories(*(np.array([float(one)]) for one in (len(days) - 1, days[-1] - days[0], days[-1])))
    return Growth(float(model.orders.growth(history, from_days, to_days)[0]), BY_RHYTHM)
