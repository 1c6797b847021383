"""``regulars segments``: its page, its files, and shops of every odd shape."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.retention.definitions import NO_ORDER, SUBSCRIPTION_ENDED, ChurnDefinition
from recommender.touchpoints import TABLES
from tests import small_shop
from tests.training.conftest import done, run, shop_history
from tests.training.test_html_report import Page
from training.progress import silent
from training.retention.customer_base import customer_base_facts
from training.retention.segment_command import write_segments
from training.retention.segment_report import segment_page

END = small_shop.END
BY_ORDERS = ChurnDefinition(NO_ORDER, 28, 56)
FILES = {
    *("segments.html", "segments.json", "cohorts.csv", "repurchase.csv"),
    *("transitions.csv", "states.csv", "rfm_groups.csv"),
}


def history_of(folder: Path, **tables: list[dict[str, object]]) -> History:
    history = History.create(folder, buckets=2)
    for name, rows in tables.items():
        valid = validate_frame(TABLES[name], pd.DataFrame(rows), now=END + timedelta(days=400))
        assert not valid.rejections
        history.add(name, valid.rows)
    return history


def order(customer: str, days_before_end: float, amount: float = 10.0) -> dict[str, object]:
    at = END - timedelta(days=days_before_end)
    return {"order_id": f"{customer}{days_before_end}", "item_id": "i", "customer_id": customer, "ordered_at": at,
            "amount": amount}  # fmt: skip


def facts_of(history: History, definition: ChurnDefinition = BY_ORDERS):
    return customer_base_facts(history, definition, as_of=END, steps=silent)


@pytest.fixture(scope="module")
def shop_facts(tmp_path_factory):
    return facts_of(shop_history(tmp_path_factory.mktemp("history")))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_command_writes_a_page_and_the_same_as_data(home, tmp_path):
    out = tmp_path / "out"
    told = json.loads(done(home, "segments", "--out", str(out)))
    assert set(told["files"]) == FILES == {one.name for one in out.iterdir()}
    page = Page((out / "segments.html").read_text())
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert all(one.startswith("#") for one in page.addresses)
    assert "script" not in page.tags
    for words in ("Lifecycle", "Cohorts", "Repurchase", "Recency, frequency, money", "champions", "2023-07"):
        assert words in page.text
    assert "nan" not in page.text
    facts = json.loads((out / "segments.json").read_text())
    assert facts["as_of"] == told["as_of"]
    first = rows_of(out / "cohorts.csv")[1]
    assert {name: first[name] for name in ("cohort", "customers", "month", "ordered", "share")} == {
        "cohort": "2023-07", "customers": "120", "month": "1", "ordered": "120", "share": "1.0",
    }  # fmt: skip
    assert sum(int(row["customers"]) for row in rows_of(out / "rfm_groups.csv")) == small_shop.CUSTOMERS
    moves = rows_of(out / "transitions.csv")
    lapsed = [row for row in moves if (row["to_at"], row["state"]) == ("2024-02-01T00:00:00Z", "slipping")]
    assert {row["origin"]: row["customers"] for row in lapsed if row["customers"] != "0"} == {"active": "20"}


def test_a_folder_that_holds_something_is_refused_without_force(home, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = run(home, "segments", "--out", str(tmp_path))
    assert (result.exit_code, "is not empty; choose another folder or add --force" in result.stderr) == (1, True)
    done(home, "segments", "--out", str(tmp_path), "--force", "--as-of", "2024-01-15")
    assert json.loads((tmp_path / "segments.json").read_text())["as_of"] == "2024-01-15T00:00:00Z"


def test_the_lives_of_the_shop_are_those_it_was_made_with(shop_facts):
    # The twenty who left ordered 22 or 23 times, the hundred others 30 times, for the last time on one of eight days.
    assert shop_facts["rfm"]["grid"] == [[20, 0, 0, 0, 0], *[[0, 0, 25, 0, 0]] * 4]
    assert [one["median_days"] for one in shop_facts["repurchase"]] == [8, 16, 24, 32]


def test_later_rows_change_nothing(tmp_path, shop_facts):
    history = shop_history(tmp_path / "later")
    later = [order("c001", -3.0), order("c000", 0.0), order("zoe", -1.0)]
    valid = validate_frame(TABLES["order_lines"], pd.DataFrame(later), now=END + timedelta(days=400))
    history.add("order_lines", valid.rows)
    assert facts_of(history) == shop_facts


def test_buckets_change_nothing(tmp_path, shop_facts):
    one = History.create(tmp_path / "one", buckets=1)
    for name, frame in small_shop.valid_tables().items():
        one.add(name, frame)
    assert facts_of(one) == shop_facts


def written(facts, tmp_path: Path) -> str:
    """The text of the page; all files are written too."""
    out = tmp_path / "out"
    out.mkdir()
    write_segments(facts, out, as_of="2024-03-01T00:00:00Z")
    return Page((out / "segments.html").read_text()).text


def test_one_customer_is_a_shop(tmp_path):
    facts = facts_of(history_of(tmp_path / "h", order_lines=[order("ann", 40), order("ann", 10)]))
    assert facts["cohorts"] == [{"cohort": "2024-01", "customers": 1, "ordered": [1, 1], "amount": [10.0, 10.0]}]
    assert facts["repurchase"][0]["median_days"] == 30
    assert facts["rfm"]["groups"]["need_attention"] == {"customers": 1, "net_amount": 20.0}
    assert facts["lifecycle"]["states"][-1]["customers"]["new"] == 1
    assert "need_attention" in written(facts, tmp_path)


def test_all_orders_on_one_day_give_one_cohort_and_no_month(tmp_path):
    rows = [order(f"c{number}", 0.5 + number / 100) for number in range(12)]
    facts = facts_of(history_of(tmp_path / "h", order_lines=rows))
    assert [(one["cohort"], one["ordered"]) for one in facts["cohorts"]] == [("2024-02", [12])]
    assert facts["lifecycle"]["states"][0]["customers"]["new"] == 12
    assert facts["lifecycle"]["transitions"] == []
    assert "2024-02" in written(facts, tmp_path)


def test_without_orders_the_page_says_so(tmp_path):
    visits = [{"event_id": "1", "kind": "view", "occurred_at": END - timedelta(days=3), "customer_id": "ann"}]
    facts = facts_of(history_of(tmp_path / "h", interactions=visits, customers=[{"customer_id": "ann"}]))
    assert (facts["cohorts"], facts["lifecycle"]["states"]) == ([], [])
    assert sum(one["customers"] for one in facts["rfm"]["groups"].values()) == 0
    assert written(facts, tmp_path).count("Nobody has ordered.") == 3


def test_returns_alone_make_no_customer(tmp_path):
    back = [
        {"return_id": "1", "customer_id": "ann", "item_id": "i", "returned_at": END - timedelta(days=3), "amount": 5.0}
    ]
    facts = facts_of(history_of(tmp_path / "h", returns=back))
    assert facts["cohorts"] == []
    assert "Nobody has ordered." in written(facts, tmp_path)


def test_returns_above_the_spend_are_told_as_they_are(tmp_path):
    back = [
        {"return_id": "1", "customer_id": "ann", "item_id": "i", "returned_at": END - timedelta(days=3), "amount": 50.0}
    ]
    history = history_of(tmp_path / "h", order_lines=[order("ann", 10), order("bob", 10)], returns=back)
    groups = facts_of(history)["rfm"]["groups"]
    assert sum(one["net_amount"] for one in groups.values()) == -30.0


def test_contracts_alone_tell_the_lifecycle(tmp_path):
    def contract(number: int, start: float, end: float | None) -> dict[str, object]:
        return {"subscription_id": str(number), "customer_id": f"c{number}", "started_at": END - timedelta(days=start),
                "ended_at": None if end is None else END - timedelta(days=end), "monthly_amount": 9.0}  # fmt: skip

    rows = [contract(1, 200, None), contract(2, 200, 40), contract(3, 20, None)]
    facts = facts_of(history_of(tmp_path / "h", subscriptions=rows), ChurnDefinition(SUBSCRIPTION_ENDED, 28, 56))
    assert facts["lifecycle"]["told_by"] == "subscriptions"
    states = facts["lifecycle"]["states"][-1]
    assert states["at"] == "2024-03-01T00:00:00Z"
    assert {name: count for name, count in states["customers"].items() if count} == {"active": 1, "lapsed": 1, "new": 1}
    text = written(facts, tmp_path)
    assert "lifecycle told by subscriptions" in text
    assert text.count("Nobody has ordered.") == 3


def test_a_page_can_be_made_of_the_facts_of_a_bundle(trained_shop):
    facts = trained_shop.artifacts.load().facts["customer_base"]
    assert "Repurchase" in segment_page(facts, as_of="2024-03-01T00:00:00Z")
