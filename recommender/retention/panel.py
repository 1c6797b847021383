"""Examples of several past cutoffs under one another: one customer at one cutoff is one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recommender.errors import NotEnoughData

if TYPE_CHECKING:
    import pandas as pd

# Features of a customer of whom less than this is known say how young the data are, not how the customer is.
MINIMUM_HISTORY_DAYS = 28.0


@dataclass(frozen=True)
class Panel:
    """Features and outcomes of all examples, indexed by ``customer_id``, and the cutoff of each row."""

    features: pd.DataFrame
    churned: pd.Series
    cutoffs: pd.Series


def panel_cutoffs(
    as_of: datetime,
    horizon_days: float,
    first_event: datetime,
    count: int = 6,
    step_days: float = 28.0,
    minimum_history_days: float = MINIMUM_HISTORY_DAYS,
) -> list[datetime]:
    """At most ``count`` cutoffs, oldest first, whose windows of ``horizon_days`` have ended by ``as_of``.

    The latest lies one horizon before ``as_of``, each other ``step_days`` before the next; none has fewer than
    ``minimum_history_days`` behind it. The list is empty where not even one has.
    """
    latest = as_of - timedelta(days=horizon_days)
    found = [latest - timedelta(days=step_days) * place for place in range(count)]
    earliest = first_event + timedelta(days=minimum_history_days)
    return [cutoff for cutoff in reversed(found) if cutoff >= earliest]


def gather_panel(cutoffs: Sequence[datetime], examples: Callable[[datetime], tuple[pd.DataFrame, pd.Series]]) -> Panel:
    """The examples of all cutoffs in order; ``examples`` gives features and outcomes of one, both by customer.

    A cutoff without a customer adds nothing. Raises NotEnoughData where no cutoff has any.
    """
    import pandas as pd

    features, outcomes, times = [], [], []
    for cutoff in cutoffs:
        found, churned = examples(cutoff)
        if len(found):
            features.append(found)
            outcomes.append(churned.reindex(found.index).astype(bool))
            times.append(pd.Series(pd.Timestamp(cutoff), index=found.index, dtype="datetime64[us, UTC]"))
    if not features:
        raise NotEnoughData(f"none of {len(cutoffs)} past cutoffs has a customer of the population; add older orders")
    return Panel(pd.concat(features), pd.concat(outcomes), pd.concat(times).rename("cutoff"))
