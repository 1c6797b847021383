import math

from recommender.touchpoints.deliveries import DELIVERY_BLOCK
from recommender.touchpoints.orders import ORDER_LINES
from tests.recommender.rows import features_of, rows_of


def line(order_id, item_id="tea", **others):
    return {"order_id": order_id, "item_id": item_id, "customer_id": "ann", "ordered_at": 90.0} | others


def deliveries(*lines):
    return features_of(DELIVERY_BLOCK, rows_of(ORDER_LINES, *lines)).loc["ann"]


def test_an_order_is_late_where_one_line_came_after_the_promise():
    ann = deliveries(
        line("a1", promised_at=20.0, delivered_at=21.0),
        line("a2", promised_at=20.0, delivered_at=21.0),
        line("a2", "rice", promised_at=20.0, delivered_at=17.5),
    )
    assert ann["late_order_count"] == 1
    assert ann["late_order_share"] == 1 / 2
    assert ann["late_open_order_count"] == 0
    assert ann["days_since_last_late_order"] == 20.0


def test_an_order_delivered_after_the_cutoff_is_still_open():
    ann = deliveries(line("a1", promised_at=2.0, delivered_at=-1.0))
    assert ann["late_open_order_count"] == 1
    assert ann["late_order_share"] == 1.0


def test_a_promise_that_still_runs_is_not_judged():
    ann = deliveries(line("a1", promised_at=-2.0), line("a2", promised_at=30.0, delivered_at=31.0))
    assert ann["late_order_count"] == 0
    assert ann["late_order_share"] == 0.0


def test_a_delivery_that_nobody_recorded_is_not_late_for_ever():
    ann = deliveries(line("a1", promised_at=61.0))
    assert ann["late_order_count"] == 0
    assert math.isnan(ann["late_order_share"])


def test_orders_without_a_promise_are_never_late():
    ann = deliveries(line("a1", delivered_at=1.0))
    assert ann["late_order_count"] == 0
    assert math.isnan(ann["late_order_share"])


def test_recent_delays_are_counted_in_days_and_an_open_one_until_the_cutoff():
    ann = deliveries(
        line("a1", promised_at=200.0, delivered_at=190.0),
        line("a2", promised_at=50.0, delivered_at=46.0),
        line("a2", "rice", promised_at=50.0, delivered_at=44.0),
        line("a3", promised_at=3.0),
    )
    assert ann["late_order_91d_count"] == 2
    assert ann["late_total_91d_days"] == 6 + 3
    assert ann["late_longest_91d_days"] == 6
