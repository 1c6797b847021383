"""Examples to learn from: features at a cutoff and what happened after it, bucket by bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from recommender.history import History
from recommender.retention.definitions import ChurnDefinition
from recommender.tables import as_of
from recommender.touchpoints import FEATURES, TABLES
from training.progress import Steps

CUSTOMER_TABLES = tuple(name for name, table in TABLES.items() if "customer_id" in table.customer_columns)


@dataclass(frozen=True)
class Examples:
    """Features at one cutoff and who churned, one row per customer of the population with an outcome, sorted."""

    cutoff: datetime
    features: pd.DataFrame
    churned: pd.Series


def is_contractual(history: History, cutoff: datetime) -> bool:
    """Whether contracts are how customers stay: at least half of those who ordered or subscribed hold or held one.

    Then churn is the end of a contract. A shop that also sells a subscription to a few loses the others unseen
    if they are not asked about.
    """
    if "subscriptions" not in history.tables():
        return False
    subscribers = everybody = 0
    for bucket in range(history.buckets):
        bought, subscribed = (
            set(history.read(name, before=cutoff, bucket=bucket, columns=["customer_id"])["customer_id"])
            for name in ("order_lines", "subscriptions")
        )
        subscribers += len(subscribed)
        everybody += len(bought | subscribed)
    return 0 < everybody <= 2 * subscribers


def known_before(history: History, bucket: int, before: datetime) -> dict[str, pd.DataFrame]:
    """All tables with a customer column, as of an instant, for one bucket of customers."""
    return {name: history.read(name, before=before, bucket=bucket) for name in CUSTOMER_TABLES}


def population_features(history: History, definition: ChurnDefinition, cutoff: datetime, steps: Steps) -> pd.DataFrame:
    """Features of the churn population at the cutoff, bucket by bucket."""
    parts = []
    for bucket in steps("features", range(history.buckets)):
        known = known_before(history, bucket, cutoff)
        parts.append(FEATURES.compute(known, definition.population(known, cutoff), cutoff))
    return pd.concat(parts).sort_index()


def churn_examples(
    history: History,
    cutoffs: Sequence[datetime],
    definition: ChurnDefinition,
    *,
    before: datetime,
    steps: Steps,
) -> list[Examples]:
    """Examples at every cutoff, from rows before an instant alone; memory is bounded by one bucket.

    An outcome is complete where the cutoff lies at least a horizon before that instant.
    """
    parts: dict[datetime, list[Examples]] = {cutoff: [] for cutoff in cutoffs}
    for bucket in steps("churn examples", range(history.buckets)):
        tables = known_before(history, bucket, before)
        for cutoff in cutoffs:
            parts[cutoff].append(_examples_of(tables, cutoff, definition))
    return [_joined(cutoff, found) for cutoff, found in parts.items()]


def _examples_of(tables: Mapping[str, pd.DataFrame], cutoff: datetime, definition: ChurnDefinition) -> Examples:
    known = {name: as_of(TABLES[name], frame, cutoff) for name, frame in tables.items()}
    customer_ids = definition.population(known, cutoff)
    left = definition.happened(tables, customer_ids, cutoff)
    return Examples(cutoff, FEATURES.compute(known, left.index, cutoff), left)


def _joined(cutoff: datetime, parts: Sequence[Examples]) -> Examples:
    features = pd.concat([part.features for part in parts]).sort_index()
    return Examples(cutoff, features, pd.concat([part.churned for part in parts]).sort_index())
