import math

from recommender.touchpoints.subscriptions import SUBSCRIPTION_BLOCK, SUBSCRIPTIONS
from tests.recommender.rows import features_of, rows_of


def contract(subscription_id, started, ended=None, plan="basic", amount=10.0):
    return {
        "subscription_id": subscription_id,
        "customer_id": "ann",
        "started_at": started,
        "ended_at": ended,
        "plan": plan,
        "monthly_amount": amount,
    }


def test_running_and_ended_contracts_are_told_apart():
    rows = rows_of(
        SUBSCRIPTIONS, contract("c1", 400.0, 300.0), contract("c2", 200.5), contract("c3", 50.0, None, "plus", 5.0)
    )
    ann = features_of(SUBSCRIPTION_BLOCK, rows).loc["ann"]
    assert ann["subscription_count"] == 3
    assert ann["subscription_running_count"] == 2
    assert ann["subscription_ended_count"] == 1
    assert ann["subscription_monthly_amount"] == 15.0
    assert ann["subscription_age_days"] == 200.5
    assert ann["days_since_last_subscription_start"] == 50.0
    assert ann["days_since_last_subscription_end"] == 300.0
    assert ann["subscription_ended_mean_days"] == 100.0
    assert ann["subscription_plan_count"] == 2


def test_a_contract_that_ends_after_the_cutoff_is_still_running():
    ann = features_of(SUBSCRIPTION_BLOCK, rows_of(SUBSCRIPTIONS, contract("c1", 30.0, -1.0))).loc["ann"]
    assert ann["subscription_running_count"] == 1
    assert ann["subscription_ended_count"] == 0


def test_without_a_running_contract_nothing_is_paid_and_the_age_is_unknown():
    ann = features_of(SUBSCRIPTION_BLOCK, rows_of(SUBSCRIPTIONS, contract("c1", 30.0, 10.0))).loc["ann"]
    assert ann["subscription_monthly_amount"] == 0
    assert math.isnan(ann["subscription_age_days"])
