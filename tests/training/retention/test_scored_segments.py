"""``regulars score`` brings the members of saved segments up to date."""

from __future__ import annotations

import json

from recommender.event_store import EventStore, open_event_store
from recommender.retention.segment_store import SegmentStore
from tests.conftest import NOW
from tests.training.conftest import done


def opened(home) -> EventStore:
    return open_event_store(f"sqlite:///{home / 'store.sqlite'}", clock=lambda: NOW)


def test_a_segment_put_before_the_first_scoring_is_filled_by_it(home):
    store = opened(home)
    segments = SegmentStore(store.engine)
    segments.put("gone", 'segment = "lapsed" and region = "south"', now=NOW)
    scored = json.loads(done(home, "score"))
    gone = segments.get("gone")
    # every sixth customer left, and whose number is even lives in the south
    assert gone.customer_count == 20
    assert gone.as_of is not None
    assert gone.as_of.isoformat() == scored["as_of"]
    members, _ = segments.customers("gone", cursor=None, limit=3)
    assert [one.score.customer_id for one in members] == ["c000", "c006", "c012"]
    segments.delete("gone")
    store.close()
