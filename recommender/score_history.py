"""What earlier scorings said: the course of one customer's score, and how customers moved between bands.

Every scoring is kept for ``KEPT_DAYS``; of those older than ``EVERY_SCORING_DAYS`` only the last of each week. Days
count back from the newest scoring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from recommender.customer_answers import MAIN_DEFINITION, BandMove, BandMoves, ScorePoint
from recommender.errors import SettingError
from recommender.periods import from_microseconds, to_microseconds
from recommender.store_engine import reading, writing
from recommender.store_rows import is_storable
from recommender.store_schema import SCORE_FACETS, SCORE_HISTORY, SCORES

KEPT_DAYS = 400
EVERY_SCORING_DAYS = 100
CHUNK_ROWS = 20_000
_THEN = SCORE_HISTORY.c
_COPIED = tuple(column.name for column in SCORE_HISTORY.columns)
# Who was held out is compared with those of the same suggestion who were treated.
_SOURCES = {"treatment": "suggested_treatment"}


class ScoreHistory:
    """The scorings of the past, in the database of the scores."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of_customer(self, customer_id: str, definition: str = MAIN_DEFINITION) -> tuple[ScorePoint, ...]:
        """What the scorings said of a customer, oldest first."""
        if not is_storable(customer_id) or not is_storable(definition):
            return ()
        told = sa.select(_THEN.as_of, _THEN.churn_probability, _THEN.band)
        query = told.where(_THEN.customer_id == customer_id, _THEN.definition == definition).order_by(_THEN.as_of)
        with reading(self._engine) as connection:
            return tuple(
                ScorePoint(from_microseconds(as_of), probability, band)
                for as_of, probability, band in connection.execute(query)
            )

    def scoring_at(self, since: datetime, definition: str = MAIN_DEFINITION) -> datetime:
        """The instant of the last scoring at or before ``since``; raises SettingError where there is none."""
        is_asked = _THEN.definition == (definition if is_storable(definition) else "")
        last = sa.select(sa.func.max(_THEN.as_of)).where(is_asked, _THEN.as_of <= to_microseconds(since))
        with reading(self._engine) as connection:
            found = connection.scalar(last)
            first = connection.scalar(sa.select(sa.func.min(_THEN.as_of)).where(is_asked))
        if found is not None:
            return from_microseconds(found)
        known = "there is none yet" if first is None else f"the first that is kept is as of {_text(first)}"
        raise SettingError(f"no customer was scored by {definition!r} at or before {since.isoformat()}; {known}")

    def bands_at(self, scoring: datetime, customer_ids: Sequence[str], definition: str) -> dict[str, str]:
        """The bands of those customers whom a scoring had in its population."""
        query = sa.select(_THEN.customer_id, _THEN.band).where(
            _THEN.customer_id.in_(customer_ids),
            _THEN.definition == definition,
            _THEN.as_of == to_microseconds(scoring),
        )
        with reading(self._engine) as connection:
            return {row.customer_id: row.band for row in connection.execute(query)}

    def moves(self, since: datetime, definition: str = MAIN_DEFINITION) -> BandMoves:
        """How many customers went from which band to which, from ``scoring_at(since)`` to the last scoring."""
        scoring = self.scoring_at(since, definition)
        before, now = SCORE_HISTORY.alias("before"), SCORE_HISTORY.alias("now")
        with reading(self._engine) as connection:
            last = connection.scalar(sa.select(sa.func.max(_THEN.as_of)).where(_THEN.definition == definition))
            ends = (to_microseconds(scoring), last)
            counted = [
                *connection.execute(_moves(before, now, definition, ends)),
                *connection.execute(_came(before, now, definition, ends)),
            ]
        moves = [BandMove(*one) for one in counted]
        return BandMoves(definition, scoring, from_microseconds(last), tuple(sorted(moves, key=_place)))

    def record(self, generation: int) -> None:
        """Keep what a scoring said, in place of an earlier one as of the same instant, and let go of what is old."""
        with reading(self._engine) as connection:
            scorings = _scorings(connection, generation)
        for definition, as_of in scorings.items():
            self._delete(definition, as_of)
            self._copy(generation, definition)
            self._thin(definition)

    def _copy(self, generation: int, definition: str) -> None:
        after: str | None = ""
        while after is not None:
            with writing(self._engine) as connection:
                after = _copy_chunk(connection, generation, definition, after)

    def _delete(self, definition: str, as_of: int) -> None:
        one = (_THEN.definition == definition, _THEN.as_of == as_of)
        some = sa.select(_THEN.customer_id).where(*one).limit(CHUNK_ROWS)
        deleted = CHUNK_ROWS
        while deleted == CHUNK_ROWS:
            with writing(self._engine) as connection:
                deleted = connection.execute(sa.delete(SCORE_HISTORY).where(*one, _THEN.customer_id.in_(some))).rowcount

    def _thin(self, definition: str) -> None:
        with reading(self._engine) as connection:
            instants = _instants(connection, definition)
        for instant in sorted(set(instants) - kept(instants)):
            self._delete(definition, to_microseconds(instant))


def kept(instants: Iterable[datetime]) -> set[datetime]:
    """The scorings that are kept among those as of ``instants``."""
    ordered = sorted(instants)
    if not ordered:
        return set()
    newest = ordered[-1]
    last_of_week = {one.isocalendar()[:2]: one for one in ordered if newest - one <= timedelta(days=KEPT_DAYS)}
    return {one for one in ordered if newest - one <= timedelta(days=EVERY_SCORING_DAYS)} | set(last_of_week.values())


def _instants(connection: sa.Connection, definition: str) -> list[datetime]:
    """The instants of all scorings: one look into the index for each, however many customers there are."""
    found: list[datetime] = []
    following = sa.select(sa.func.min(_THEN.as_of)).where(_THEN.definition == definition)
    instant = connection.scalar(following)
    while instant is not None:
        found.append(from_microseconds(instant))
        instant = connection.scalar(following.where(_THEN.as_of > instant))
    return found


def _scorings(connection: sa.Connection, generation: int) -> dict[str, int]:
    """The instant that a scoring is about, by definition of churn."""
    facets, scores = SCORE_FACETS.c, SCORES.c
    definitions = connection.scalars(sa.select(facets.definition).where(facets.generation == generation).distinct())
    found = {}
    for definition in sorted(definitions):
        of_scoring = (scores.generation == generation, scores.definition == definition)
        as_of = connection.scalar(sa.select(scores.as_of).where(*of_scoring).limit(1))
        if as_of is not None:
            found[definition] = as_of
    return found


def _copy_chunk(connection: sa.Connection, generation: int, definition: str, after: str) -> str | None:
    """Copy the next rows of a scoring into the history; returns the last customer, None at the end."""
    customer = SCORES.c.customer_id
    of_scoring = (SCORES.c.generation == generation, SCORES.c.definition == definition)
    ordered = sa.select(customer).where(*of_scoring, customer > after).order_by(customer)
    last = connection.scalar(ordered.offset(CHUNK_ROWS - 1).limit(1))
    in_band = (SCORES.c.churn_probability.is_not(None), SCORES.c.band.is_not(None))
    rows = sa.select(*(SCORES.c[_SOURCES.get(name, name)] for name in _COPIED)).where(
        *of_scoring, customer > after, *in_band
    )
    chunk = rows if last is None else rows.where(customer <= last)
    connection.execute(sa.insert(SCORE_HISTORY).from_select(_COPIED, chunk))
    return last


def _moves(
    before: sa.FromClause, now: sa.FromClause, definition: str, ends: tuple[int, int]
) -> sa.Select[tuple[str | None, str | None, int, float, float]]:
    """Counts of those who were in the population, by where they are now."""
    is_same = sa.and_(now.c.customer_id == before.c.customer_id, now.c.definition == definition, now.c.as_of == ends[1])
    return (
        sa.select(before.c.band, now.c.band, sa.func.count(), _sum(before), _sum(now))
        .select_from(before.outerjoin(now, is_same))
        .where(before.c.definition == definition, before.c.as_of == ends[0])
        .group_by(before.c.band, now.c.band)
    )


def _came(
    before: sa.FromClause, now: sa.FromClause, definition: str, ends: tuple[int, int]
) -> sa.Select[tuple[str | None, str | None, int, float, float]]:
    """Counts of those who were not in the population and are now."""
    was_there = sa.exists().where(
        before.c.customer_id == now.c.customer_id,
        before.c.definition == definition,
        before.c.as_of == ends[0],
    )
    return (
        sa.select(sa.null(), now.c.band, sa.func.count(), sa.literal(0.0), _sum(now))
        .where(now.c.definition == definition, now.c.as_of == ends[1], ~was_there)
        .group_by(now.c.band)
    )


def _sum(table: sa.FromClause) -> sa.ColumnElement[float]:
    return sa.func.coalesce(sa.func.sum(table.c.expected_loss), 0.0)


def _place(move: BandMove) -> tuple[str, str]:
    return move.from_band or "", move.to_band or ""


def _text(microseconds: int) -> str:
    return from_microseconds(microseconds).isoformat().replace("+00:00", "Z")
