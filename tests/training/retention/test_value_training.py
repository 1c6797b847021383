"""Training of the value model on shops whose customers are known by construction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.touchpoints import TABLES
from tests import small_shop
from training.progress import silent
from training.report import value_sentences
from training.retention.value_examples import value_examples, value_histories
from training.retention.value_training import past_cutoffs, train_value
from training.settings import TrainingSettings

SETTINGS = TrainingSettings(panel_cutoffs=3)
END = small_shop.END


def shop(folder, **changed: pd.DataFrame) -> History:
    """The small shop with other tables in place of its own."""
    history = History.create(folder, buckets=2)
    for name, frame in (small_shop.valid_tables() | changed).items():
        history.add(name, frame)
    return history


def lines_with(**changes) -> pd.DataFrame:
    return small_shop.valid_tables()["order_lines"].assign(**changes)


def trained(history: History, settings: TrainingSettings = SETTINGS):
    return train_value(history, settings, as_of=END, seed=0, steps=silent)


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> History:
    return shop(tmp_path_factory.mktemp("value"))


@pytest.fixture(scope="module")
def value(history):
    return trained(history)


def test_learned_models_are_judged_beside_the_rhythm_and_the_past_rate(value):
    assert set(value.choice.judged) == {
        "past_rate",
        "bgnbd_gamma_gamma",
        "mean_value",
        "two_part_value",
        "tweedie_value",
        "log_linear_value",
    }
    assert value.facts["kind"] == value.choice.shipped
    assert value.choice.gains[value.choice.shipped].low > 0


def test_who_stays_is_worth_what_was_spent_before_and_who_left_little(history, value):
    purchases = value_histories(history, value.margins, END, silent)
    predicted = value.model.predict(purchases, 28)
    # of a visit every eight days two lines of 2 + number modulo 5
    usual = {number: 28 / 8 * 2 * (2 + number % 5) for number in range(small_shop.CUSTOMERS)}
    staying = [number for number in usual if not small_shop.has_left(number)]
    errors = [predicted[small_shop.customer_id(number)] / usual[number] - 1 for number in staying]
    assert np.mean(np.abs(errors)) < 0.25
    left = [predicted[small_shop.customer_id(number)] for number in usual if small_shop.has_left(number)]
    assert np.mean(left) < 5.0


def test_the_sum_and_the_bounds_are_checked_on_the_last_window(value):
    assert value.facts["bias"] == pytest.approx(1.0, abs=0.15)
    assert value.facts["window"] == {"cutoff": "2024-02-02", "customers": small_shop.CUSTOMERS}
    assert 0.5 < value.facts["interval_coverage"] <= 1.0
    told = "\n".join(value_sentences(value.facts))
    for expected in ("value is revenue", "120 customers of the window from 2024-02-02", "bounds that were read off"):
        assert expected in told


def test_rows_after_the_instant_change_nothing(history):
    before = END - timedelta(days=40)
    later = train_value(history, SETTINGS, as_of=before, seed=0, steps=silent)
    cut = lines_with()
    cut = cut[cut["ordered_at"] < before]
    assert len(cut) < len(lines_with())
    earlier = History.create(history.folder.parent / "earlier", buckets=2)
    for name, frame in (small_shop.valid_tables() | {"order_lines": cut}).items():
        earlier.add(name, frame)
    again = train_value(earlier, SETTINGS, as_of=before, seed=0, steps=silent)
    assert again.facts == later.facts
    purchases = value_histories(earlier, again.margins, before, silent)
    pd.testing.assert_series_equal(
        again.model.predict(purchases, 28), later.model.predict(purchases, 28), check_exact=True
    )


def test_examples_of_a_cutoff_know_nothing_of_what_followed(history, value):
    cutoff = past_cutoffs(SETTINGS, END, small_shop.START)[0]
    (found,) = value_examples(history, [cutoff], value.margins, 28, before=END, steps=silent)
    (blind,) = value_examples(history, [cutoff], value.margins, 28, before=cutoff, steps=silent)
    pd.testing.assert_frame_equal(found.history, blind.history)
    assert (blind.spent == 0.0).all()
    assert found.spent.sum() > 0.0


def test_with_costs_value_is_margin(tmp_path, value):
    items = small_shop.valid_tables()["items"]
    dear = lines_with(cost=lines_with()["amount"] * 0.75)
    margin = trained(shop(tmp_path, order_lines=dear, items=items))
    assert margin.facts["is_margin"]
    assert margin.margins.cost_share == pytest.approx(0.75)
    purchases = value_histories(shop(tmp_path / "again", order_lines=dear), margin.margins, END, silent)
    assert purchases["mean_order_amount"].mean() == pytest.approx(
        value_histories(shop(tmp_path / "revenue"), value.margins, END, silent)["mean_order_amount"].mean() / 4
    )
    assert "value is margin: costs are 75.0% of the revenue" in "\n".join(value_sentences(margin.facts))


def test_without_any_amount_every_value_is_0_and_it_says_so(tmp_path):
    history = shop(tmp_path, order_lines=lines_with(amount=np.nan))
    unpaid = trained(history)
    assert unpaid.facts["missing"] == "no order line has an amount, so that every value is 0"
    assert (unpaid.model.predict(value_histories(history, unpaid.margins, END, silent), 28) == 0.0).all()


def test_without_an_order_there_is_no_model(tmp_path):
    nobody = trained(shop(tmp_path, order_lines=lines_with().iloc[:0]))
    assert nobody.model is None
    assert nobody.facts["missing"] == "there is no order"


@pytest.mark.parametrize("customers", [["c001"], ["c001", "c002", "c003"]])
def test_few_customers_get_the_past_rate(tmp_path, customers):
    few = lines_with()
    found = trained(shop(tmp_path, order_lines=few[few["customer_id"].isin(customers)]))
    assert found.facts["kind"] in {"past_rate", "bgnbd_gamma_gamma", "bgnbd_mean_amount"}
    assert found.interval is None
    assert "needs 50 customers" in found.facts["no_interval"]


def test_customers_who_never_come_again_get_a_simpler_answer(tmp_path):
    once = lines_with().sort_values("ordered_at").drop_duplicates("customer_id")
    found = trained(shop(tmp_path, order_lines=once))
    assert found.facts["kind"] == "past_rate"


def test_refunds_above_spend_and_huge_amounts_give_finite_values(tmp_path):
    lines = lines_with()
    lines.loc[lines["customer_id"] == "c001", "amount"] = 1e9
    bought = lines[lines["customer_id"] == "c002"]
    refunds = pd.DataFrame(
        {
            "return_id": [f"r{number}" for number in range(len(bought))],
            "returned_at": bought["ordered_at"].array,
            "amount": bought["amount"].array * 5,
            **{name: bought[name].array for name in ("customer_id", "item_id")},
        }
    )
    refunds = validate_frame(TABLES["returns"], refunds, now=END).rows
    history = shop(tmp_path, order_lines=lines, returns=refunds)
    found = trained(history)
    predicted = found.model.predict(value_histories(history, found.margins, END, silent), 28)
    assert np.isfinite(predicted).all()
    assert (predicted >= 0.0).all()
    assert predicted["c002"] < predicted["c003"]


def test_a_sample_of_customers_teaches_and_judges(monkeypatch, history):
    monkeypatch.setattr("training.retention.value_examples.LEARNED_CUSTOMERS", 40)
    cutoff = past_cutoffs(SETTINGS, END, small_shop.START)[0]
    (found,) = value_examples(history, [cutoff], trained(history).margins, 28, before=END, steps=silent)
    assert 0 < len(found.history) <= 40


def test_a_horizon_longer_than_the_history_ships_the_past_rate(history):
    found = trained(history, replace(SETTINGS, horizon_days=230))
    assert found.choice is None
    assert found.facts["kind"] == "past_rate"
