"""Judge the curves of a training and its next order dates on what happened after its cutoff, as far as it was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from recommender.errors import NotEnoughData
from recommender.features import DAY_SECONDS
from recommender.history import History
from recommender.models import create
from recommender.models.order_rhythm import RHYTHM
from recommender.models.survival_curves import NODES, SurvivalCurves
from recommender.outcomes import days_to_order, days_to_subscription_end
from recommender.probability_metrics import bootstrap, brier_score, calibration_error
from recommender.retention.definitions import NO_ORDER, ChurnDefinition
from recommender.retention.order_times import CONTRACT_TIMES, ORDER_TIMES, CustomerTimes, rhythm_of, times_of
from recommender.retention.told_curves import FIRST_DAYS_TOLD, NEXT_ORDER_SHARES
from recommender.tables import as_of as known_at
from recommender.touchpoints import TABLES
from training.pipeline import Training

BGNBD, OWN_INTERVAL, SHIPPED = "bgnbd_curves", "own_interval", "shipped"
_TABLES = ("order_lines", "subscriptions")


@dataclass(frozen=True)
class Seen:
    """Tables that reach beyond the cutoff, the cutoff, and the days of it that were seen."""

    tables: Mapping[str, pd.DataFrame]
    cutoff: datetime
    days: float

    @classmethod
    def of(cls, history: History, cutoff: datetime) -> Seen | None:
        """All that a history holds; None where it holds nothing at or after the cutoff."""
        last = history.last_instant()
        if last is None or last < cutoff:
            return None
        end = last + timedelta(microseconds=1)
        tables = {name: history.read(name, before=end) for name in _TABLES}
        return cls(tables, cutoff, (end - cutoff).total_seconds() / DAY_SECONDS)

    @property
    def known(self) -> dict[str, pd.DataFrame]:
        """The tables as of the cutoff."""
        return {name: known_at(TABLES[name], frame, self.cutoff) for name, frame in self.tables.items()}


def judge_times(
    seen: Seen, probabilities: pd.Series, definition: ChurnDefinition, models: Mapping[str, Any], *, seed: int
) -> dict[str, Any]:
    """The curve and the next order date of the customers with a probability that they leave.

    Both are judged beside BG/NBD, the date also beside the last order plus the customer's own mean interval.
    """
    customer_ids = pd.Index(probabilities.index, dtype="string", name="customer_id").sort_values()
    asked = probabilities.reindex(customer_ids)
    known = seen.known
    found: dict[str, Any] = {"customers": len(customer_ids), "seen_days": seen.days}
    times = CustomerTimes.of(known, customer_ids, definition, asked.to_numpy(), models, seen.cutoff)
    rhythm, curves = times.rhythm, times.staying
    rivals = _rivals(known["order_lines"], seen.cutoff)
    if curves is not None:
        others = {name: one.curves(rhythm[curves.places]) for name, one in rivals.items()}
        compared = {SHIPPED: curves.curves, **(others if definition.outcome == NO_ORDER else {})}
        days = _days_until_left(seen, customer_ids[curves.places], definition)
        found["curve"] = judge_curves(compared, days, seen.days, seed=seed)
        model = models[CONTRACT_TIMES if definition.contractual else ORDER_TIMES]
        found["curve"] |= {"kind": model.kind, "learned_days": model.learned_days}
    if ORDER_TIMES in models and (~np.isnan(rhythm[:, 0])).any():
        told = times_of(known, customer_ids, definition, asked.to_dict(), models, seen.cutoff)
        found["next_order"] = _judge_next_orders(seen, told, rhythm, rivals, seed=seed)
    return found


def judge_training_times(
    history: History, training: Training, churn: pd.DataFrame, *, seed: int
) -> dict[str, Any] | None:
    """``judge_times`` of a training and its answers about churn; None where nothing can be judged."""
    seen = Seen.of(history, training.bundle.as_of)
    if seen is None or churn.empty:
        return None
    probabilities = churn.set_index("customer_id")["churn_probability"]
    return judge_times(seen, probabilities, training.churn.definition, training.bundle.models, seed=seed)


def judge_curves(
    curves: Mapping[str, SurvivalCurves], days: np.ndarray, seen_days: float, *, seed: int
) -> dict[str, Any]:
    """By model and day: squared error and calibration error; and the squared error integrated over the days seen.

    ``days`` until a customer ordered or left are infinite where that was not seen. All customers are seen for equally
    long, so that the weights of censoring of the integrated Brier score (Graf et al. 1999) are all 1 until then.
    """
    judged = [int(node) for node in NODES if node <= seen_days]
    by_day = {}
    for day in (one for one in judged if one >= FIRST_DAYS_TOLD):
        stayed = (days >= day).astype(np.float64)
        by_day[str(day)] = {
            "base_rate": float(stayed.mean()),
            "models": {name: _at_day(one.at(np.array([day]))[:, 0], stayed, seed) for name, one in curves.items()},
        }
    integrated = {name: _integrated(one, days, judged, seed) for name, one in curves.items()} if judged else {}
    return {"by_day": by_day, "integrated_brier": integrated, "integrated_days": max(judged, default=0)}


def _at_day(stays: np.ndarray, stayed: np.ndarray, seed: int) -> dict[str, Any]:
    measures = {"brier": brier_score, "ece": calibration_error}
    return {
        name: asdict(bootstrap(lambda rows, one=one: one(stayed[rows], stays[rows]), len(stayed), seed=seed))
        for name, one in measures.items()
    }


def _integrated(curves: SurvivalCurves, days: np.ndarray, judged: list[int], seed: int) -> dict[str, Any]:
    """Brier score as a mean over the time seen, by the trapezoidal rule between the nodes."""
    stayed = days[:, None] >= np.array(judged)
    errors = np.hstack([np.zeros((len(days), 1)), np.square(curves.at(np.array(judged)) - stayed)])
    own = np.trapezoid(errors, [0, *judged], axis=1) / judged[-1]
    return asdict(bootstrap(lambda rows: float(own[rows].mean()), len(own), seed=seed))


def _judge_next_orders(
    seen: Seen, told: pd.DataFrame, rhythm: np.ndarray, rivals: Mapping[str, Any], *, seed: int
) -> dict[str, Any]:
    """How far the date told lies from the order, and how often the order came by the instants told.

    Both dates are held at the end of what was seen: an order that was not seen counts as one at its end. A share is
    judged on the customers whose instant lies within what was seen, so that nobody is chosen by what came.
    """
    ordered = ~np.isnan(rhythm[:, 0])
    came = days_to_order(seen.tables["order_lines"], told.index, seen.cutoff).to_numpy()[ordered]
    dates = {name: _days_from(seen.cutoff, told[name])[ordered] for name in NEXT_ORDER_SHARES}
    guesses = {SHIPPED: dates["expected_next_order_at"], OWN_INTERVAL: _own_interval(rhythm[ordered])}
    guesses |= {name: one.curves(rhythm[ordered]).days_until(0.5) for name, one in rivals.items()}
    inside = dates["next_order_latest_at"] <= seen.days
    covered = (dates["next_order_earliest_at"] <= came) & (came <= dates["next_order_latest_at"])
    return {
        "customers": int(ordered.sum()),
        "ordered_share": float(np.isfinite(came).mean()),
        "told_share": float(np.isfinite(guesses[SHIPPED]).mean()),
        "median_error_days": {name: _error(np.median, one, came, seen.days, seed) for name, one in guesses.items()},
        "mean_error_days": {name: _error(np.mean, one, came, seen.days, seed) for name, one in guesses.items()},
        "came_by": {
            name: {"wanted": share, **_share((came <= dates[name])[dates[name] <= seen.days], seed)}
            for name, share in NEXT_ORDER_SHARES.items()
        },
        "within_interval": {"wanted": 0.8, **_share(covered[inside], seed)},
    }


def _own_interval(rhythm: np.ndarray) -> np.ndarray:
    """Days to the last order plus the own mean interval, at once where that is over; else that of the others."""
    means = rhythm[:, RHYTHM.index("order_interval_mean_days")]
    usual = np.nanmedian(means) if not np.isnan(means).all() else np.inf
    since = rhythm[:, RHYTHM.index("days_since_last_order")]
    return np.asarray(np.maximum(np.where(np.isnan(means), usual, means) - since, 0.0))


def _error(
    middle: Callable[[np.ndarray], Any], guessed: np.ndarray, came: np.ndarray, seen_days: float, seed: int
) -> dict[str, Any]:
    errors = np.abs(np.minimum(guessed, seen_days) - np.minimum(came, seen_days))
    return asdict(bootstrap(lambda rows: float(middle(errors[rows])), len(errors), seed=seed))


def _share(came: np.ndarray, seed: int) -> dict[str, Any]:
    return asdict(bootstrap(lambda rows: float(came[rows].mean()), len(came), seed=seed))


def _days_from(cutoff: datetime, instants: pd.Series) -> np.ndarray:
    """Days to each instant, infinite where none is told."""
    days = (instants - pd.Timestamp(cutoff)).dt.total_seconds() / DAY_SECONDS
    return np.asarray(days.fillna(np.inf).to_numpy())


def _days_until_left(seen: Seen, customer_ids: pd.Index, definition: ChurnDefinition) -> np.ndarray:
    if definition.contractual:
        return days_to_subscription_end(seen.tables["subscriptions"], customer_ids, seen.cutoff).to_numpy()
    return days_to_order(seen.tables["order_lines"], customer_ids, seen.cutoff).to_numpy()


def _rivals(order_lines: pd.DataFrame, cutoff: datetime) -> dict[str, Any]:
    """BG/NBD on what was known, where the orders hold one."""
    customer_ids = pd.Index(order_lines["customer_id"].unique(), dtype="string").sort_values()
    rhythm = pd.DataFrame(rhythm_of(order_lines, customer_ids, cutoff), columns=list(RHYTHM))
    try:
        return {BGNBD: create("bgnbd_curves").fit(rhythm)} if len(rhythm) else {}
    except NotEnoughData:
        return {}
