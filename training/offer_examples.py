"""Assignments to learn from: what was known of the customer when drawn, and what happened after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from recommender.bucket_files import bucket_of
from recommender.history import History
from recommender.models.lifetime_value import hash_sample
from recommender.outcomes import converted, redeemed
from recommender.tables import as_of
from recommender.touchpoints import FEATURES, TABLES
from training.examples import known_before
from training.progress import Steps

# Features are computed at the beginning of a day, for at most this many days: draws come in waves.
MAXIMUM_INSTANTS = 24
MAXIMUM_ASSIGNMENTS = 200_000


@dataclass(frozen=True)
class OfferExamples:
    """Assignments with ``converted`` and ``redeemed``, and in the same order the features of their customers."""

    assignments: pd.DataFrame
    features: pd.DataFrame


def complete_assignments(history: History, *, before: datetime, horizon_days: float) -> pd.DataFrame:
    """Assignments whose window of ``horizon_days`` ends by an instant, by ``assignment_id``.

    Above 200,000 a sample by hash: the same rows wherever they lie.
    """
    rows = history.read("assignments", before=before)
    ends_in_time = rows["assigned_at"] <= before - timedelta(days=horizon_days)
    return hash_sample(rows[ends_in_time].set_index("assignment_id"), MAXIMUM_ASSIGNMENTS)


def offer_examples(
    history: History, assignments: pd.DataFrame, *, before: datetime, horizon_days: float, steps: Steps
) -> OfferExamples:
    """Examples of the assignments given, from rows before an instant alone; memory is bounded by one bucket.

    The features are those at the beginning of the day of the assignment, or of the latest day before it for which any
    are computed: nothing that was not known when the customer was drawn.
    """
    rows = assignments.assign(
        known_at=_feature_instants(assignments["assigned_at"]),
        bucket=[bucket_of(customer_id, history.buckets) for customer_id in assignments["customer_id"]],
    )
    parts = []
    for bucket in steps("offer examples", range(history.buckets)):
        chosen = rows[rows["bucket"] == bucket]
        if len(chosen):
            parts.append(_examples_of(known_before(history, bucket, before), chosen, horizon_days))
    return OfferExamples(pd.concat([part.assignments for part in parts]), pd.concat([part.features for part in parts]))


def _feature_instants(assigned_at: pd.Series) -> pd.Series:
    """For each assignment the latest of at most MAXIMUM_INSTANTS days, evenly chosen, that is not after its own."""
    days = assigned_at.dt.floor("D")
    distinct = pd.DatetimeIndex(days.unique()).sort_values()
    places = np.unique(np.linspace(0, len(distinct) - 1, min(len(distinct), MAXIMUM_INSTANTS)).round().astype(int))
    chosen = distinct[places]
    positions = chosen.searchsorted(pd.DatetimeIndex(days), side="right") - 1
    return pd.Series(chosen[positions], index=assigned_at.index)


def _examples_of(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame, horizon_days: float) -> OfferExamples:
    drawn = rows["customer_id"].unique()
    involved = {name: frame[frame["customer_id"].isin(drawn)] for name, frame in tables.items()}
    features = []
    for instant, chosen in rows.groupby("known_at"):
        known = {name: as_of(TABLES[name], frame, instant) for name, frame in involved.items()}
        customer_ids = pd.Index(chosen["customer_id"].unique(), dtype="string", name="customer_id")
        computed = FEATURES.compute(known, customer_ids, instant)
        features.append(computed.loc[chosen["customer_id"]])
    ordered = pd.concat([chosen for _, chosen in rows.groupby("known_at")]).drop(columns=["known_at", "bucket"])
    outcomes = {
        "converted": converted(involved["order_lines"], ordered, horizon_days),
        "redeemed": redeemed(involved["redemptions"], ordered, horizon_days),
    }
    return OfferExamples(ordered.assign(**outcomes), pd.concat(features))
