"""Consent and erasure: whose rows may be used, and how copies of the store learn whose may not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from recommender.store_append import allot
from recommender.store_schema import DERIVED_TABLES, ERASURES, EVENT_TABLES, LIST_REQUESTS, SCORES, SEQUENCE
from recommender.tables import Table
from recommender.touchpoints import TABLES

ERASURE = "erasure"
WITHDRAWAL = "withdrawal"


def customer_hash(customer_id: str) -> str:
    """SHA-256 of a customer's id: how the store remembers whom it forgot."""
    return hashlib.sha256(customer_id.encode()).hexdigest()


def consented(table: Table) -> list[sa.ColumnElement[bool]]:
    """Conditions that keep the rows of customers who withdrew their consent out of a query."""
    customers = EVENT_TABLES["customers"]
    if table.name == customers.name:
        return [customers.c.consent_personalization.is_not(sa.false())]
    withheld = customers.c.consent_personalization.is_(sa.false())
    return [
        ~sa.exists().where(customers.c.customer_id == EVENT_TABLES[table.name].c[name], withheld)
        for name in table.customer_columns
    ]


def of_customer(table: Table, customer_ids: Sequence[str] | sa.BindParameter[Any]) -> sa.ColumnElement[bool]:
    """The condition that a row belongs to one of the customers, in whichever of its columns."""
    columns = [EVENT_TABLES[table.name].c[name] for name in table.customer_columns]
    return sa.or_(sa.false(), *(column.in_(customer_ids) for column in columns))


def withhold(connection: sa.Connection, customer_ids: Sequence[str], reason: str, at: int) -> None:
    """Tell copies to drop the rows of the customers, and drop here what was made of them."""
    if not customer_ids:
        return
    first = allot(connection, len(customer_ids))
    notes = [
        {SEQUENCE: number, "customer_hash": customer_hash(one), "erased_at": at, "reason": reason}
        for number, one in enumerate(customer_ids, first)
    ]
    connection.execute(sa.insert(ERASURES), notes)
    for derived in DERIVED_TABLES:
        own = sa.delete(derived).where(derived.c.customer_id == sa.bindparam("one"))
        connection.execute(own, [{"one": one} for one in customer_ids])


def follow_new_consents(connection: sa.Connection, since: int, at: int) -> None:
    """Do what the consents of customers stored after the change number ``since`` ask for."""
    customers = EVENT_TABLES["customers"].c
    is_new = (customers[SEQUENCE] > since) & customers.consent_personalization.is_(sa.false())
    withhold(connection, connection.scalars(sa.select(customers.customer_id).where(is_new)).all(), WITHDRAWAL, at)
    keep_marketing_consent(connection, since=since)


def follow_consent(connection: sa.Connection, before: Mapping[str, Any], row: Mapping[str, Any], at: int) -> None:
    """Do what the consents of a customer's row ask for; ``before`` are those of the row that it replaced."""
    was_withheld = before.get("consent_personalization") is False
    is_withheld = row["consent_personalization"] is False
    if is_withheld and not was_withheld:
        withhold(connection, [row["customer_id"]], WITHDRAWAL, at)
    if was_withheld and not is_withheld:
        release(connection, row["customer_id"])
    set_marketing_consent(connection, [(row["customer_id"], row["consent_marketing"] is not False)])


def release(connection: sa.Connection, customer_id: str) -> None:
    """Renew the numbers of all rows of a customer who consented again, so that copies receive them once more."""
    for table in customer_tables():
        sql_table = EVENT_TABLES[table.name]
        key = [sql_table.c[name] for name in table.key]
        found = connection.execute(sa.select(*key).where(of_customer(table, [customer_id]))).all()
        if not found:
            continue
        renew = sa.update(sql_table).where(*(column == sa.bindparam(f"key_{column.name}") for column in key))
        first = allot(connection, len(found))
        connection.execute(
            renew.values({SEQUENCE: sa.bindparam("number")}),
            [
                {"number": number, **{f"key_{column.name}": value for column, value in zip(key, values, strict=True)}}
                for number, values in enumerate(found, first)
            ],
        )


def keep_marketing_consent(connection: sa.Connection, *, since: int) -> None:
    """Let the scores tell the consents of customers written after the change number ``since``."""
    customers = EVENT_TABLES["customers"].c
    written = sa.select(customers.customer_id).where(customers[SEQUENCE] > since)
    for consent in (True, False):
        is_so = customers.consent_marketing.is_(sa.false())
        of_these = written.where(~is_so if consent else is_so)
        differs = SCORES.c.consent_marketing.is_(not consent)
        change = sa.update(SCORES).where(SCORES.c.customer_id.in_(of_these), differs)
        connection.execute(change.values(consent_marketing=consent))


def outdated_marketing_consents(connection: sa.Connection, generation: int) -> list[tuple[str, bool]]:
    """The customers of a scoring whose consent is another by now, each with what it is."""
    customers = EVENT_TABLES["customers"].c
    consent = customers.consent_marketing.is_not(sa.false())
    is_own = customers.customer_id == SCORES.c.customer_id
    query = (
        sa.select(SCORES.c.customer_id, consent)
        .join_from(SCORES, EVENT_TABLES["customers"], is_own)
        .where(SCORES.c.generation == generation, SCORES.c.consent_marketing != consent)
    )
    return [(customer_id, bool(is_given)) for customer_id, is_given in connection.execute(query)]


def set_marketing_consent(connection: sa.Connection, consents: Sequence[tuple[str, bool]]) -> None:
    """Let the scores of customers tell their consent."""
    if consents:
        change = sa.update(SCORES).where(SCORES.c.customer_id == sa.bindparam("one"))
        values = [{"one": customer_id, "consent": consent} for customer_id, consent in consents]
        connection.execute(change.values(consent_marketing=sa.bindparam("consent")), values)


def customer_tables() -> Iterable[Table]:
    """The tables whose rows belong to customers."""
    return (table for table in TABLES.values() if table.customer_columns)


def erase_customer(connection: sa.Connection, customer_id: str, at: int) -> dict[str, int]:
    """Delete all rows and scores of a customer, note the hash, and return how many rows of each table there were."""
    deleted = {}
    for table in customer_tables():
        sql_table = EVENT_TABLES[table.name]
        deleted[table.name] = connection.execute(sa.delete(sql_table).where(of_customer(table, [customer_id]))).rowcount
    connection.execute(sa.delete(LIST_REQUESTS).where(LIST_REQUESTS.c.customer_id == customer_id))
    for derived in DERIVED_TABLES:
        own = sa.delete(derived).where(derived.c.customer_id == customer_id)
        deleted[derived.name] = connection.execute(own).rowcount
    withhold(connection, [customer_id], ERASURE, at)
    return deleted
