import numpy as np
import pandas as pd
import pytest

from recommender.models.survival_curves import NODES, SurvivalCurves
from recommender.periods import instant
from recommender.retention.definitions import NO_ORDER, SUBSCRIPTION_ENDED, ChurnDefinition
from recommender.retention.order_times import CONTRACT_TIMES, ORDER_TIMES, times_of
from recommender.touchpoints import TABLES

AS_OF = instant("2024-03-01")
ANN_BOB_CID = pd.Index(["ann", "bob", "cid"], dtype="string", name="customer_id")
NO_ORDER_IN_28 = ChurnDefinition(NO_ORDER, horizon_days=28, activity_days=56)


class Same:
    """One curve for everybody; by default half of all are left after each further week."""

    kind, learned_days = "same", 91

    def __init__(self, survival: np.ndarray = 0.5 ** (NODES / 7.0)) -> None:
        self.survival = survival

    def curves(self, numbers: np.ndarray) -> SurvivalCurves:
        return SurvivalCurves.of(NODES, np.tile(self.survival, (len(numbers), 1)))


def order_lines(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    at = pd.to_datetime(frame["ordered_at"], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    return frame.astype({"customer_id": "string"}).assign(ordered_at=at)


# Ann ordered every ten days, Bob once, Cid never.
LINES = order_lines(("ann", "2024-02-01"), ("ann", "2024-02-11"), ("ann", "2024-02-21"), ("bob", "2023-06-01"))
SHOP = {"order_lines": LINES, "subscriptions": TABLES["subscriptions"].empty()}


def times(probabilities, definition=NO_ORDER_IN_28, models=None, tables=SHOP):
    chosen = {ORDER_TIMES: Same()} if models is None else models
    return times_of(tables, ANN_BOB_CID, definition, probabilities, chosen, AS_OF)


def test_the_curve_goes_through_the_probability_and_falls_with_the_days():
    curve = times({"ann": 0.3})["churn_curve"]["ann"]
    assert dict(curve)[28] == 0.3
    assert [days for days, _ in curve] == [1, 3, 7, 14, 28, 56, 91, 182, 365]
    assert [value for _, value in curve] == sorted((value for _, value in curve), reverse=True)


def test_a_horizon_between_the_days_is_one_of_them():
    definition = ChurnDefinition(NO_ORDER, horizon_days=84, activity_days=56)
    assert dict(times({"ann": 0.3}, definition)["churn_curve"]["ann"])[84] == 0.3


def test_who_has_no_probability_has_no_curve_but_a_date_from_the_orders():
    told = times({"ann": 1 / 16}).loc["bob"]
    assert told["churn_curve"] is None
    assert told["churn_curve_learned_days"] is None
    assert told["expected_next_order_at"] == pd.Timestamp("2024-03-08", tz="UTC")


def test_a_prospect_has_neither_curve_nor_date_nor_interval():
    assert times({"ann": 0.3}).loc["cid"].isna().all()


def test_the_interval_is_that_between_the_own_orders():
    assert times({})["order_interval_days"].tolist() == pytest.approx([10.0, np.nan, np.nan], nan_ok=True)


def test_dates_follow_the_probability_of_the_churn_model():
    # the curve says 1/16 after 28 days, the churn model 1/2: then half will have ordered by the 28th day
    told = times({"ann": 0.5}).loc["ann"]
    assert told["expected_next_order_at"] == pd.Timestamp("2024-03-29", tz="UTC")
    assert pd.Timestamp(AS_OF) < told["next_order_earliest_at"] < told["expected_next_order_at"]


def test_where_nine_tenths_will_not_have_ordered_within_a_year_nothing_is_told():
    told = times({}, models={ORDER_TIMES: Same(np.full(len(NODES), 0.4))}).loc["ann"]
    assert pd.notna(told["expected_next_order_at"])
    assert pd.isna(told["next_order_latest_at"])


def test_without_a_model_only_the_interval_is_told():
    told = times({"ann": 0.3}, models={}).loc["ann"]
    assert told.drop("order_interval_days").isna().all()


def test_a_curve_of_contracts_rises_to_the_probability_and_the_dates_are_those_of_orders():
    at = pd.Timestamp("2024-01-01", tz="UTC")
    contract = {"subscription_id": "s1", "customer_id": "ann", "started_at": at}
    empty = TABLES["subscriptions"].empty()
    subscriptions = pd.DataFrame([contract]).reindex(columns=empty.columns).astype(empty.dtypes.to_dict())
    definition = ChurnDefinition(SUBSCRIPTION_ENDED, horizon_days=28, activity_days=56)
    models = {ORDER_TIMES: Same(), CONTRACT_TIMES: Same()}
    told = times({"ann": 0.1}, definition, models, {**SHOP, "subscriptions": subscriptions}).loc["ann"]
    assert dict(told["churn_curve"])[28] == 0.1
    assert [value for _, value in told["churn_curve"]] == sorted(value for _, value in told["churn_curve"])
    assert told["expected_next_order_at"] == pd.Timestamp("2024-03-08", tz="UTC")
