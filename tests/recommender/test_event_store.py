"""The event store on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import DataError, UnknownName
from recommender.event_store import EventStore, open_event_store
from recommender.frame_validation import validate_frame
from recommender.touchpoints import TABLES
from tests import strategies
from tests.conftest import NOW

END = datetime(2024, 5, 1, tzinfo=UTC)


def at(day: int, month: int = 1) -> datetime:
    return datetime(2024, month, day, 12, 30, 0, 250_000, tzinfo=UTC)


def order(order_id: str, customer_id: str, day: int, **more: Any) -> dict[str, Any]:
    return {"order_id": order_id, "item_id": "tea", "customer_id": customer_id, "ordered_at": at(day), **more}


def ticket(**more: Any) -> dict[str, Any]:
    return {"ticket_id": "t1", "customer_id": "ann", "opened_at": at(3), **more}


def test_what_was_appended_is_read_back_with_the_dtypes_of_the_table(store: EventStore) -> None:
    rows = [order("o1", "ann", 3, amount=2.5, delivered_at=at(5)), order("o2", "bob", 4)]
    assert store.append("order_lines", pd.DataFrame(rows)).accepted == 2
    read = store.read("order_lines", before=END)
    assert read.dtypes.to_dict() == TABLES["order_lines"].empty().dtypes.to_dict()
    assert read["order_id"].tolist() == ["o1", "o2"]
    assert read["ordered_at"].tolist() == [pd.Timestamp(at(3)), pd.Timestamp(at(4))]
    assert read["delivered_at"].tolist()[0] == pd.Timestamp(at(5))
    assert read["delivered_at"].isna().tolist() == [False, True]
    assert read["quantity"].tolist() == [1.0, 1.0]
    assert read["line_number"].tolist() == [1, 1]
    assert read["amount"].tolist()[0] == 2.5


def test_an_empty_table_is_read_with_its_dtypes(store: EventStore) -> None:
    assert store.read("tickets", before=END).dtypes.to_dict() == TABLES["tickets"].empty().dtypes.to_dict()
    assert list(store.read_batches("tickets", before=END)) == []


def test_appending_twice_changes_nothing(store: EventStore) -> None:
    frame = pd.DataFrame([order("o1", "ann", 3), order("o2", "bob", 4)])
    store.append("order_lines", frame)
    again = store.append("order_lines", frame)
    assert (again.accepted, again.duplicates, again.rejections) == (0, 2, [])
    assert store.counts()["order_lines"] == 2


def test_a_taken_key_with_other_values_is_rejected_and_the_stored_row_stays(store: EventStore) -> None:
    store.append_rows("order_lines", [order("o1", "ann", 3, amount=2.0)])
    result = store.append_rows("order_lines", [order("o2", "ann", 3), order("o1", "ann", 3, amount=9.0)])
    assert result.accepted == 1
    assert [(one.index, one.column, one.code) for one in result.rejections] == [(1, "amount", "key_conflict")]
    assert "9.0" in result.rejections[0].reason
    assert store.rows_of_customer("order_lines", "ann", before=END)[0]["amount"] == 2.0


def test_among_equal_keys_of_one_call_the_first_wins(store: EventStore) -> None:
    rows = [ticket(topic="late"), ticket(topic="late"), ticket(topic="broken"), ticket(topic="late", resolved_at=at(5))]
    result = store.append_rows("tickets", rows)
    assert (result.accepted, result.duplicates, result.completed) == (1, 1, 1)
    assert [one.index for one in result.rejections] == [2]
    [stored] = store.rows_of_customer("tickets", "ann", before=END)
    assert (stored["topic"], stored["resolved_at"]) == ("late", at(5))


def test_a_ticket_is_completed_step_by_step_and_older_versions_change_nothing(store: EventStore) -> None:
    versions = [
        ticket(),
        ticket(first_replied_at=at(4)),
        ticket(first_replied_at=at(4), resolved_at=at(6), handle_seconds=60),
    ]
    results = [store.append_rows("tickets", [version]) for version in [*versions, versions[0], versions[1]]]
    assert [one.accepted for one in results] == [1, 0, 0, 0, 0]
    assert [one.completed for one in results] == [0, 1, 1, 0, 0]
    assert [one.duplicates for one in results] == [0, 0, 0, 1, 1]
    [stored] = store.rows_of_customer("tickets", "ann", before=END)
    assert (stored["first_replied_at"], stored["resolved_at"], stored["handle_seconds"]) == (at(4), at(6), 60.0)


def test_what_a_completed_row_knew_already_cannot_be_changed(store: EventStore) -> None:
    store.append_rows("tickets", [ticket(resolved_at=at(6))])
    [rejection] = store.append_rows("tickets", [ticket(resolved_at=at(7))]).rejections
    assert (rejection.column, rejection.code) == ("resolved_at", "key_conflict")


def test_a_completed_row_is_a_change(store: EventStore) -> None:
    store.append_rows("tickets", [ticket()])
    after = store.last_sequence()
    store.append_rows("tickets", [ticket(resolved_at=at(6))])
    [(number, frame)] = store.changes("tickets", after)
    assert number > after
    assert frame["resolved_at"].tolist() == [pd.Timestamp(at(6))]


def test_bad_rows_are_rejected_by_their_place_and_good_ones_stored(store: EventStore) -> None:
    rows = [order("o1", "ann", 3, quantity=-1), order("o2", "ann", 3), {**order("o3", "ann", 3), "ordered_at": None}]
    for result in (store.append("order_lines", pd.DataFrame(rows)), store.append_rows("order_lines", rows)):
        assert result.accepted + result.duplicates == 1
        assert [(one.index, one.code) for one in result.rejections] == [(0, "negative"), (2, "missing_value")]


def test_a_frame_without_a_required_column_stores_nothing(store: EventStore) -> None:
    with pytest.raises(DataError, match="order_lines: the required column 'ordered_at' is missing"):
        store.append("order_lines", pd.DataFrame({"order_id": ["o1"], "item_id": ["tea"], "customer_id": ["ann"]}))
    assert store.counts()["order_lines"] == 0


def test_a_table_that_does_not_exist_is_named(store: EventStore) -> None:
    with pytest.raises(UnknownName, match="there is no table 'orders'; there are: assignments, contacts"):
        store.append_rows("orders", [])


def test_a_read_shows_what_was_known_before_the_instant(store: EventStore) -> None:
    store.append_rows("tickets", [ticket(resolved_at=at(6), handle_seconds=60)])
    read = store.read("tickets", before=at(6))
    assert read["resolved_at"].isna().all()
    assert read["handle_seconds"].isna().all()
    assert store.rows_of_customer("tickets", "ann", before=at(6))[0]["handle_seconds"] is None
    assert store.read("tickets", before=at(3)).empty
    assert store.rows_of_customer("tickets", "ann", before=at(3)) == []


def test_since_leaves_out_older_rows_and_keeps_the_instant_itself(store: EventStore) -> None:
    store.append_rows("order_lines", [order(f"o{day}", "ann", day) for day in (3, 4, 5)])
    assert store.read("order_lines", before=at(5), since=at(4))["order_id"].tolist() == ["o4"]
    assert [one["order_id"] for one in store.rows_of_customer("order_lines", "ann", before=END, since=at(4))] == [
        "o4",
        "o5",
    ]


def test_the_rows_of_a_customer_come_newest_last_and_a_limit_keeps_the_newest(store: EventStore) -> None:
    store.append_rows("order_lines", [order(f"o{day}", "ann", day) for day in (5, 3, 4)] + [order("x", "bob", 4)])
    ids = [one["order_id"] for one in store.rows_of_customer("order_lines", "ann", before=END, limit=2)]
    assert ids == ["o4", "o5"]


def test_customers_can_be_chosen(store: EventStore) -> None:
    store.append_rows("order_lines", [order("o1", "ann", 3), order("o2", "bob", 3), order("o3", "cy", 3)])
    read = store.read("order_lines", before=END, customer_ids=["cy", "ann", "nobody", "a\x00b"])
    assert read["order_id"].tolist() == ["o1", "o3"]
    assert store.read("order_lines", before=END, customer_ids=[]).empty


def test_a_customer_who_withdraws_consent_leaves_every_reading(store: EventStore) -> None:
    store.append_rows("order_lines", [order("o1", "ann", 3), order("o2", "bob", 3)])
    store.append_rows(
        "referrals", [{"referral_id": "r", "referrer_id": "bob", "referred_id": "ann", "referred_at": at(3)}]
    )
    store.upsert("customers", {"customer_id": "ann", "consent_personalization": False})
    store.upsert("customers", {"customer_id": "bob"})
    assert store.read("order_lines", before=END)["customer_id"].tolist() == ["bob"]
    assert store.read("customers", before=END)["customer_id"].tolist() == ["bob"]
    assert store.read("referrals", before=END).empty
    assert store.rows_of_customer("order_lines", "ann", before=END) == []
    assert list(store.rows_by_key("customers", ["ann", "bob"])) == ["bob"]
    assert [frame["customer_id"].tolist() for _, frame in store.changes("order_lines", 0)] == [["bob"]]
    assert store.profile("ann").consent_personalization is False
    assert store.counts()["order_lines"] == 2


def test_rows_of_a_session_need_no_customer(store: EventStore) -> None:
    view = {"event_id": "e1", "kind": "view", "occurred_at": at(3), "item_id": "tea", "session_id": "s1"}
    store.append_rows("interactions", [view])
    store.upsert("customers", {"customer_id": "ann", "consent_personalization": False})
    assert store.read("interactions", before=END)["session_id"].tolist() == ["s1"]
    assert store.read("interactions", before=END)["customer_id"].isna().all()


def copied(store: EventStore, copy: dict[str, tuple[str, int]], after: int) -> int:
    """What a copy of the order lines does to follow the store."""
    upto = store.last_sequence()
    dropped = {one for _, one in store.erasures(after)}
    for key in [key for key, (customer, _) in copy.items() if customer in dropped]:
        del copy[key]
    for number, frame in store.changes("order_lines", after):
        for row in frame.to_dict("records"):
            copy[row["order_id"]] = (hash_of(row["customer_id"]), number)
    return upto


def hash_of(customer_id: str) -> str:
    from hashlib import sha256

    return sha256(customer_id.encode()).hexdigest()


def test_a_copy_follows_withdrawal_consent_and_erasure(store: EventStore) -> None:
    copy: dict[str, tuple[str, int]] = {}
    store.append_rows("order_lines", [order("o1", "ann", 3), order("o2", "bob", 3)])
    after = copied(store, copy, 0)
    assert sorted(copy) == ["o1", "o2"]
    store.upsert("customers", {"customer_id": "ann", "consent_personalization": False})
    store.append_rows("order_lines", [order("o3", "ann", 4)])
    after = copied(store, copy, after)
    assert sorted(copy) == ["o2"]
    store.upsert("customers", {"customer_id": "ann", "consent_personalization": True})
    after = copied(store, copy, after)
    assert sorted(copy) == ["o1", "o2", "o3"]
    store.erase("ann")
    store.append_rows("order_lines", [order("o4", "ann", 5)])
    copied(store, copy, after)
    assert sorted(copy) == ["o2", "o4"]


def test_customers_that_are_appended_without_consent_are_withheld_once(store: EventStore) -> None:
    rows = [{"customer_id": "ann", "consent_personalization": False}, {"customer_id": "bob"}]
    store.append_rows("customers", rows)
    store.append("customers", pd.DataFrame(rows))
    assert [one for _, one in store.erasures(0)] == [hash_of("ann")]
    assert store.profile("ann").erased is False


def test_an_upsert_replaces_the_row_and_keeps_consents_it_does_not_mention(store: EventStore) -> None:
    store.upsert("customers", {"customer_id": "ann", "region": "north", "consent_marketing": False})
    store.upsert("customers", {"customer_id": "ann", "birth_year": 1980, "pets": 2})
    row = store.profile("ann").row
    assert row is not None
    assert (row["region"], row["birth_year"], row["consent_marketing"]) == (None, 1980, False)
    assert row["attributes"] == '{"pets": 2}'


def test_an_upsert_tells_what_is_wrong_and_stores_nothing(store: EventStore) -> None:
    rejection = store.upsert("items", {"item_id": "tea", "price": -1})
    assert rejection is not None
    assert (rejection.column, rejection.code) == ("price", "negative")
    assert store.rows_by_key("items", ["tea"]) == {}
    with pytest.raises(UnknownName, match="customers, items, offers"):
        store.upsert("tickets", ticket())


def test_an_append_never_overwrites_an_item(store: EventStore) -> None:
    store.upsert("items", {"item_id": "tea", "price": 2})
    [rejection] = store.append_rows("items", [{"item_id": "tea", "price": 3}]).rejections
    assert rejection.code == "key_conflict"
    assert store.rows_by_key("items", ["tea", "coffee"])["tea"]["price"] == 2.0


def test_profiles_of_known_erased_and_unknown_customers(store: EventStore) -> None:
    store.append_rows("order_lines", [order("o1", "ann", 3)])
    store.append_rows(
        "referrals", [{"referral_id": "r", "referrer_id": "bob", "referred_id": "cy", "referred_at": at(3)}]
    )
    assert [store.profile(one).known for one in ("ann", "bob", "cy", "dan", "a\x00", "\ud800")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    store.erase("ann")
    assert (store.profile("ann").known, store.profile("ann").erased) == (False, True)
    store.append_rows("order_lines", [order("o2", "ann", 4)])
    assert (store.profile("ann").known, store.profile("ann").erased) == (True, True)
    store.upsert("customers", {"customer_id": "ann"})
    assert (store.profile("ann").known, store.profile("ann").erased) == (True, True)


def test_erasing_deletes_the_rows_of_all_tables(store: EventStore) -> None:
    store.upsert("customers", {"customer_id": "ann"})
    store.append_rows("order_lines", [order("o1", "ann", 3), order("o2", "ann", 4), order("o3", "bob", 4)])
    store.append_rows(
        "referrals", [{"referral_id": "r", "referrer_id": "bob", "referred_id": "ann", "referred_at": at(3)}]
    )
    deleted = store.erase("ann")
    assert {name: count for name, count in deleted.items() if count} == {
        "customers": 1,
        "order_lines": 2,
        "referrals": 1,
    }
    assert store.counts()["order_lines"] == 1
    assert [one for _, one in store.erasures(0)] == [hash_of("ann")]


def test_the_last_instant_is_that_of_the_latest_event(store: EventStore) -> None:
    assert store.last_instant() is None
    store.append_rows("order_lines", [order("o1", "ann", 3)])
    store.append_rows("tickets", [ticket()])
    store.upsert("offers", {"offer_id": "x", "kind": "gift", "starts_at": "2030-01-01T00:00:00Z"})
    store.append_rows("impressions", [{"recommendation_id": "r", "rank": 1, "shown_at": at(9), "customer_id": "ann"}])
    assert store.last_instant() == at(3)


def test_appends_at_the_same_time_are_all_kept_and_numbered_in_the_order_of_commits(store: EventStore) -> None:
    def append(part: int) -> int:
        rows = [order(f"o{part}-{number}", "ann", 3) for number in range(40)]
        return sum(store.append_rows("order_lines", [*rows[:20], order("same", "ann", 3)]).accepted for _ in range(2))

    copy: dict[str, tuple[str, int]] = {}
    after = 0
    with ThreadPoolExecutor(4) as workers:
        results = [workers.submit(append, part) for part in range(6)]
        while not all(result.done() for result in results):
            after = copied(store, copy, after)
    copied(store, copy, after)
    assert sum(result.result() for result in results) == 6 * 20 + 1
    assert len(copy) == store.counts()["order_lines"] == 6 * 20 + 1


def test_two_stores_of_one_database_see_each_other(store: EventStore) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    if url.startswith("sqlite"):
        url = f"sqlite:///{store.engine.get_execution_options()['path']}"
    other = open_event_store(url, clock=lambda: NOW)
    store.append_rows("order_lines", [order("o1", "ann", 3)])
    assert other.append_rows("order_lines", [order("o1", "ann", 3)]).duplicates == 1
    other.erase("ann")
    other.close()
    assert store.profile("ann").erased


def test_more_rows_than_a_chunk_or_a_batch_are_kept_in_order(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.store_append.CHUNK_ROWS", 3)
    monkeypatch.setattr("recommender.event_store.BATCH_ROWS", 2)
    monkeypatch.setattr("recommender.event_store.CUSTOMERS_PER_QUERY", 1)
    rows = [order(f"o{number}", f"c{number % 2}", 3) for number in range(8)]
    rows[6] = {**rows[1], "line_number": 1, "amount": 7.0}
    result = store.append("order_lines", pd.DataFrame(rows))
    assert result.accepted == 7
    assert [(one.index, one.code) for one in result.rejections] == [(6, "key_conflict")]
    kept = ["o0", "o1", "o2", "o3", "o4", "o5", "o7"]
    batches = list(store.read_batches("order_lines", before=END))
    assert [len(batch) for batch in batches] == [2, 2, 2, 1]
    assert [one for batch in batches for one in batch["order_id"]] == kept
    numbers = [number for number, _ in store.changes("order_lines", 0)]
    assert numbers == sorted(set(numbers))
    chosen = store.read("order_lines", before=END, customer_ids=["c0", "c1"])["order_id"].tolist()
    assert chosen == ["o0", "o2", "o4", "o1", "o3", "o5", "o7"]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_rows_of_every_table_come_back_as_they_were(sqlite_store: EventStore, name: str) -> None:
    check_round_trip(sqlite_store, name)


@pytest.mark.parametrize("name", ["customers", "items", "offers", "tickets"])
def test_rows_of_every_kind_come_back_from_postgresql(postgresql_store: EventStore, name: str) -> None:
    check_round_trip(postgresql_store, name)


@settings(max_examples=1, deadline=None, database=None)
@given(data=st.data())
def check_round_trip(store: EventStore, name: str, data: st.DataObject) -> None:
    key = TABLES[name].key
    by_key = {
        tuple(row[one] for one in key): row for row in data.draw(st.lists(strategies.rows(TABLES[name]), min_size=5))
    }
    rows = [row for row in by_key.values() if row.get("line_number", 1) is not None]
    frame = pd.DataFrame(
        {
            column.name: pd.Series([row[column.name] for row in rows], dtype=column.dtype)
            for column in TABLES[name].columns
        }
    )
    valid = validate_frame(TABLES[name], frame, now=NOW).rows.reset_index(drop=True)
    store.append(name, frame)
    keep = valid["consent_personalization"] if name == "customers" else valid.index >= 0
    pd.testing.assert_frame_equal(
        store.read(name, before=datetime(9999, 1, 1, tzinfo=UTC)),
        valid[keep].reset_index(drop=True),
        check_index_type=False,
    )
