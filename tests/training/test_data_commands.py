"""The commands ``ingest``, ``import`` and ``readiness``, as a person calls them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from training.cli import main

LINES = """order_id,item_id,customer_id,ordered_at,quantity,amount
o1,tea,ann,2024-01-05T10:00:00Z,2,6.00
o2,tea,bob,2024-02-01T09:00:00Z,1,3.00
"""
BAD_LINE = "o3,tea,bob,2024-02-01T09:00:00Z,-1,3.00\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "var"))
    monkeypatch.delenv("REGULARS_STORE", raising=False)
    return tmp_path / "var"


@pytest.fixture
def folder(tmp_path, home):
    made = tmp_path / "data"
    made.mkdir()
    (made / "order_lines.csv").write_text(LINES)
    return made


def call(*arguments):
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_ingest_prints_what_became_of_the_rows(folder, home):
    (folder / "order_lines.csv").write_text(LINES + BAD_LINE)
    done = call("ingest", folder)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "order_lines: 3 rows read, 2 accepted, 0 duplicates, 0 completed, 1 quarantined",
        f"  negative: 1 in {home / 'quarantine' / 'order_lines.csv'}",
    ]


def test_ingest_gives_json_for_programs(folder):
    (folder / "notes.txt").touch()
    report = json.loads(call("ingest", folder, "--json").stdout)
    assert report["tables"] == [
        {"table": "order_lines", "read": 2, "accepted": 2, "duplicates": 0, "completed": 0, "quarantined": {}}
    ]
    assert report["warnings"] == ["notes.txt is no table and was left alone"]


def test_a_dry_run_stores_nothing(folder, home):
    (folder / "order_lines.csv").write_text(LINES + BAD_LINE)
    done = call("ingest", folder, "--dry-run")
    assert "order_lines: 3 rows read, 2 accepted" in done.stdout
    assert not home.exists()


def test_strict_ends_with_1_where_rows_were_refused(folder, home):
    assert call("ingest", folder, "--strict").exit_code == 0
    (folder / "order_lines.csv").write_text(LINES + BAD_LINE)
    refused = call("ingest", folder, "--strict")
    assert refused.exit_code == 1
    assert refused.stderr == f"regulars: 1 rows were refused; see {home / 'quarantine'}\n"


def test_a_table_that_is_stopped_ends_with_1_and_says_which_were_done(folder):
    (folder / "customers.csv").write_text("customer_id\nann\n")
    (folder / "order_lines.csv").write_text("order_id,item_id\no1,tea\n")
    stopped = call("ingest", folder)
    assert stopped.exit_code == 1
    assert stopped.stdout.startswith("customers: 1 rows read, 1 accepted")
    assert stopped.stderr == (
        "regulars: order_lines: the required column 'customer_id' is missing; add it to the file "
        "(tables done: customers)\n"
    )


def test_a_store_that_is_gone_is_one_line_and_exit_code_1(folder, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("REGULARS_STORE", f"sqlite:///{tmp_path / 'file' / 'store.sqlite'}")
    gone = call("ingest", folder)
    assert gone.exit_code == 1
    assert gone.stderr.startswith("regulars: ")
    assert len(gone.stderr.splitlines()) == 1


def test_import_writes_tables_that_ingest_takes(tmp_path, home):
    (tmp_path / "CDNOW_master.txt").write_text(" 00001 19970101  1   11.77\n 00002 19970112  1   12.00\n")
    made = call("import", "cdnow", tmp_path, "--out", tmp_path / "out")
    assert made.stdout.splitlines() == ["customers: 2 rows", "items: 1 rows", "order_lines: 2 rows"]
    assert "order_lines: 2 rows read, 2 accepted" in call("ingest", tmp_path / "out").stdout


def test_import_refuses_a_folder_that_is_not_empty_unless_told(tmp_path, home):
    (tmp_path / "CDNOW_master.txt").write_text(" 00001 19970101  1   11.77\n")
    refused = call("import", "cdnow", tmp_path, "--out", tmp_path)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"regulars: {tmp_path} is not empty; choose another folder or add --force\n"
    report = json.loads(call("import", "cdnow", tmp_path, "--out", tmp_path, "--force", "--json").stdout)
    assert report["rows"] == {"customers": 1, "items": 1, "order_lines": 1}


def test_an_unknown_importer_is_a_usage_error(tmp_path, home):
    assert call("import", "movielens", "--out", tmp_path / "out").exit_code == 2


def test_readiness_says_what_is_missing_with_numbers(folder):
    call("ingest", folder)
    lines = call("readiness").stdout.splitlines()
    assert lines[0] == "order_lines: 2 rows, 2024-01-05 to 2024-02-01"
    assert (
        "not ready  recommendations: 1,000 order lines or interactions with an item are needed, 2 are there; "
        "25 customers who met at least two items are needed, 0 are there"
    ) in lines


def test_readiness_of_an_empty_store_says_what_to_do(home):
    assert call("readiness").stdout.startswith("the store is empty; run the command ingest first\n")
    answers = json.loads(call("readiness", "--json").stdout)["answers"]
    assert {one["answer"]: one["ready"] for one in answers} == {
        "recommendations": False,
        "next item for visitors": False,
        "discovery of new items": False,
        "churn of customers who order": False,
        "churn of subscriptions": False,
        "value": False,
        "offers": False,
        "experience": False,
    }


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_one_line_and_loses_nothing(folder, home):
    assert call("ingest", folder).exit_code == 0
    quarantine = home / "quarantine"
    (folder / "order_lines.csv").write_text(LINES + BAD_LINE)
    quarantine.mkdir(exist_ok=True)
    unfinished = quarantine / ".order_lines.csv.unfinished"
    unfinished.symlink_to("/dev/full")
    done = call("ingest", folder)
    assert done.exit_code == 1
    assert "No space left on device; make room or choose another folder" in done.stderr
    unfinished.unlink(missing_ok=True)
    assert "2 duplicates, 0 completed, 1 quarantined" in call("ingest", folder).stdout
