"""What deliveries tell about a customer: orders that came late, or have not come at all."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days, gap_days, share
from recommender.touchpoints.orders import ORDER_LINES

if TYPE_CHECKING:
    import pandas as pd

# A delivery that nobody recorded is not late for ever.
LATE_OPEN_DAYS = 60
RECENT_DAYS = 91


def delivery_features(order_lines: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with an order past its promised time, from order lines as of the cutoff.

    An order is late if one of its lines came after the promised time, or has not come though the time has passed.
    A promise that still runs is not judged.
    """
    import pandas as pd

    promised = order_lines[order_lines["promised_at"].notna()]
    age, delay = age_days(promised["promised_at"], cutoff), gap_days(promised["promised_at"], promised["delivered_at"])
    is_open = delay.isna() & (age <= LATE_OPEN_DAYS)
    is_late = (delay > 0) | is_open
    lines = promised[["customer_id", "order_id"]].assign(
        judged=delay.notna() | is_open,
        late=is_late,
        open=is_open,
        late_recent=is_late & (age < RECENT_DAYS),
        late_age=age.where(is_late),
        delay=delay.where(~is_open, age).where(is_late & (age < RECENT_DAYS)),
    )
    by_order = lines.groupby(["customer_id", "order_id"])
    counts = by_order[["judged", "late", "open", "late_recent"]].any().groupby("customer_id").sum()
    delays = by_order["delay"].max().groupby("customer_id")
    return pd.DataFrame(
        {
            "late_order_count": counts["late"],
            "late_order_share": share(counts["late"], counts["judged"]),
            "late_open_order_count": counts["open"],
            "late_order_91d_count": counts["late_recent"],
            "late_total_91d_days": delays.sum(),
            "late_longest_91d_days": delays.max(),
            "days_since_last_late_order": lines.groupby("customer_id")["late_age"].min(),
        }
    )


DELIVERY_BLOCK = FeatureBlock(
    "deliveries",
    (ORDER_LINES,),
    delivery_features,
    (
        Feature("late_order_count", "orders delivered after the promised time, or not yet and past it"),
        Feature("late_order_share", "share of the orders past their promised time that were late", UNKNOWN),
        Feature(
            "late_open_order_count", f"orders promised for a time in the last {LATE_OPEN_DAYS} days and not delivered"
        ),
        Feature("late_order_91d_count", f"late orders promised for a time in the last {RECENT_DAYS} days"),
        Feature("late_total_91d_days", "days that these came late, in all; open ones count until the cutoff"),
        Feature("late_longest_91d_days", "days that the latest of these came late", UNKNOWN),
        Feature("days_since_last_late_order", "days since the promised time of the last late order", UNKNOWN),
    ),
)
