"""What a row of scores tells of time, brought to the instant of an answer: no date of it may lie in the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from recommender.event_store import EventStore
from recommender.features import DAY_SECONDS
from recommender.models.order_rhythm import RHYTHM, order_rhythm
from recommender.models.survival_curves import SurvivalCurves
from recommender.retention.order_times import ORDER_TIMES
from recommender.retention.told_curves import (
    NEXT_ORDER_SHARES,
    StoredCurve,
    curves_of,
    later,
    next_order_dates,
    rises,
    stored_curves,
)
from recommender.score_rows import ScoreRow
from recommender.store_engine import reading
from recommender.store_queries import last_event_of, orders_of

_NO_DATES: Mapping[str, Any] = dict.fromkeys(NEXT_ORDER_SHARES)
# What happened at an instant is known right after it.
_INSTANT = timedelta(microseconds=1)


def advanced(row: ScoreRow, store: EventStore, models: Mapping[str, Any]) -> tuple[ScoreRow, datetime]:
    """The row with dates and curve as of the later of its scoring and the customer's last event, and that instant.

    A customer without an order since goes on along the curve of the scoring, under the condition of the silence so
    far. With one, dates and curve are told anew from the orders. Probability and value stay those of the scoring.
    """
    with reading(store.engine) as connection:
        last = last_event_of(connection, row.customer_id)
        if last is None or last < row.as_of:
            return row, row.as_of
        orders = orders_of(connection, row.customer_id)
    known = last + _INSTANT
    elapsed_days = (known - row.as_of).total_seconds() / DAY_SECONDS
    is_silent = not orders or orders[-1] < row.as_of
    if row.churn_curve is None or not (rises(row.churn_curve) or is_silent):
        return _from_orders(row, orders, models.get(ORDER_TIMES), known), last
    learned_days = max(0, int((row.churn_curve_learned_days or 0) - elapsed_days))
    curve = later(row.churn_curve, row.horizon_days, elapsed_days)
    gone_on = replace(row, churn_curve=curve, churn_curve_learned_days=learned_days)
    if rises(row.churn_curve):
        return _from_orders(gone_on, orders, models.get(ORDER_TIMES), known), last
    return replace(gone_on, **next_order_dates(curves_of(curve), known)), last


def _from_orders(row: ScoreRow, orders: Sequence[datetime], model: Any | None, as_of: datetime) -> ScoreRow:
    """The row with what the model says of the orders; without a model nothing is known of the time to the next."""
    if not orders:
        return replace(row, **_NO_DATES)
    ages = np.array([(as_of - one).total_seconds() for one in orders]) / DAY_SECONDS
    rhythm = order_rhythm(np.zeros(len(ages), dtype=np.int64), ages, 1)
    interval = float(rhythm[0, RHYTHM.index("order_interval_mean_days")])
    known = replace(row, last_order_at=orders[-1], order_interval_days=None if np.isnan(interval) else interval)
    is_contract = row.churn_curve is not None and rises(row.churn_curve)
    if model is None:
        return replace(known if is_contract else _without_curve(known), **_NO_DATES)
    curves = model.curves(rhythm)
    if row.churn_curve is not None and not is_contract:
        curve = _told(curves, row.horizon_days)
        known = replace(known, churn_curve=curve, churn_curve_learned_days=model.learned_days)
    return replace(known, **next_order_dates(curves, as_of))


def _without_curve(row: ScoreRow) -> ScoreRow:
    return replace(row, churn_curve=None, churn_curve_learned_days=None)


def _told(curves: SurvivalCurves, horizon_days: int) -> StoredCurve:
    """One row of curves as a stored curve, with the horizon as one of its days."""
    at_horizon = curves.at(np.array([horizon_days]))[:, 0]
    return stored_curves(curves.anchored(horizon_days, at_horizon), horizon_days, at_horizon, rises=False)[0]
