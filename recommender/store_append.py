"""Appending to the store: new keys are inserted, equal rows counted, unfinished rows completed, others refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from recommender.column_kinds import shown
from recommender.store_rows import SqlRow
from recommender.store_schema import COUNTERS, EVENT_TABLES, SEQUENCE
from recommender.tables import Table
from recommender.validation import Rejection

CHUNK_ROWS = 10_000
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True)
class AppendResult:
    """What became of the rows of one append; ``rejections`` tells place, column, code and reason of each refused.

    ``duplicates`` were there already with the same values. ``completed`` filled values of a stored row that become
    known later than the row itself, such as the ``resolved_at`` of a ticket.
    """

    accepted: int = 0
    duplicates: int = 0
    completed: int = 0
    rejections: list[Rejection] = field(default_factory=list)


def allot(connection: sa.Connection, count: int) -> int:
    """The first of ``count`` new change numbers.

    The counter stays locked until the transaction ends: changes become visible in the order of their numbers.
    """
    advance = (
        sa.update(COUNTERS)
        .where(COUNTERS.c.name == SEQUENCE)
        .values(value=COUNTERS.c.value + count)
        .returning(COUNTERS.c.value)
    )
    return int(connection.scalar(advance) or 0) - count + 1


def completable_names(table: Table) -> tuple[str, ...]:
    """The columns of an event that may be filled after the row was stored; entities are changed by upsert alone."""
    if table.is_entity:
        return ()
    instants = [column.name for column in table.instant_columns if column.name != table.exists_from]
    return (*instants, *(column.name for column in table.columns if column.known_at is not None))


def append_sql_rows(
    connection: sa.Connection, table: Table, rows: Sequence[SqlRow], places: Sequence[int]
) -> AppendResult:
    """Store rows that passed validation; ``places`` tells where each stood in what came in."""
    inserter = _Inserter(connection, table)
    chunks = [slice(start, start + CHUNK_ROWS) for start in range(0, len(rows), CHUNK_ROWS)]
    outcomes = [inserter.append(rows[chunk], places[chunk]) for chunk in chunks]
    return AppendResult(
        sum(one.accepted for one in outcomes),
        sum(one.duplicates for one in outcomes),
        sum(one.completed for one in outcomes),
        [rejection for one in outcomes for rejection in one.rejections],
    )


class _Inserter:
    """Appends chunks of one table on one connection."""

    def __init__(self, connection: sa.Connection, table: Table) -> None:
        self._connection = connection
        self._table = table
        self._sql_table = EVENT_TABLES[table.name]
        insert = _INSERTS[connection.dialect.name](self._sql_table).on_conflict_do_nothing()
        self._insert = str(insert.compile(dialect=connection.dialect))
        self._completable = [table.column_names.index(name) for name in completable_names(table)]
        self._key = [table.column_names.index(name) for name in table.key]

    def append(self, rows: Sequence[SqlRow], places: Sequence[int]) -> AppendResult:
        first = allot(self._connection, len(rows))
        numbered = [(*row, number) for number, row in enumerate(rows, first)]
        inserted = self._connection.exec_driver_sql(self._insert, numbered).rowcount
        if inserted == len(rows):
            return AppendResult(accepted=inserted)
        return self._compare(numbered, places)

    def _compare(self, numbered: Sequence[SqlRow], places: Sequence[int]) -> AppendResult:
        """Tell the rows that were inserted, which bear their own number, from those whose key was taken."""
        stored = self._stored(numbered)
        counts = {"accepted": 0, "duplicates": 0, "completed": 0}
        rejections: list[Rejection] = []
        completed: dict[SqlRow, SqlRow] = {}
        for row, place in zip(numbered, places, strict=True):
            key = self._key_of(row)
            there = stored[key]
            if there[-1] == row[-1]:
                counts["accepted"] += 1
                continue
            differing = self._differing(there, row)
            if differing is not None:
                rejections.append(self._conflict(place, differing, row))
                continue
            merged = tuple(old if old is not None else new for old, new in zip(there[:-1], row[:-1], strict=True))
            if merged == there[:-1]:
                counts["duplicates"] += 1
            else:
                counts["completed"] += 1
                stored[key] = completed[key] = (*merged, row[-1])
        self._update(list(completed.values()))
        return AppendResult(**counts, rejections=rejections)

    def _key_of(self, row: SqlRow) -> SqlRow:
        return tuple(row[position] for position in self._key)

    def _stored(self, numbered: Sequence[SqlRow]) -> dict[SqlRow, SqlRow]:
        keys = {self._key_of(row) for row in numbered}
        # By the first column of the key alone: SQLite finds no row by a list of tuples without reading them all.
        first = self._sql_table.c[self._table.key[0]].in_({key[0] for key in keys})
        found = self._connection.execute(
            sa.select(self._sql_table).where(first).execution_options(yield_per=CHUNK_ROWS)
        )
        return {key: row for row in map(tuple, found) if (key := self._key_of(row)) in keys}

    def _differing(self, there: SqlRow, row: SqlRow) -> int | None:
        """Position of a column that forbids to take ``row`` for the stored one, or None."""
        for position, (old, new) in enumerate(zip(there[:-1], row[:-1], strict=True)):
            may_be_filled = position in self._completable and (old is None or new is None)
            if old != new and not may_be_filled:
                return position
        return None

    def _conflict(self, place: int, position: int, row: SqlRow) -> Rejection:
        name = self._table.column_names[position]
        key = " ".join(str(value) for value in self._key_of(row))
        # The stored value is not told: who may only write could read it so.
        reason = f"{name} {shown(row[position])} of {shown(key)} differs from what is stored"
        return Rejection(place, name, "key_conflict", reason)

    def _update(self, rows: Sequence[SqlRow]) -> None:
        if not rows:
            return
        names = [column.name for column in self._sql_table.columns]
        key = [self._sql_table.c[name] == sa.bindparam(f"key_{name}") for name in self._table.key]
        changed: dict[str, Any] = {
            name: sa.bindparam(f"new_{name}") for name in (*completable_names(self._table), SEQUENCE)
        }
        values = [
            {
                **{f"key_{name}": row[names.index(name)] for name in self._table.key},
                **{f"new_{name}": row[names.index(name)] for name in changed},
            }
            for row in rows
        ]
        self._connection.execute(sa.update(self._sql_table).where(*key).values(changed), values)


def upsert_sql_row(connection: sa.Connection, table: Table, row: SqlRow) -> None:
    """Store a row with its change number, in place of the one with the same key."""
    sql_table = EVENT_TABLES[table.name]
    values = dict(zip(sql_table.columns.keys(), row, strict=True))
    insert = _INSERTS[connection.dialect.name](sql_table).values(values)
    changed = {name: value for name, value in values.items() if name not in table.key}
    connection.execute(insert.on_conflict_do_update(index_elements=list(table.key), set_=changed))
