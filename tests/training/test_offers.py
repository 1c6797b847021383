"""A shop with a randomised offer whose effect is known: what is learned, written and judged."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.touchpoints import TABLES
from tests import small_shop
from tests.training.conftest import TrainedShop
from training.backtest import Answers, backtest, write_metrics
from training.evaluate import evaluate
from training.interactions import customers_before
from training.offer_answers import offers_frame
from training.offer_examples import complete_assignments, offer_examples
from training.offer_training import train_offers
from training.progress import silent

DRAWN = datetime(2024, 5, 1, 9, tzinfo=UTC)
CUTOFF = datetime(2024, 6, 1, tzinfo=UTC)
HORIZON_DAYS = 14
CUSTOMERS = 240


def is_sleepy(number: int) -> bool:
    return number % 2 == 0


def is_treated(number: int) -> bool:
    return number // 2 % 2 == 0


def order_days(number: int) -> list[int]:
    """Days from the draw: the others order every week; of the sleepy every second comes back, of those treated all."""
    if not is_sleepy(number):
        return [*range(-70, 29, 7)]
    comes_back = is_treated(number) or number // 4 % 2 == 0
    return [-70, -40, *([3] if comes_back else [])]


def shop(folder, *, arms=("treatment", "control"), propensity=0.5, later_rows=True) -> History:
    numbers = range(CUSTOMERS)
    lines = [
        {
            "order_id": f"o{number}-{day}",
            "item_id": f"i{number % 5}",
            "customer_id": f"c{number:03d}",
            "ordered_at": DRAWN + timedelta(days=day, hours=1 + number % 7),
            "amount": 10.0,
        }
        for number in numbers
        for day in order_days(number)
    ]
    drawn = {"offer_id": "f1", "assigned_at": DRAWN, "propensity": propensity}
    assignments = [
        {**drawn, "assignment_id": f"a{number}", "customer_id": f"c{number:03d}", "arm": arms[not is_treated(number)]}
        for number in numbers
    ]
    redemptions = [
        {"redemption_id": f"r{number}", "offer_id": "f1", "customer_id": f"c{number:03d}",
         "redeemed_at": DRAWN + timedelta(days=3, hours=2)}
        for number in numbers
        if is_treated(number) and is_sleepy(number)
    ]  # fmt: skip
    if later_rows:
        after = {"assigned_at": CUTOFF + timedelta(days=1)}
        assignments += [{**one, **after, "assignment_id": f"later {one['assignment_id']}"} for one in assignments]
        lines += [{**one, "order_id": "later", "ordered_at": CUTOFF} for one in lines[:40]]
    tables = {
        "order_lines": lines,
        "assignments": assignments,
        "redemptions": redemptions,
        "offers": [{"offer_id": "f1", "kind": "gift", "value": 5.0, "unit_cost": 2.0}],
    }
    history = History.create(folder, buckets=2)
    for name, rows in tables.items():
        valid = validate_frame(TABLES[name], pd.DataFrame(rows), now=CUTOFF + timedelta(days=90))
        assert not valid.rejections
        history.add(name, valid.rows)
    return history


def answers_of(history: History):
    trained = train_offers(history, horizon_days=HORIZON_DAYS, as_of=CUTOFF, seed=0, steps=silent)
    return trained, offers_frame(history, trained, customers_before(history, CUTOFF), CUTOFF, silent)


@pytest.fixture(scope="module")
def randomised(tmp_path_factory):
    history = shop(tmp_path_factory.mktemp("shop") / "history")
    return history, *answers_of(history)


def test_everybody_gets_an_answer_for_every_offer_in_order(randomised):
    frame = randomised[2]
    assert frame.columns.tolist() == [
        "customer_id", "offer_id", "response_probability", "uplift", "uplift_low", "uplift_high", "value",
    ]  # fmt: skip
    assert frame["customer_id"].tolist() == [f"c{number:03d}" for number in range(CUSTOMERS)]
    assert frame.notna().all(axis=None)


def test_the_features_are_those_before_the_draw(randomised):
    history = randomised[0]
    complete = complete_assignments(history, before=CUTOFF, horizon_days=HORIZON_DAYS)
    assert len(complete) == CUSTOMERS
    examples = offer_examples(history, complete, before=CUTOFF, horizon_days=HORIZON_DAYS, steps=silent)
    assert examples.features.index.tolist() == examples.assignments["customer_id"].tolist()
    sleepy = examples.features.loc[[f"c{number:03d}" for number in range(CUSTOMERS) if is_sleepy(number)]]
    assert sleepy["order_count"].unique().tolist() == [2.0]
    assert examples.features["offer_treatment_count"].eq(0.0).all()


def test_only_windows_that_have_ended_are_learned_from(randomised):
    ended = DRAWN + timedelta(days=HORIZON_DAYS)
    assert len(complete_assignments(randomised[0], before=ended, horizon_days=HORIZON_DAYS)) == CUSTOMERS
    a_moment_before = ended - timedelta(microseconds=1)
    assert complete_assignments(randomised[0], before=a_moment_before, horizon_days=HORIZON_DAYS).empty


def test_the_uplift_is_a_half_for_the_sleepy_and_none_for_the_others(randomised):
    history, trained, _ = randomised
    complete = complete_assignments(history, before=CUTOFF, horizon_days=HORIZON_DAYS)
    examples = offer_examples(history, complete, before=CUTOFF, horizon_days=HORIZON_DAYS, steps=silent)
    asked = examples.features.assign(offer="offer f1", offer_kind="gift", offer_value=5.0)
    uplift = trained.uplifts["randomised"].predict(asked)["uplift"]
    sleepy = np.array([is_sleepy(int(customer_id[1:])) for customer_id in uplift.index])
    assert uplift[sleepy].mean() == pytest.approx(0.5, abs=0.1)
    assert uplift[~sleepy].mean() == pytest.approx(0.0, abs=0.05)


def test_the_value_is_uplift_times_an_order_less_the_expected_cost(randomised):
    frame = randomised[2]
    expected = frame["uplift"] * 10.0 - frame["response_probability"] * 2.0
    np.testing.assert_allclose(frame["value"], expected)


def test_rows_at_or_after_the_cutoff_change_no_byte(randomised, tmp_path):
    _, frame = answers_of(shop(tmp_path / "history", later_rows=False))
    for name, one in (("with", randomised[2]), ("without", frame)):
        (tmp_path / name).mkdir()
        Answers(one, one, one, one, one, offers=one).write(tmp_path / name)
    assert (tmp_path / "with/offers.parquet").read_bytes() == (tmp_path / "without/offers.parquet").read_bytes()


def test_without_customers_held_back_uplift_is_empty_and_said_to_be(tmp_path):
    trained, frame = answers_of(shop(tmp_path / "history", arms=("treatment", "treatment"), propensity=None))
    assert trained.facts["identified"] is False
    assert "held back" in trained.facts["reason"]
    assert trained.facts["offers"]["f1"]["evidence"] == "treatment_only"
    assert frame["response_probability"].between(0.0, 1.0).all()
    assert frame[["uplift", "uplift_low", "uplift_high", "value"]].isna().all(axis=None)


def test_arms_without_propensities_are_called_observational(tmp_path):
    trained, frame = answers_of(shop(tmp_path / "history", propensity=None))
    assert trained.facts["offers"]["f1"]["evidence"] == "observational"
    assert "not how they were drawn" in trained.facts["evidence"]["observational"]
    assert frame["uplift"].notna().all()


def test_a_window_that_has_not_ended_gives_empty_answers(randomised):
    history, cutoff = randomised[0], DRAWN + timedelta(days=1)
    trained = train_offers(history, horizon_days=HORIZON_DAYS, as_of=cutoff, seed=0, steps=silent)
    frame = offers_frame(history, trained, customers_before(history, cutoff), cutoff, silent)
    assert len(frame) == CUSTOMERS
    assert frame.drop(columns=["customer_id", "offer_id"]).isna().all(axis=None)
    assert trained.facts["offers"]["f1"]["evidence"] == "none"


def test_without_an_assignment_there_is_no_file(trained_shop: TrainedShop, tmp_path):
    assert train_offers(trained_shop.history, horizon_days=28, as_of=small_shop.END, seed=0, steps=silent) is None
    (tmp_path / "offers.parquet").write_text("of an earlier run")
    nothing = pd.DataFrame({"customer_id": pd.Series(dtype="string")})
    Answers(nothing, nothing, nothing, nothing, nothing).write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "churn.parquet", "recommendations.parquet", "value.parquet",
    ]  # fmt: skip


def test_a_backtest_writes_and_judges_the_offers(randomised, trained_shop: TrainedShop, tmp_path):
    settings = replace(trained_shop.settings, horizon_days=HORIZON_DAYS)
    training, answers = backtest(randomised[0], settings, cutoff=CUTOFF, k=3, seed=0, steps=silent)
    answers.write(tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "offers.parquet"), answers.offers, check_dtype=False)
    write_metrics(evaluate(randomised[0], training, answers, settings, k=3, seed=0), tmp_path)
    told = json.loads((tmp_path / "metrics.json").read_text())["offers"]
    assert told["offers"]["f1"] == {
        "evidence": "randomised", "treatment": 120, "control": 120, "uplift_model": "randomised",
    }  # fmt: skip
    assert (told["judged"]["assignments"], told["judged"]["unanswered"]) == (CUSTOMERS, 0)
    assert told["judged"]["uplift"]["randomised"]["control"] == 120
