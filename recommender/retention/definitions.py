"""What leaving means, as the operator declares it: of whom it is asked, what happens, within how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.answers import MAIN_DEFINITION
from recommender.outcomes import active_population, churned, running_subscribers, subscription_ended
from recommender.periods import Period

if TYPE_CHECKING:
    import pandas as pd

NO_ORDER = "no_order"
SUBSCRIPTION_ENDED = "subscription_ended"


@dataclass(frozen=True)
class ChurnDefinition:
    """One meaning of churn.

    ``outcome`` names what counts as leaving within ``horizon_days``: ``no_order`` is asked of customers with an order
    in the ``activity_days`` before, ``subscription_ended`` of those with a running subscription.
    """

    outcome: str
    horizon_days: int
    activity_days: int
    name: str = MAIN_DEFINITION

    @property
    def contractual(self) -> bool:
        """Whether a contract says who is a customer."""
        return self.outcome == SUBSCRIPTION_ENDED

    @property
    def population_name(self) -> str:
        """The population in words."""
        return "a running subscription" if self.contractual else f"an order in the {self.activity_days} days before"

    def population(self, known: Mapping[str, pd.DataFrame], cutoff: datetime) -> pd.Index:
        """The customers asked about, sorted, from tables as of the cutoff."""
        if self.contractual:
            return running_subscribers(known["subscriptions"], cutoff)
        return active_population(known["order_lines"], cutoff, self.activity_days)

    def happened(self, tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, cutoff: datetime) -> pd.Series:
        """Who of them left within the horizon, from tables that reach to its end."""
        period = Period.after(cutoff, self.horizon_days)
        if self.contractual:
            return subscription_ended(tables["subscriptions"], customer_ids, period)
        return churned(tables["order_lines"], customer_ids, period)
