"""What churn means for a company: the end of a contract, or no order."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.periods import instant
from recommender.touchpoints import TABLES
from training.examples import is_contractual

NOW = instant("2024-06-01")


def history_of(folder: Path, buyers: list[str], subscribers: list[str]) -> History:
    orders = {"order_id": buyers, "item_id": "milk", "customer_id": buyers, "ordered_at": "2024-01-01T00:00:00Z"}
    contracts = {
        "subscription_id": subscribers,
        "customer_id": subscribers,
        "started_at": "2024-02-01T00:00:00Z",
    }
    history = History.create(folder, buckets=2)
    for name, columns in (("order_lines", orders), ("subscriptions", contracts)):
        history.add(name, validate_frame(TABLES[name], pd.DataFrame(columns), now=NOW).rows)
    return history


@pytest.mark.parametrize(
    ("buyers", "subscribers", "contractual"),
    [
        ([], ["ann"], True),
        (["ann", "bob"], ["ann", "bob"], True),
        (["ann", "bob"], ["bob"], True),
        (["ann", "bob", "cid"], ["ann"], False),
        (["ann"], [], False),
        ([], [], False),
    ],
)
def test_contracts_decide_where_at_least_half_of_the_customers_have_one(tmp_path, buyers, subscribers, contractual):
    assert is_contractual(history_of(tmp_path, buyers, subscribers), NOW) is contractual


def test_contracts_that_began_later_do_not_decide(tmp_path):
    assert not is_contractual(history_of(tmp_path, ["ann"], ["ann"]), instant("2024-01-15"))
