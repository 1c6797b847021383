"""Who enters a segment and who leaves it when there are new scores or a new rule.

A membership begins and ends at the instant of the scores that decided it, not when somebody looked. The rule is
decided on one state of the store, and the changes are written in short transactions that let events through.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlalchemy as sa

from recommender.filters import Filter
from recommender.retention.segment_rules import IS_CURRENT, members
from recommender.store_engine import reading, writing
from recommender.store_schema import SCORES, SEGMENT_MEMBERSHIPS, SEGMENTS

CUSTOMERS_AT_ONCE = 10_000
_OF = SEGMENT_MEMBERSHIPS.c


def renew(engine: sa.Engine, name: str, rule: str, parsed: Filter) -> None:
    """Let enter who fits the rule now and leave who does not; nothing where the segment has another rule by then."""
    with reading(engine) as connection:
        at = _change_at(connection, name)
        fitting = set(members(connection, parsed))
        inside = set(connection.scalars(sa.select(_OF.customer_id).where(_OF.segment == name, _OF.left_at.is_(None))))
    for some in _portions(inside - fitting):
        with writing(engine) as connection:
            if _has_rule(connection, name, rule):
                _leave(connection, name, some, at)
    for some in _portions(fitting - inside):
        with writing(engine) as connection:
            if _has_rule(connection, name, rule):
                _enter(connection, name, some, at)


def scored_at(connection: sa.Connection) -> int | None:
    """The instant of the last scoring, None before the first."""
    found: int | None = connection.scalar(sa.select(SCORES.c.as_of).where(*IS_CURRENT).limit(1))
    return found


def _change_at(connection: sa.Connection, name: str) -> int:
    """The instant of the scores; where somebody scored as of an earlier one, that of the last change."""
    last = connection.execute(
        sa.select(sa.func.max(_OF.entered_at), sa.func.max(_OF.left_at)).where(_OF.segment == name)
    ).one()
    return max(scored_at(connection) or 0, *(one or 0 for one in last))


def _has_rule(connection: sa.Connection, name: str, rule: str) -> bool:
    """Whether the segment still is what was decided; nobody changes it until the end of the transaction."""
    query = sa.select(SEGMENTS.c.rule).where(SEGMENTS.c.name == name).with_for_update()
    return connection.scalar(query) == rule


def _leave(connection: sa.Connection, name: str, customer_ids: Collection[str], at: int) -> None:
    own = (_OF.segment == name, _OF.left_at.is_(None), _OF.customer_id.in_(customer_ids))
    # Who leaves at the instant of entering never was inside.
    connection.execute(sa.delete(SEGMENT_MEMBERSHIPS).where(*own, _OF.entered_at == at))
    connection.execute(sa.update(SEGMENT_MEMBERSHIPS).where(*own).values(left_at=at))


def _enter(connection: sa.Connection, name: str, customer_ids: Collection[str], at: int) -> None:
    """Insert memberships of those who still have scores: nobody who was erased meanwhile comes back."""
    is_inside = sa.exists().where(_OF.segment == name, _OF.customer_id == SCORES.c.customer_id, _OF.left_at.is_(None))
    columns = (sa.literal(name, sa.Text()), SCORES.c.customer_id, sa.literal(at, sa.BigInteger()))
    scored = sa.select(*columns).where(*IS_CURRENT, SCORES.c.customer_id.in_(customer_ids), ~is_inside)
    connection.execute(sa.insert(SEGMENT_MEMBERSHIPS).from_select(["segment", "customer_id", "entered_at"], scored))


def _portions(customer_ids: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(customer_ids)
    for start in range(0, len(ordered), CUSTOMERS_AT_ONCE):
        yield ordered[start : start + CUSTOMERS_AT_ONCE]
