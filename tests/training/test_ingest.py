"""Files in: what passes, what goes into quarantine, what stops a table."""

import csv
from datetime import UTC, datetime

import pandas as pd
import pytest

from recommender.event_store import open_event_store
from training.ingest import check, ingest, validated_frames

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
    return list(csv.DictReader(path.open(encoding="utf-8", newline=""))) if path.exists() else []


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
