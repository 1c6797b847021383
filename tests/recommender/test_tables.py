"""What of a table was known at an instant, for frames and for single rows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.tables import as_of, as_of_row
from recommender.touchpoints import TABLES
from recommender.validation import is_missing
from tests.recommender.rows import CUTOFF, rows_of
from tests.strategies import rows as valid_rows

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def ids_as_of(cutoff: datetime) -> list[str]:
    tickets = rows_of(
        TABLES["tickets"],
        {"ticket_id": "old", "customer_id": "ann", "opened_at": 9, "resolved_at": 3, "handle_seconds": 60.0},
        {"ticket_id": "new", "customer_id": "ann", "opened_at": 2},
    )
    return [str(one) for one in as_of(TABLES["tickets"], tickets, cutoff)["ticket_id"]]


def test_a_row_exists_after_its_instant_and_not_at_it() -> None:
    assert ids_as_of(CUTOFF - 2 * DAY) == ["old"]
    assert ids_as_of(CUTOFF - 2 * DAY + MICROSECOND) == ["old", "new"]
    assert ids_as_of(CUTOFF - 9 * DAY) == []


def test_later_values_are_blank_until_their_own_instant() -> None:
    ticket = {"ticket_id": "t1", "customer_id": "ann", "opened_at": 9, "resolved_at": 3, "handle_seconds": 60.0}
    tickets = rows_of(TABLES["tickets"], ticket)
    before = as_of(TABLES["tickets"], tickets, CUTOFF - 3 * DAY)
    assert before["resolved_at"].isna().tolist() == [True]
    assert before["handle_seconds"].isna().tolist() == [True]
    after = as_of(TABLES["tickets"], tickets, CUTOFF - 3 * DAY + MICROSECOND)
    assert after["resolved_at"].tolist() == [pd.Timestamp(CUTOFF - 3 * DAY)]
    assert after["handle_seconds"].tolist() == [60.0]


def test_a_customer_without_a_sign_up_was_always_there() -> None:
    customers = rows_of(TABLES["customers"], {"customer_id": "ann"}, {"customer_id": "bob", "signed_up_at": -1})
    assert as_of(TABLES["customers"], customers, CUTOFF)["customer_id"].tolist() == ["ann"]


def test_the_index_counts_from_zero_and_dtypes_stay() -> None:
    frame = rows_of(TABLES["tickets"], {"ticket_id": "a", "opened_at": -1}, {"ticket_id": "b", "opened_at": 1})
    known = as_of(TABLES["tickets"], frame, CUTOFF)
    assert known.index.tolist() == [0]
    assert known.dtypes.to_dict() == frame.dtypes.to_dict()


@pytest.mark.parametrize("name", sorted(TABLES))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_single_rows_and_frames_know_the_same(name: str, data: st.DataObject) -> None:
    table = TABLES[name]
    rows = data.draw(st.lists(valid_rows(table), min_size=1, max_size=6))
    frame = pd.DataFrame(
        {column.name: pd.Series([row[column.name] for row in rows], dtype=column.dtype) for column in table.columns}
    )
    of_rows = [known for row in rows if (known := as_of_row(table, row, CUTOFF)) is not None]
    of_frame = as_of(table, frame, CUTOFF).to_dict("records")
    assert [{key: plain(value) for key, value in row.items()} for row in of_frame] == of_rows


def plain(value: Any) -> Any:
    missing = is_missing(value) or (isinstance(value, float) and value != value)
    return None if missing else value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def test_the_cutoff_may_have_any_offset() -> None:
    east = (CUTOFF - 2 * DAY).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert ids_as_of(east + MICROSECOND) == ["old", "new"]
