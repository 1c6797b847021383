"""What every registered value model promises."""

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import NotFitted
from recommender.models import VALUE_MODELS, create, model_class
from recommender.models.lifetime_value import LifetimeValue
from recommender.models.value_panel import ValuePanel, known_of

pytestmark = pytest.mark.parametrize("name", sorted(VALUE_MODELS))
# These follow the data wherever outcomes lead, so that one customer's value may fall where another's rises.
LEARNING = {"mean_value", "two_part_value", "tweedie_value", "log_linear_value"}
COLUMNS = ["frequency", "age_at_last_order_days", "days_since_first_order", "mean_order_amount", "return_share"]


@pytest.fixture(scope="module")
def history():
    rng = np.random.default_rng(9)
    frequency = rng.poisson(rng.gamma(1.0, 2.0, 300)).astype("float64")
    age = rng.integers(1, 300, 300).astype("float64")
    last = np.where(frequency > 0, np.ceil(age * rng.uniform(0.1, 1.0, 300)), 0.0)
    frame = pd.DataFrame({"frequency": frequency, "age_at_last_order_days": last, "days_since_first_order": age})
    frame["mean_order_amount"] = np.where(rng.random(300) < 0.1, 0.0, rng.gamma(2.0, 20.0, 300))
    frame["return_share"] = np.where(rng.random(300) < 0.2, rng.random(300), 0.0)
    return frame.set_index(pd.Index([f"c{number}" for number in range(300)], dtype="string", name="customer_id"))


@pytest.fixture(scope="module")
def panel(history):
    """Two past cutoffs after which everybody spent about as before."""
    rng = np.random.default_rng(3)
    known = known_of(history, LifetimeValue().fit(history), 56)
    spent = known["past_rate_amount"] * rng.gamma(2.0, 0.5, 300) * (rng.random(300) < 0.7)
    return ValuePanel.gather([(known, spent), (known, spent * 1.1)], 56)


@pytest.fixture(scope="module")
def fitted(history, panel):
    return {name: create(name).fit(history, panel) for name in VALUE_MODELS}


def test_it_says_what_was_fitted(name, fitted):
    assert fitted[name].kind == name


def test_values_are_finite_not_negative_and_keep_the_index(name, fitted, history):
    predicted = fitted[name].predict(history, 56)
    assert np.isfinite(predicted).all()
    assert (predicted >= 0.0).all()
    assert predicted.index.equals(history.index)


def test_a_longer_horizon_is_worth_no_less(name, fitted, history):
    assert (fitted[name].predict(history, 112) >= fitted[name].predict(history, 56)).all()


def test_larger_orders_are_worth_more(name, fitted, history):
    paying = history[history["mean_order_amount"] > 0].assign(return_share=0.0)
    more = paying.assign(mean_order_amount=paying["mean_order_amount"] * 10)
    before, after = fitted[name].predict(paying, 56), fitted[name].predict(more, 56)
    assert after.sum() > before.sum()
    assert name in LEARNING or (after > before).all()


def test_an_order_of_a_customer_is_worth_something_finite_and_not_below_0(name, fitted, history):
    amounts = fitted[name].expected_order_amount(history)
    assert np.isfinite(amounts).all()
    assert (amounts >= 0.0).all()
    assert amounts.index.equals(history.index)


def test_the_same_rows_in_any_order_give_the_same_answer(name, fitted, history, panel):
    shuffled = history.sample(frac=1.0, random_state=4)
    order = np.random.default_rng(1).permutation(len(panel.spent))
    mixed = ValuePanel(panel.known.iloc[order], panel.spent.iloc[order], panel.horizon_days)
    again = create(name).fit(shuffled, mixed).predict(history, 56)
    pd.testing.assert_series_equal(again, fitted[name].predict(history, 56), rtol=1e-6)
    pd.testing.assert_series_equal(
        create(name).fit(history, panel).predict(history, 56), fitted[name].predict(history, 56), check_exact=True
    )


def test_it_survives_saving(name, fitted, history, tmp_path):
    joblib.dump(fitted[name].state(), tmp_path / "state")
    loaded = model_class(name).from_state(joblib.load(tmp_path / "state"))
    assert loaded.kind == fitted[name].kind
    pd.testing.assert_series_equal(loaded.predict(history, 56), fitted[name].predict(history, 56), check_exact=True)


def test_a_customer_alone_gets_the_value_that_it_gets_among_others(name, fitted, history):
    together = fitted[name].predict(history, 56)
    alone = fitted[name].predict(history.iloc[[7]], 56)
    assert alone.iloc[0] == pytest.approx(together.iloc[7])


@pytest.mark.parametrize("rows", [0, 1, 30])
def test_few_customers_get_a_value(name, history, rows):
    few = history.iloc[:rows]
    predicted = create(name).fit(few).predict(few, 56)
    assert len(predicted) == rows
    assert np.isfinite(predicted).all()


def test_outcomes_of_few_customers_are_not_learned_from(name, history, panel):
    few = ValuePanel(panel.known.iloc[:100], panel.spent.iloc[:100], 56)
    model = create(name).fit(history, few)
    assert model.kind in {"past_rate", "bgnbd_gamma_gamma"}
    assert np.isfinite(model.predict(history, 56)).all()


@pytest.mark.parametrize("factor", [-1.0, 1e9])
def test_refunds_above_spend_and_huge_amounts_give_finite_values(name, history, panel, factor):
    rows = ValuePanel(panel.known, panel.spent.where(panel.spent.index != "c3", panel.spent * factor), 56)
    huge = history.assign(mean_order_amount=history["mean_order_amount"].where(history.index != "c3", 1e9))
    predicted = create(name).fit(huge, rows).predict(huge, 56)
    assert np.isfinite(predicted).all()
    assert (predicted >= 0.0).all()


def test_it_says_that_it_is_not_fitted(name, history):
    if name == "past_rate":
        pytest.skip("there is nothing to fit")
    with pytest.raises(NotFitted, match="is not fitted; call fit first"):
        create(name).predict(history, 56)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 500), st.integers(0, 900), st.integers(0, 900), st.floats(0, 1e9), st.floats(0.0, 1.0)
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_history_gets_a_finite_value(name, rows):
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype="float64")
    frame["age_at_last_order_days"] = (frame["age_at_last_order_days"] + 1).where(frame["frequency"] > 0, 0.0)
    frame["days_since_first_order"] += frame["age_at_last_order_days"]
    predicted = create(name).fit(frame).predict(frame, 56)
    assert np.isfinite(predicted).all()
    assert (predicted >= 0.0).all()
