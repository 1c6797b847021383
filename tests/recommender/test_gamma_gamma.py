import numpy as np
import pytest

from recommender.errors import NotEnoughData
from recommender.models.gamma_gamma import GammaGamma, healthy_gamma_gamma


@pytest.fixture(scope="module")
def simulated():
    rng = np.random.default_rng(3)
    counts = rng.integers(1, 12, 1500)
    rates = rng.gamma(4.0, 1 / 15.0, len(counts))
    return counts, rng.gamma(6.0 * counts, 1.0 / rates) / counts


def test_it_agrees_with_another_implementation(simulated):
    lifetimes = pytest.importorskip("lifetimes")
    counts, means = simulated
    ours, theirs = GammaGamma().fit(counts, means), lifetimes.GammaGammaFitter().fit(counts, means)
    np.testing.assert_allclose(ours.state()["parameters"], theirs.params_[["p", "q", "v"]], rtol=1e-3)
    expected = theirs.conditional_expected_average_profit(counts, means)
    np.testing.assert_allclose(ours.expected_amount(counts, means), expected, rtol=1e-4)
    assert ours.is_healthy


def test_it_finds_what_the_data_were_made_of(simulated):
    p, q, gamma = GammaGamma().fit(*simulated).state()["parameters"]
    assert p == pytest.approx(6.0, rel=0.15)
    assert q == pytest.approx(4.0, rel=0.15)
    assert gamma == pytest.approx(15.0, rel=0.25)


def test_the_expected_amount_lies_between_population_and_own_mean():
    model = GammaGamma.from_state({"parameters": [2.0, 3.0, 10.0], "is_healthy": True})
    # Population mean p * gamma / (q - 1) = 10; one order of 40: 2 * (10 + 40) / (2 + 2) = 25.
    found = model.expected_amount(np.array([0.0, 1.0, 1000.0]), np.array([np.nan, 40.0, 40.0]))
    assert found[:2].tolist() == [10.0, 25.0]
    assert found[2] == pytest.approx(40.0, rel=0.01)


def test_amounts_in_another_currency_change_gamma_alone(simulated):
    counts, means = simulated
    ours, cents = GammaGamma().fit(counts, means), GammaGamma().fit(counts, means * 100.0)
    np.testing.assert_allclose(cents.state()["parameters"] / ours.state()["parameters"], [1.0, 1.0, 100.0], rtol=1e-4)


def test_nobody_who_paid_is_not_enough():
    nothing = np.array([0.0, 0.0, np.nan])
    with pytest.raises(NotEnoughData, match="two customers with an amount above 0; there are 0"):
        GammaGamma().fit(np.ones(3), nothing)
    assert healthy_gamma_gamma(np.ones(3), nothing) is None
