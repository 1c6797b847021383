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
        judged=delay.notna() | is_open, late=is_late, open=is_open, late_age=age.where(is_late)
    )
    orders = lines.groupby(["customer_id", "order_id"])[["judged", "late", "open"]].any()
    counts = orders.groupby("customer_id").sum()
    return pd.DataFrame(
        {
            "late_order_count": counts["late"],
            "late_order_share": share(counts["late"], counts["judged"]),
            "late_open_order_count": counts["open"],
            "days_since_last_late_order": lines.groupby("customer_id")["late_age"].min(),
        }
    )


DELIVERY_BLOCK = FeatureBlock(
    "deliveries",
    (ORDER_LINES,),
    delivery_features,
    (
        Feature(
            "late_order_count",
            "orders delivered after the promised time, or not yet and past it",
            sentence="Orders late so far: {value:.0f}",
            lever="service",
        ),
        Feature(
            "late_order_share",
            "share of the orders past their promised time that were late",
            UNKNOWN,
            "Late orders among those with a promised time: {value:.0%}",
            "service",
        ),
        Feature(
            "late_open_order_count",
            f"orders promised for a time in the last {LATE_OPEN_DAYS} days and not delivered",
            sentence="Orders that are late right now: {value:.0f}",
            lever="service",
        ),
        Feature(
            "days_since_last_late_order",
            "days since the promised time of the last late order",
            UNKNOWN,
            "Days since an order was last late: {value:.0f}",
            "service",
        ),
    ),
)
