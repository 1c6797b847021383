"""What happened, as it happens."""

from __future__ import annotations

from apiflask import APIBlueprint

from api.operation import operation
from api.row_writing import append_events
from api.schemas.events import EventsIn, EventsOut

views = APIBlueprint("events", __name__, tag="Events")


@views.post("/v1/events")
@operation(scope="events:write", body=EventsIn, returns=EventsOut, status=202)
def post_events(body: EventsIn) -> EventsOut:
    """Store events of any event table, each once by its key.

    The good ones are stored durably before the answer, also where others are bad. An event names its `table`;
    without one it is an interaction.
    """
    return append_events(body.root)
