from datetime import timedelta

import pandas as pd
import pytest

from recommender.models.lifetime_value import LifetimeValue, purchase_history
from recommender.models.past_rate import PastRate
from recommender.periods import instant
from recommender.retention.expected_values import growth_of

AS_OF = instant("2024-03-01")


@pytest.fixture(scope="module")
def model():
    """A rhythm of customers who mostly stop after some orders."""
    state = {"parameters": [0.5, 20.0, 0.8, 2.4], "is_healthy": True}
    fitted = {"kind": "bgnbd_mean_amount", "return_share": 0.0, "order_amount": 10.0, "orders": state, "amounts": None}
    return LifetimeValue.from_state(fitted)


def test_another_horizon_grows_as_the_orders_that_are_expected_of_the_customer(model):
    ordered_at = [AS_OF - timedelta(days=days, hours=5) for days in (90, 60, 60, 20)]
    lines = pd.DataFrame({"customer_id": "ann", "ordered_at": ordered_at, "amount": 10.0})
    history = purchase_history(lines, lines.iloc[:0], AS_OF)
    expected = [model.predict(history, days).iloc[0] for days in (28, 365)]
    growth = growth_of(model, ordered_at, AS_OF, 28, 365)
    assert growth.found_by == "expected_orders"
    assert growth.factor == pytest.approx(expected[1] / expected[0])
    assert 1.0 < growth.factor < 365 / 28


def test_an_order_at_the_very_beginning_of_a_day_counts_for_that_day_as_in_a_purchase_history(model):
    ordered_at = [AS_OF - timedelta(days=40), AS_OF - timedelta(days=10)]
    lines = pd.DataFrame({"customer_id": "ann", "ordered_at": ordered_at, "amount": 10.0})
    history = purchase_history(lines, lines.iloc[:0], AS_OF)
    expected = [model.predict(history, days).iloc[0] for days in (56, 7)]
    assert growth_of(model, ordered_at, AS_OF, 56, 7).factor == pytest.approx(expected[1] / expected[0])


@pytest.mark.parametrize("model_without_rhythm", [None, PastRate()])
def test_without_a_rhythm_value_grows_with_the_days(model_without_rhythm):
    growth = growth_of(model_without_rhythm, [AS_OF - timedelta(days=9)], AS_OF, 28, 56)
    assert (growth.factor, growth.found_by) == (2.0, "days")
