from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from recommender.models.spend_rates import FADING_DAYS, spend_rates
from recommender.periods import instant

CUTOFF = instant("2024-03-01")


def order_lines(customer_id, ages, amounts):
    ordered_at = [CUTOFF - timedelta(days=age) for age in ages]
    return pd.DataFrame({"customer_id": customer_id, "ordered_at": ordered_at, "amount": amounts})


def test_who_buys_for_the_same_amount_every_day_has_that_rate_whatever_fades():
    ages = np.arange(1, 201) - 0.5
    rates = spend_rates(order_lines("ann", ages, 3.0), CUTOFF).loc["ann"]
    for fading in FADING_DAYS:
        assert rates[f"spend_rate_{fading}d_amount"] == pytest.approx(3.0, rel=0.01)
        assert rates[f"order_day_rate_{fading}d"] == pytest.approx(1.0, rel=0.01)


def test_one_order_long_ago_fades_and_two_lines_of_a_day_are_one_order_day():
    lines = order_lines("ann", [60.0, 59.5], [10.0, 20.0])
    rates = spend_rates(lines, CUTOFF).loc["ann"]
    days = 30 * (1 - np.exp(-2))
    assert rates["spend_rate_30d_amount"] == pytest.approx((10 * np.exp(-2) + 20 * np.exp(-59.5 / 30)) / days)
    assert rates["order_day_rate_30d"] == pytest.approx(np.exp(-2) / days)


def test_an_amount_that_is_not_finite_counts_as_0():
    lines = order_lines("ann", [3.0, 2.0, 1.0], [np.nan, np.inf, 7.0])
    assert np.isfinite(spend_rates(lines, CUTOFF).to_numpy()).all()
