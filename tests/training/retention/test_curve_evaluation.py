import numpy as np
import pandas as pd
import pytest

from recommender.models.survival_curves import NODES, SurvivalCurves
from recommender.periods import instant
from recommender.retention.definitions import NO_ORDER, ChurnDefinition
from recommender.retention.order_times import ORDER_TIMES
from recommender.touchpoints import TABLES
from tests.recommender.retention.test_order_times import Same
from training.retention.curve_evaluation import Seen, judge_curves, judge_times

CUTOFF = instant("2024-03-01")
NO_ORDER_IN_28 = ChurnDefinition(NO_ORDER, horizon_days=28, activity_days=56)
FOUR = np.array([2.0, 10.0, 20.0, np.inf])


def certain(*survival):
    """One curve for each customer, over the nodes 1, 3, 7 and so on."""
    return SurvivalCurves.of(NODES, np.array(survival))


def one_that_orders_within(days):
    return np.where(days <= NODES, 0.0, 1.0)


def order_lines(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    at = pd.to_datetime(frame["ordered_at"], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    empty = TABLES["order_lines"].empty()
    frame = frame.assign(ordered_at=at, order_id=[str(number) for number in range(len(frame))], item_id="tea")
    return frame.reindex(columns=empty.columns).astype(empty.dtypes.to_dict())


def test_a_curve_that_knows_the_day_has_no_error():
    known = certain(*(one_that_orders_within(days) for days in FOUR))
    judged = judge_curves({"shipped": known}, FOUR, 30.0, seed=0)
    assert [judged["by_day"][day]["base_rate"] for day in ("7", "14", "28")] == [0.75, 0.5, 0.25]
    assert judged["by_day"]["14"]["models"]["shipped"]["brier"]["mean"] == pytest.approx(0.0, abs=1e-6)
    assert judged["integrated_brier"]["shipped"]["mean"] == pytest.approx(0.0, abs=1e-6)


def test_a_coin_has_a_quarter_as_its_error_on_every_day():
    coin = certain(*np.full((4, len(NODES)), 0.5))
    judged = judge_curves({"shipped": coin}, FOUR, 30.0, seed=0)
    assert judged["by_day"]["28"]["models"]["shipped"]["brier"]["mean"] == pytest.approx(0.25)
    # a quarter on each day from the first on, a rise from 0 to a quarter within the first: 27.5 of 28 days
    assert judged["integrated_brier"]["shipped"]["mean"] == pytest.approx(0.25 * 27.5 / 28)


def test_a_day_that_was_not_seen_is_not_judged():
    coin = certain(*np.full((4, len(NODES)), 0.5))
    judged = judge_curves({"shipped": coin}, FOUR, 20.0, seed=0)
    assert list(judged["by_day"]) == ["7", "14"]
    assert judged["integrated_days"] == 14


def test_dates_are_judged_beside_the_own_interval_and_held_at_the_end_of_what_was_seen():
    lines = order_lines(
        ("ann", "2024-02-10"),
        ("ann", "2024-02-20"),
        ("ann", "2024-03-08"),
        ("bob", "2024-02-20"),
        ("bob", "2024-02-25"),
    )
    seen = Seen({"order_lines": lines, "subscriptions": TABLES["subscriptions"].empty()}, CUTOFF, 30.0)
    probabilities = pd.Series([0.0625, 0.0625], index=pd.Index(["ann", "bob"], dtype="string"))
    judged = judge_times(seen, probabilities, NO_ORDER_IN_28, {ORDER_TIMES: Same()}, seed=0)["next_order"]
    assert judged["ordered_share"] == 0.5
    # half order within a week; Ann came after one, Bob not within the thirty days seen: errors of 0 and 23 days
    assert judged["median_error_days"]["shipped"]["mean"] == pytest.approx(11.5, abs=0.01)
    assert judged["mean_error_days"]["shipped"]["mean"] == pytest.approx(11.5, abs=0.01)
    # both were due on the cutoff, Ann after ten days, Bob after five: errors of 7 and 30 days
    assert judged["median_error_days"]["own_interval"]["mean"] == pytest.approx(18.5, abs=0.01)
    assert judged["came_by"]["expected_next_order_at"]["mean"] == 0.5
    assert judged["came_by"]["expected_next_order_at"]["wanted"] == 0.5


def test_customers_without_a_model_of_time_are_not_judged():
    seen = Seen({"order_lines": order_lines(), "subscriptions": TABLES["subscriptions"].empty()}, CUTOFF, 30.0)
    probabilities = pd.Series([0.1], index=pd.Index(["ann"], dtype="string"))
    assert judge_times(seen, probabilities, NO_ORDER_IN_28, {}, seed=0) == {"customers": 1, "seen_days": 30.0}
