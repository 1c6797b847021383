"""Cohorts: customers by the calendar month (UTC) of their first order, and who of them ordered in the months after.

Customers who had ordered before the data begin are taken for new ones at their first order that is known: the first
cohorts of a shop that is older than its data hold its regular customers too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MONTHS_FOLLOWED = 12
COHORTS_AT_MOST = 24


def whole_orders(order_lines: pd.DataFrame) -> pd.DataFrame:
    """One row per order: ``customer_id``, ``order_id``, ``ordered_at`` (of the first line) and ``amount``, by time.

    A missing amount counts as 0. Two customers who share the text of an order id do not share the order.
    """
    lines = order_lines.assign(amount=order_lines["amount"].fillna(0.0))
    orders = lines.groupby(["customer_id", "order_id"], as_index=False).agg({"ordered_at": "min", "amount": "sum"})
    return orders.sort_values(["customer_id", "ordered_at", "order_id"], ignore_index=True)


def cohort_counts(orders: pd.DataFrame) -> pd.DataFrame:
    """By cohort and months since the first order: how many ordered, and the amount; counts of buckets add up.

    Months count from year 0; ``orders`` are whole orders of any customers, all orders of each.
    """
    month = orders["ordered_at"].dt.year * 12 + orders["ordered_at"].dt.month - 1
    cohort = month.groupby(orders["customer_id"]).transform("min")
    placed = orders[["customer_id", "amount"]].assign(
        cohort=cohort.astype("int64"), month=(month - cohort).astype("int64")
    )
    followed = placed[placed["month"] <= MONTHS_FOLLOWED].groupby(["cohort", "month"])
    return followed.agg(customers=("customer_id", "nunique"), amount=("amount", "sum"))


def add_counts(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """The counts of all buckets in one."""
    import pandas as pd

    return pd.concat(parts).groupby(["cohort", "month"]).sum()


def cohort_facts(counts: pd.DataFrame, as_of: datetime) -> list[dict[str, Any]]:
    """The latest COHORTS_AT_MOST cohorts, oldest first, each with its months until the first that has not ended.

    The month of the first order is month 0. Every later month stands there once it is over, so that no share grows
    because a month goes on; a month without an order counts 0.
    """
    cohorts = sorted(set(counts.index.get_level_values("cohort")))[-COHORTS_AT_MOST:]
    return [_facts(cohort, counts.loc[cohort], as_of) for cohort in cohorts]


def _facts(cohort: int, months: pd.DataFrame, as_of: datetime) -> dict[str, Any]:
    over = [0, *_ended(cohort, as_of)]
    found = months.reindex(over, fill_value=0)
    return {
        "cohort": f"{cohort // 12:04d}-{cohort % 12 + 1:02d}",
        "customers": int(found["customers"].iloc[0]),
        "ordered": [int(one) for one in found["customers"]],
        "amount": [round(float(one), 2) for one in found["amount"]],
    }


def _ended(cohort: int, as_of: datetime) -> Iterator[int]:
    for month in range(1, MONTHS_FOLLOWED + 1):
        if month_start(cohort + month + 1) > as_of:
            return
        yield month


def month_start(month: int) -> datetime:
    """The first instant of a month that is counted from year 0."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
