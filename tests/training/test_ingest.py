"""Files in: what passes, what goes into quarantine, what stops a table."""

import csv
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.event_store import open_event_store
from training.ingest import check, consented_frames, ingest, validated_frames

NOW = datetime(2025, 1, 1, tzinfo=UTC)
LINES = """order_id,item_id,customer_id,ordered_at,quantity,amount
o1,tea,ann,2024-01-05T10:00:00Z,2,6.00
o1,jam,ann,2024-01-05T10:00:00Z,1,2.50
o2,tea,007,2024-02-01T09:00:00+01:00,1,3.00
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def store(tmp_path):
    opened = open_event_store(f"sqlite:///{tmp_path / 'store.sqlite'}", clock=lambda: NOW)
    yield opened
    opened.close()


def write(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")


def quarantined(folder, table):
    path = folder / f"{table}.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def test_good_lines_are_stored_and_ids_stay_as_given(folder, store, tmp_path):
    write(folder, "order_lines.csv", LINES)
    report = ingest(folder, store, tmp_path / "quarantine")
    (lines,) = report.tables
    assert (lines.table, lines.read, lines.accepted, dict(lines.quarantined)) == ("order_lines", 3, 3, {})
    assert sorted(store.read("order_lines", before=NOW)["customer_id"]) == ["007", "ann", "ann"]


def test_running_twice_changes_nothing(folder, store, tmp_path):
    write(folder, "order_lines.csv", LINES + "o3,tea,ann,2024-03-01T09:00:00Z,-1,3\n")
    ingest(folder, store, tmp_path / "quarantine")
    first = (tmp_path / "quarantine" / "order_lines.csv").read_bytes()
    (again,) = ingest(folder, store, tmp_path / "quarantine").tables
    assert (again.accepted, again.duplicates, dict(again.quarantined)) == (0, 3, {"negative": 1})
    assert (tmp_path / "quarantine" / "order_lines.csv").read_bytes() == first
    assert store.counts()["order_lines"] == 3


def test_a_check_counts_what_ingestion_would(folder, store, tmp_path):
    write(folder, "order_lines.csv", LINES + LINES.split("\n", 1)[1] + "o2,jam,bob,2024-03-01T09:00:00,1,3\n")
    assert check(folder, NOW).tables == ingest(folder, store, tmp_path / "quarantine").tables


def test_validated_frames_hold_what_the_store_would(folder, store, tmp_path):
    write(folder, "order_lines.csv", LINES + "o3,tea,ann,2024-03-01T09:00:00Z,-1,3\n")
    ingest(folder, store, tmp_path / "quarantine")
    frames = [frame for name, frame in validated_frames(folder, NOW) if name == "order_lines"]
    key = ["order_id", "item_id", "line_number"]
    pd.testing.assert_frame_equal(
        pd.concat(frames).sort_values(key, ignore_index=True),
        store.read("order_lines", before=NOW).sort_values(key, ignore_index=True),
    )


def one_line(**values):
    row = {"order_id": "o9", "item_id": "tea", "customer_id": "ann", "ordered_at": "2024-03-01T09:00:00Z", **values}
    return ",".join(row) + "\n" + ",".join(row.values()) + "\n"


BAD_LINES = {
    "a value that is no number": ({"quantity": "two"}, "quantity", "wrong_type"),
    "a required value that is empty": ({"customer_id": ""}, "customer_id", "missing_value"),
    "an instant without an offset": ({"ordered_at": "2024-03-01T09:00:00"}, "ordered_at", "naive_instant"),
    "an instant in the future": ({"ordered_at": "2025-01-01T00:00:00Z"}, "ordered_at", "future_instant"),
    "a negative quantity": ({"quantity": "-1"}, "quantity", "negative"),
    "a NaN": ({"amount": "NaN"}, "amount", "not_finite"),
    "an id of 257 characters": ({"item_id": "x" * 257}, "item_id", "too_long"),
}


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_bad_line_goes_into_quarantine_with_its_place(folder, store, tmp_path, bad):
    values, column, code = BAD_LINES[bad]
    write(folder, "order_lines.csv", one_line(**values))
    (report,) = ingest(folder, store, tmp_path / "quarantine").tables
    assert (report.read, report.accepted, dict(report.quarantined)) == (1, 0, {code: 1})
    (row,) = quarantined(tmp_path / "quarantine", "order_lines")
    assert (row["line_number"], row["column"], row["code"]) == ("2", column, code)
    assert {name: row[name] for name in values} == values
    assert row["reason"]


def test_a_nan_in_parquet_goes_into_quarantine_and_a_null_does_not(folder, store, tmp_path):
    columns = {
        "order_id": ["o1", "o2"],
        "item_id": [1, 2],
        "customer_id": ["ann", "ann"],
        "ordered_at": pa.array([0, 0], pa.timestamp("us", tz="UTC")),
        "amount": pa.array([None, float("nan")], from_pandas=False),
    }
    pq.write_table(pa.table(columns), folder / "order_lines.parquet")
    (report,) = ingest(folder, store, tmp_path / "quarantine").tables
    assert dict(report.quarantined) == {"not_finite": 1}
    assert [row["line_number"] for row in quarantined(tmp_path / "quarantine", "order_lines")] == ["2"]
    assert store.read("order_lines", before=NOW)["item_id"].tolist() == ["1"]


def test_a_duplicate_key_with_other_values_goes_into_quarantine(folder, store, tmp_path):
    write(folder, "customers.csv", "customer_id,region\nann,north\nann,north\nann,south\n")
    write(folder, "order_lines.csv", LINES)
    for report in (check(folder, NOW, tmp_path / "dry"), ingest(folder, store, tmp_path / "quarantine")):
        customers = report.tables[0]
        assert (customers.accepted, customers.duplicates) == (1, 1)
        assert dict(customers.quarantined) == {"key_conflict": 1}
    for place in ("dry", "quarantine"):
        (row,) = quarantined(tmp_path / place, "customers")
        assert (row["line_number"], row["column"], row["region"]) == ("4", "region", "south")


def test_a_later_row_completes_an_earlier_one(folder, store, tmp_path):
    write(folder, "order_lines.csv", LINES)
    tickets = """ticket_id,customer_id,opened_at,resolved_at,topic
t1,ann,2024-01-01T00:00:00Z,,late
t1,ann,2024-01-01T00:00:00Z,2024-01-03T00:00:00Z,late
t1,ann,2024-01-01T00:00:00Z,2024-01-04T00:00:00Z,late
t1,ann,2024-01-01T00:00:00Z,,late
"""
    write(folder, "tickets.csv", tickets)
    checked, stored = check(folder, NOW).tables[-1], ingest(folder, store, tmp_path / "quarantine").tables[-1]
    assert checked == stored
    assert (stored.accepted, stored.completed, stored.duplicates) == (1, 1, 1)
    assert dict(stored.quarantined) == {"key_conflict": 1}
    frames = pd.concat(frame for name, frame in validated_frames(folder, NOW) if name == "tickets")
    assert frames["resolved_at"].tolist() == [pd.Timestamp("2024-01-03T00:00:00Z")]


def test_columns_of_the_row_do_not_hide_those_of_the_quarantine(folder, store, tmp_path):
    write(folder, "order_lines.csv", LINES)
    write(
        folder,
        "returns.csv",
        "return_id,customer_id,item_id,returned_at,reason,quantity\nr1,ann,tea,2024-03-01T09:00:00Z,broken,-1\n",
    )
    ingest(folder, store, tmp_path / "quarantine")
    (row,) = quarantined(tmp_path / "quarantine", "returns")
    assert (row["line_number"], row["code"], row["row_reason"]) == ("2", "negative", "broken")
    assert "-1 is below 0" in row["reason"]


def test_a_quarantine_is_removed_when_nothing_is_refused_any_more(folder, store, tmp_path):
    write(folder, "order_lines.csv", one_line(quantity="-1"))
    ingest(folder, store, tmp_path / "quarantine")
    write(folder, "order_lines.csv", one_line(quantity="1"))
    (report,) = ingest(folder, store, tmp_path / "quarantine").tables
    assert report.accepted == 1
    assert quarantined(tmp_path / "quarantine", "order_lines") == []


def test_a_line_that_was_corrected_keeps_its_number(folder, store, tmp_path):
    header, *rows = LINES.splitlines(keepends=True)
    write(folder, "order_lines.csv", header + rows[0].replace(",2,6.00", ",-2,6.00") + rows[0].replace("6.00", "5.00"))
    ingest(folder, store, tmp_path / "quarantine")
    write(folder, "order_lines.csv", header + rows[0] + rows[0].replace("6.00", "5.00"))
    (report,) = ingest(folder, store, tmp_path / "quarantine").tables
    assert (report.accepted, report.duplicates, dict(report.quarantined)) == (
        1,
        1,
        {},
    )
    lines = store.read("order_lines", before=NOW).sort_values("line_number")
    assert lines["amount"].tolist() == [6.0, 5.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "order_id,item_id,customer_id\no1,tea,ann\n",
            "the required column 'ordered_at' is missing; add it to the file",
        ),
        (one_line(colour="red"), "the column 'colour' is not known; remove it or use one of order_id"),
        ("", "order_lines.csv is empty; write a header line and one line per row"),
    ],
)
def test_a_wrong_header_stops_its_table_and_no_other(folder, store, tmp_path, text, message):
    write(folder, "customers.csv", "customer_id,colour\nann,red\n")
    write(folder, "order_lines.csv", text)
    report = ingest(folder, store, tmp_path / "quarantine")
    assert [one.table for one in report.tables] == ["customers"]
    assert list(report.stopped) == ["order_lines"]
    assert message in report.stopped["order_lines"]
    assert store.counts()["order_lines"] == 0


def test_a_column_of_instants_without_a_zone_stops_its_table(folder, store, tmp_path):
    columns = {
        "order_id": ["o1"],
        "item_id": ["tea"],
        "customer_id": ["ann"],
        "ordered_at": pa.array([0], pa.timestamp("us")),
    }
    pq.write_table(pa.table(columns), folder / "order_lines.parquet")
    report = ingest(folder, store, tmp_path / "quarantine")
    assert "the instants of 'ordered_at' have no time zone; write them in UTC" in report.stopped["order_lines"]


def test_the_same_rows_as_csv_parquet_and_parts_give_the_same_frames(folder, tmp_path):
    write(folder, "order_lines.csv", LINES)
    typed = pd.read_csv(folder / "order_lines.csv", dtype={"customer_id": "string"})
    typed["ordered_at"] = pd.to_datetime(typed["ordered_at"], utc=True, format="ISO8601")
    for name in ("parquet", "parts"):
        (tmp_path / name).mkdir()
    typed.to_parquet(tmp_path / "parquet" / "order_lines.parquet", index=False)
    (tmp_path / "parts" / "order_lines").mkdir()
    for number in range(3):
        part = tmp_path / "parts" / "order_lines" / f"part-{number}.parquet"
        typed.iloc[number : number + 1].to_parquet(part, index=False)
    as_csv, *others = (
        pd.concat(frame for _, frame in validated_frames(one, NOW))
        for one in (folder, tmp_path / "parquet", tmp_path / "parts")
    )
    for other in others:
        pd.testing.assert_frame_equal(as_csv, other)


def test_frames_of_customers_without_consent_are_left_out(folder):
    write(folder, "order_lines.csv", LINES)
    write(folder, "customers.csv", "customer_id,consent_personalization\nann,false\n007,true\n")
    frames = dict(consented_frames(folder, NOW))
    assert frames["customers"]["customer_id"].tolist() == ["007"]
    assert set(frames["order_lines"]["customer_id"]) == {"007"}


def test_a_file_that_means_nothing_is_named(folder, store, tmp_path):
    write(folder, "order_lines.csv", LINES)
    write(folder, "orders.csv", "x\n")
    assert ingest(folder, store, tmp_path / "quarantine").warnings == ("orders.csv is no table and was left alone",)
