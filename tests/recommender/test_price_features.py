import math

from recommender.touchpoints.orders import ORDER_LINES
from recommender.touchpoints.prices import PRICE_BLOCK
from tests.recommender.rows import features_of, rows_of


def line(item_id, ordered, amount, **others):
    order = {"order_id": f"o{ordered}", "customer_id": "ann", "line_number": 1, "quantity": 1.0}
    return order | {"item_id": item_id, "ordered_at": ordered, "amount": amount} | others


def prices(*rows):
    return features_of(PRICE_BLOCK, rows_of(ORDER_LINES, *rows)).loc["ann"]


def test_a_rise_compares_what_is_bought_again_with_the_first_price_of_half_a_year():
    ann = prices(
        line("milk", 150.0, 10.0),
        line("milk", 60.0, 11.0),
        line("milk", 10.0, 12.0),
        line("tea", 10.0, 99.0),
    )
    assert ann["price_rise_mean_ratio"] == (1.1 + 1.2) / 2
    assert ann["price_rise_order_max_ratio"] == 1.2


def test_a_price_of_longer_ago_is_forgotten():
    ann = prices(line("milk", 200.0, 5.0), line("milk", 100.0, 10.0), line("milk", 10.0, 12.0))
    assert ann["price_rise_mean_ratio"] == 1.2


def test_pieces_are_compared_without_discounts():
    ann = prices(line("milk", 50.0, 8.0, discount=2.0, quantity=2.0), line("milk", 10.0, 15.0, quantity=3.0))
    assert ann["price_rise_mean_ratio"] == 1.0


def test_what_fell_counts_as_unchanged():
    ann = prices(line("milk", 50.0, 10.0), line("milk", 10.0, 5.0))
    assert ann["price_rise_mean_ratio"] == 1.0


def test_items_bought_once_or_only_long_ago_tell_nothing():
    ann = prices(line("milk", 150.0, 10.0), line("milk", 100.0, 12.0), line("tea", 10.0, 12.0))
    assert math.isnan(ann["price_rise_mean_ratio"])


def test_lost_discounts_are_the_share_of_before_less_that_of_lately():
    ann = prices(line("milk", 100.0, 6.0, discount=2.0), line("tea", 10.0, 9.0, discount=1.0))
    assert ann["discount_before_share"] == 0.25
    assert ann["discount_91d_share"] == 0.1
    assert ann["discount_lost_share"] == 0.15


def test_discounts_that_grew_are_no_loss():
    ann = prices(line("milk", 100.0, 10.0), line("tea", 10.0, 9.0, discount=1.0))
    assert ann["discount_lost_share"] == 0.0
