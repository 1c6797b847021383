import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.models.order_rhythm import RHYTHM, order_rhythm

AGES = st.lists(st.tuples(st.integers(0, 3), st.floats(1e-6, 800.0)), max_size=30)


def rhythm(*ages):
    """What is told of one customer by the ages of the orders in days."""
    found = order_rhythm(np.zeros(len(ages), dtype=np.int64), np.array(ages, dtype=np.float64), 1)[0]
    return dict(zip(RHYTHM, found.tolist(), strict=True))


def test_orders_thirty_twenty_and_four_days_ago():
    told = rhythm(30.5, 20.5, 4.5)
    assert told["order_day_count"] == 3
    assert told["days_since_last_order"] == 4.5
    assert told["days_since_first_order"] == 30.5
    assert told["order_interval_mean_days"] == 13
    assert told["order_interval_std_days"] == 3
    assert told["order_interval_last_days"] == 16
    assert told["order_interval_max_days"] == 16


def test_two_orders_of_one_day_are_one():
    assert rhythm(30.5, 4.5, 4.9) == pytest.approx(rhythm(30.5, 4.5), nan_ok=True)


def test_before_it_is_due_an_order_is_early_and_after_it_is_overdue():
    early, late = rhythm(15.0, 5.0), rhythm(40.0, 30.0)
    assert (early["order_early_ratio"], early["order_overdue_ratio"]) == (0.5, 1.0)
    assert (late["order_early_ratio"], late["order_overdue_ratio"]) == (1.0, 3.0)


def test_an_order_counts_half_after_each_half_life():
    assert rhythm(28.0)["order_days_decayed_28d_count"] == pytest.approx(0.5)
    assert rhythm(56.0)["order_days_decayed_28d_count"] == pytest.approx(0.25)


def test_one_order_has_no_interval_and_no_order_no_rhythm():
    assert math.isnan(rhythm(4.5)["order_interval_mean_days"])
    assert all(math.isnan(value) for value in rhythm().values())


@given(AGES)
def test_customers_are_told_alone_what_they_are_told_together(orders):
    customers = np.array([one for one, _ in orders], dtype=np.int64)
    ages = np.array([age for _, age in orders], dtype=np.float64)
    together = order_rhythm(customers, ages, 4)
    for customer in range(4):
        own = ages[customers == customer]
        alone = order_rhythm(np.zeros(len(own), dtype=np.int64), own, 1)
        assert np.array_equal(together[[customer]], alone, equal_nan=True)
