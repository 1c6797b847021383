"""Lifecycle segments: where a customer stands, from orders alone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NEW, OCCASIONAL, REGULAR, LAPSED, PROSPECT = "new", "occasional", "regular", "lapsed", "prospect"
SEGMENTS = (NEW, OCCASIONAL, REGULAR, LAPSED, PROSPECT)
REGULAR_ORDERS = 5


def lifecycle_segments(
    order_lines: pd.DataFrame, customer_ids: pd.Index, as_of: datetime, activity_days: float
) -> pd.Series:
    """The segment of each customer.

    ``prospect`` never ordered; ``lapsed`` has no order within the activity window; of the others ``new`` ordered for
    the first time within it, ``regular`` has at least REGULAR_ORDERS orders in all, ``occasional`` fewer.
    """
    import numpy as np
    import pandas as pd

    by_customer = order_lines.groupby("customer_id")
    orders = by_customer["order_id"].nunique().reindex(customer_ids, fill_value=0)
    since_first = (pd.Timestamp(as_of) - by_customer["ordered_at"].min()).dt.total_seconds() / 86_400.0
    since_last = (pd.Timestamp(as_of) - by_customer["ordered_at"].max()).dt.total_seconds() / 86_400.0
    conditions = [
        orders == 0,
        since_last.reindex(customer_ids) > activity_days,
        since_first.reindex(customer_ids) <= activity_days,
        orders >= REGULAR_ORDERS,
    ]
    chosen = np.select([one.to_numpy() for one in conditions], [PROSPECT, LAPSED, NEW, REGULAR], OCCASIONAL)
    return pd.Series(chosen, index=customer_ids, dtype="string", name="segment")
