"""Rows from requests into the store, and rejections as places in the request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api.errors import FieldError, invalid, pointer_to
from api.identifiers import checked_for_writing
from api.schemas.events import DEFAULT_TABLE, EVENT_TABLES, MOST_EVENTS, EventRejectionOut, EventsOut
from api.services import services

if TYPE_CHECKING:
    from recommender.validation import Rejection


def put_row(table: str, key: str, identifier: str, row: Mapping[str, Any]) -> None:
    """Store the row of an entity under the identifier of the path; raises the 422 that says why not."""
    checked = checked_for_writing(key, identifier)
    if row.get(key, checked) != checked:
        detail = f"differs from the {key} of the path; leave it out"
        raise invalid([FieldError("key_conflict", detail, pointer=pointer_to(key))])
    rejection = services().store.upsert(table, {**row, key: checked})
    if rejection is not None:
        raise invalid([FieldError(rejection.code, rejection.reason, pointer=_pointer((), rejection))])


def append_events(document: Any) -> EventsOut:
    """Store the events of a request, table by table; those that are bad are told with their place."""
    events, steps = _events_of(document)
    tables: dict[str, list[int]] = defaultdict(list)
    rejected: list[EventRejectionOut] = []
    for index, event in enumerate(events):
        name = event.get("table", DEFAULT_TABLE) if isinstance(event, Mapping) else DEFAULT_TABLE
        if isinstance(name, str) and name in EVENT_TABLES:
            tables[name].append(index)
        else:
            rejected.append(_unknown_table(index, steps(index)))
    accepted = duplicates = 0
    for name, places in tables.items():
        result = services().store.append_rows(name, [_row_of(events[place]) for place in places])
        accepted += result.accepted + result.completed
        duplicates += result.duplicates
        rejected += [_rejection(places[one.index], steps(places[one.index]), one) for one in result.rejections]
    rejected.sort(key=lambda one: one.index)
    return EventsOut(accepted=accepted, duplicates=duplicates, rejected=tuple(rejected))


def _events_of(document: Any) -> tuple[Sequence[Any], Any]:
    """The events of a body, and the way from the root of the body to the event of an index."""
    if isinstance(document, list):
        return _limited(document, ""), lambda index: (index,)
    if not isinstance(document, dict):
        raise invalid([FieldError("wrong_type", "must be an event, a list of events or {'events': [...]}", pointer="")])
    if "events" not in document:
        return [document], lambda index: ()
    others = sorted(set(document) - {"events"})
    if others:
        raise invalid([FieldError("unknown", "is not known beside events", pointer=pointer_to(others[0]))])
    if not isinstance(document["events"], list):
        raise invalid([FieldError("wrong_type", "must be a list", pointer="/events")])
    return _limited(document["events"], "/events"), lambda index: ("events", index)


def _limited(events: list[Any], pointer: str) -> list[Any]:
    if len(events) > MOST_EVENTS:
        detail = f"{len(events)} events are more than {MOST_EVENTS}; send them in parts"
        raise invalid([FieldError("too_many", detail, pointer=pointer)])
    return events


def _row_of(event: Any) -> Any:
    return {name: value for name, value in event.items() if name != "table"} if isinstance(event, Mapping) else event


def _rejection(index: int, steps: tuple[object, ...], rejection: Rejection) -> EventRejectionOut:
    return EventRejectionOut(
        index=index, code=rejection.code, pointer=_pointer(steps, rejection), detail=rejection.reason
    )


def _pointer(steps: tuple[object, ...], rejection: Rejection) -> str:
    return pointer_to(*steps, *([rejection.column] if rejection.column else []))


def _unknown_table(index: int, steps: tuple[object, ...]) -> EventRejectionOut:
    detail = f"there is no such event table; there are: {', '.join(sorted(EVENT_TABLES))}"
    return EventRejectionOut(index=index, code="unknown_table", pointer=pointer_to(*steps, "table"), detail=detail)
