"""Rows that share a key are settled without a store as a store settles them."""

from datetime import UTC, datetime
from itertools import count

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.event_store import open_event_store
from recommender.frame_validation import validate_frame
from recommender.tables import as_of
from recommender.touchpoints import TABLES
from training.duplicates import DuplicateSettler

NOW = datetime(2030, 1, 1, tzinfo=UTC)
EXAMPLES = count(1)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["t1", "t2", "t3"]),
        st.sampled_from(["ann", "bob"]),
        st.sampled_from([None, "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"]),
        st.sampled_from([None, 60.0]),
        st.sampled_from([None, "late"]),
    ),
    min_size=1,
    max_size=8,
)


def tickets(rows):
    frame = pd.DataFrame(rows, columns=["ticket_id", "customer_id", "resolved_at", "handle_seconds", "topic"])
    return frame.astype({"handle_seconds": "float64"}).assign(opened_at="2024-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = open_event_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 's.sqlite'}", clock=lambda: NOW)
    yield opened
    opened.close()


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, cut=st.integers(0, 8))
def test_settling_without_a_store_equals_appending(store, rows, cut):
    # One store serves all examples: each has tickets of its own.
    prefix = f"{next(EXAMPLES)}-"
    frame = tickets([(prefix + ticket, *others) for ticket, *others in rows])
    valid = validate_frame(TABLES["tickets"], frame, now=NOW).rows
    stored = store.append("tickets", frame)
    with DuplicateSettler(TABLES["tickets"]) as settler:
        settler.add(valid[:cut], np.arange(len(valid))[:cut])
        settler.add(valid[cut:], np.arange(len(valid))[cut:])
        settled = list(settler.settle())
    refused = sorted((one.line_number, one.column, one.code) for part in settled for one in part.refusals)
    assert refused == [(one.index, one.column, one.code) for one in stored.rejections]
    assert sum(len(part.rows) for part in settled) == stored.accepted
    assert sum(part.completed for part in settled) == stored.completed
    assert sum(part.duplicates for part in settled) == stored.duplicates
    held = as_of(TABLES["tickets"], pd.concat([part.rows for part in settled]), NOW)
    expected = store.read("tickets", before=NOW)
    expected = expected[expected["ticket_id"].str.startswith(prefix)]
    pd.testing.assert_frame_equal(
        held.sort_values("ticket_id", ignore_index=True), expected.sort_values("ticket_id", ignore_index=True)
    )
