"""Segments that are rules saved by name, who is in them, and who was, from when to when."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from recommender.errors import SettingError, UnknownName
from recommender.filter_tokens import FilterError
from recommender.periods import from_microseconds, to_microseconds
from recommender.retention.segment_members import renew, scored_at
from recommender.retention.segment_rules import IS_CURRENT, parse_rule
from recommender.retention.segments import STATES
from recommender.score_cursor import Cursor, Sort
from recommender.score_rows import SCORE_COLUMNS, ScoreRow, from_sql
from recommender.store_engine import reading, writing
from recommender.store_rows import is_storable
from recommender.store_schema import SCORES, SEGMENT_MEMBERSHIPS, SEGMENTS

logger = logging.getLogger(__name__)

CHANGES_AT_MOST = 1_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_BY_CUSTOMER = Sort("customer_id", is_descending=False)
_OF = SEGMENT_MEMBERSHIPS.c


@dataclass(frozen=True)
class Segment:
    """A saved rule and how many are in it; ``as_of`` is the instant of the scores, None before the first scoring."""

    name: str
    rule: str
    created_at: datetime
    customer_count: int
    as_of: datetime | None


@dataclass(frozen=True)
class SegmentChange:
    """How many entered and left at an instant, and how many there were then."""

    at: datetime
    entered: int
    left: int
    customer_count: int


@dataclass(frozen=True)
class SegmentMember:
    """One customer of a segment, since when, and the scores of the last scoring."""

    entered_at: datetime
    score: ScoreRow


class SegmentStore:
    """The segments beside the scores; every method raises StoreUnavailable where the database cannot be used."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(self, name: str, rule: str, *, now: datetime) -> Segment:
        """Save a rule under a name, in place of the one before, and renew its members.

        Raises SettingError for a name that is reserved or misspelt, FilterError for a rule that cannot be read.
        """
        check_name(name)
        parsed = parse_rule(rule)
        _check_storable(rule)
        with writing(self._engine) as connection:
            is_named = SEGMENTS.c.name == name
            if not connection.execute(sa.update(SEGMENTS).where(is_named).values(rule=rule)).rowcount:
                row = {"name": name, "rule": rule, "created_at": to_microseconds(now)}
                connection.execute(sa.insert(SEGMENTS), row)
        renew(self._engine, name, rule, parsed)
        return self.get(name)

    def renew_all(self) -> None:
        """Bring the members of all segments up to the last scoring; a rule that cannot be read any more is logged."""
        for name, rule in self._rules():
            try:
                renew(self._engine, name, rule, parse_rule(rule))
            except SettingError as problem:
                logger.error("segment kept as it was name=%s problem=%s", name, problem)

    def delete(self, name: str) -> None:
        """Forget a segment with all its memberships; raises UnknownName."""
        self.get(name)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(SEGMENTS).where(SEGMENTS.c.name == name))
            connection.execute(sa.delete(SEGMENT_MEMBERSHIPS).where(_OF.segment == name))

    def get(self, name: str) -> Segment:
        """A segment by its name; raises UnknownName."""
        found = self._segments([name]) if is_storable(name) else []
        if not found:
            raise UnknownName("segment", name, [known for known, _ in self._rules()])
        return found[0]

    def all(self) -> list[Segment]:
        """All segments by name."""
        return self._segments([name for name, _ in self._rules()])

    def customers(self, name: str, *, cursor: str | None, limit: int) -> tuple[list[SegmentMember], str | None]:
        """The next members by id who agreed to marketing, and the cursor of the page after them, None at the end.

        Raises UnknownName, and SettingError for a cursor that is none.
        """
        self.get(name)
        after = "" if cursor is None else Cursor.parse(cursor, _BY_CUSTOMER).customer_id
        own = SEGMENT_MEMBERSHIPS.join(SCORES, SCORES.c.customer_id == _OF.customer_id)
        query = sa.select(*SCORE_COLUMNS, _OF.entered_at).select_from(own)
        of_segment = (_OF.segment == name, _OF.left_at.is_(None), _OF.customer_id > after)
        query = query.where(*of_segment, *IS_CURRENT, SCORES.c.consent_marketing.is_(True))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_OF.customer_id).limit(limit + 1)).all()
        members = [_member(row) for row in rows[:limit]]
        is_last = len(rows) <= limit
        return members, None if is_last else str(Cursor(_BY_CUSTOMER, None, members[-1].score.customer_id))

    def history(self, name: str) -> list[SegmentChange]:
        """Every instant at which somebody entered or left, oldest first, the latest CHANGES_AT_MOST.

        Who was erased is counted at no instant. Raises UnknownName.
        """
        self.get(name)
        with reading(self._engine) as connection:
            entered, left = (_by_instant(connection, name, column) for column in (_OF.entered_at, _OF.left_at))
        changes, count = [], 0
        for at in sorted(entered | left):
            count += entered.get(at, 0) - left.get(at, 0)
            changes.append(SegmentChange(from_microseconds(at), entered.get(at, 0), left.get(at, 0), count))
        return changes[-CHANGES_AT_MOST:]

    def _rules(self) -> list[tuple[str, str]]:
        with reading(self._engine) as connection:
            found = connection.execute(sa.select(SEGMENTS.c.name, SEGMENTS.c.rule).order_by(SEGMENTS.c.name))
            return [(name, rule) for name, rule in found]

    def _segments(self, names: Sequence[str]) -> list[Segment]:
        is_member = (_OF.segment.in_(names), _OF.left_at.is_(None))
        counted = sa.select(_OF.segment, sa.func.count()).where(*is_member).group_by(_OF.segment)
        wanted = sa.select(SEGMENTS).where(SEGMENTS.c.name.in_(names)).order_by(SEGMENTS.c.name)
        with reading(self._engine) as connection:
            counts: dict[str, int] = dict(map(tuple, connection.execute(counted)))
            rows = connection.execute(wanted).all()
            at = scored_at(connection)
        as_of = None if at is None else from_microseconds(at)
        return [
            Segment(row.name, row.rule, from_microseconds(row.created_at), counts.get(row.name, 0), as_of)
            for row in rows
        ]


def check_name(name: str) -> None:
    """Raise SettingError where a segment cannot be called so."""
    if name in STATES:
        raise SettingError(f"{name!r} is a lifecycle state, asked for by segment={name}; choose another name")
    if not _NAME.fullmatch(name):
        shown = ascii(name[:64])
        raise SettingError(
            f"{shown} is no name of a segment; use up to 64 of a-z, 0-9, - and _, a letter or digit first"
        )


def _check_storable(rule: str) -> None:
    bad = next((place for place, one in enumerate(rule) if not is_storable(one)), None)
    if bad is not None:
        escape = f"\\u{ord(rule[bad]):04x}"
        raise FilterError(bad + 1, f"this character cannot be stored; write it as {escape}")


def _member(row: Any) -> SegmentMember:
    return SegmentMember(from_microseconds(row.entered_at), from_sql(row[:-1]))


def _by_instant(connection: sa.Connection, name: str, column: sa.Column[Any]) -> dict[int, int]:
    query = sa.select(column, sa.func.count()).where(_OF.segment == name, column.is_not(None)).group_by(column)
    return dict(map(tuple, connection.execute(query)))
