"""How the candidates of a churn model do on past windows: what they said of customers before it was known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from recommender.history import History
from recommender.parallel import in_parallel
from recommender.retention.definitions import NO_ORDER, ChurnDefinition
from recommender.retention.segments import lifecycle_states
from training.examples import Examples
from training.retention.churn_candidates import (
    PANEL_MODEL,
    RECENCY,
    RFM_LOGISTIC,
    RHYTHM,
    averaged,
    columns_of,
    judge,
    learned,
    rhythm,
)
from training.retention.quality import JudgedWindow
from training.selection import Judged

WINDOWS_JUDGED = 3
_STATE_TABLES = {"order_lines": ("customer_id", "ordered_at"), "subscriptions": ()}
_SPENT, _PAID = "spend_56d_amount", "subscription_running_amount"


def names_of(definition: ChurnDefinition) -> tuple[str, ...]:
    """The candidates; the rhythm of orders tells of nothing but orders."""
    learned_ones = (RFM_LOGISTIC, PANEL_MODEL)
    return (*learned_ones, RHYTHM) if definition.outcome == NO_ORDER else learned_ones


def fitted(
    name: str,
    history: History,
    definition: ChurnDefinition,
    panel: Sequence[Examples],
    columns: Sequence[str],
    cutoff: datetime,
    seed: int,
) -> Any:
    """A candidate that knows what had happened by the cutoff."""
    if name == RHYTHM:
        return rhythm(history, cutoff, definition.horizon_days)
    return learned(name, panel, columns, seed)


def judged_windows(
    history: History, definition: ChurnDefinition, panel: Sequence[Examples], varying: Sequence[str], *, seed: int
) -> list[JudgedWindow]:
    """What the candidates said at the latest cutoffs that have a past, latest first, and recency alone to compare.

    One window of few leavers cannot tell two models apart.
    """
    horizon = timedelta(days=definition.horizon_days)
    windows = [(one, [past for past in panel if past.cutoff <= one.cutoff - horizon]) for one in panel[:WINDOWS_JUDGED]]
    windows = [(one, past) for one, past in windows if past and one.churned.nunique() == 2]
    columns = {name: list(columns_of(name, varying)) for name in (*names_of(definition), RECENCY)}
    names = [name for name in columns if columns[name]]

    def say(asked: tuple[Examples, Sequence[Examples], str]) -> pd.Series:
        one, past, name = asked
        model = fitted(name, history, definition, past, columns[name], one.cutoff, seed)
        said: pd.Series = model.predict_proba(one.features[columns[name]])
        return said

    said = in_parallel(say, [(one, past, name) for one, past in windows for name in names])
    return [
        JudgedWindow(
            one.cutoff,
            one.churned,
            {name: next(said) for name in names},
            _states(history, definition, one),
            one.features[_PAID if definition.contractual else _SPENT],
        )
        for one, _ in windows
    ]


def judged_by_name(windows: Sequence[JudgedWindow], names: Sequence[str]) -> dict[str, Judged]:
    """What decides between the candidates: one value per customer and measure; empty without a window."""
    if not windows:
        return {}
    return {
        name: averaged([(one.left.index, judge(one.probabilities[name], one.left)) for one in windows])
        for name in names
    }


def _states(history: History, definition: ChurnDefinition, examples: Examples) -> pd.Series:
    known = {
        name: history.read(name, before=examples.cutoff, columns=list(columns) or None)
        for name, columns in _STATE_TABLES.items()
    }
    return lifecycle_states(known, examples.features.index, examples.cutoff, definition)
