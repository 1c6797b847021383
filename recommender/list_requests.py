"""What is asked for with a list, as plain values that can be kept and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from recommender.periods import instant, rfc3339


@dataclass(frozen=True)
class RecentEvent:
    """An event of the visit that the store may not hold yet; without ``at`` it happened just now."""

    item_id: str
    kind: str = "view"
    at: datetime | None = None


@dataclass(frozen=True)
class ListRequest:
    """For whom, for which place, and within which bounds a list is wanted.

    ``context_items`` are the items of the page. None for ``diversity``, ``min_relevance`` and ``rotation`` leaves
    them to the placement. ``filter`` is one of ``recommender.filters``, empty for none.
    """

    customer_id: str | None = None
    session_id: str | None = None
    placement: str = "home"
    limit: int = 10
    context_items: tuple[str, ...] = ()
    recent_events: tuple[RecentEvent, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    filter: str = ""
    exclude: tuple[str, ...] = ()
    diversity: float | None = None
    min_relevance: float | None = None
    rotation: float | None = None
    include: frozenset[str] = frozenset()


def request_to_text(request: ListRequest) -> str:
    """The request as JSON."""
    values = {name: value for name, value in asdict(request).items() if name not in {"include", "recent_events"}}
    events = [[one.item_id, one.kind, rfc3339(one.at) if one.at else None] for one in request.recent_events]
    return json.dumps({**values, "include": sorted(request.include), "recent_events": events})


def request_from_text(text: str) -> ListRequest:
    """The request that ``request_to_text`` wrote."""
    values = json.loads(text)
    events = tuple(RecentEvent(item, kind, instant(at) if at else None) for item, kind, at in values["recent_events"])
    tuples = {name: tuple(values[name]) for name in ("context_items", "exclude")}
    return ListRequest(**{**values, **tuples, "include": frozenset(values["include"]), "recent_events": events})
