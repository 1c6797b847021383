"""Whom the treatments were meant for, and what they were measured to bring, in the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from recommender.periods import from_microseconds, to_microseconds
from recommender.retention.effect_answers import MeasuredEffects
from recommender.store_engine import reading, writing
from recommender.store_schema import SCORE_HISTORY, TREATMENT_EFFECTS

_ROWS = 10_000


@dataclass(frozen=True)
class Suggestion:
    """The first scoring that suggested a treatment for a customer, and whether the customer was held out from it."""

    customer_id: str
    treatment: str
    as_of: datetime
    is_holdout: bool


def first_suggestions(
    engine: sa.Engine, definition: str, *, versions: Sequence[str], before: datetime
) -> Iterator[Suggestion]:
    """By customer and treatment the first scoring before an instant, by bundles of these versions, in that order.

    Raises StoreUnavailable.
    """
    history = SCORE_HISTORY.c
    is_asked = (
        history.definition == definition,
        history.treatment.is_not(None),
        history.model_version.in_(versions),
        history.as_of < to_microseconds(before),
    )
    earliest = (
        sa.select(history.customer_id, history.treatment, sa.func.min(history.as_of).label("as_of"))
        .where(*is_asked)
        .group_by(history.customer_id, history.treatment)
        .subquery()
    )
    is_first = (
        (history.customer_id == earliest.c.customer_id)
        & (history.definition == definition)
        & (history.as_of == earliest.c.as_of)
    )
    query = (
        sa.select(earliest.c.customer_id, earliest.c.treatment, earliest.c.as_of, history.is_holdout)
        .join(SCORE_HISTORY, is_first)
        .order_by(earliest.c.customer_id, earliest.c.treatment)
    )
    with reading(engine) as connection:
        for rows in connection.execution_options(yield_per=_ROWS).execute(query).partitions():
            for customer_id, treatment, as_of, is_holdout in rows:
                yield Suggestion(customer_id, treatment, from_microseconds(as_of), bool(is_holdout))


def count_elsewhere(engine: sa.Engine, definition: str, *, versions: Sequence[str], before: datetime) -> int:
    """How many customers had a treatment suggested by bundles of other versions; raises StoreUnavailable."""
    history = SCORE_HISTORY.c
    query = sa.select(sa.func.count(history.customer_id.distinct())).where(
        history.definition == definition,
        history.treatment.is_not(None),
        history.model_version.not_in(versions),
        history.as_of < to_microseconds(before),
    )
    with reading(engine) as connection:
        return int(connection.scalar(query) or 0)


def keep_effects(engine: sa.Engine, measured: MeasuredEffects, *, as_of: datetime) -> None:
    """Put what was measured of a definition in place of what was measured before; raises StoreUnavailable."""
    table = TREATMENT_EFFECTS
    row = {"definition": measured.definition, "as_of": to_microseconds(as_of), "measured": measured.to_json()}
    with writing(engine) as connection:
        connection.execute(sa.delete(table).where(table.c.definition == measured.definition))
        connection.execute(sa.insert(table), row)


def last_effects(engine: sa.Engine, definition: str) -> MeasuredEffects | None:
    """What was last measured of a definition, None where nothing was; raises StoreUnavailable."""
    query = sa.select(TREATMENT_EFFECTS.c.measured).where(TREATMENT_EFFECTS.c.definition == definition)
    with reading(engine) as connection:
        text = connection.scalar(query)
    return None if text is None else MeasuredEffects.from_json(text)
