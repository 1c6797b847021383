import math

import pandas as pd
import pytest

from recommender.touchpoints.order_features import ORDER_BLOCK
from recommender.touchpoints.orders import ORDER_LINES
from tests.recommender.rows import features_of, rows_of

TOLERANCE = 1e-9


@pytest.fixture
def ann():
    """Ann ordered 100.5, 60.5, 60.25, 40.5 and 10.5 days ago; the two of day 60 are one occasion."""
    lines = rows_of(
        ORDER_LINES,
        order("a1", "milk", 100.5, 10.0),
        order("a1", "tea", 100.5, 20.0, discount=10.0),
        order("a2", "milk", 60.5, 8.0, channel="web"),
        order("a3", "milk", 60.25, 2.0, channel="shop", store_id="s1"),
        order("a4", "milk", 40.5, 40.0, channel="shop", store_id="s2"),
        order("a5", "rice", 10.5, 20.0),
    )
    return features_of(ORDER_BLOCK, lines).loc["ann"]


def order(order_id, item_id, days, amount, **others):
    who = {"a": "ann", "b": "bob"}[order_id[0]]
    return {
        "order_id": order_id,
        "item_id": item_id,
        "customer_id": who,
        "ordered_at": days,
        "amount": amount,
        "line_number": 1,
    } | others


def expect(features: pd.Series, **values: float) -> None:
    for name, value in values.items():
        assert features[name] == pytest.approx(value, abs=TOLERANCE, nan_ok=True), name


def test_several_orders_within_one_day_are_one_occasion(ann):
    expect(ann, order_count=5, order_day_count=4)


def test_windows_count_order_days_and_spend_up_to_the_cutoff(ann):
    expect(ann, order_days_28d_count=1, order_days_56d_count=2, order_days_112d_count=4, order_days_182d_count=4)
    expect(ann, spend_28d_amount=20, spend_56d_amount=60, spend_112d_amount=100, spend_total_amount=100)


def test_trends_compare_the_last_56_days_with_the_56_before(ann):
    expect(ann, spend_trend_share=60 / 100, order_days_trend_share=2 / 4)


def test_ages_count_from_the_first_and_the_last_order(ann):
    expect(ann, days_since_last_order=10.5, days_since_first_order=100.5, age_at_last_order_days=90)
    expect(ann, order_span_share=90 / 100, order_day_share=4 / 101)


def test_intervals_lie_between_order_days(ann):
    # order days 100, 60, 40 and 10: intervals of 40, 20 and 30 days
    expect(ann, order_interval_mean_days=30, order_interval_std_days=10)
    expect(ann, order_interval_last_days=30, order_interval_max_days=40)


def test_the_time_since_the_last_order_is_measured_by_the_own_rhythm(ann):
    expect(ann, order_due_mean_ratio=10.5 / 30, order_due_max_ratio=10.5 / 40)


def test_a_basket_is_one_order(ann):
    # amounts 30, 8, 2, 40 and 20
    expect(ann, basket_mean_amount=20, basket_last_amount=20)
    expect(ann, basket_std_amount=math.sqrt((100 + 144 + 324 + 400 + 0) / 4))


def test_the_discount_is_a_share_of_the_full_price(ann):
    expect(ann, discount_share=10 / 110)


def test_items_bought_again_count_as_repeats(ann):
    # six items in five orders, of which milk was bought four times
    expect(ann, item_distinct_count=3, items_per_order_mean_count=6 / 5, repeat_item_share=3 / 6)


def test_only_known_channels_and_stores_are_counted(ann):
    expect(ann, order_channel_count=2, order_store_count=2)


def test_the_most_usual_weekday_is_found_by_order_days(ann):
    # days 100, 60, 40 and 10 are 2, 4, 5 and 3 after whole weeks
    expect(ann, order_weekday_top_share=1 / 4)


def test_one_order_leaves_the_rhythm_unknown():
    features = features_of(ORDER_BLOCK, rows_of(ORDER_LINES, order("b1", "milk", 3.0, 5.0))).loc["bob"]
    expect(features, order_count=1, age_at_last_order_days=0, basket_mean_amount=5)
    expect(features, order_interval_mean_days=math.nan, order_due_mean_ratio=math.nan, basket_std_amount=math.nan)


def test_orders_without_amounts_have_no_spend_and_no_basket():
    features = features_of(ORDER_BLOCK, rows_of(ORDER_LINES, order("b1", "milk", 3.0, None))).loc["bob"]
    expect(features, spend_28d_amount=0, basket_mean_amount=math.nan, discount_share=math.nan)


def test_a_customer_without_orders_has_counts_of_0_and_unknown_times(ann):
    features = features_of(ORDER_BLOCK, rows_of(ORDER_LINES, order("b1", "milk", 3.0, 5.0))).loc["ann"]
    expect(features, order_count=0, spend_28d_amount=0, days_since_last_order=math.nan, spend_trend_share=math.nan)


def test_of_two_orders_at_one_instant_the_larger_is_the_last():
    lines = rows_of(ORDER_LINES, order("b2", "milk", 3.0, 7.0), order("b1", "milk", 3.0, 5.0))
    assert features_of(ORDER_BLOCK, lines).loc["bob", "basket_last_amount"] == 7.0
    assert features_of(ORDER_BLOCK, lines[::-1]).loc["bob", "basket_last_amount"] == 7.0


def test_two_customers_with_one_order_id_have_an_order_each():
    theirs = order("b1", "milk", 3.0, 5.0) | {"order_id": "a1"}
    features = features_of(ORDER_BLOCK, rows_of(ORDER_LINES, order("a1", "milk", 3.0, 7.0), theirs))
    assert features["order_count"].to_dict() == {"ann": 1, "bob": 1}
    assert features["basket_last_amount"].to_dict() == {"ann": 7, "bob": 5}
