"""Churn on data that hold little or nonsense: a labelled simpler answer, or a sentence that says what is missing."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.periods import instant
from recommender.retention.definitions import ChurnDefinition
from recommender.touchpoints import TABLES
from training.examples import population_features
from training.progress import silent
from training.retention.churn_training import TrainedChurn, train_churn
from training.settings import read_settings

END = instant("2024-06-01")
NO_ORDER = ChurnDefinition("no_order", horizon_days=28, activity_days=56)


def orders(days_before_end_by_customer: dict[str, list[float]], amount: float = 5.0) -> pd.DataFrame:
    rows = [
        {
            "order_id": f"{customer}-{place}",
            "item_id": "milk",
            "customer_id": customer,
            "ordered_at": (END - timedelta(days=days)).isoformat(),
            "amount": amount,
        }
        for customer, moments in days_before_end_by_customer.items()
        for place, days in enumerate(moments)
    ]
    return validate_frame(TABLES["order_lines"], pd.DataFrame(rows), now=END + timedelta(days=400)).rows


def trained(folder, lines: pd.DataFrame, definition: ChurnDefinition = NO_ORDER, **tables) -> tuple[TrainedChurn, dict]:
    history = History.create(folder / "history", buckets=2)
    history.add("order_lines", lines)
    for name, rows in tables.items():
        history.add(name, validate_frame(TABLES[name], pd.DataFrame(rows), now=END).rows)
    churn = train_churn(history, definition, read_settings(), as_of=END, seed=0, steps=silent)
    asked = population_features(history, definition, END, silent)
    if churn.model is None or asked.empty:
        return churn, {}
    return churn, churn.model.predict_proba(asked[list(churn.facts["features"])]).to_dict()


def steady(count: int, every: int, days: int, last: int = 1) -> dict[str, list[float]]:
    return {f"c{number:03d}": [float(one) for one in range(last, days, every)] for number in range(count)}


def test_thirty_customers_are_told_apart_by_the_rhythm_of_their_orders(tmp_path):
    regular = {f"r{number:02d}": [float(one) for one in range(2 + number % 5, 200, 7)] for number in range(20)}
    silent_ones = {f"s{number:02d}": [float(one) for one in range(50, 200, 7)] for number in range(10)}
    churn, told = trained(tmp_path, orders(regular | silent_ones))
    assert churn.facts["kind"] == "bgnbd_no_order"
    assert min(told[name] for name in silent_ones) > max(told[name] for name in regular)


def test_one_cutoff_is_too_few_to_judge_and_the_facts_say_so(tmp_path):
    some = {f"c{number:02d}": [float(one) for one in range(1 + number % 20, 60, 5)] for number in range(30)}
    churn, told = trained(tmp_path, orders(some))
    assert churn.choice is None
    assert churn.facts["kind"] == "bgnbd_no_order"
    assert "no window with both outcomes" in churn.facts["missing"]
    assert all(0.0 <= one <= 1.0 for one in told.values())


def test_where_nobody_ever_left_the_probabilities_are_low(tmp_path):
    churn, told = trained(tmp_path, orders(steady(40, 4, 250)))
    assert "missing" in churn.facts
    assert max(told.values()) < 0.1


def test_where_everybody_left_before_nobody_is_asked(tmp_path):
    churn, told = trained(tmp_path, orders(steady(40, 7, 300, last=90)))
    assert told == {}
    assert churn.facts["features"] is not None


def test_orders_of_one_day_per_customer_give_everybody_one_probability(tmp_path):
    once = {f"c{number:03d}": [float(1 + number % 50)] for number in range(60)}
    churn, told = trained(tmp_path, orders(once))
    assert churn.facts["kind"] == "everybody_alike"
    assert len(set(told.values())) == 1


def test_customers_who_are_all_alike_are_no_error(tmp_path):
    alike = {f"c{number:03d}": [float(one) for one in range(1, 91, 10)] for number in range(40)}
    churn, told = trained(tmp_path, orders(alike))
    assert "all customers of the past have equal features" in churn.facts["missing"]
    assert len(set(told.values())) == 1


def test_refunds_above_what_was_spent_and_amounts_out_of_range_break_nothing(tmp_path):
    some = {f"c{number:03d}": [float(one) for one in range(1 + number % 40, 250, 9)] for number in range(60)}
    lines = orders(some)
    lines["amount"] = lines["amount"].astype("float64")
    lines.loc[lines.index[::7], "amount"] = np.nan
    lines.loc[lines.index[::11], "amount"] = 1e300
    back = [
        {
            "return_id": f"b{number}",
            "customer_id": f"c{number:03d}",
            "item_id": "milk",
            "returned_at": (END - timedelta(days=5)).isoformat(),
            "amount": 10_000.0,
        }
        for number in range(20)
    ]
    churn, told = trained(tmp_path, lines, returns=back)
    assert churn.model is not None
    assert all(0.0 <= one <= 1.0 for one in told.values())


def test_rows_of_the_future_change_no_probability(tmp_path):
    some = {f"c{number:03d}": [float(one) for one in range(1 + number % 40, 250, 9)] for number in range(60)}
    later = {name: [*days, -10.0, -20.0] for name, days in some.items()}
    assert trained(tmp_path / "now", orders(some))[1] == trained(tmp_path / "later", orders(later))[1]


def test_an_hour_written_with_another_offset_is_the_same_hour(tmp_path):
    # The night in which clocks in Berlin went forward, once written in local time and once in UTC.
    local, utc = (
        validate_frame(
            TABLES["order_lines"],
            pd.DataFrame([{"order_id": "o", "item_id": "i", "customer_id": "c", "ordered_at": text, "amount": 1.0}]),
            now=END,
        ).rows
        for text in ("2024-03-31T03:30:00+02:00", "2024-03-31T01:30:00Z")
    )
    cutoff = instant("2024-03-31T02:00:00+01:00") + timedelta(hours=1)
    ids = [NO_ORDER.population({"order_lines": one}, cutoff).tolist() for one in (local, utc)]
    assert ids == [["c"], ["c"]]


@pytest.mark.parametrize("outcome", ["spend_drop", "subscription_ended"])
def test_another_outcome_without_enough_past_has_no_model_and_says_what_is_missing(tmp_path, outcome):
    definition = ChurnDefinition(outcome, horizon_days=28, activity_days=56)
    churn, told = trained(tmp_path, orders(steady(30, 5, 30)), definition)
    assert (churn.model, told) == (None, {})
    assert "no cutoff 28 days before 2024-06-01 has 20 customers" in churn.facts["missing"]
