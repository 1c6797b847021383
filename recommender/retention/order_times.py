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

    def among(self, asked: np.ndarray) -> Curves:
        """Those of the customers chosen by a mask over all."""
        chosen = asked[self.places]
        return replace(self, places=self.places[chosen], curves=self.curves.where(chosen))


@dataclass(frozen=True)
class CustomerTimes:
    """The rhythm of each customer, the curves of no order, and those of staying in the sense of a definition.

    Curves of no order are of everybody who has ordered; those of staying, of no order or of a contract that still runs,
    are of the customers with a probability that they leave, through which they go. Where a definition asks about
    something else nothing is known of staying.
    """

    rhythm: np.ndarray
    orders: Curves | None
    staying: Curves | None

    @classmethod
    def of(
        cls,
        tables: Mapping[str, pd.DataFrame],
        customer_ids: pd.Index,
        definition: ChurnDefinition,
        probabilities: np.ndarray,
        models: Mapping[str, Any],
        as_of: datetime,
    ) -> CustomerTimes:
        """From tables as of the instant; ``probabilities`` are NaN for customers outside the population."""
        rhythm = rhythm_of(tables["order_lines"], customer_ids, as_of)
        asked, horizon_days = ~np.isnan(probabilities), definition.horizon_days
        orders = _order_curves(rhythm, models.get(ORDER_TIMES))
        if definition.contractual:
            staying = _contract_curves(tables, customer_ids, asked, models.get(CONTRACT_TIMES), as_of)
            return cls(rhythm, orders, staying and staying.anchored(horizon_days, 1.0 - probabilities))
        if definition.outcome != NO_ORDER or orders is None:
            return cls(rhythm, orders, None)
        anchored = orders.anchored(horizon_days, probabilities)
        return cls(rhythm, anchored, anchored.among(asked))


def times_of(
    tables: Mapping[str, pd.DataFrame],
    customer_ids: pd.Index,
    definition: ChurnDefinition,
    probabilities: Mapping[str, float],
    models: Mapping[str, Any],
    as_of: datetime,
) -> pd.DataFrame:
    """The columns of a score row that tell of time, by customer, from tables as of the instant."""
    asked = np.array([probabilities.get(one, np.nan) for one in customer_ids], dtype=np.float64)
    times = CustomerTimes.of(tables, customer_ids, definition, asked, models, as_of)
    told = _dates(times.orders, customer_ids, as_of)
    told["order_interval_days"] = times.rhythm[:, RHYTHM.index("order_interval_mean_days")]
    return told.join(_stored(times.staying, customer_ids, definition, asked))


def rhythm_of(order_lines: pd.DataFrame, customer_ids: pd.Index, as_of: datetime) -> np.ndarray:
    """Customers x RHYTHM from order lines as of an instant."""
    customers = customer_ids.get_indexer(order_lines["customer_id"])
    asked = customers >= 0
    ages = age_days(order_lines["ordered_at"], as_of).to_numpy()
    return order_rhythm(customers[asked], ages[asked], len(customer_ids))


def _order_curves(rhythm: np.ndarray, model: Any | None) -> Curves | None:
    if model is None:
        return None
    places = np.flatnonzero(~np.isnan(rhythm[:, 0]))
    return Curves(places, model.curves(rhythm[places]), model.learned_days)


def _contract_curves(
    tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, asked: np.ndarray, model: Any | None, as_of: datetime
) -> Curves | None:
    if model is None:
        return None
    places = np.flatnonzero(asked)
    numbers = CONTRACTS.compute(tables, customer_ids[places], as_of).to_numpy()
    return Curves(places, model.curves(numbers), model.learned_days)


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
