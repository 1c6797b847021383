"""What happened after a cutoff: the only module that looks beyond it.

Every function takes whole tables, not tables as of the cutoff, and answers for the customers it is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import age_days, gap_days
from recommender.periods import Period

if TYPE_CHECKING:
    import pandas as pd


def churned(rows: pd.DataFrame, customer_ids: pd.Index, period: Period, *, at: str = "ordered_at") -> pd.Series:
    """Whether each customer has no row in the period, of order lines or of another table with its instant ``at``."""
    import pandas as pd

    still_there = rows.loc[_within(rows[at], period), "customer_id"].unique()
    return pd.Series(~customer_ids.isin(still_there), index=customer_ids, name="churned")


def subscription_ended(subscriptions: pd.DataFrame, customer_ids: pd.Index, period: Period) -> pd.Series:
    """Whether each customer ends the period without a contract after a contract of theirs ended in it.

    A change of plan, where another contract runs at the end of the period, is no end.
    """
    import pandas as pd

    ended = subscriptions.loc[_within(subscriptions["ended_at"], period), "customer_id"].unique()
    staying = running_subscribers(subscriptions, period.end)
    return pd.Series(customer_ids.isin(ended) & ~customer_ids.isin(staying), index=customer_ids, name="churned")


def subscription_ended_by(
    subscriptions: pd.DataFrame, customer_ids: pd.Index, period: Period, reasons: Collection[str]
) -> pd.Series:
    """Whether the last contract of each customer that ended in the period did so for one of the reasons.

    Reasons are compared without regard to case, spaces and hyphens.
    """
    import pandas as pd

    ended = subscriptions[_within(subscriptions["ended_at"], period)]
    last = ended.sort_values(["ended_at", "subscription_id"]).groupby("customer_id")["end_reason"].nth(-1)
    by_customer = pd.Series(last.to_numpy(), index=ended.loc[last.index, "customer_id"], dtype="string")
    named = by_customer.str.strip().str.casefold().str.replace(r"[\s_-]+", "_", regex=True)
    wanted = {re.sub(r"[\s_-]+", "_", one.strip().casefold()) for one in reasons}
    return pd.Series(customer_ids.isin(named.index[named.isin(wanted).to_numpy()]), index=customer_ids)


def days_to_order(order_lines: pd.DataFrame, customer_ids: pd.Index, cutoff: datetime) -> pd.Series:
    """Days from the cutoff to the first order at or after it of each customer, infinite where there is none."""
    later = order_lines[order_lines["ordered_at"] >= cutoff]
    first = later.groupby("customer_id")["ordered_at"].min().reindex(customer_ids)
    return (-age_days(first, cutoff)).fillna(float("inf")).rename("days_to_order")


def days_to_subscription_end(subscriptions: pd.DataFrame, customer_ids: pd.Index, cutoff: datetime) -> pd.Series:
    """Days from the cutoff to the first instant at which no contract of each customer runs, infinite where there is
    none; asked of customers with a contract that runs at the cutoff.

    A contract that begins before the last one has ended, or just then, goes on from it.
    """
    ends = -age_days(subscriptions["ended_at"], cutoff).fillna(float("-inf"))
    starts = -age_days(subscriptions["started_at"], cutoff)
    rows = (
        subscriptions[["customer_id"]].assign(start=starts, end=ends)[ends >= 0].sort_values(["customer_id", "start"])
    )
    by_customer = rows.groupby("customer_id")
    rows["covered"] = by_customer["end"].cummax()
    is_last = ~(by_customer["start"].shift(-1) <= rows["covered"])
    ended = rows[is_last].groupby("customer_id")["covered"].first()
    return ended.reindex(customer_ids).fillna(float("inf")).rename("days_to_subscription_end")


def spend(order_lines: pd.DataFrame, returns: pd.DataFrame, customer_ids: pd.Index, period: Period) -> pd.Series:
    """Amount ordered less amount returned in the period, in the account currency; below 0 where more came back.

    A line or a return without a finite amount counts as 0: nothing is known to have been paid.
    """
    ordered = _amount_by_customer(order_lines, "ordered_at", period).reindex(customer_ids, fill_value=0.0)
    returned = _amount_by_customer(returns, "returned_at", period).reindex(customer_ids, fill_value=0.0)
    return (ordered - returned).rename("spend")


def converted(order_lines: pd.DataFrame, assignments: pd.DataFrame, horizon_days: float) -> pd.Series:
    """Whether the customer of each assignment orders within ``horizon_days`` from its instant on, in either arm."""
    return _followed(assignments, order_lines, "ordered_at", ["customer_id"], horizon_days).rename("converted")


def redeemed(redemptions: pd.DataFrame, assignments: pd.DataFrame, horizon_days: float) -> pd.Series:
    """Whether the customer of each assignment uses that offer within ``horizon_days`` from its instant on."""
    both = ["customer_id", "offer_id"]
    return _followed(assignments, redemptions, "redeemed_at", both, horizon_days).rename("redeemed")


def active_population(
    rows: pd.DataFrame, cutoff: datetime, activity_days: float, *, at: str = "ordered_at"
) -> pd.Index:
    """Customers with an order, or a row of another table, in the ``activity_days`` days before the cutoff, sorted."""
    recent = _within(rows[at], Period.up_to(cutoff, activity_days))
    return _customers(rows.loc[recent, "customer_id"])


def customers_with_rows(rows: pd.DataFrame, at: str, *, before: datetime) -> pd.Index:
    """Customers with a row before an instant, sorted."""
    return _customers(rows.loc[rows[at] < before, "customer_id"])


def running_subscribers(subscriptions: pd.DataFrame, cutoff: datetime) -> pd.Index:
    """Customers with a contract that began before the cutoff and had not ended before it, sorted."""
    ends = subscriptions["ended_at"]
    running = (subscriptions["started_at"] < cutoff) & ((ends >= cutoff) | ends.isna())
    return _customers(subscriptions.loc[running, "customer_id"])


def _followed(
    assignments: pd.DataFrame, events: pd.DataFrame, instant_column: str, by: Sequence[str], horizon_days: float
) -> pd.Series:
    """Whether an event that agrees in the columns ``by`` follows each assignment, by the index of the assignments."""
    import numpy as np
    import pandas as pd

    asked = assignments[[*by, "assigned_at"]].assign(place=np.arange(len(assignments))).sort_values("assigned_at")
    happened = events[[*by, instant_column]].sort_values(instant_column)
    following = pd.merge_asof(
        asked, happened, left_on="assigned_at", right_on=instant_column, by=list(by), direction="forward"
    ).sort_values("place")
    is_soon = gap_days(following["assigned_at"], following[instant_column]) < horizon_days
    return pd.Series(is_soon.to_numpy(), index=assignments.index)


def _within(instants: pd.Series, period: Period) -> pd.Series:
    return instants.between(period.start, period.end, inclusive="left")


def _amount_by_customer(rows: pd.DataFrame, instant_column: str, period: Period) -> pd.Series:
    import numpy as np

    chosen = rows[_within(rows[instant_column], period)]
    return chosen["amount"].where(np.isfinite(chosen["amount"]), 0.0).groupby(chosen["customer_id"]).sum()


def _customers(customer_ids: pd.Series) -> pd.Index:
    import pandas as pd

    return pd.Index(customer_ids.dropna().astype("string").unique(), name="customer_id").sort_values()
