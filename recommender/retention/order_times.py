"""When customers order next, and until when they stay: what a scoring tells, from curves of the models of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.features import DAY_SECONDS, FeatureSet, age_days
from recommender.models.order_rhythm import RHYTHM, order_rhythm
from recommender.models.survival_curves import SurvivalCurves
from recommender.retention.definition_checks import NO_ORDER
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.told_curves import LAST_DAYS_TOLD, NEXT_ORDER_SHARES, stored_curves
from recommender.touchpoints.subscriptions import SUBSCRIPTION_BLOCK

if TYPE_CHECKING:
    import pandas as pd

ORDER_TIMES, CONTRACT_TIMES = "order_times", "contract_times"
CONTRACTS = FeatureSet((SUBSCRIPTION_BLOCK,))


@dataclass(frozen=True)
class Curves:
    """Curves of those customers who have one, by their places among all, and up to which day they are learned."""

    places: np.ndarray
    curves: SurvivalCurves
    learned_days: int

    def anchored(self, horizon_days: int, probabilities: np.ndarray) -> Curves:
        """Moved to go through the probability of each customer that has one, NaN elsewhere."""
        return replace(self, curves=self.curves.anchored(horizon_days, probabilities[self.places]))


def times_of(
    tables: Mapping[str, pd.DataFrame],
    customer_ids: pd.Index,
    definition: ChurnDefinition,
    probabilities: Mapping[str, float],
    models: Mapping[str, Any],
    as_of: datetime,
) -> pd.DataFrame:
    """The columns of a score row that tell of time, by customer, from tables as of the instant.

    ``churn_curve`` is that of the definition, for those who have a probability, through which it goes; where neither
    an order nor the end of a contract is asked about there is none.
    """
    asked = np.array([probabilities.get(one, np.nan) for one in customer_ids], dtype=np.float64)
    rhythm = rhythm_of(tables["order_lines"], customer_ids, as_of)
    orders = order_curves(rhythm, models.get(ORDER_TIMES))
    if orders and definition.outcome == NO_ORDER:
        orders = orders.anchored(definition.horizon_days, asked)
    told = _dates(orders, customer_ids, as_of)
    told["order_interval_days"] = rhythm[:, RHYTHM.index("order_interval_mean_days")]
    curves = staying_curves(tables, customer_ids, definition, asked, models, as_of)
    return told.join(_stored(curves, customer_ids, definition, asked))


def staying_curves(
    tables: Mapping[str, pd.DataFrame],
    customer_ids: pd.Index,
    definition: ChurnDefinition,
    probabilities: np.ndarray,
    models: Mapping[str, Any],
    as_of: datetime,
) -> Curves | None:
    """Curves of no order, or of a contract that still runs, of the customers with a probability that they leave."""
    asked = ~np.isnan(probabilities)
    if definition.outcome == NO_ORDER:
        rhythm = rhythm_of(tables["order_lines"], customer_ids, as_of)
        found = order_curves(rhythm, models.get(ORDER_TIMES), asked)
        return found and found.anchored(definition.horizon_days, probabilities)
    model = models.get(CONTRACT_TIMES)
    if not definition.contractual or model is None:
        return None
    places = np.flatnonzero(asked)
    numbers = CONTRACTS.compute(tables, customer_ids[places], as_of).to_numpy()
    found = Curves(places, model.curves(numbers), model.learned_days)
    return found.anchored(definition.horizon_days, 1.0 - probabilities)


def rhythm_of(order_lines: pd.DataFrame, customer_ids: pd.Index, as_of: datetime) -> np.ndarray:
    """Customers x RHYTHM from order lines as of an instant."""
    customers = customer_ids.get_indexer(order_lines["customer_id"])
    asked = customers >= 0
    ages = age_days(order_lines["ordered_at"], as_of).to_numpy()
    return order_rhythm(customers[asked], ages[asked], len(customer_ids))


def order_curves(rhythm: np.ndarray, model: Any | None, asked: np.ndarray | None = None) -> Curves | None:
    """Curves of no order, of everybody who has ordered; of those asked about alone where a mask is given."""
    if model is None:
        return None
    has_ordered = ~np.isnan(rhythm[:, 0])
    places = np.flatnonzero(has_ordered if asked is None else has_ordered & asked)
    return Curves(places, model.curves(rhythm[places]), model.learned_days)


def _dates(orders: Curves | None, customer_ids: pd.Index, as_of: datetime) -> pd.DataFrame:
    """The instants by which shares of such customers will have ordered; none beyond a year."""
    import pandas as pd

    told = pd.DataFrame(index=customer_ids)
    for name, share in NEXT_ORDER_SHARES.items():
        days = np.full(len(customer_ids), np.nan)
        if orders is not None:
            days[orders.places] = orders.curves.days_until(share)
        seconds = np.ceil(np.where(days <= LAST_DAYS_TOLD, days, np.nan) * DAY_SECONDS)
        told[name] = pd.Timestamp(as_of) + pd.to_timedelta(seconds, unit="s")
    return told


def _stored(
    curves: Curves | None, customer_ids: pd.Index, definition: ChurnDefinition, probabilities: np.ndarray
) -> pd.DataFrame:
    import pandas as pd

    kept, learned = np.full((2, len(customer_ids)), None, dtype=object)
    if curves is not None:
        at_horizon = probabilities[curves.places]
        stored = stored_curves(curves.curves, definition.horizon_days, at_horizon, rises=definition.contractual)
        for place, curve in zip(curves.places, stored, strict=True):
            kept[place] = curve
        learned[curves.places] = curves.learned_days
    return pd.DataFrame({"churn_curve": kept, "churn_curve_learned_days": learned}, index=customer_ids)
