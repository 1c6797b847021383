"""Curves as a row of scores keeps them, and what an answer makes of them at its own instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from recommender.models.survival_curves import SurvivalCurves

# Pairs of days and the probability of having left by then.
StoredCurve = tuple[tuple[int, float], ...]

# The curve is told from here on; what lies before holds the shape of the first days.
FIRST_DAYS_TOLD, LAST_DAYS_TOLD = 7, 365
# Finer than any calibration; the horizon is kept as it is.
_DECIMALS = 6
# By which share of such customers will have ordered.
NEXT_ORDER_SHARES: Mapping[str, float] = {
    "expected_next_order_at": 0.5,
    "next_order_earliest_at": 0.1,
    "next_order_latest_at": 0.9,
}


def stored_curves(
    curves: SurvivalCurves, horizon_days: int, probabilities: np.ndarray, *, rises: bool
) -> list[StoredCurve]:
    """One stored curve per row; ``probabilities`` are those at the horizon, which is a node, and kept exactly.

    A curve of no order falls with the days: it is the probability of no order within them. With ``rises`` the curve
    is that of the end of a contract by then.
    """
    kept = np.exp(curves.log_survival)
    told = np.round(1.0 - kept if rises else kept, _DECIMALS)
    place, exact = int(np.searchsorted(curves.nodes, horizon_days)), probabilities[:, None]
    before, behind = (np.minimum, np.maximum) if rises else (np.maximum, np.minimum)
    told[:, :place] = before(told[:, :place], exact)
    told[:, place + 1 :] = behind(told[:, place + 1 :], exact)
    told[:, place] = probabilities
    days = [int(one) for one in curves.nodes]
    return [tuple(zip(days, row, strict=True)) for row in told.tolist()]


def told(stored: StoredCurve, horizon_days: int) -> StoredCurve:
    """The part of a stored curve that is told: 7 to 365 days, and the horizon."""
    return tuple(pair for pair in stored if FIRST_DAYS_TOLD <= pair[0] <= LAST_DAYS_TOLD or pair[0] == horizon_days)


def rises(stored: StoredCurve) -> bool:
    """Whether a stored curve tells of the end of a contract."""
    return stored[-1][1] > stored[0][1]


def later(stored: StoredCurve, horizon_days: int, elapsed_days: float) -> StoredCurve:
    """The curve of a customer who has neither ordered nor left within ``elapsed_days`` since the scoring."""
    if elapsed_days <= 0.0:
        return stored
    of_contract = rises(stored)
    curves = curves_of(stored).after(elapsed_days)
    at_horizon = np.exp(curves.log_survival[:, np.searchsorted(curves.nodes, horizon_days)])
    left = 1.0 - at_horizon if of_contract else at_horizon
    return stored_curves(curves, horizon_days, left, rises=of_contract)[0]


def curves_of(stored: StoredCurve) -> SurvivalCurves:
    """A stored curve as one row of curves of no order, or of a contract that still runs."""
    days, probabilities = np.array(stored, dtype=np.float64).T
    return SurvivalCurves.of(days, (1.0 - probabilities if rises(stored) else probabilities)[None, :])


def next_order_dates(curves: SurvivalCurves, as_of: datetime) -> dict[str, Any]:
    """By field the instant by which its share of such customers will have ordered, None beyond a year; of one row."""
    found = {name: float(curves.days_until(share)[0]) for name, share in NEXT_ORDER_SHARES.items()}
    return {
        name: as_of + timedelta(seconds=float(np.ceil(days * 86_400.0))) if days <= LAST_DAYS_TOLD else None
        for name, days in found.items()
    }
