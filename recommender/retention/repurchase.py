"""Repurchase curves: the share of customers who had made their Nth order within so many days of the first.

Kaplan and Meier (1958): who has not ordered yet when the data end is counted as long as watched and no longer, so
that young customers do not pass for lost ones. Intervals are Greenwood's, on the scale of log(-log), at 95 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recommender.features import age_days, gap_days

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ORDERS_FOLLOWED = (2, 3, 4, 5)
DAYS_FOLLOWED = 365
# Days that are told of each curve.
DAYS_TOLD = (*range(0, DAYS_FOLLOWED, 7), DAYS_FOLLOWED)
_DEVIATIONS = 1.959964


def waiting_counts(orders: pd.DataFrame, as_of: datetime) -> dict[int, np.ndarray]:
    """By N two rows: customers by days until their Nth order, and those without one by days watched.

    ``orders`` are whole orders sorted by customer and time, all orders of each; counts of buckets add up. An order
    after 6.5 days came within 7; a customer watched for 6.5 days is known of for 6. The last column is for all longer.
    """
    import numpy as np

    by_customer = orders.groupby("customer_id")
    first = by_customer["ordered_at"].min()
    watched = np.floor(age_days(first, as_of))
    place = by_customer.cumcount() + 1
    counts = {}
    for number in ORDERS_FOLLOWED:
        reached = orders[place == number].set_index("customer_id")["ordered_at"]
        waited = np.ceil(gap_days(first.reindex(reached.index), reached))
        counts[number] = np.stack([_by_day(waited), _by_day(watched.drop(reached.index))])
    return counts


def repurchase_curves(counts: Mapping[int, np.ndarray]) -> list[dict[str, Any]]:
    """For each N the days told, the share within them with its interval, and the days until half of them had ordered.

    A curve ends where nobody is watched any more whom it could happen to; without a customer it is empty.
    """
    return [_curve(number, *rows) for number, rows in sorted(counts.items())]


def kaplan_meier(happened: np.ndarray, unseen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share to whom it happened by the end of each day, and its lower and upper bound; NaN where nobody is watched.

    Where it happened to everybody the share stays 1.
    """
    import numpy as np

    at_risk = np.cumsum((happened + unseen)[::-1])[::-1].astype("float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        stays = np.cumprod(np.where(at_risk > 0, 1 - happened / at_risk, 1.0))
        stays = np.where((at_risk > 0) | (stays == 0), stays, np.nan)
        spread = np.sqrt(np.cumsum(happened / (at_risk * (at_risk - happened)))) / np.abs(np.log(stays))
        low, high = (1 - stays ** np.exp(sign * _DEVIATIONS * spread) for sign in (-1, 1))
    certain = (stays == 0) | (stays == 1)
    share = 1 - stays
    return share, np.where(certain, share, low), np.where(certain, share, high)


def _curve(number: int, happened: np.ndarray, unseen: np.ndarray) -> dict[str, Any]:
    import numpy as np

    share, low, high = kaplan_meier(happened, unseen)
    told = [day for day in DAYS_TOLD if np.isfinite(share[day])]
    half = np.flatnonzero(share[: DAYS_FOLLOWED + 1] >= 0.5)
    return {
        "order": number,
        "customers": int(happened.sum() + unseen.sum()),
        "days": told,
        "share": _rounded(share, told),
        "low": _rounded(low, told),
        "high": _rounded(high, told),
        "median_days": int(half[0]) if len(half) else None,
    }


def _rounded(values: np.ndarray, told: Sequence[int]) -> list[float]:
    return [round(float(values[day]), 4) for day in told]


def _by_day(days: pd.Series) -> np.ndarray:
    import numpy as np

    return np.bincount(days.clip(0, DAYS_FOLLOWED + 1).astype("int64"), minlength=DAYS_FOLLOWED + 2)
