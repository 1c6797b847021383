"""What leaving means, as the operator declares it: of whom it is asked, what happens, within how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.customer_answers import MAIN_DEFINITION
from recommender.outcomes import (
    active_population,
    churned,
    customers_with_rows,
    running_subscribers,
    spend,
    subscription_ended,
    subscription_ended_by,
)
from recommender.periods import Period
from recommender.retention.definition_checks import (
    ALL_ENDS,
    ANY_ORDER,
    INVOLUNTARY_REASONS,
    NO_EVENT,
    NO_ORDER,
    NO_ROWS,
    RECENT_EVENT,
    RECENT_ORDER,
    RUNNING_SUBSCRIPTION,
    SPEND_DROP,
    SUBSCRIPTION_ENDED,
    check,
)
from recommender.touchpoints import TABLES

if TYPE_CHECKING:
    import pandas as pd

# The population that an outcome is asked of where none is named.
_ASKED_OF = {SUBSCRIPTION_ENDED: RUNNING_SUBSCRIPTION, NO_EVENT: RECENT_EVENT, NO_ROWS: RECENT_EVENT}


@dataclass(frozen=True)
class ChurnDefinition:
    """One meaning of churn: who of a population does what within ``horizon_days``.

    ``outcome`` names what counts as leaving: ``no_order``; ``spend_drop``, to spend over ``drop_share`` less than in
    the same length before the cutoff; ``subscription_ended``, no contract is left after one ended; ``no_event``, no
    interaction of the kind ``event_kind``; ``no_rows``, no row in the table ``event_table``.

    ``asked_of`` names the population: ``recent_order`` or ``recent_event`` (of the kind or table of the outcome) in
    the ``activity_days`` before, ``any_order`` ever, ``running_subscription``; by default what suits the outcome.
    A spend drop is asked only of those who spent more than was paid back in the length before.

    ``ends`` counts ``all`` ends of a contract, or only ``voluntary`` or ``involuntary`` ones, whose ``end_reason`` is
    among ``involuntary_reasons``; an end without a reason is voluntary. Who left by an end of the other kind neither
    left in this sense nor stayed: such customers have no outcome and are left out where a model learns or is judged.

    Raises SettingError for a value that cannot be used.
    """

    outcome: str
    horizon_days: int
    activity_days: int
    name: str = MAIN_DEFINITION
    asked_of: str = ""
    drop_share: float = 0.5
    ends: str = ALL_ENDS
    involuntary_reasons: Sequence[str] = INVOLUNTARY_REASONS
    event_kind: str = ""
    event_table: str = ""

    def __post_init__(self) -> None:
        check(vars(self))

    @property
    def contractual(self) -> bool:
        """Whether a contract says who is a customer."""
        return self.outcome == SUBSCRIPTION_ENDED

    @property
    def asks(self) -> str:
        """The population that is asked about, named or by default."""
        return self.asked_of or _ASKED_OF.get(self.outcome, RECENT_ORDER)

    @property
    def model_name(self) -> str:
        """The name of its model in a bundle."""
        return "churn" if self.name == MAIN_DEFINITION else f"churn_also_{self.name}"

    @property
    def population_name(self) -> str:
        """The population in words."""
        words = {
            RUNNING_SUBSCRIPTION: "a running subscription",
            ANY_ORDER: "an order ever",
            RECENT_EVENT: f"{self._event_name} in the {self.activity_days} days before",
            RECENT_ORDER: f"an order in the {self.activity_days} days before",
        }[self.asks]
        if self.outcome == SPEND_DROP:
            return f"{words}, and spend in the {self.horizon_days} days before"
        return words

    @property
    def outcome_name(self) -> str:
        """What counts as leaving, in words."""
        kind = "" if self.ends == ALL_ENDS else f"{self.ends} "
        return {
            NO_ORDER: f"no order within {self.horizon_days} days",
            SPEND_DROP: f"over {self.drop_share:.0%} less spend than in the {self.horizon_days} days before",
            SUBSCRIPTION_ENDED: f"the {kind}end of the subscription within {self.horizon_days} days",
        }.get(self.outcome, f"without {self._event_name} for {self.horizon_days} days")

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables without which it cannot be asked, in order."""
        asked = {RUNNING_SUBSCRIPTION: "subscriptions", RECENT_EVENT: self._table}.get(self.asks, "order_lines")
        return tuple(dict.fromkeys((asked, self._table)))

    def population(self, known: Mapping[str, pd.DataFrame], cutoff: datetime) -> pd.Index:
        """The customers asked about, sorted, from tables as of the cutoff."""
        asked = self._asked(known, cutoff)
        if self.outcome != SPEND_DROP:
            return asked
        before = _spend(known, asked, Period.up_to(cutoff, self.horizon_days))
        return asked[(before > 0).to_numpy()]

    def happened(self, tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, cutoff: datetime) -> pd.Series:
        """Who of them left within the horizon, from tables that reach to its end.

        Customers without an outcome are missing from it: those whose contract ended in the way that does not count.
        """
        period = Period.after(cutoff, self.horizon_days)
        if self.contractual:
            return self._contracts_ended(tables["subscriptions"], customer_ids, period)
        if self.outcome == SPEND_DROP:
            before = _spend(tables, customer_ids, Period.up_to(cutoff, self.horizon_days))
            after = _spend(tables, customer_ids, period)
            return (after < (1.0 - self.drop_share) * before).rename("churned")
        return churned(self._events(tables), customer_ids, period, at=self._at)

    def _asked(self, known: Mapping[str, pd.DataFrame], cutoff: datetime) -> pd.Index:
        if self.asks == RUNNING_SUBSCRIPTION:
            return running_subscribers(known["subscriptions"], cutoff)
        if self.asks == ANY_ORDER:
            return customers_with_rows(known["order_lines"], "ordered_at", before=cutoff)
        if self.asks == RECENT_EVENT:
            return active_population(self._events(known), cutoff, self.activity_days, at=self._at)
        return active_population(known["order_lines"], cutoff, self.activity_days)

    def _contracts_ended(self, subscriptions: pd.DataFrame, customer_ids: pd.Index, period: Period) -> pd.Series:
        ended = subscription_ended(subscriptions, customer_ids, period)
        if self.ends == ALL_ENDS:
            return ended
        involuntary = subscription_ended_by(subscriptions, customer_ids, period, self.involuntary_reasons)
        counts = involuntary if self.ends == "involuntary" else ~involuntary
        return ended[~ended | counts]

    @property
    def _table(self) -> str:
        """The table whose rows are the outcome."""
        named = {SUBSCRIPTION_ENDED: "subscriptions", NO_EVENT: "interactions", NO_ROWS: self.event_table}
        return named.get(self.outcome, "order_lines")

    @property
    def _at(self) -> str:
        return TABLES[self._table].exists_from or ""

    @property
    def _event_name(self) -> str:
        return f"a {self.event_kind}" if self.outcome == NO_EVENT else f"a row in {self._table}"

    def _events(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        rows = tables[self._table]
        return rows[rows["kind"] == self.event_kind] if self.outcome == NO_EVENT else rows


def _spend(tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, period: Period) -> pd.Series:
    returns = tables["returns"] if "returns" in tables else TABLES["returns"].empty()
    return spend(tables["order_lines"], returns, customer_ids, period)
