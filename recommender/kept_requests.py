"""What was asked with each list, kept as long as the list can be continued, and what was shown on it."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from recommender.event_store import EventStore
from recommender.list_requests import ListRequest, request_from_text, request_to_text
from recommender.periods import from_microseconds, to_microseconds
from recommender.store_append import AppendResult, append_sql_rows
from recommender.store_engine import reading, writing
from recommender.store_rows import is_storable, rows_to_sql
from recommender.store_schema import EVENT_TABLES, LIST_REQUESTS
from recommender.touchpoints import table_named
from recommender.validation import validate_rows

VALID_FOR = timedelta(minutes=30)
_UUID7 = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")


@dataclass(frozen=True)
class KeptRequest:
    """A request with the instant of its answer."""

    recommendation_id: str
    asked_at: datetime
    request: ListRequest


@dataclass(frozen=True)
class ShownList:
    """A kept request with the items shown so far and the next free rank."""

    kept: KeptRequest
    item_ids: tuple[str, ...]
    next_rank: int


def new_recommendation_id(now: datetime) -> str:
    """An id that no other list has and that tells when it was made: a UUID of version 7 (RFC 9562)."""
    moment = to_microseconds(now) // 1_000
    return uuid.UUID(int=moment << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)).hex


def age_of(recommendation_id: str, now: datetime) -> timedelta | None:
    """How long ago an id was made, to the millisecond, below 0 for the future; None for one that tells no instant."""
    if not _UUID7.fullmatch(recommendation_id):
        return None
    return timedelta(milliseconds=to_microseconds(now) // 1_000 - int(recommendation_id[:12], 16))


def keep_requests(store: EventStore, requests: Sequence[KeptRequest]) -> None:
    """Keep requests, the first one of each recommendation, and delete those that are too old to be continued."""
    if not requests:
        return
    rows = {
        one.recommendation_id: {
            "recommendation_id": one.recommendation_id,
            "customer_id": one.request.customer_id,
            "asked_at": to_microseconds(one.asked_at),
            "request": request_to_text(one.request),
        }
        for one in reversed(requests)
    }
    oldest = to_microseconds(max(one.asked_at for one in requests) - VALID_FOR)
    with writing(store.engine) as connection:
        connection.execute(sa.delete(LIST_REQUESTS).where(LIST_REQUESTS.c.asked_at < oldest))
        known = set(
            connection.scalars(
                sa.select(LIST_REQUESTS.c.recommendation_id).where(LIST_REQUESTS.c.recommendation_id.in_(list(rows)))
            )
        )
        new = [row for recommendation_id, row in rows.items() if recommendation_id not in known]
        if new:
            connection.execute(sa.insert(LIST_REQUESTS), new)


def shown_list(store: EventStore, recommendation_id: str, now: datetime) -> ShownList | None:
    """The list of a recommendation, None where it is not known or older than VALID_FOR."""
    if not is_storable(recommendation_id):
        return None
    impressions = EVENT_TABLES["impressions"].c
    shown = sa.select(impressions.item_id, impressions.rank).where(impressions.recommendation_id == recommendation_id)
    asked = sa.select(LIST_REQUESTS).where(
        LIST_REQUESTS.c.recommendation_id == recommendation_id,
        LIST_REQUESTS.c.asked_at >= to_microseconds(now - VALID_FOR),
    )
    with reading(store.engine) as connection:
        found = connection.execute(asked).first()
        rows = connection.execute(shown.order_by(impressions.rank)).all() if found is not None else []
    if found is None:
        return None
    kept = KeptRequest(recommendation_id, from_microseconds(found.asked_at), request_from_text(found.request))
    return ShownList(kept, tuple(row.item_id for row in rows), max((row.rank for row in rows), default=0) + 1)


class _RankTaken(Exception):
    """Another page of the list holds one of the ranks."""


def claim_page(store: EventStore, impressions: Sequence[Mapping[str, Any]]) -> AppendResult | None:
    """Record the next page of a list, whole; None, and nothing recorded, where another page holds one of its ranks.

    Writers of the store wait for each other: of several pages that were made of the same state one is recorded, and
    whoever is told None makes another page from the state that this one left.
    """
    table = table_named("impressions")
    valid = validate_rows(table, impressions, now=store.clock())
    try:
        with writing(store.engine) as connection:
            result = append_sql_rows(connection, table, rows_to_sql(table, valid.rows), valid.places)
            if result.accepted < len(valid.rows):
                raise _RankTaken
    except _RankTaken:
        return None
    return replace(result, rejections=valid.rejections)
