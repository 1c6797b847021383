import numpy as np
import pandas as pd
import pytest

from recommender.models import create
from recommender.models.lifetime_value import hash_sample, purchase_history
from recommender.periods import instant

CUTOFF = instant("2024-01-31")


def order_lines(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    instants = pd.to_datetime(frame["ordered_at"], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    return frame.astype({"customer_id": "string", "amount": "float64"}).assign(ordered_at=instants)


def returns(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "amount"])
    return frame.astype({"customer_id": "string", "amount": "float64"})


@pytest.fixture
def lines():
    return order_lines(
        ("ann", "2024-01-01", 10),
        ("ann", "2024-01-11", 20),
        ("ann", "2024-01-11T08:00:00Z", 30),
        ("bob", "2024-01-21", None),
    )


def test_a_purchase_history_counts_days_and_amounts(lines):
    history = purchase_history(lines, returns(("ann", 15)), CUTOFF)
    assert history.loc["ann"].tolist() == [1.0, 10.0, 30.0, 30.0, 0.25]
    assert history.loc["bob"].tolist() == [0.0, 0.0, 10.0, 0.0, 0.0]


def test_returns_above_what_was_paid_are_all_of_it(lines):
    history = purchase_history(lines, returns(("ann", 500), ("bob", 5), ("cid", 5)), CUTOFF)
    assert history["return_share"].to_dict() == {"ann": 1.0, "bob": 0.0}


def test_no_order_gives_no_history(lines):
    assert purchase_history(lines.iloc[:0], returns(), CUTOFF).empty


def test_the_past_rate_goes_on_and_a_newcomer_is_four_weeks_old(lines):
    history = purchase_history(lines, returns(("ann", 15)), CUTOFF).assign(mean_order_amount=[30.0, 14.0])
    predicted = create("past_rate").fit(history).predict(history, 56)
    assert predicted.to_dict() == pytest.approx({"ann": 45.0 / 30 * 56, "bob": 14.0 / 28 * 56})


def test_without_a_second_order_the_value_is_the_past_rate(lines):
    history = purchase_history(lines, returns(), CUTOFF).assign(frequency=0.0, age_at_last_order_days=0.0)
    model = create("bgnbd_gamma_gamma").fit(history)
    assert model.kind == "past_rate"
    pd.testing.assert_series_equal(model.predict(history, 56), create("past_rate").predict(history, 56))


def histories(count=400):
    rng = np.random.default_rng(2)
    frequency = rng.poisson(2.0, count).astype("float64")
    age = rng.integers(60, 300, count).astype("float64")
    frame = pd.DataFrame({"frequency": frequency, "days_since_first_order": age})
    frame["age_at_last_order_days"] = np.where(frequency > 0, np.floor(age * rng.uniform(0.2, 1.0, count)), 0.0)
    frame["mean_order_amount"] = rng.gamma(3.0, 10.0, count)
    frame["return_share"] = 0.0
    return frame.set_index(pd.Index([f"c{number}" for number in range(count)], name="customer_id"))


def test_amounts_that_are_never_known_give_a_value_of_0():
    history = histories().assign(mean_order_amount=0.0)
    model = create("bgnbd_gamma_gamma").fit(history)
    assert model.kind == "bgnbd_mean_amount"
    assert (model.predict(history, 56) == 0.0).all()


def test_value_is_orders_times_amount_less_returns():
    history = histories()
    model = create("bgnbd_gamma_gamma").fit(history)
    assert model.kind == "bgnbd_gamma_gamma"
    orders = model.orders.expected_orders(history, 56)
    pd.testing.assert_series_equal(
        model.predict(history, 56), orders * model.expected_order_amount(history), check_names=False
    )


def test_one_returned_order_does_not_make_a_customer_worthless():
    history = histories().assign(frequency=0.0, age_at_last_order_days=0.0)
    history.iloc[0] = [0.0, 100.0, 0.0, 30.0, 1.0]
    share = create("bgnbd_gamma_gamma").fit(history).expected_return_share(history)
    assert 0.4 < share.iloc[0] < 0.6
    assert share.iloc[1] < 0.01


def test_a_sample_is_the_same_in_any_order_of_the_rows():
    history = histories(100)
    sample = hash_sample(history, 30)
    assert len(sample) == 30
    assert sorted(hash_sample(history.iloc[::-1], 30).index) == sorted(sample.index)
    assert hash_sample(history, 100) is history


def test_everybody_is_predicted_where_a_sample_was_fitted():
    history = histories()
    model = create("bgnbd_gamma_gamma", maximum_customers=200).fit(history)
    assert model.predict(history, 56).index.equals(history.index)
