"""Examples for value models: everybody with an order before a cutoff, what was known, and what they spent after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import pandas as pd

from recommender.history import History
from recommender.models.lifetime_value import LifetimeValue, hash_sample
from recommender.models.value_panel import known_of
from recommender.outcomes import spend
from recommender.periods import Period
from recommender.retention.margins import Margins
from recommender.retention.value_history import value_history, valued
from recommender.tables import as_of
from recommender.touchpoints import TABLES
from training.examples import known_before
from training.progress import Steps

# As many customers, by hash, teach and judge; so memory and time are bounded however many there are.
LEARNED_CUSTOMERS = 30_000


@dataclass(frozen=True)
class ValueExamples:
    """The customers with an order before one cutoff: ``history`` of ``value_history``, and what they ``spent`` after.

    ``spent`` is complete where the cutoff lies at least a horizon before what was known.
    """

    cutoff: datetime
    history: pd.DataFrame
    spent: pd.Series
    horizon_days: int

    @cached_property
    def rhythm(self) -> LifetimeValue:
        """BG/NBD x Gamma-Gamma, fitted on what was known at the cutoff."""
        return LifetimeValue().fit(self.history)

    @cached_property
    def known(self) -> pd.DataFrame:
        """The history with what that rhythm expects."""
        return known_of(self.history, self.rhythm, self.horizon_days)


def value_examples(
    history: History,
    cutoffs: Sequence[datetime],
    margins: Margins,
    horizon_days: int,
    *,
    before: datetime,
    steps: Steps,
) -> list[ValueExamples]:
    """Examples at every cutoff, from rows before an instant alone; memory is bounded by one bucket and the sample."""
    items = history.read("items", before=before)
    parts: dict[datetime, list[tuple[pd.DataFrame, pd.Series]]] = {cutoff: [] for cutoff in cutoffs}
    for bucket in steps("value examples", range(history.buckets)):
        tables = _sampled(known_before(history, bucket, before), LEARNED_CUSTOMERS // history.buckets)
        lines, returns = valued({**tables, "items": items}, margins)
        for cutoff in cutoffs:
            known = {name: as_of(TABLES[name], frame, cutoff) for name, frame in tables.items()}
            found = value_history({**known, "items": items}, margins, cutoff)
            parts[cutoff].append((found, spend(lines, returns, found.index, Period.after(cutoff, horizon_days))))
    return [_joined(cutoff, found, horizon_days) for cutoff, found in parts.items()]


def value_histories(history: History, margins: Margins, cutoff: datetime, steps: Steps) -> pd.DataFrame:
    """``value_history`` of everybody with an order before the cutoff, bucket by bucket."""
    items = history.read("items", before=cutoff)
    parts = [
        value_history({**known_before(history, bucket, cutoff), "items": items}, margins, cutoff)
        for bucket in steps("purchases", range(history.buckets))
    ]
    return pd.concat(parts).sort_index()


def _sampled(tables: Mapping[str, pd.DataFrame], most: int) -> Mapping[str, pd.DataFrame]:
    """The rows of at most so many of the customers with an order."""
    buyers = pd.DataFrame(index=pd.Index(tables["order_lines"]["customer_id"].unique(), dtype="string"))
    if len(buyers) <= most:
        return tables
    chosen = hash_sample(buyers, most).index
    return {name: frame[frame["customer_id"].isin(chosen)] for name, frame in tables.items()}


def _joined(cutoff: datetime, parts: Sequence[tuple[pd.DataFrame, pd.Series]], horizon_days: int) -> ValueExamples:
    frames, outcomes = zip(*parts, strict=True)
    return ValueExamples(cutoff, pd.concat(frames).sort_index(), pd.concat(outcomes).sort_index(), horizon_days)
