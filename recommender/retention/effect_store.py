"""What the treatments were last measured to bring, in the store."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from recommender.periods import to_microseconds
from recommender.retention.effect_answers import MeasuredEffects
from recommender.store_engine import reading, writing
from recommender.store_schema import TREATMENT_EFFECTS


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
