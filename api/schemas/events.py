"""Events as they come in, one or many, of any event table."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, RootModel
from pydantic_core import CoreSchema

from api.schemas.common import Answer
from api.schemas.table_rows import row_schema
from recommender.touchpoints import TABLES

MOST_EVENTS = 1_000
DEFAULT_TABLE = "interactions"
EVENT_TABLES = {name: table for name, table in TABLES.items() if not table.is_entity}

_VIEW: dict[str, Any] = {
    "event_id": "e-1",
    "kind": "view",
    "occurred_at": "2017-12-04T16:05:00Z",
    "customer_id": "2375",
    "item_id": "1082185",
}


class EventsIn(RootModel[Any]):
    """One event, a list of them, or an object with the list as ``events``; at most 1,000."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": [_VIEW]}]})

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """One object or many; each names its table or is an interaction."""
        event = {"oneOf": [_event_schema(name) for name in EVENT_TABLES]}
        events = {"type": "array", "items": event, "maxItems": MOST_EVENTS}
        wrapped = {
            "type": "object",
            "properties": {"events": events},
            "required": ["events"],
            "additionalProperties": False,
        }
        return {"description": cls.__doc__, "anyOf": [wrapped, events, event], "examples": [{"events": [_VIEW]}]}


class EventRejectionOut(Answer):
    """An event that was not taken, and why."""

    index: int = Field(ge=0, description="Place of the event in the request, from 0")
    code: str = Field(description="For programs")
    pointer: str = Field(description="JSON pointer (RFC 6901) to the field in the body")
    detail: str = Field(description="For people")


class EventsOut(Answer):
    """What became of the events; those accepted are stored durably."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "accepted": 1,
                    "duplicates": 0,
                    "rejected": [
                        {
                            "index": 1,
                            "code": "naive_instant",
                            "pointer": "/events/1/occurred_at",
                            "detail": "'2017-12-04T16:05:00' has no offset; write it with Z or +01:00",
                        }
                    ],
                }
            ]
        }
    )

    accepted: int = Field(ge=0, description="Events stored now")
    duplicates: int = Field(ge=0, description="Events that were stored before with the same values")
    rejected: tuple[EventRejectionOut, ...] = Field(description="Events not stored")


def _event_schema(name: str) -> dict[str, Any]:
    schema = row_schema(EVENT_TABLES[name])
    named = {"const": name, "description": f"default: {DEFAULT_TABLE}" if name == DEFAULT_TABLE else "which table"}
    required = schema["required"] if name == DEFAULT_TABLE else ["table", *schema["required"]]
    return schema | {"properties": {"table": named, **schema["properties"]}, "required": required}
