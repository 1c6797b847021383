"""Questions to the store that take one or two queries.

What requests ask is built once and bound to values at each request: building a query costs more than answering it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from recommender.periods import from_microseconds
from recommender.store_consent import ERASURE, consented, customer_hash, customer_tables, of_customer
from recommender.store_rows import row_from_sql
from recommender.store_schema import ERASURES, EVENT_TABLES, SEQUENCE
from recommender.tables import Table
from recommender.touchpoints import TABLES, table_named

# What is popular is read off so many rows where no model is served.
NEWEST_ROWS = 20_000
CONSENTS = ("consent_personalization", "consent_marketing")


@dataclass(frozen=True)
class Profile:
    """What the store holds of a customer; ``row`` is the customers row, whatever its consents.

    ``known``: there is a customers row or an event. ``erased``: the rows were erased once; rows that came since make
    a new customer, and what a bundle learned of the id belongs to the one who was forgotten.
    """

    known: bool
    erased: bool
    consent_personalization: bool
    consent_marketing: bool
    row: dict[str, Any] | None


Microseconds = int | sa.BindParameter[int]
UNKNOWN_CUSTOMER = Profile(False, False, True, True, None)


def stored_columns(table: Table) -> list[sa.Column[Any]]:
    """The columns of a table as declared, without the change number."""
    return [EVENT_TABLES[table.name].c[name] for name in table.column_names]


def begins_within(table: Table, before: Microseconds, since: Microseconds | None) -> list[sa.ColumnElement[bool]]:
    """Conditions that a row began in ``[since, before)``; one that was always there began before any ``since``."""
    if table.exists_from is None:
        return []
    begins = EVENT_TABLES[table.name].c[table.exists_from]
    if since is not None:
        return [begins >= since, begins < before]
    is_known = begins < before
    return [is_known if table[table.exists_from].required else sa.or_(is_known, begins.is_(None))]


def consents_of(connection: sa.Connection, customer_id: str) -> dict[str, Any]:
    """The stored consents of a customer; empty where there is no customers row."""
    customers = EVENT_TABLES["customers"].c
    query = sa.select(*(customers[name] for name in CONSENTS)).where(customers.customer_id == customer_id)
    found = connection.execute(query).first()
    return dict(found._mapping) if found is not None else {}


def profile_of(connection: sa.Connection, customer_id: str) -> Profile:
    """Whether a customer is known or was erased, the consents, and the customers row."""
    customers = table_named("customers")
    found = connection.execute(query_by_key("customers"), {"keys": [customer_id]}).first()
    is_erased = bool(connection.scalar(_ERASED, {"hash": customer_hash(customer_id)}))
    if found is not None:
        row = row_from_sql(customers, found)
        personalization, marketing = (row[name] is not False for name in CONSENTS)
        return Profile(True, is_erased, personalization, marketing, row)
    is_known = bool(connection.scalar(_has_traces(), {"customer_ids": [customer_id]}))
    return Profile(is_known, is_erased, True, True, None)


_ERASED = sa.select(sa.exists().where(ERASURES.c.customer_hash == sa.bindparam("hash"), ERASURES.c.reason == ERASURE))


@cache
def _has_traces() -> sa.Select[Any]:
    """Whether any table has a row of one of ``customer_ids``."""
    ids: sa.BindParameter[Any] = sa.bindparam("customer_ids", expanding=True)
    return sa.select(sa.or_(*(sa.exists().where(of_customer(table, ids)) for table in customer_tables())))


@cache
def query_by_key(table: str) -> sa.Select[Any]:
    """The rows of a table whose first key column is one of ``keys``."""
    declared = table_named(table)
    first = EVENT_TABLES[table].c[declared.key[0]]
    return sa.select(*stored_columns(declared)).where(first.in_(sa.bindparam("keys", expanding=True)))


@cache
def query_of_customer(table: str, *, is_since: bool, is_limited: bool) -> sa.Select[Any]:
    """The rows of ``customer_ids`` that began in ``[since, before)``, newest first, at most ``limit``."""
    declared, columns = table_named(table), EVENT_TABLES[table].c
    since = sa.bindparam("since", type_=sa.BigInteger()) if is_since else None
    within = begins_within(declared, sa.bindparam("before", type_=sa.BigInteger()), since)
    own = of_customer(declared, sa.bindparam("customer_ids", expanding=True))
    begins = [columns[declared.exists_from]] if declared.exists_from else []
    query = sa.select(*stored_columns(declared)).where(own, *within, *consented(declared))
    ordered = query.order_by(*(column.desc() for column in (*begins, columns[SEQUENCE])))
    return ordered.limit(sa.bindparam("limit", type_=sa.BigInteger())) if is_limited else ordered


@cache
def query_of_session(table: str) -> sa.Select[Any]:
    """The rows of ``session_id`` that began at ``since`` or later, newest first, at most ``limit``."""
    declared, columns = table_named(table), EVENT_TABLES[table].c
    begins = columns[declared.exists_from or SEQUENCE]
    own = columns.session_id == sa.bindparam("session_id")
    within = begins >= sa.bindparam("since", type_=sa.BigInteger())
    query = sa.select(*stored_columns(declared)).where(own, within, *consented(declared))
    ordered = query.order_by(begins.desc(), columns[SEQUENCE].desc())
    return ordered.limit(sa.bindparam("limit", type_=sa.BigInteger()))


@cache
def query_items_met() -> sa.Select[Any]:
    """By item and kind of event of ``customer_id``: at how many instants, and the last; by the first of them.

    Order lines are of the kind ``order``, returns ``return``; of interactions those of ``kinds`` are counted.
    """
    kinds = {"order_lines": sa.literal("order", sa.Text()), "returns": sa.literal("return", sa.Text())}
    met = sa.union_all(*(_met(table, kinds.get(table)) for table in (*kinds, "interactions"))).subquery().c
    instants, first, last = sa.func.count(met.at.distinct()), sa.func.min(met.at), sa.func.max(met.at)
    by_item = sa.select(met.item_id, met.kind, instants, last).group_by(met.item_id, met.kind)
    return by_item.order_by(first, met.item_id, met.kind)


def _met(table: str, kind: sa.ColumnElement[str] | None) -> sa.Select[Any]:
    declared, columns = table_named(table), EVENT_TABLES[table].c
    own = columns.customer_id == sa.bindparam("customer_id")
    named = columns.kind.in_(sa.bindparam("kinds", expanding=True)) if kind is None else sa.true()
    what = (columns.kind if kind is None else kind).label("kind")
    query = sa.select(columns.item_id, what, columns[declared.exists_from or SEQUENCE].label("at"))
    return query.where(own, named, columns.item_id.is_not(None), *consented(declared))


@cache
def query_refused() -> sa.Select[Any]:
    """Whether ``customer_id`` returned or disliked anything."""
    returns, interactions = EVENT_TABLES["returns"].c, EVENT_TABLES["interactions"].c
    customer_id: sa.BindParameter[str] = sa.bindparam("customer_id")
    disliked = sa.exists().where(interactions.customer_id == customer_id, interactions.kind == "dislike")
    return sa.select(sa.or_(sa.exists().where(returns.customer_id == customer_id), disliked))


def last_instant_of(connection: sa.Connection) -> datetime | None:
    """When the latest event of any table that tells time began, or None where there is none."""
    begins = [
        EVENT_TABLES[table.name].c[table.exists_from]
        for table in TABLES.values()
        if table.exists_from is not None and table.tells_time and not table.is_entity
    ]
    latest = connection.scalars(sa.union_all(*(sa.select(sa.func.max(column)) for column in begins)))
    found = [moment for moment in latest if moment is not None]
    return from_microseconds(max(found)) if found else None


def last_event_of(connection: sa.Connection, customer_id: str) -> datetime | None:
    """When the latest event of a customer began, of any table that tells time; None where there is none."""
    found = connection.scalar(_last_event(), {"customer_ids": [customer_id]})
    return None if found is None else from_microseconds(found)


def orders_of(connection: sa.Connection, customer_id: str) -> list[datetime]:
    """The different instants of a customer's orders, oldest first."""
    return [from_microseconds(at) for at in connection.scalars(_ORDERS, {"customer_id": customer_id})]


@cache
def _last_event() -> sa.Select[Any]:
    """The latest instant of ``customer_ids`` in any table that tells time."""
    ids: sa.BindParameter[Any] = sa.bindparam("customer_ids", expanding=True)
    parts = []
    for table in customer_tables():
        if table.exists_from is not None and table.tells_time and not table.is_entity:
            latest = sa.func.max(EVENT_TABLES[table.name].c[table.exists_from]).label("at")
            parts.append(sa.select(latest).where(of_customer(table, ids), *consented(table)))
    return sa.select(sa.func.max(sa.union_all(*parts).subquery().c.at))


_LINES = EVENT_TABLES["order_lines"].c
_ORDERS = (
    sa.select(_LINES.ordered_at)
    .distinct()
    .where(_LINES.customer_id == sa.bindparam("customer_id"), *consented(table_named("order_lines")))
    .order_by(_LINES.ordered_at)
)


def recently_met(connection: sa.Connection, table: str, limit: int) -> list[tuple[str, int]]:
    """Items of the newest rows of a table with their number of rows, most first, ties by id."""
    rows = EVENT_TABLES[table].c
    query = sa.select(rows.item_id).where(*consented(table_named(table)), rows.item_id.is_not(None))
    newest = query.order_by(rows[SEQUENCE].desc()).limit(NEWEST_ROWS).subquery()
    count = sa.func.count()
    counted = sa.select(newest.c.item_id, count).group_by(newest.c.item_id).order_by(count.desc(), newest.c.item_id)
    return [(item_id, int(number)) for item_id, number in connection.execute(counted.limit(limit))]
