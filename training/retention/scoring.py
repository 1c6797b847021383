"""Score all customers with the served bundle and fill the lists that the API reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import pandas as pd
import sqlalchemy as sa

from recommender.bundle import ModelBundle
from recommender.history import History
from recommender.retention.driver_store import DriverStore
from recommender.retention.drivers import DriverTally
from recommender.retention.risk_scoring import score_rows
from recommender.retention.segment_store import SegmentStore
from recommender.retention.suggestion_store import record_suggestions
from recommender.retention.treatment_settings import policy_of
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore
from training.examples import known_before
from training.progress import Steps


def scored_customers(history: History, bundle: ModelBundle, *, as_of: datetime, steps: Steps) -> Iterator[ScoreRow]:
    """A row per customer with any event before ``as_of``, bucket by bucket."""
    items = history.read("items", before=as_of)
    for bucket in steps("score", range(history.buckets)):
        tables = known_before(history, bucket, as_of)
        ids = [frame["customer_id"].dropna() for name, frame in tables.items() if name != "customers"]
        customer_ids = pd.Index(pd.concat(ids).unique(), dtype="string", name="customer_id").sort_values()
        if len(customer_ids):
            yield from score_rows({**tables, "items": items}, customer_ids, bundle, as_of)


def keep_scores(engine: sa.Engine, rows: Iterable[ScoreRow], bundle: ModelBundle) -> int:
    """Put the rows of a bundle in place of all scores and renew what is made of them; returns how many there are.

    That is what drives churn, whom a treatment is suggested for, and who is in the segments.
    """
    drivers = DriverTally()
    count = ScoreStore(engine).replace_all(drivers.counting(rows))
    DriverStore(engine).put(drivers.counts())
    record_suggestions(engine, policy_of(bundle.facts))
    SegmentStore(engine).renew_all()
    return count
