"""Whom the treatments were first meant for, in the store: one row per customer, experiment and treatment.

The first suggestion stands: what is suggested later may follow from what the treatment did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from recommender.periods import from_microseconds, to_microseconds
from recommender.retention.treatments import TreatmentPolicy
from recommender.score_queries import CURRENT
from recommender.store_engine import reading, writing
from recommender.store_schema import SCORES, TREATMENT_SUGGESTIONS

CHUNK_ROWS = 20_000
_KEPT = TREATMENT_SUGGESTIONS.c


@dataclass(frozen=True)
class Suggestion:
    """The first scoring that suggested a treatment for a customer, and how the customer was drawn."""

    customer_id: str
    treatment: str
    as_of: datetime
    is_holdout: bool
    holdout_share: float


def record_suggestions(engine: sa.Engine, policy: TreatmentPolicy) -> None:
    """Keep what the last scoring suggested for the first time, in short transactions; raises StoreUnavailable."""
    after: str | None = ""
    while after is not None:
        with writing(engine) as connection:
            after = _record_chunk(connection, policy, after)


def _record_chunk(connection: sa.Connection, policy: TreatmentPolicy, after: str) -> str | None:
    """Record the next customers after one of them; the last of these, None at the end."""
    scored, is_next = SCORES.c, SCORES.c.customer_id > after
    ids = sa.select(scored.customer_id).where(is_next).order_by(scored.customer_id)
    last: str | None = connection.scalar(ids.offset(CHUNK_ROWS - 1).limit(1))
    if last is not None:
        is_next = is_next & (scored.customer_id <= last)
    is_known = sa.exists().where(
        _KEPT.customer_id == scored.customer_id,
        _KEPT.definition == scored.definition,
        _KEPT.experiment == policy.experiment,
        _KEPT.treatment == scored.suggested_treatment,
    )
    suggested = sa.select(
        scored.customer_id,
        scored.definition,
        sa.literal(policy.experiment),
        scored.suggested_treatment,
        scored.as_of,
        scored.is_holdout,
        sa.literal(policy.holdout_share, sa.Float(53)),
    ).where(is_next, scored.generation == CURRENT, scored.suggested_treatment.is_not(None), ~is_known)
    names = ["customer_id", "definition", "experiment", "treatment", "as_of", "is_holdout", "holdout_share"]
    connection.execute(sa.insert(TREATMENT_SUGGESTIONS).from_select(names, suggested))
    return last


def first_suggestions(engine: sa.Engine, definition: str, experiment: str, *, before: datetime) -> Iterator[Suggestion]:
    """The first suggestions of an experiment by scorings as of before an instant, by customer and treatment.

    Raises StoreUnavailable.
    """
    query = (
        sa.select(_KEPT.customer_id, _KEPT.treatment, _KEPT.as_of, _KEPT.is_holdout, _KEPT.holdout_share)
        .where(_KEPT.definition == definition, _KEPT.experiment == experiment, _KEPT.as_of < to_microseconds(before))
        .order_by(_KEPT.customer_id, _KEPT.treatment)
    )
    with reading(engine) as connection:
        for rows in connection.execution_options(yield_per=CHUNK_ROWS).execute(query).partitions():
            for customer_id, treatment, as_of, is_holdout, share in rows:
                yield Suggestion(customer_id, treatment, from_microseconds(as_of), bool(is_holdout), share)
