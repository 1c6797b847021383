"""Counts of what drives churn, kept of every scoring; they hold no identifier of a customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from recommender.periods import from_microseconds, to_microseconds
from recommender.store_engine import reading, writing
from recommender.store_rows import is_storable
from recommender.store_schema import CHURN_DRIVERS


@dataclass(frozen=True)
class DriverCount:
    """What one cause sums up to in one scoring, over everybody (empty ``group`` and ``name``) or within a group.

    The empty ``code`` counts all customers asked about. ``contribution`` is a sum of log-odds, ``expected_loss`` is in
    the account currency.
    """

    definition: str
    as_of: datetime
    group: str
    name: str
    code: str
    customer_count: int
    contribution: float
    expected_loss: float


class DriverStore:
    """The counts, beside the scores; every method raises StoreUnavailable where the database is gone."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(self, counts: Sequence[DriverCount]) -> None:
        """Keep the counts of scorings in place of earlier ones of the same instants."""
        scorings = {(one.definition, to_microseconds(one.as_of)) for one in counts}
        with writing(self._engine) as connection:
            for definition, as_of in sorted(scorings):
                connection.execute(
                    sa.delete(CHURN_DRIVERS).where(
                        CHURN_DRIVERS.c.definition == definition, CHURN_DRIVERS.c.as_of == as_of
                    )
                )
            if counts:
                rows = [asdict(one) | {"as_of": to_microseconds(one.as_of)} for one in counts]
                connection.execute(sa.insert(CHURN_DRIVERS), rows)

    def instants(self, definition: str) -> list[datetime]:
        """When there was a scoring by the definition, oldest first."""
        if not is_storable(definition):
            return []
        query = sa.select(CHURN_DRIVERS.c.as_of).where(CHURN_DRIVERS.c.definition == definition).distinct()
        with reading(self._engine) as connection:
            return [from_microseconds(one) for one in sorted(connection.scalars(query))]

    def counts(self, definition: str, as_of: datetime, group: str, name: str) -> list[DriverCount]:
        """The counts of one scoring within a group."""
        if not is_storable(name):
            return []
        columns = CHURN_DRIVERS.c
        query = (
            sa.select(CHURN_DRIVERS)
            .where(columns.definition == definition, columns.as_of == to_microseconds(as_of))
            .where(columns.group == group, columns.name == name)
            .order_by(columns.code)
        )
        with reading(self._engine) as connection:
            return [DriverCount(**dict(row) | {"as_of": as_of}) for row in connection.execute(query).mappings()]
