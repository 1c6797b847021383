from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from recommender.history import History
from recommender.models.order_rhythm import RHYTHM
from recommender.retention.definitions import NO_ORDER, SUBSCRIPTION_ENDED, ChurnDefinition
from recommender.retention.order_times import CONTRACT_TIMES, CONTRACTS, ORDER_TIMES
from recommender.touchpoints import TABLES
from tests import small_shop
from tests.training.conftest import shop_history
from training.progress import silent
from training.retention.curve_training import ORDERS, time_examples, train_times
from training.settings import TrainingSettings

SETTINGS = TrainingSettings()
END = small_shop.END
NO_ORDER_IN_28 = ChurnDefinition(NO_ORDER, horizon_days=28, activity_days=56)
ENDED_IN_28 = ChurnDefinition(SUBSCRIPTION_ENDED, horizon_days=28, activity_days=56)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return shop_history(tmp_path_factory.mktemp("shop") / "history")


def table(name, rows):
    empty = TABLES[name].empty()
    return pd.DataFrame(rows).reindex(columns=empty.columns).astype(empty.dtypes.to_dict())


def with_table(folder, name, rows):
    history = History.create(folder, buckets=2)
    history.add(name, table(name, rows))
    return history


def trained(history, *definitions, as_of=END):
    return train_times(history, definitions or [NO_ORDER_IN_28], SETTINGS, as_of=as_of, steps=silent)


def states(model):
    return [model.state()[name].tolist() for name in ("nodes", "effects", "levels")]


def test_examples_are_seen_from_their_cutoff_to_the_training(history):
    examples = time_examples(history, ORDERS, SETTINGS, as_of=END, steps=silent)
    # 240 days, of which the first 28 say too little
    assert sorted(set(examples.known_days)) == [28.0 * step for step in range(1, 8)]
    ordered = np.isfinite(examples.days)
    assert (examples.days[ordered] < examples.known_days[ordered]).all()


def test_customers_with_a_rhythm_of_eight_days_are_expected_when_the_order_is_due(history):
    model = trained(history).models[ORDER_TIMES]
    # five order days eight days apart, the last one seven days ago: due tomorrow
    rhythm = dict.fromkeys(RHYTHM, np.nan) | {
        "order_day_count": 8.0,
        "days_since_last_order": 7.0,
        "days_since_first_order": 63.0,
        "order_interval_mean_days": 8.0,
        "order_interval_std_days": 0.0,
        "order_interval_last_days": 8.0,
        "order_interval_max_days": 8.0,
        "order_early_ratio": 7 / 8,
        "order_overdue_ratio": 1.0,
        "order_overdue_max_ratio": 1.0,
        "order_days_decayed_7d_count": sum(0.5 ** ((7 + 8 * visit) / 7) for visit in range(8)),
        "order_days_decayed_28d_count": sum(0.5 ** ((7 + 8 * visit) / 28) for visit in range(8)),
        "order_days_decayed_112d_count": sum(0.5 ** ((7 + 8 * visit) / 112) for visit in range(8)),
    }
    curves = model.curves(np.array([list(rhythm.values())]))
    assert 0.0 < curves.days_until(0.5)[0] < 3.0
    assert curves.at(np.array([7.0]))[0, 0] < 0.1


def test_what_happens_after_the_training_changes_nothing(tmp_path, history):
    early = END - timedelta(days=20)
    lines = small_shop.valid_tables()["order_lines"]
    shorter = History.create(tmp_path / "history", buckets=2)
    shorter.add("order_lines", lines[lines["ordered_at"] < early])
    assert states(trained(shorter, as_of=early).models[ORDER_TIMES]) == states(
        trained(history, as_of=early).models[ORDER_TIMES]
    )


def test_a_small_shop_is_told_by_bgnbd_and_says_so(tmp_path):
    visits = [(customer, day) for customer in range(12) for day in range(0, 40, 3 + customer)]
    rows = [
        {"order_id": f"{c}-{d}", "item_id": "tea", "customer_id": f"c{c}", "ordered_at": END - timedelta(days=d + 1)}
        for c, d in visits
    ]
    times = trained(with_table(tmp_path / "history", "order_lines", [{**one, "line_number": 0} for one in rows]))
    assert times.facts[ORDER_TIMES]["kind"] == "bgnbd_curves"
    assert 0 < times.facts[ORDER_TIMES]["learned_days"] <= 41


def test_where_nobody_came_back_there_is_no_model_and_the_reason_is_named(tmp_path):
    rows = [
        {"order_id": f"{c}", "item_id": "tea", "customer_id": f"c{c}", "ordered_at": END - timedelta(days=c + 1)}
        for c in range(12)
    ]
    times = trained(with_table(tmp_path / "history", "order_lines", [{**one, "line_number": 0} for one in rows]))
    assert times.models == {}
    assert "too few customers ordered on a second day" in times.facts[ORDER_TIMES]["missing"]


def test_of_contracts_that_all_end_after_forty_days_the_older_end_first(tmp_path):
    starts = [END - timedelta(days=day) for day in range(1, 360, 2)]
    rows = [
        {
            "subscription_id": f"s{number}",
            "customer_id": f"c{number}",
            "started_at": start,
            "ended_at": start + timedelta(days=40) if start + timedelta(days=40) < END else None,
        }
        for number, start in enumerate(starts)
    ]
    times = trained(with_table(tmp_path / "history", "subscriptions", rows), ENDED_IN_28)
    assert list(times.models) == [CONTRACT_TIMES]
    known = table("subscriptions", rows)
    young, old = pd.Index(["c0"], dtype="string"), pd.Index(["c18"], dtype="string")
    stays = [
        times.models[CONTRACT_TIMES].curves(CONTRACTS.compute({"subscriptions": known}, one, END).to_numpy())
        for one in (young, old)
    ]
    # the first is a day old and has 39 to go, the other 37 and has three
    assert stays[0].at(np.array([14.0]))[0, 0] > 0.9
    assert stays[1].at(np.array([14.0]))[0, 0] < 0.4


def test_contracts_are_only_asked_about_where_a_definition_does(history):
    assert CONTRACT_TIMES not in trained(history).facts
    assert "no cutoff 28 days before" in trained(history, ENDED_IN_28).facts[CONTRACT_TIMES]["missing"]
