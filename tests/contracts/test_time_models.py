"""What every model of the time until something happens promises, over the registry."""

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender.errors import NotEnoughData, NotFitted
from recommender.models import TIME_MODELS, create, model_class
from recommender.models.order_rhythm import RHYTHM, order_rhythm
from recommender.models.survival_curves import NODES

pytestmark = pytest.mark.parametrize("name", sorted(TIME_MODELS))
ANY_NUMBERS = arrays(np.float64, (4, len(RHYTHM)), elements=st.floats(allow_nan=True, allow_infinity=True))


@pytest.fixture(scope="module")
def examples():
    """300 customers who order at rates of their own; every third has stopped."""
    rng = np.random.default_rng(7)
    rates = rng.gamma(2.0, 0.05, size=300)
    customers, ages, days = [], [], []
    for customer, rate in enumerate(rates):
        came = np.cumsum(rng.exponential(1.0 / rate, size=400))
        kept = came[came < (60.0 if customer % 3 == 0 else 400.0)]
        past = [180.0 - one for one in kept if one < 180.0] or [180.0]
        customers += [customer] * len(past)
        ages += past
        days.append(min((one - 180.0 for one in kept if one >= 180.0), default=np.inf))
    rhythm = order_rhythm(np.array(customers), np.array(ages), 300)
    return pd.DataFrame(rhythm, columns=list(RHYTHM)), np.array(days), np.full(300, 200.0)


@pytest.fixture(scope="module")
def fitted(examples):
    return {name: create(name).fit(*examples) for name in TIME_MODELS}


def test_curves_fall_over_all_days_from_1_towards_0(name, fitted, examples):
    curves = fitted[name].curves(examples[0].to_numpy())
    assert curves.nodes.tolist() == NODES.tolist()
    assert (np.diff(curves.log_survival, axis=1) <= 0.0).all()
    assert (curves.log_survival <= 0.0).all()


def test_those_who_order_are_expected_before_those_who_have_stopped(name, fitted, examples):
    features, days, _ = examples
    silent = fitted[name].curves(features.to_numpy()).at(np.array([28.0]))[:, 0]
    assert silent[days < 28].mean() < silent[days >= 28].mean()


def test_the_mean_of_the_curves_is_near_the_share_without_an_order(name, fitted, examples):
    features, days, _ = examples
    silent = fitted[name].curves(features.to_numpy()).at(np.array([28.0, 91.0])).mean(axis=0)
    assert silent.tolist() == pytest.approx([(days >= 28).mean(), (days >= 91).mean()], abs=0.06)


def test_it_says_up_to_when_the_curves_are_learned(name, fitted):
    assert 0 < fitted[name].learned_days <= 182


def test_it_survives_saving(name, fitted, examples, tmp_path):
    joblib.dump(fitted[name].state(), tmp_path / "model.joblib")
    restored = model_class(name).from_state(joblib.load(tmp_path / "model.joblib", mmap_mode="r"))
    numbers = examples[0].to_numpy()
    assert np.array_equal(restored.curves(numbers).log_survival, fitted[name].curves(numbers).log_survival)
    assert restored.learned_days == fitted[name].learned_days


@settings(deadline=None)
@given(numbers=ANY_NUMBERS)
def test_any_numbers_get_curves(name, fitted, numbers):
    logs = fitted[name].curves(numbers).log_survival
    assert np.isfinite(logs).all()
    assert (np.diff(logs, axis=1) <= 0.0).all()


def test_nobody_gets_no_curve(name, fitted):
    assert fitted[name].curves(np.zeros((0, len(RHYTHM)))).log_survival.shape == (0, len(NODES))


def test_one_order_each_is_not_enough(name):
    rhythm = order_rhythm(np.arange(60), np.full(60, 20.0), 60)
    with pytest.raises(NotEnoughData):
        create(name).fit(pd.DataFrame(rhythm, columns=list(RHYTHM)), np.full(60, np.inf), np.full(60, 20.0))


def test_it_says_that_it_is_not_fitted(name):
    with pytest.raises(NotFitted):
        create(name).curves(np.zeros((1, len(RHYTHM))))
