"""The history: what goes in comes out once, as known before an instant, whatever the cut into parts."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import bucket_files
from recommender.bucket_files import bucket_of
from recommender.errors import SettingError
from recommender.event_store import open_event_store
from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.touchpoints import TABLES

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MAY = datetime(2024, 5, 1, tzinfo=UTC)


def frame_of(table, rows):
    valid = validate_frame(TABLES[table], pd.DataFrame(rows), now=NOW)
    assert valid.rejections == []
    return valid.rows


def lines(*rows):
    names = ["order_id", "item_id", "customer_id", "ordered_at", "amount"]
    return frame_of("order_lines", [dict(zip(names, row, strict=True)) for row in rows])


FOUR_LINES = (
    ("o1", "tea", "ann", "2024-01-05T10:00:00Z", 3.0),
    ("o1", "jam", "ann", "2024-01-05T10:00:00Z", 2.5),
    ("o2", "tea", "bob", "2024-02-01T09:00:00Z", 3.0),
    ("o3", "tea", "ann", "2024-06-01T09:00:00Z", 3.0),
)


@pytest.fixture
def history(tmp_path):
    return History.create(tmp_path / "history", buckets=4)


def test_rows_come_back_sorted_by_key_with_the_dtypes_of_the_table(history):
    history.add("order_lines", lines(*FOUR_LINES))
    rows = history.read("order_lines", before=NOW)
    assert rows[["order_id", "item_id"]].to_numpy().tolist() == [
        ["o1", "jam"], ["o1", "tea"], ["o2", "tea"], ["o3", "tea"],
    ]  # fmt: skip
    assert {name: str(dtype) for name, dtype in rows.dtypes.items()} == {
        column.name: column.dtype for column in TABLES["order_lines"].columns
    }


def test_rows_at_or_after_the_instant_are_left_out(history):
    history.add("order_lines", lines(*FOUR_LINES))
    assert history.read("order_lines", before=MAY)["order_id"].tolist() == ["o1", "o1", "o2"]
    at_the_last = datetime(2024, 6, 1, 9, tzinfo=UTC)
    assert "o3" not in history.read("order_lines", before=at_the_last)["order_id"].tolist()


def test_of_rows_with_an_equal_key_the_last_one_counts(history):
    first = {"ticket_id": "t1", "customer_id": "ann", "opened_at": "2024-01-01T00:00:00Z"}
    history.add("tickets", frame_of("tickets", [first]))
    history.add("tickets", frame_of("tickets", [{**first, "resolved_at": "2024-01-03T00:00:00Z"}]))
    assert history.read("tickets", before=MAY)["resolved_at"].tolist() == [pd.Timestamp("2024-01-03", tz="UTC")]


def test_what_became_known_later_is_blank(history):
    ticket = {
        "ticket_id": "t1",
        "customer_id": "ann",
        "opened_at": "2024-01-01T00:00:00Z",
        "resolved_at": "2024-06-03T00:00:00Z",
        "handle_seconds": 60.0,
    }
    history.add("tickets", frame_of("tickets", [ticket]))
    rows = history.read("tickets", before=MAY, columns=["ticket_id", "handle_seconds"])
    assert list(rows.columns) == ["ticket_id", "handle_seconds"]
    assert rows["handle_seconds"].isna().tolist() == [True]
    assert history.read("tickets", before=NOW)["handle_seconds"].tolist() == [60.0]


def test_buckets_part_the_customers(history):
    history.add("order_lines", lines(*FOUR_LINES))
    by_bucket = [history.read("order_lines", before=NOW, bucket=bucket) for bucket in range(4)]
    assert set(by_bucket[bucket_of("ann", 4)]["customer_id"]) >= {"ann"}
    assert sum(len(rows) for rows in by_bucket) == 4


def test_unknown_visitors_go_by_their_session(history):
    event = {"event_id": "e1", "kind": "view", "occurred_at": "2024-01-01T00:00:00Z", "session_id": "visit"}
    history.add("interactions", frame_of("interactions", [event]))
    assert len(history.read("interactions", before=MAY, bucket=bucket_of("visit", 4))) == 1


def test_items_are_the_same_for_every_bucket(history):
    history.add("items", frame_of("items", [{"item_id": "tea"}, {"item_id": "jam", "colour": "red"}]))
    assert [history.read("items", before=MAY, bucket=bucket)["item_id"].tolist() for bucket in (0, 3)] == [
        ["jam", "tea"],
        ["jam", "tea"],
    ]


def test_a_table_without_rows_reads_as_an_empty_frame(history):
    assert history.tables() == set()
    assert history.last_instant() is None
    assert history.read("tickets", before=MAY).empty
    assert str(history.read("tickets", before=MAY)["opened_at"].dtype) == "datetime64[us, UTC]"


def test_the_last_instant_is_when_the_latest_event_began(history):
    history.add("order_lines", lines(*FOUR_LINES).assign(promised_at=pd.Timestamp("2029-01-01", tz="UTC")))
    history.add("customers", frame_of("customers", [{"customer_id": "cat", "signed_up_at": "2025-01-01T00:00:00Z"}]))
    shown = {"recommendation_id": "r", "rank": 1, "shown_at": "2024-06-02T09:00:00Z", "customer_id": "ann"}
    history.add("impressions", frame_of("impressions", [shown]))
    assert history.last_instant() == datetime(2024, 6, 1, 9, tzinfo=UTC)


def test_the_fingerprint_sees_what_happened_before_and_nothing_else(history, tmp_path):
    history.add("order_lines", lines(*FOUR_LINES[:3]))
    before = history.fingerprint(MAY)
    history.add("order_lines", lines(FOUR_LINES[3]))
    history.add(
        "tickets", frame_of("tickets", [{"ticket_id": "t", "customer_id": "ann", "opened_at": "2024-05-01T00:00:00Z"}])
    )
    assert history.fingerprint(MAY) == before
    history.add("order_lines", lines(("o0", "tea", "ann", "2024-01-01T10:00:00Z", 3.0)))
    assert history.fingerprint(MAY) != before


def test_erased_customers_are_gone_wherever_they_are_named(history):
    history.add("order_lines", lines(*FOUR_LINES))
    referral = {"referral_id": "r", "referrer_id": "cat", "referred_id": "ann", "referred_at": "2024-01-01T00:00:00Z"}
    history.add("referrals", frame_of("referrals", [referral]))
    assert history.forget(["ann", "nobody"]) == {"order_lines": 3, "referrals": 1}
    assert history.read("order_lines", before=NOW)["customer_id"].tolist() == ["bob"]
    assert history.tables() == {"order_lines"}


def test_many_small_additions_are_brought_into_one_part(history, monkeypatch):
    monkeypatch.setattr(bucket_files, "MOST_PARTS", 2)
    for number in range(7):
        history.add("order_lines", lines((f"o{number}", "tea", "ann", "2024-01-05T10:00:00Z", 3.0)))
    folder = history.folder / "order_lines" / f"bucket={bucket_of('ann', 4):02d}"
    assert len(list(folder.iterdir())) <= 2
    assert len(history.read("order_lines", before=NOW)) == 7


def test_a_history_opens_again_with_its_buckets(history):
    history.add("order_lines", lines(*FOUR_LINES))
    again = History.open(history.folder)
    assert again.buckets == 4
    assert again.tables() == {"order_lines"}


def test_opening_what_is_none_and_creating_what_is_there_are_refused(history, tmp_path):
    with pytest.raises(SettingError, match="holds no history; create one first"):
        History.open(tmp_path / "elsewhere")
    with pytest.raises(SettingError, match="already holds a history"):
        History.create(history.folder)


@pytest.fixture
def store(tmp_path):
    opened = open_event_store(f"sqlite:///{tmp_path / 'store.sqlite'}", clock=lambda: NOW)
    yield opened
    opened.close()


def order(order_id, customer_id):
    return {
        "order_id": order_id,
        "item_id": "tea",
        "customer_id": customer_id,
        "ordered_at": "2024-01-05T10:00:00Z",
        "line_number": 1,
    }


def test_a_refresh_copies_what_is_new_and_nothing_twice(history, store):
    store.append_rows("order_lines", [order("o1", "ann"), order("o2", "bob")])
    assert history.refresh(store) == {"order_lines": 2}
    assert history.refresh(store) == {}
    store.append_rows("order_lines", [order("o3", "ann")])
    assert History.open(history.folder).refresh(store) == {"order_lines": 1}
    assert history.read("order_lines", before=NOW)["order_id"].tolist() == ["o1", "o2", "o3"]


def test_a_refresh_replaces_rows_that_were_completed(history, store):
    ticket = {"ticket_id": "t1", "customer_id": "ann", "opened_at": "2024-01-01T00:00:00Z"}
    store.append_rows("tickets", [ticket])
    history.refresh(store)
    store.append_rows("tickets", [{**ticket, "resolved_at": "2024-01-03T00:00:00Z"}])
    assert history.refresh(store) == {"tickets": 1}
    assert history.read("tickets", before=MAY)["resolved_at"].notna().tolist() == [True]


def test_a_refresh_forgets_who_was_erased_and_keeps_what_they_did_since(history, store):
    store.append_rows("order_lines", [order("o1", "ann"), order("o2", "bob")])
    history.refresh(store)
    store.erase("ann")
    store.append_rows("order_lines", [order("o3", "ann")])
    history.refresh(store)
    assert history.read("order_lines", before=NOW)["order_id"].tolist() == ["o2", "o3"]
    history.refresh(store)
    assert history.read("order_lines", before=NOW)["order_id"].tolist() == ["o2", "o3"]


def test_a_refresh_drops_who_withdrew_the_consent_and_brings_back_who_gave_it_again(history, store):
    store.append_rows("order_lines", [order("o1", "ann"), order("o2", "bob")])
    store.upsert("customers", {"customer_id": "ann"})
    history.refresh(store)
    store.upsert("customers", {"customer_id": "ann", "consent_personalization": False})
    history.refresh(store)
    assert history.read("order_lines", before=NOW)["customer_id"].tolist() == ["bob"]
    assert history.read("customers", before=NOW).empty
    store.upsert("customers", {"customer_id": "ann", "consent_personalization": True})
    history.refresh(store)
    assert history.read("order_lines", before=NOW)["customer_id"].tolist() == ["ann", "bob"]


def test_a_history_of_another_store_starts_anew(history, store, tmp_path):
    store.append_rows("order_lines", [order("o1", "ann"), order("o2", "bob")])
    history.refresh(store)
    other = open_event_store(f"sqlite:///{tmp_path / 'other.sqlite'}", clock=lambda: NOW)
    history.refresh(other)
    other.close()
    assert history.tables() == set()


KEYS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 3)), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(rows=KEYS, cut=st.integers(0, 12))
def test_the_cut_into_parts_changes_neither_rows_nor_fingerprint(tmp_path_factory, rows, cut):
    frame = lines(*[(f"o-{who}", item, who, "2024-01-05T10:00:00Z", float(amount)) for who, item, amount in rows])
    frame = frame.assign(line_number=pd.array([1] * len(frame), dtype="Int64"))
    whole, parts = (History.create(tmp_path_factory.mktemp("history"), buckets=2) for _ in range(2))
    whole.add("order_lines", frame)
    parts.add("order_lines", frame[:cut])
    parts.add("order_lines", frame[cut:])
    pd.testing.assert_frame_equal(whole.read("order_lines", before=MAY), parts.read("order_lines", before=MAY))
    assert whole.fingerprint(MAY) == parts.fingerprint(MAY)
    parts.compact()
    assert whole.fingerprint(MAY) == parts.fingerprint(MAY)
    last = {(f"o-{who}", item): float(amount) for who, item, amount in rows}
    held = whole.read("order_lines", before=MAY)
    assert dict(zip(zip(held["order_id"], held["item_id"], strict=True), held["amount"], strict=True)) == last


def test_another_store_in_the_same_place_starts_the_history_anew(tmp_path):
    history = History.create(tmp_path / "history")
    for name, item_id in (("one", "milk"), ("two", "rye")):
        store = open_event_store(f"sqlite:///{tmp_path / name}.sqlite", clock=lambda: NOW)
        row = {"order_id": name, "item_id": item_id, "customer_id": "ann", "ordered_at": MAY}
        store.append_rows("order_lines", [row])
        history.refresh(store)
        assert history.read("order_lines", before=NOW)["item_id"].tolist() == [item_id]
        store.close()
