"""The rhythm of a customer's orders as numbers: what the time to the next order is told from.

Plain arrays, so that training, scoring and a request compute the same. Several orders within one of the 24 hours
counted back from the instant count as one; ages and intervals are in days.
"""

from __future__ import annotations

import numpy as np

RHYTHM = (
    "order_day_count",
    "days_since_last_order",
    "days_since_first_order",
    "order_interval_mean_days",
    "order_interval_std_days",
    "order_interval_last_days",
    "order_interval_max_days",
    "order_early_ratio",
    "order_overdue_ratio",
    "order_overdue_max_ratio",
    "order_days_decayed_7d_count",
    "order_days_decayed_28d_count",
    "order_days_decayed_112d_count",
)
_HALF_LIVES_DAYS = (7.0, 28.0, 112.0)


def order_rhythm(customers: np.ndarray, ages: np.ndarray, size: int) -> np.ndarray:
    """Customers x RHYTHM, NaN where unknown.

    ``ages`` of orders in days before the instant, above 0; ``customers`` the number of the customer of each, from 0 to
    ``size - 1``. Who has no order has NaN in every column.
    """
    order = np.lexsort((ages, customers))
    owners, recent = customers[order], ages[order]
    days = np.floor(recent)
    is_first = np.ones(len(days), dtype=bool)
    is_first[1:] = (owners[1:] != owners[:-1]) | (days[1:] != days[:-1])
    # The first row of a day is its latest order.
    owners, recent, days = owners[is_first], recent[is_first], days[is_first]
    counts = np.bincount(owners, minlength=size).astype("float64")
    has_orders = counts > 0
    ends = np.cumsum(counts[has_orders]).astype("int64") - 1
    starts = np.append(-1, ends)[:-1] + 1
    found = np.full((size, len(RHYTHM)), np.nan)
    found[has_orders, 0] = counts[has_orders]
    found[has_orders, 1] = recent[starts]
    found[has_orders, 2] = recent[ends]
    found[:, 3:7] = _intervals(owners, days, counts)
    # An order grows more likely until it is due and less likely after: each side has its own effect.
    due = found[:, 1] / found[:, 3]
    found[:, 7], found[:, 8] = np.minimum(due, 1.0), np.maximum(due, 1.0)
    found[:, 9] = np.maximum(found[:, 1] / found[:, 6], 1.0)
    for place, half_life in enumerate(_HALF_LIVES_DAYS, start=10):
        weights = np.exp2(-recent / half_life)
        found[has_orders, place] = np.bincount(owners, weights=weights, minlength=size)[has_orders]
    return found


def _intervals(owners: np.ndarray, days: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean, standard deviation, last and longest of the intervals between the order days of each customer."""
    size = len(counts)
    same = owners[1:] == owners[:-1]
    gaps, of = np.diff(days)[same], owners[1:][same]
    known = np.full((size, 4), np.nan)
    number = np.bincount(of, minlength=size)
    repeated = number > 0
    means = np.bincount(of, weights=gaps, minlength=size)[repeated] / number[repeated]
    known[repeated, 0] = means
    squares = np.bincount(of, weights=gaps**2, minlength=size)[repeated] / number[repeated]
    known[repeated, 1] = np.where(number[repeated] > 1, np.sqrt(np.maximum(squares - means**2, 0.0)), np.nan)
    begins = np.flatnonzero(np.diff(of, prepend=-1) != 0)
    if len(begins):
        known[repeated, 2] = gaps[begins]
        known[repeated, 3] = np.maximum.reduceat(gaps, begins)
    return known
