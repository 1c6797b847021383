"""Score all customers with the served bundle and fill the lists that the API reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pandas as pd

from recommender.bundle import ModelBundle
from recommender.history import History
from recommender.retention.risk_scoring import score_rows
from recommender.score_rows import ScoreRow
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
