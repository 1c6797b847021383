import numpy as np
import pytest

from recommender.models.log_linear import fit_log_linear, log_linear_means


def test_known_factors_are_found_again():
    rng = np.random.default_rng(1)
    design = rng.normal(size=(5000, 2))
    amounts = np.exp(0.5 * design[:, 0] - 0.3 * design[:, 1] + 0.2) * rng.gamma(4.0, 0.25, 5000)
    coefficients, intercept = fit_log_linear(design, amounts, l2=0.0)
    assert [*coefficients, intercept] == pytest.approx([0.5, -0.3, 0.2], abs=0.03)


def test_the_sum_of_the_fit_is_the_sum_of_the_amounts_whatever_the_ridge():
    rng = np.random.default_rng(2)
    design, amounts = rng.normal(size=(500, 3)), rng.gamma(0.5, 2.0, 500)
    for l2 in (0.0, 0.1, 10.0):
        means = log_linear_means(design, *fit_log_linear(design, amounts, l2=l2))
        assert means.sum() == pytest.approx(amounts.sum(), rel=1e-3)


def test_nothing_spent_by_anybody_is_expected_of_nobody():
    means = log_linear_means(np.ones((5, 1)), *fit_log_linear(np.ones((5, 1)), np.zeros(5), l2=0.1))
    assert (means < 1e-6).all()


def test_a_row_far_outside_of_the_fit_gets_a_finite_amount():
    assert np.isfinite(log_linear_means(np.array([[1e6]]), np.array([1.0]), 0.0)).all()
