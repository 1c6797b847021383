import numpy as np
import pandas as pd
import pytest

from recommender.retention.margins import Margins

ITEMS = pd.DataFrame({"item_id": ["tea", "cup"], "cost": [2.0, None]}).astype({"item_id": "string", "cost": "float64"})


def order_lines(*rows):
    frame = pd.DataFrame(rows, columns=["item_id", "quantity", "amount", "cost"])
    numbers = dict.fromkeys(["quantity", "amount", "cost"], "float64")
    return frame.astype({"item_id": "string", **numbers})


@pytest.fixture
def lines():
    # the line's own cost, three pieces of an item of cost 2, and an item without a cost
    return order_lines(("cup", 1, 10, 4), ("tea", 3, 20, None), ("cup", 1, 10, None))


def test_the_cost_of_a_line_comes_before_that_of_its_item_and_the_rest_costs_the_usual_share(lines):
    margins = Margins.learn(lines, ITEMS)
    assert margins == Margins(cost_share=10 / 30, known_share=0.75)
    assert margins.lines(lines, ITEMS)["amount"].tolist() == pytest.approx([6.0, 14.0, 10 * 2 / 3])


def test_without_costs_value_is_revenue(lines):
    bare = lines.assign(cost=np.nan)
    margins = Margins.learn(bare, ITEMS.iloc[:0])
    assert not margins.is_margin
    assert margins.lines(bare, ITEMS.iloc[:0]) is bare


def test_costs_of_a_third_of_the_revenue_say_too_little_about_the_rest():
    few = order_lines(("tea", 1, 10, None), ("cup", 1, 20, None))
    assert Margins.learn(few, ITEMS) == Margins(None, 1 / 3)


def test_a_return_takes_its_margin_back_since_the_piece_is_sold_again():
    back = pd.DataFrame({"amount": [9.0, None]})
    found = Margins(cost_share=1 / 3, known_share=1.0).returns(back)["amount"]
    assert found.iloc[0] == pytest.approx(6.0)
    assert np.isnan(found.iloc[1])


@pytest.mark.parametrize("amount", [np.nan, np.inf])
def test_an_amount_that_is_no_number_teaches_nothing_and_stays_unknown(lines, amount):
    with_one = pd.concat([lines, order_lines(("cup", 1, amount, 5))], ignore_index=True)
    margins = Margins.learn(with_one, ITEMS)
    assert margins == Margins.learn(lines, ITEMS)
    assert np.isnan(margins.lines(with_one, ITEMS)["amount"].iloc[-1])


def test_a_shop_that_was_paid_nothing_has_no_margin():
    assert not Margins.learn(order_lines(("tea", 1, None, 1)), ITEMS).is_margin
