"""Segments by rule, who is in them and was; cohorts and lifecycle of all customers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from api.errors import FieldError, Problem, invalid
from api.operation import operation
from api.schemas.segments import (
    CohortsOut,
    LifecycleOut,
    MembersOut,
    MembersQuery,
    SegmentHistoryOut,
    SegmentIn,
    SegmentOut,
    SegmentsOut,
)
from api.segment_answers import cohorts_of, lifecycle_of, member_of
from api.services import advisor, services
from recommender.errors import SettingError, UnknownName
from recommender.filter_tokens import FilterError

if TYPE_CHECKING:
    from recommender.retention.segment_store import Segment

views = APIBlueprint("segments", __name__, tag="Segments")


@views.get("/v1/segments")
@operation(scope="risk:read", returns=SegmentsOut)
def get_segments() -> dict[str, Any]:
    """All saved segments with the number of their customers.

    The lifecycle states are no saved segments: `GET /v1/churn-risks?segment=slipping` lists who is in one.
    """
    return {"data": tuple(advisor().segments.all())}


@views.put("/v1/segments/<identifier:name>")
@operation(scope="segments:write", body=SegmentIn, returns=SegmentOut)
def put_segment(name: str, body: SegmentIn) -> Segment:
    """Save a rule under a name, in place of the one before, and take in who fits it as of the last scoring.

    A name is a word of up to 64 of a-z, 0-9, - and _; those of the lifecycle states are taken.
    """
    try:
        return advisor().segments.put(name, body.rule, now=services().clock())
    except FilterError as problem:
        raise invalid([FieldError("invalid_rule", str(problem), pointer="/rule")]) from None
    except SettingError as problem:
        raise invalid([FieldError("invalid_name", str(problem), parameter="name")]) from None


@views.get("/v1/segments/<identifier:name>")
@operation(scope="risk:read", returns=SegmentOut, fails=(404,))
def get_segment(name: str) -> Segment:
    """A segment with the number of its customers."""
    with _known_name():
        return advisor().segments.get(name)


@views.delete("/v1/segments/<identifier:name>")
@operation(scope="segments:write", status=204, fails=(404,))
def delete_segment(name: str) -> None:
    """Forget a segment with its history."""
    with _known_name():
        advisor().segments.delete(name)


@views.get("/v1/segments/<identifier:name>/customers")
@operation(scope="risk:read", query=MembersQuery, returns=MembersOut, fails=(404,))
def get_segment_customers(name: str, query: MembersQuery) -> dict[str, Any]:
    """The customers of a segment by id, page by page; who did not agree to marketing is left out."""
    with _known_name():
        try:
            found, cursor = advisor().segments.customers(name, cursor=query.cursor, limit=query.limit)
        except SettingError as problem:
            raise invalid([FieldError("invalid_cursor", str(problem), parameter="cursor")]) from None
    return {"data": tuple(map(member_of, found)), "next_cursor": cursor, "has_more": cursor is not None}


@views.get("/v1/segments/<identifier:name>/history")
@operation(scope="risk:read", returns=SegmentHistoryOut, fails=(404,))
def get_segment_history(name: str) -> dict[str, Any]:
    """When how many entered and left, and how many there were; at most the latest 1,000 changes."""
    with _known_name():
        return {"name": name, "data": tuple(advisor().segments.history(name))}


@views.get("/v1/cohorts")
@operation(scope="risk:read", returns=CohortsOut)
def get_cohorts() -> dict[str, Any]:
    """Retention by month of the first order, and how soon customers order again, as of the served training."""
    return cohorts_of(advisor().customer_base())


@views.get("/v1/lifecycle")
@operation(scope="risk:read", returns=LifecycleOut)
def get_lifecycle() -> dict[str, Any]:
    """Lifecycle states month by month and the moves between them, as of the served training."""
    return lifecycle_of(advisor().customer_base())


@contextmanager
def _known_name() -> Iterator[None]:
    try:
        yield
    except UnknownName as problem:
        raise Problem(404, "unknown_segment", str(problem)) from None
