import numpy as np
import pandas as pd
import pytest

from recommender.errors import DataError, NotEnoughData
from recommender.models.bgnbd import BgNbd, Histories, healthy_bgnbd
from tests.public_data import public_data

# Fader, Hardie and Lee (2005), section 5: CDNOW in weeks.
PUBLISHED = {"parameters": [0.243, 4.414, 0.793, 2.426], "is_healthy": True}


def histories(*rows):
    columns = ["frequency", "age_at_last_order_days", "days_since_first_order"]
    return pd.DataFrame(rows, columns=columns, dtype="float64")


@pytest.fixture(scope="module")
def simulated():
    rng = np.random.default_rng(5)
    rows = []
    for _ in range(800):
        rate, stopping, now, repeats = rng.gamma(0.8, 1 / 12.0), rng.beta(1.2, 3.0), 0.0, 0
        age = float(rng.integers(60, 200))
        last = 0.0
        while rng.random() >= stopping or repeats == 0:
            now += rng.exponential(1.0 / rate)
            if now > age:
                break
            repeats, last = repeats + 1, now
        rows.append((repeats, last, age))
    return histories(*rows)


def test_a_customer_of_the_paper_is_expected_to_buy_as_printed():
    # The paper's worked example of its spreadsheet note: x = 2, t_x = 30.43, T = 38.86, t = 39 gives 1.226.
    model = BgNbd.from_state(PUBLISHED)
    assert model.expected_orders(histories((2, 30.43, 38.86)), 39).iloc[0] == pytest.approx(1.226, abs=5e-4)


def test_the_log_likelihood_of_one_customer_by_hand():
    # r = alpha = a = 1, b = 2, x = 0, T = 1: (alpha / (alpha + T)) ** r = 1 / 2.
    model = BgNbd.from_state({"parameters": [1.0, 1.0, 1.0, 2.0], "is_healthy": True})
    assert model.log_likelihood(histories((0, 0, 1))) == pytest.approx(np.log(0.5))
    # x = 1, t_x = 1, T = 3: B(1, 3) / B(1, 2) * (1/16 + 1/2 * 1/4) = 2/3 * 3/16.
    assert model.log_likelihood(histories((1, 1, 3))) == pytest.approx(np.log(2 / 3 * 3 / 16))


def test_no_order_is_the_chance_of_having_stopped_or_waiting():
    model = BgNbd.from_state({"parameters": [1.0, 1.0, 1.0, 2.0], "is_healthy": True})
    # x = 0: never stopped, so (alpha + T) / (alpha + T + t) = 2 / 4.
    assert model.probability_no_order(histories((0, 0, 1)), 2).iloc[0] == pytest.approx(0.5)
    # x = 1, t_x = 1, T = 3: alive 1 / (1 + 1/2 * (4/2)**2) = 1/3, silent ((1+3)/(1+3+4))**2 = 1/4.
    assert model.probability_alive(histories((1, 1, 3))).iloc[0] == pytest.approx(1 / 3)
    assert model.probability_no_order(histories((1, 1, 3)), 4).iloc[0] == pytest.approx(1 - 1 / 3 * 3 / 4)


def test_it_agrees_with_another_implementation(simulated):
    lifetimes = pytest.importorskip("lifetimes")
    ours = BgNbd().fit(simulated)
    columns = [simulated[name] for name in simulated]
    theirs = lifetimes.BetaGeoFitter().fit(*columns)
    np.testing.assert_allclose(ours.state()["parameters"], theirs.params_[["r", "alpha", "a", "b"]], rtol=1e-3)
    same = BgNbd.from_state({"parameters": theirs.params_[["r", "alpha", "a", "b"]].to_numpy(), "is_healthy": True})
    orders = theirs.conditional_expected_number_of_purchases_up_to_time(60, *columns)
    np.testing.assert_allclose(same.expected_orders(simulated, 60), orders, rtol=1e-6)
    np.testing.assert_allclose(same.probability_alive(simulated), theirs.conditional_probability_alive(*columns))
    assert ours.is_healthy


def test_expected_orders_grow_with_the_horizon_and_not_after_stopping(simulated):
    model = BgNbd().fit(simulated)
    short, long = model.expected_orders(simulated, 10), model.expected_orders(simulated, 100)
    assert (long > short).all()
    fresh, silent = histories((5, 98, 100)), histories((5, 20, 100))
    assert model.expected_orders(silent, 50).iloc[0] < model.expected_orders(fresh, 50).iloc[0]


@pytest.mark.parametrize("a", [1.0, 1.0 + 1e-7, 0.0252, 3.0])
def test_expected_orders_of_frequent_buyers_are_finite(a):
    model = BgNbd.from_state({"parameters": [1.4, 9.5, a, 21.6], "is_healthy": True})
    orders = model.expected_orders(histories((400, 499, 500), (0, 0, 0), (1, 3, 4000)), 56)
    assert orders.between(0.0, 56.0).all()
    assert orders.iloc[0] > 10.0


def test_expected_orders_are_continuous_where_the_formula_divides_by_zero():
    near = [1.0 - 1e-4, 1.0, 1.0 + 1e-4]
    models = [BgNbd.from_state({"parameters": [1.0, 5.0, a, 2.0], "is_healthy": True}) for a in near]
    below, at, above = (model.expected_orders(histories((3, 20, 30)), 40).iloc[0] for model in models)
    assert at == pytest.approx((below + above) / 2, rel=1e-6)


@pytest.mark.parametrize("a", [0.05, 0.8, 5.0])
def test_quadrature_agrees_with_the_closed_form(simulated, a):
    model = BgNbd.from_state({"parameters": [1.4, 9.5, a, 21.6], "is_healthy": True})
    one = Histories.of(simulated)
    np.testing.assert_allclose(model._orders_by_quadrature(one, 56), model._orders_while_active(one, 56), rtol=1e-4)


def test_parameters_at_the_edge_give_finite_orders(simulated):
    model = BgNbd.from_state({"parameters": [1.4, 9.5, 1e5, 1e5], "is_healthy": False})
    assert model.expected_orders(simulated, 56).between(0.0, 56.0).all()


def test_customers_without_a_second_order_are_not_enough():
    once = histories((0, 0, 10), (0, 0, 20))
    with pytest.raises(NotEnoughData, match="at least one customer with a second order"):
        BgNbd().fit(once)
    assert healthy_bgnbd(once) is None


def test_a_fit_that_runs_away_is_not_healthy_and_a_ridge_holds_it():
    clockwork = histories(*[(10, 70, 77)] * 50)
    assert not BgNbd().fit(clockwork).is_healthy
    assert healthy_bgnbd(clockwork) is not None


def test_an_order_after_the_cutoff_is_refused():
    with pytest.raises(DataError, match=r"frequency 1.0, age at last order 12.0, age 10.0 on row 1"):
        BgNbd().fit(histories((0, 0, 5), (1, 12, 10)))


@pytest.mark.slow
def test_the_published_parameters_of_cdnow_are_found_to_the_printed_digits():
    summary = pd.read_parquet(public_data("cdnow") / "cdnow_customers_summary.parquet")
    names = {"recency": "age_at_last_order_days", "T": "days_since_first_order"}
    history = summary.rename(columns=names)
    model = BgNbd().fit(history)
    assert np.round(model.state()["parameters"], 3).tolist() == PUBLISHED["parameters"]
    assert round(model.log_likelihood(history), 1) == -9582.4
    assert model.is_healthy
