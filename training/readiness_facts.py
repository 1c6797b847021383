"""What a store holds, counted by the database: the ground on which readiness is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from recommender.event_store import EventStore
from recommender.periods import from_microseconds
from recommender.store_consent import consented
from recommender.store_engine import reading
from recommender.store_schema import EVENT_TABLES
from recommender.tables import Table
from recommender.touchpoints import TABLES

_DAY = 86_400_000_000
RECENT_DAYS = 56


@dataclass(frozen=True)
class Span:
    """When the first and the last event of a table began."""

    first: datetime
    last: datetime

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.last - self.first).total_seconds() / 86_400


@dataclass(frozen=True)
class Facts:
    """Counts of what may be learned from; rows of customers without consent are left out.

    ``paying_customers`` have at least two orders with an amount, ``silent_customers`` no order in the last 56 days of
    the orders, ``exploring_customers`` and ``exploring_sessions`` (of visitors) met at least two items. ``arms`` counts
    assignments with a propensity by arm.
    """

    counts: Mapping[str, int]
    spans: Mapping[str, Span]
    ordering_customers: int
    paying_customers: int
    silent_customers: int
    exploring_customers: int
    item_events: int
    described_items: int
    ended_subscriptions: int
    arms: Mapping[str, int]
    assigned_without_propensity: int
    exploring_sessions: int = 0


def gather_facts(store: EventStore) -> Facts:
    """Count; raises StoreUnavailable."""
    with reading(store.engine) as connection:
        return _Counter(connection).facts()


class _Counter:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def facts(self) -> Facts:
        counts = {name: self._number(table, sa.func.count()) for name, table in TABLES.items()}
        spans = {name: span for name, table in TABLES.items() if (span := self._span(table)) is not None}
        lines = EVENT_TABLES["order_lines"].c
        last_order = self._number(TABLES["order_lines"], sa.func.max(lines.ordered_at))
        met = self._met_items()
        arms, without = self._arms()
        return Facts(
            counts=counts,
            spans=spans,
            ordering_customers=self._customers(sa.true()),
            paying_customers=self._customers(sa.func.count(sa.case((lines.amount > 0, lines.order_id)).distinct()) > 1),
            silent_customers=self._customers(sa.func.max(lines.ordered_at) < last_order - RECENT_DAYS * _DAY),
            exploring_customers=self._groups(
                sa.select(met.c.customer_id)
                .where(met.c.customer_id.is_not(None))
                .group_by(met.c.customer_id)
                .having(sa.func.count(met.c.item_id.distinct()) > 1)
            ),
            item_events=self._scalar(sa.select(sa.func.count(met.c.item_id))),
            described_items=self._described_items(),
            ended_subscriptions=self._number(
                TABLES["subscriptions"], sa.func.count(EVENT_TABLES["subscriptions"].c.ended_at)
            ),
            arms=arms,
            assigned_without_propensity=without,
            exploring_sessions=self._exploring_sessions(),
        )

    def _scalar(self, query: sa.Select[tuple[int]]) -> int:
        return int(self._connection.scalar(query) or 0)

    def _number(self, table: Table, what: sa.ColumnElement[int]) -> int:
        return self._scalar(sa.select(what).select_from(EVENT_TABLES[table.name]).where(*consented(table)))

    def _groups(self, query: sa.Select[tuple[str]]) -> int:
        return self._scalar(sa.select(sa.func.count()).select_from(query.subquery()))

    def _customers(self, condition: sa.ColumnElement[bool]) -> int:
        """Customers whose order lines fulfil a condition together."""
        lines = EVENT_TABLES["order_lines"].c
        query = sa.select(lines.customer_id).where(*consented(TABLES["order_lines"])).group_by(lines.customer_id)
        return self._groups(query.having(condition))

    def _span(self, table: Table) -> Span | None:
        if table.is_entity or table.exists_from is None:
            return None
        begins = EVENT_TABLES[table.name].c[table.exists_from]
        first, last = self._connection.execute(
            sa.select(sa.func.min(begins), sa.func.max(begins)).where(*consented(table))
        ).one()
        return None if first is None else Span(from_microseconds(first), from_microseconds(last))

    def _met_items(self) -> sa.Subquery:
        """Who met which item, by an order or another event."""
        parts = []
        for name in ("order_lines", "interactions"):
            columns = EVENT_TABLES[name].c
            chosen = sa.select(columns.customer_id, columns.item_id)
            parts.append(chosen.where(columns.item_id.is_not(None), *consented(TABLES[name])))
        return sa.union_all(*parts).subquery()

    def _exploring_sessions(self) -> int:
        columns = EVENT_TABLES["interactions"].c
        query = sa.select(columns.session_id).where(columns.session_id.is_not(None), columns.item_id.is_not(None))
        query = query.where(columns.customer_id.is_(None)).group_by(columns.session_id)
        return self._groups(query.having(sa.func.count(columns.item_id.distinct()) > 1))

    def _described_items(self) -> int:
        items = EVENT_TABLES["items"].c
        described = sa.or_(items.category.is_not(None), items.brand.is_not(None))
        return self._scalar(sa.select(sa.func.count()).where(described))

    def _arms(self) -> tuple[dict[str, int], int]:
        columns = EVENT_TABLES["assignments"].c
        query = sa.select(columns.arm, sa.func.count(columns.propensity), sa.func.count()).group_by(columns.arm)
        rows = self._connection.execute(query.where(*consented(TABLES["assignments"])).order_by(columns.arm)).all()
        return {arm: drawn for arm, drawn, _ in rows if drawn}, sum(count - drawn for _, drawn, count in rows)
