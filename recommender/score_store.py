"""The scores of the last scoring, one row per customer and definition of churn; the first page of any list is quick.

A new scoring is written beside the old one, in short transactions that let events through, and takes its place in one
step: readers see all of the old or all of the new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from recommender.customer_answers import MAIN_DEFINITION, RiskFilter
from recommender.score_cursor import DEFAULT_SORT, Cursor, Sort
from recommender.score_facets import FacetCounter
from recommender.score_history import ScoreHistory
from recommender.score_queries import CURRENT, list_queries, page_ids
from recommender.score_rows import SCORE_COLUMNS, ScoreRow, from_sql, to_sql
from recommender.store_consent import (
    customer_hash,
    keep_marketing_consent,
    outdated_marketing_consents,
    set_marketing_consent,
)
from recommender.store_engine import reading, writing
from recommender.store_rows import is_storable
from recommender.store_schema import COUNTERS, ERASURES, SCORE_FACETS, SCORES, SEQUENCE

CHUNK_ROWS = 20_000
STREAM_ROWS = 2_000


class ScoreStore:
    """The scores beside the events, in the same database; every method raises StoreUnavailable where it is gone."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def replace_all(self, rows: Iterable[ScoreRow]) -> int:
        """Put the rows in place of all scores, in one step at the end; returns how many there are.

        ``rows`` is consumed a few thousand at a time. Customers who are erased or withdraw meanwhile are left out, and
        the consent to marketing is what the store holds in the end.
        """
        with writing(self._engine) as connection:
            generation = _advance(connection, "next_score_generation")
            begun = _sequence(connection)
        facets = FacetCounter()
        count = self._insert(rows, generation, facets)
        checked = self._take_over_consents(generation)
        with writing(self._engine) as connection:
            count -= _drop_forgotten(connection, generation, begun)
            keep_marketing_consent(connection, since=checked)
            if counted := facets.values(generation):
                connection.execute(sa.insert(SCORE_FACETS), counted)
            current = COUNTERS.c.name == "score_generation"
            # A scoring that began later and ended earlier stays.
            connection.execute(
                sa.update(COUNTERS).where(current, COUNTERS.c.value < generation).values(value=generation)
            )
        ScoreHistory(self._engine).record(generation)
        self._delete_older()
        return count

    def _insert(self, rows: Iterable[ScoreRow], generation: int, facets: FacetCounter) -> int:
        insert = str(sa.insert(SCORES).compile(dialect=self._engine.dialect))
        count = 0
        remaining = iter(rows)
        while chunk := [to_sql(row, generation, facets.number_of(row)) for row in islice(remaining, CHUNK_ROWS)]:
            with writing(self._engine) as connection:
                connection.exec_driver_sql(insert, chunk)
            count += len(chunk)
        return count

    def _take_over_consents(self, generation: int) -> int:
        """Correct consents that changed since the rows were read; returns the change number it holds for."""
        with reading(self._engine) as connection:
            checked = _sequence(connection)
            changed = outdated_marketing_consents(connection, generation)
        for start in range(0, len(changed), CHUNK_ROWS):
            with writing(self._engine) as connection:
                set_marketing_consent(connection, changed[start : start + CHUNK_ROWS])
        return checked

    def _delete_older(self) -> None:
        key = (SCORES.c.customer_id, SCORES.c.definition, SCORES.c.generation)
        some = sa.select(*key).where(SCORES.c.generation < CURRENT).limit(CHUNK_ROWS)
        deleted = CHUNK_ROWS
        while deleted == CHUNK_ROWS:
            with writing(self._engine) as connection:
                deleted = connection.execute(sa.delete(SCORES).where(sa.tuple_(*key).in_(some))).rowcount
        with writing(self._engine) as connection:
            connection.execute(sa.delete(SCORE_FACETS).where(SCORE_FACETS.c.generation < CURRENT))

    def get(self, customer_id: str, definition: str = MAIN_DEFINITION) -> ScoreRow | None:
        """The scores of one customer by a definition of churn, or None."""
        if not is_storable(customer_id) or not is_storable(definition):
            return None
        is_asked = (SCORES.c.customer_id == customer_id, SCORES.c.definition == definition)
        query = sa.select(*SCORE_COLUMNS).where(*is_asked, SCORES.c.generation == CURRENT)
        with reading(self._engine) as connection:
            found = connection.execute(query).first()
        return None if found is None else from_sql(found)

    def page(
        self, only: RiskFilter, *, sort: str = DEFAULT_SORT, cursor: str | None = None, limit: int = 50
    ) -> tuple[list[ScoreRow], str | None]:
        """The next ``limit`` rows that pass the filter and the cursor of the page after them, None at the end.

        ``sort`` is expected_loss, churn_probability, predicted_value or customer_id, with ``-`` in front for
        downwards. Raises SettingError for another sort or a cursor that is none.
        """
        parsed = Sort.parse(sort)
        start = None if cursor is None else Cursor.parse(cursor, parsed)
        with reading(self._engine) as connection:
            ids = page_ids(connection, only, parsed, start, limit + 1)
            rows = _rows(connection, ids[:limit], only.definition)
        if len(ids) <= limit or not rows:
            return rows, None
        value = None if parsed.key == "customer_id" else getattr(rows[-1], parsed.key)
        return rows, str(Cursor(parsed, value, rows[-1].customer_id))

    def stream(self, only: RiskFilter, *, sort: str = DEFAULT_SORT) -> Iterator[ScoreRow]:
        """All rows that pass the filter, of one state of the store, in flat memory; raises SettingError."""
        return self._stream(only, Sort.parse(sort))

    def stream_stored(
        self, only: RiskFilter, columns: Sequence[sa.ColumnElement[Any]], *, sort: str = DEFAULT_SORT
    ) -> Iterator[Sequence[Sequence[Any]]]:
        """``stream`` of chosen columns of ``SCORES`` as the driver of the database gives them, thousands at a time.

        SQLite gives truths as 0 and 1.
        """
        return self._stream_stored(only, columns, Sort.parse(sort))

    def count(self, only: RiskFilter, *, at_most: int) -> int:
        """How many rows pass the filter, counted up to a bound."""
        found = 0
        with reading(self._engine) as connection:
            for query in list_queries(connection, [SCORES.c.generation], only, Sort.parse(DEFAULT_SORT)):
                some = query.order_by(None).limit(at_most - found).subquery()
                found += connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
        return found

    def forget(self, customer_id: str) -> None:
        """Delete the scores of a customer."""
        if is_storable(customer_id):
            with writing(self._engine) as connection:
                connection.execute(sa.delete(SCORES).where(SCORES.c.customer_id == customer_id))

    def _stream(self, only: RiskFilter, sort: Sort) -> Iterator[ScoreRow]:
        with reading(self._engine) as connection:
            for query in list_queries(connection, SCORE_COLUMNS, only, sort):
                for rows in connection.execution_options(yield_per=STREAM_ROWS).execute(query).partitions():
                    yield from map(from_sql, rows)

    def _stream_stored(
        self, only: RiskFilter, columns: Sequence[sa.ColumnElement[Any]], sort: Sort
    ) -> Iterator[Sequence[Sequence[Any]]]:
        with reading(self._engine) as connection:
            for query in list_queries(connection, columns, only, sort):
                compiled = query.compile(self._engine, compile_kwargs={"render_postcompile": True})
                values = tuple(compiled.params[name] for name in compiled.positiontup or ())
                # Without the types of the columns, which are looked at for each row.
                streaming = connection.execution_options(yield_per=STREAM_ROWS)
                yield from streaming.exec_driver_sql(str(compiled), values).partitions(STREAM_ROWS)


def _sequence(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.select(COUNTERS.c.value).where(COUNTERS.c.name == SEQUENCE)) or 0)


def _advance(connection: sa.Connection, name: str) -> int:
    counter = sa.update(COUNTERS).where(COUNTERS.c.name == name).values(value=COUNTERS.c.value + 1)
    return int(connection.scalar(counter.returning(COUNTERS.c.value)) or 0)


def _drop_forgotten(connection: sa.Connection, generation: int, begun: int) -> int:
    """Delete the scores of customers erased or withdrawn since ``begun`` whom the scoring had still read."""
    forgotten = set(connection.scalars(sa.select(ERASURES.c.customer_hash).where(ERASURES.c[SEQUENCE] > begun)))
    if not forgotten:
        return 0
    ids = connection.scalars(sa.select(SCORES.c.customer_id).where(SCORES.c.generation == generation))
    dropped = [{"one": one} for one in ids if customer_hash(one) in forgotten]
    if dropped:
        is_dropped = (SCORES.c.customer_id == sa.bindparam("one")) & (SCORES.c.generation == generation)
        connection.execute(sa.delete(SCORES).where(is_dropped), dropped)
    return len(dropped)


def _rows(connection: sa.Connection, ids: list[str], definition: str) -> list[ScoreRow]:
    if not ids:
        return []
    is_asked = (SCORES.c.customer_id.in_(ids), SCORES.c.definition == definition)
    query = sa.select(*SCORE_COLUMNS).where(SCORES.c.generation == CURRENT, *is_asked)
    found = {row.customer_id: row for row in map(from_sql, connection.execute(query))}
    return [found[one] for one in ids]
