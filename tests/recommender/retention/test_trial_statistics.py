"""Two groups compared: published intervals, and coverage over many draws whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, ttest_ind

from recommender.randomness import rng_for
from recommender.retention.trial_statistics import (
    detectable_difference,
    difference_of_means,
    difference_of_shares,
    mismatch_probability,
    units_for_a_normal_mean,
)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_of_shares_is_that_of_newcombe_1998_table_ii(counts, low, high):
    found = difference_of_shares(*counts)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_without_a_covariate_the_difference_of_means_is_welchs():
    values = np.array([3.0, 5.0, 4.0, 8.0, 1.0, 2.0, 0.0])
    held = np.array([False] * 4 + [True] * 3)
    found = difference_of_means(values, np.zeros(7), held)
    welch = ttest_ind(values[~held], values[held], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high))
    assert found.value == pytest.approx(4.0)


def test_what_the_covariate_explains_is_no_effect():
    before = np.array([10.0, 20.0, 30.0, 40.0, 10.0, 20.0])
    held = np.array([False] * 4 + [True] * 2)
    found = difference_of_means(2 * before + np.where(held, 0.0, 3.0), before, held)
    assert (found.low, found.value, found.high) == pytest.approx((3.0, 3.0, 3.0))


def test_a_group_of_one_has_no_interval_and_equal_values_have_one_of_no_width():
    held = np.array([False, False, True])
    assert difference_of_means(np.ones(3), np.ones(3), held) is None
    found = difference_of_means(np.full(4, 7.0), np.zeros(4), np.array([True, True, False, False]))
    assert (found.low, found.value, found.high) == (0.0, 0.0, 0.0)


def test_the_detectable_difference_is_that_of_the_textbook():
    # (1.96 + 0.8416) * sqrt(0.5 * 0.5 * (1 / 1000 + 1 / 1000)) = 0.0626
    assert detectable_difference(500, 1000, 1000) == pytest.approx(0.0626, abs=5e-5)
    assert detectable_difference(0, 100, 10) > 0


def test_a_mismatch_of_the_ratio_is_seen_by_chi_square():
    # 70 where 50 of 1,000 were expected: 400 / 50 + 400 / 950 = 8.421, P(chi2_1 > 8.421) = .0037
    assert mismatch_probability(70, 1000, 0.05) == pytest.approx(0.0037, abs=5e-5)
    assert mismatch_probability(50, 1000, 0.05) == 1.0
    assert mismatch_probability(1, 1000, 0.0) == 0.0


def test_a_heavy_tail_asks_for_more_customers_than_even_spending():
    rng = rng_for(0, "tails")
    held, nothing = np.arange(4_000) % 10 == 0, np.zeros(4_000)
    even, heavy = rng.normal(50, 10, 4_000), rng.lognormal(3, 1.5, 4_000)
    assert units_for_a_normal_mean(even, nothing, held) < 10
    assert units_for_a_normal_mean(heavy, nothing, held) > 4_000
    assert units_for_a_normal_mean(np.full(4_000, 0.1), nothing, held) == 0.0


def drawn(rng: np.random.Generator, effect: float, customers: int = 2_000):
    """A company of which 20 % are held out: 60 % stay without treatment, and those who spent much spend much."""
    held = rng.random(customers) < 0.2
    before = rng.gamma(2.0, 20.0, customers)
    stays = rng.random(customers) < np.where(held, 0.6, 0.6 + effect)
    return held, stays, before, stays * (0.8 * before + rng.gamma(2.0, 5.0, customers))


@pytest.mark.parametrize("effect", [0.0, 0.08])
def test_in_95_of_100_companies_the_intervals_cover_the_truth(effect):
    rng, draws, covered = rng_for(7, f"coverage {effect}"), 400, np.zeros(2)
    # Spend of who stays: 0.8 * 40 + 10 on average.
    truths = effect, effect * 42.0
    for _ in range(draws):
        held, stays, before, revenue = drawn(rng, effect)
        shares = difference_of_shares(stays[~held].sum(), (~held).sum(), stays[held].sum(), held.sum())
        means = difference_of_means(revenue, before, held)
        covered += [one.low <= truth <= one.high for one, truth in zip((shares, means), truths, strict=True)]
    low, high = binom.interval(0.999, draws, 0.95)
    assert np.all((low <= covered) & (covered <= high)), covered / draws


def test_a_heavy_tail_of_spend_without_an_effect_is_hardly_ever_said_to_have_one():
    rng, draws, claims = rng_for(11, "heavy tails"), 300, 0
    for _ in range(draws):
        held, usual = rng.random(2_000) < 0.05, rng.lognormal(2.0, 1.5, 2_000)
        before, after = (usual * rng.lognormal(0.0, 0.5, 2_000) for _ in range(2))
        claims += difference_of_means(after, before, held).excludes_zero
    assert claims <= binom.ppf(0.999, draws, 0.05)


def test_spend_before_makes_the_interval_of_revenue_narrower():
    rng = rng_for(3, "width")
    held, _, before, revenue = drawn(rng, 0.05)
    widths = [one.high - one.low for one in (difference_of_means(revenue, x, held) for x in (before, 0 * before))]
    assert widths[0] < 0.9 * widths[1]
