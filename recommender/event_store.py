"""The event store: everything that customers did, appended once and read as of an instant.

Consent is enforced here. The rows of a customer whose ``consent_personalization`` is false stay stored but leave
neither ``read``, ``read_batches``, ``rows_of_customer``, ``rows_by_key`` nor ``changes``. A copy of the store learns
from ``erasures`` whose rows it must drop; where a customer consents again, ``changes`` delivers the rows anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from recommender.errors import UnknownName
from recommender.frame_validation import validate_frame
from recommender.periods import to_microseconds
from recommender.store_append import AppendResult, allot, append_sql_rows, upsert_sql_row
from recommender.store_consent import consented, erase_customer, follow_consent, follow_new_consents, of_customer
from recommender.store_engine import open_engine, reading, writing
from recommender.store_queries import (
    CONSENTS,
    UNKNOWN_CUSTOMER,
    Profile,
    begins_within,
    consents_of,
    last_instant_of,
    profile_of,
    query_by_key,
    query_of_customer,
    query_of_session,
    query_refused,
    recently_met,
    stored_columns,
)
from recommender.store_rows import SqlRow, frame_from_sql, frame_to_sql, is_storable, row_from_sql, rows_to_sql
from recommender.store_schema import COUNTERS, ERASURES, EVENT_TABLES, IDENTITY, SEQUENCE
from recommender.tables import Table, as_of, as_of_row
from recommender.touchpoints import TABLES, table_named
from recommender.validation import Rejection, is_missing, validate_rows

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 50_000
CUSTOMERS_PER_QUERY = 10_000


def open_event_store(url: str, *, clock: Callable[[], datetime]) -> EventStore:
    """The store at ``sqlite:///path`` or ``postgresql+psycopg://...``, created or migrated where need be.

    ``clock`` tells the present: rows from the future are rejected. Raises StoreUnavailable.
    """
    return EventStore(open_engine(url), clock)


class EventStore:
    """All tables of one shop in one database; safe to share between threads, one per process.

    Every method raises StoreUnavailable where the database cannot be used and UnknownName for an unknown table.
    ``before`` and ``since`` are aware instants; rows are read as they were known strictly before ``before``.
    ``clock`` tells the present.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self.engine = engine
        self.clock = clock

    def append(self, table: str, rows: pd.DataFrame) -> AppendResult:
        """Validate and store a frame in one transaction; what is stored already is counted, never overwritten.

        Raises DataError where the columns are not those of the table: then nothing is stored.
        """
        declared = table_named(table)
        valid = validate_frame(declared, rows.reset_index(drop=True), now=self.clock())
        places = [int(place) for place in valid.rows.index]
        return self._append(declared, frame_to_sql(declared, valid.rows), places, valid.rejections)

    def append_rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> AppendResult:
        """``append`` for the rows of a request: the same checks, without pandas."""
        declared = table_named(table)
        valid = validate_rows(declared, rows, now=self.clock())
        return self._append(declared, rows_to_sql(declared, valid.rows), valid.places, valid.rejections)

    def _append(self, table: Table, rows: list[SqlRow], places: list[int], rejections: list[Rejection]) -> AppendResult:
        if not rows:
            return AppendResult(rejections=rejections)
        with writing(self.engine) as connection:
            start = allot(connection, 1)
            result = append_sql_rows(connection, table, rows, places)
            if table.name == "customers":
                follow_new_consents(connection, start, to_microseconds(self.clock()))
        refused = sorted([*rejections, *result.rejections], key=lambda one: one.index)
        return AppendResult(result.accepted, result.duplicates, result.completed, refused)

    def upsert(self, table: str, row: Mapping[str, Any]) -> Rejection | None:
        """Store an item, a customer or an offer, in place of the one with the same id; None where all is well.

        Consents that the row does not mention stay as they are. Withdrawing the consent to personalization withholds
        the customer's rows, giving it releases them.
        """
        declared = table_named(table)
        if not declared.is_entity:
            raise UnknownName("table of things", table, [one.name for one in TABLES.values() if one.is_entity])
        valid = validate_rows(declared, [row], now=self.clock())
        if valid.rejections:
            return valid.rejections[0]
        with writing(self.engine) as connection:
            self._upsert(connection, declared, valid.rows[0], {name for name in CONSENTS if is_missing(row.get(name))})
        return None

    def _upsert(self, connection: sa.Connection, table: Table, row: dict[str, Any], unsaid: set[str]) -> None:
        sequence = allot(connection, 1)
        stored = consents_of(connection, row["customer_id"]) if table.name == "customers" else {}
        kept = {name: consent for name, consent in stored.items() if name in unsaid}
        chosen = {**row, **kept}
        upsert_sql_row(connection, table, (*rows_to_sql(table, [chosen])[0], sequence))
        if table.name == "customers":
            follow_consent(connection, stored, chosen, to_microseconds(self.clock()))

    def read(
        self, table: str, *, before: datetime, since: datetime | None = None, customer_ids: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """What was known strictly before ``before``, in the order of storing; ``since`` leaves older rows out."""
        import pandas as pd

        declared = table_named(table)
        batches = list(self._batches(declared, before, since, customer_ids))
        return pd.concat(batches, ignore_index=True) if batches else declared.empty()

    def read_batches(self, table: str, *, before: datetime, since: datetime | None = None) -> Iterator[pd.DataFrame]:
        """``read`` in frames of bounded size, all of one state of the store."""
        return self._batches(table_named(table), before, since, None)

    def _batches(
        self, table: Table, before: datetime, since: datetime | None, customer_ids: Sequence[str] | None
    ) -> Iterator[pd.DataFrame]:
        first = None if since is None else to_microseconds(since)
        conditions = [*begins_within(table, to_microseconds(before), first), *consented(table)]
        groups: list[list[sa.ColumnElement[bool]]] = [[]]
        if customer_ids is not None:
            ids = sorted({one for one in customer_ids if is_storable(one)})
            starts = range(0, len(ids), CUSTOMERS_PER_QUERY)
            groups = [[of_customer(table, ids[start : start + CUSTOMERS_PER_QUERY])] for start in starts]
        columns = stored_columns(table)
        with reading(self.engine) as connection:
            for group in groups:
                query = sa.select(*columns).where(*conditions, *group).order_by(EVENT_TABLES[table.name].c[SEQUENCE])
                for rows in connection.execution_options(yield_per=BATCH_ROWS).execute(query).partitions():
                    yield as_of(table, frame_from_sql(table, rows), before)

    def rows_of_customer(
        self,
        table: str,
        customer_id: str,
        *,
        before: datetime,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """The rows of one customer as plain values, newest last, without pandas; ``limit`` keeps the newest."""
        declared = table_named(table)
        if not is_storable(customer_id):
            return []
        query = query_of_customer(table, is_since=since is not None, is_limited=limit is not None)
        values = {"customer_ids": [customer_id], "before": to_microseconds(before), "limit": limit}
        if since is not None:
            values["since"] = to_microseconds(since)
        with reading(self.engine) as connection:
            found = connection.execute(query, values).all()
        known = (as_of_row(declared, row_from_sql(declared, stored), before) for stored in reversed(found))
        return [row for row in known if row is not None]

    def rows_of_session(
        self, table: str, session_id: str, *, since: datetime | None = None, limit: int
    ) -> list[dict[str, Any]]:
        """The rows of one session as plain values, newest last, at most the newest ``limit``."""
        if not is_storable(session_id):
            return []
        declared = table_named(table)
        values = {"session_id": session_id, "since": to_microseconds(since) if since else 0, "limit": limit}
        with reading(self.engine) as connection:
            found = connection.execute(query_of_session(table), values).all()
        return [row_from_sql(declared, stored) for stored in reversed(found)]

    def has_refused(self, customer_id: str) -> bool:
        """Whether the customer ever returned an item or disliked one."""
        with reading(self.engine) as connection:
            return bool(connection.scalar(query_refused(), {"customer_id": customer_id}))

    def rows_by_key(self, table: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Items, customers or offers by id, as they are now; those that are not there are left out."""
        declared = table_named(table)
        wanted = sorted({key for key in keys if is_storable(key)})
        query = query_by_key(table).where(*consented(declared)) if declared.customer_columns else query_by_key(table)
        with reading(self.engine) as connection:
            rows = [row_from_sql(declared, values) for values in connection.execute(query, {"keys": wanted})]
        return {row[declared.key[0]]: row for row in rows}

    def profile(self, customer_id: str) -> Profile:
        """Whether a customer is known or was erased, the consents, and the customers row."""
        if not is_storable(customer_id):
            return UNKNOWN_CUSTOMER
        with reading(self.engine) as connection:
            return profile_of(connection, customer_id)

    def recently_ordered(self, limit: int) -> list[tuple[str, int]]:
        """Items of the newest order lines with their number of lines, most first; of interactions where none is."""
        with reading(self.engine) as connection:
            return recently_met(connection, "order_lines", limit) or recently_met(connection, "interactions", limit)

    def changes(self, table: str, after: int) -> Iterator[tuple[int, pd.DataFrame]]:
        """Rows stored, completed or released since the change number ``after``, in frames of bounded size.

        Each frame comes with the number to continue from. All values are given, also those known later: whoever
        copies them applies ``as_of``. Drop the rows of ``erasures`` first, then add these.
        """
        declared = table_named(table)
        number = EVENT_TABLES[table].c[SEQUENCE]
        query = (
            sa.select(*stored_columns(declared), number).where(number > after, *consented(declared)).order_by(number)
        )
        with reading(self.engine) as connection:
            for rows in connection.execution_options(yield_per=BATCH_ROWS).execute(query).partitions():
                yield rows[-1][-1], frame_from_sql(declared, [row[:-1] for row in rows])

    def erasures(self, after: int) -> list[tuple[int, str]]:
        """Change number and ``customer_hash`` of each customer who was erased or withdrew since ``after``.

        Copies must drop the rows of these. What such a customer has since added or released has higher numbers and
        comes with ``changes``.
        """
        query = sa.select(ERASURES.c[SEQUENCE], ERASURES.c.customer_hash).where(ERASURES.c[SEQUENCE] > after)
        with reading(self.engine) as connection:
            return [(int(number), one) for number, one in connection.execute(query.order_by(ERASURES.c[SEQUENCE]))]

    def identity(self) -> int:
        """A random number that the store was given when it was first asked: a copy of another store has another."""
        query = sa.select(COUNTERS.c.value).where(COUNTERS.c.name == IDENTITY)
        with reading(self.engine) as connection:
            known = connection.scalar(query)
        if known is not None:
            return int(known)
        with writing(self.engine) as connection:
            if connection.scalar(query) is None:
                connection.execute(sa.insert(COUNTERS).values(name=IDENTITY, value=secrets.randbits(62)))
            return int(connection.scalar(query) or 0)

    def last_sequence(self) -> int:
        """The highest change number given out so far."""
        query = sa.select(COUNTERS.c.value).where(COUNTERS.c.name == SEQUENCE)
        with reading(self.engine) as connection:
            return int(connection.scalar(query) or 0)

    def erase(self, customer_id: str) -> dict[str, int]:
        """Delete all rows and scores of a customer; returns how many rows of each table there were."""
        if not is_storable(customer_id):
            return {}
        with writing(self.engine) as connection:
            return erase_customer(connection, customer_id, to_microseconds(self.clock()))

    def last_instant(self) -> datetime | None:
        """When the latest event of any table that tells time began, or None where there is none."""
        with reading(self.engine) as connection:
            return last_instant_of(connection)

    def counts(self) -> dict[str, int]:
        """Number of stored rows by table, those withheld included."""
        with reading(self.engine) as connection:
            return {
                name: int(connection.scalar(sa.select(sa.func.count()).select_from(one)) or 0)
                for name, one in EVENT_TABLES.items()
            }

    def ping(self) -> None:
        """Raise StoreUnavailable where the store cannot be read."""
        self.last_sequence()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
