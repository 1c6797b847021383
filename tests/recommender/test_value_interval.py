import numpy as np
import pandas as pd
import pytest

from recommender.errors import NotEnoughData, NotFitted
from recommender.models.value_interval import ValueInterval, coverage


@pytest.fixture(scope="module")
def customers():
    """What is predicted of customers, and what they spend: something around their prediction."""
    rng = np.random.default_rng(7)
    predicted = pd.Series(rng.gamma(2.0, 50.0, 4000), index=[f"c{number}" for number in range(4000)])
    return predicted, predicted * rng.gamma(4.0, 0.25, 4000)


def test_four_of_five_lie_between_the_bounds(customers):
    predicted, spent = customers
    interval = ValueInterval().fit(predicted.iloc[:2000], spent.iloc[:2000])
    assert coverage(interval.predict(predicted.iloc[2000:]), spent.iloc[2000:]) == pytest.approx(0.8, abs=0.03)


def test_where_a_fifth_spends_nothing_nothing_is_the_lower_bound(customers):
    predicted, spent = customers
    stays = np.random.default_rng(8).random(4000) < 0.8
    bounds = ValueInterval().fit(predicted, spent.where(stays, 0.0)).predict(predicted)
    assert (bounds["low"] == 0.0).all()


def test_hundred_who_spend_1_to_100_lie_between_10_and_91():
    spent = pd.Series(np.arange(1.0, 101.0), index=[f"c{number}" for number in range(100)])
    predicted = pd.Series(50.0, index=spent.index)
    bounds = ValueInterval().fit(predicted, spent).predict(predicted)
    # of 101 places, the lower bound leaves a tenth below it and the upper a tenth above
    assert bounds["low"].unique().tolist() == [10.0]
    assert bounds["high"].unique().tolist() == [91.0]


def test_a_prediction_lies_between_its_own_bounds(customers):
    predicted, spent = customers
    bounds = ValueInterval().fit(predicted, spent).predict(predicted * 3.0)
    assert (bounds["low"] <= predicted * 3.0).all()
    assert (bounds["high"] >= predicted * 3.0).all()


def test_customers_of_no_predicted_value_have_bounds_too():
    nothing = pd.Series(0.0, index=[f"c{number}" for number in range(60)])
    bounds = ValueInterval().fit(nothing, nothing).predict(nothing)
    assert bounds.to_numpy().tolist() == [[0.0, 0.0]] * 60


def test_few_customers_give_no_bounds():
    few = pd.Series(1.0, index=["ann", "bob"])
    with pytest.raises(NotEnoughData, match="needs 50 customers of a past window, got 2"):
        ValueInterval().fit(few, few)


def test_it_survives_saving_and_says_that_it_is_not_fitted(customers):
    predicted, spent = customers
    interval = ValueInterval().fit(predicted, spent)
    again = ValueInterval.from_state(interval.state())
    pd.testing.assert_frame_equal(again.predict(predicted), interval.predict(predicted))
    with pytest.raises(NotFitted, match="is not fitted; call fit first"):
        ValueInterval().predict(predicted)
