"""RFM scores with answers counted by hand."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.retention.rfm import GROUP_NAMES, GROUPS, learn_bounds, rfm_figures, rfm_group, rfm_scores
from tests.recommender.rows import CUTOFF


def figures(days: list[float], orders: list[int], amounts: list[float]) -> pd.DataFrame:
    ids = pd.Index([f"c{number}" for number in range(len(days))], dtype="string")
    last = pd.Series([CUTOFF - timedelta(days=one) for one in days], ids, dtype="datetime64[us, UTC]")
    return rfm_figures(last, pd.Series(orders, ids), pd.Series(amounts, ids), CUTOFF)


def scores(days: list[float], orders: list[int], amounts: list[float]) -> list[str]:
    found = figures(days, orders, amounts)
    return rfm_scores(found, learn_bounds(found)).tolist()


def test_of_five_different_customers_each_has_a_score_of_its_own():
    assert scores([10, 20, 30, 40, 50], [1, 2, 3, 4, 5], [50, 40, 30, 20, 10]) == ["515", "424", "333", "242", "151"]


def test_equal_customers_have_the_middle_score():
    assert scores([7], [1], [3.0]) == ["333"]
    assert scores([7] * 10, [1] * 10, [3.0] * 10) == ["333"] * 10


def test_two_customers_are_on_both_sides_of_the_middle():
    assert scores([7, 8], [2, 1], [3.0, 9.0]) == ["442", "224"]


def test_seven_of_ten_who_ordered_once_have_the_score_of_their_middle():
    orders = [1] * 7 + [2, 3, 4]
    found = scores([1] * 10, orders, [1.0] * 10)
    # the middle of the seven is .35 of the way, of the others .75, .85 and .95
    assert [one[1] for one in found] == ["2"] * 7 + ["4", "5", "5"]


def test_returns_above_the_spend_are_the_lowest_money_of_all():
    assert [one[2] for one in scores([1] * 5, [1] * 5, [-20.0, 0.0, 1.0, 2.0, 3.0])] == list("12345")


def test_who_never_ordered_has_no_figures():
    assert figures([5, 6], [1, 0], [2.0, 0.0]).index.tolist() == ["c0"]


def test_bounds_hold_for_customers_who_were_not_learned_from():
    bounds = learn_bounds(figures([10, 20, 30, 40, 50], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]))
    others = figures([0.5, 25, 900], [100, 3, 1], [-5.0, 3.5, 1e9])
    assert rfm_scores(others, bounds).tolist() == ["551", "333", "115"]


def test_without_a_customer_nothing_is_learned_and_whoever_comes_has_the_lowest():
    bounds = learn_bounds(figures([], [], []))
    assert bounds == {"days_since_last_order": [], "order_count": [], "net_amount": []}
    assert rfm_scores(figures([1], [1], [1.0]), bounds).tolist() == ["111"]


@pytest.mark.parametrize(
    ("rfm", "group"),
    [("555", "champions"), ("541", "champions"), ("355", "loyal"), ("155", "cannot_lose"), ("111", "hibernating")],
)
def test_recency_and_frequency_name_the_group(rfm, group):
    assert rfm_group(rfm) == group


def test_every_pair_of_scores_has_one_group():
    assert set(GROUPS) == {f"{recency}{frequency}" for recency in range(1, 6) for frequency in range(1, 6)}
    assert set(GROUPS.values()) == set(GROUP_NAMES)


CUSTOMERS = st.tuples(st.integers(0, 400), st.integers(1, 30), st.integers(-50, 900))


@given(st.lists(CUSTOMERS, min_size=1, max_size=60))
def test_a_better_figure_never_has_a_lower_score(customers):
    days, orders, amounts = map(list, zip(*customers, strict=True))
    found = scores(days, orders, amounts)
    for place, values in enumerate(([-one for one in days], orders, amounts)):
        digits = [int(one[place]) for one in found]
        assert set(digits) <= {1, 2, 3, 4, 5}
        for one, score in zip(values, digits, strict=True):
            assert all(other >= score for value, other in zip(values, digits, strict=True) if value >= one)
