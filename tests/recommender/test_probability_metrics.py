import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from recommender import probability_metrics as ours

FOUR = np.array([1.0, 0.0, 1.0, 0.0])


def test_the_area_under_the_curve_counts_pairs_in_order():
    # Pairs of left and stayed: .9 > .5, .9 > .1, .3 < .5, .3 > .1.
    assert ours.area_under_curve(FOUR, np.array([0.9, 0.5, 0.3, 0.1])) == 0.75
    assert ours.area_under_curve(FOUR, np.full(4, 0.5)) == 0.5


def test_calibration_error_by_hand():
    # Ten bins of one customer each: nine are off by .1, one by .9.
    outcomes = np.array([0.0] * 9 + [0.0])
    probabilities = np.array([0.1] * 9 + [0.9])
    assert ours.calibration_error(outcomes, probabilities) == pytest.approx(0.18)


def test_equal_probabilities_are_calibrated_together():
    outcomes = np.array([1.0] * 5 + [0.0] * 5)
    assert ours.calibration_error(outcomes, np.full(10, 0.5)) == 0.0
    assert ours.lift(outcomes, np.full(10, 0.5)) == 1.0


def test_lift_is_the_rate_of_the_top_tenth_over_the_rate_of_all():
    outcomes = np.zeros(20)
    outcomes[[0, 1, 5, 6]] = 1.0
    # The two with the highest scores both left: 1 / (4 / 20).
    assert ours.lift(outcomes, np.linspace(1.0, 0.0, 20)) == 5.0


def test_the_value_held_by_the_top_tenth():
    actual = np.array([60.0] + [0.0] * 8 + [40.0])
    assert ours.top_capture(actual, np.linspace(1.0, 0.0, 10)) == 0.6


def test_the_normalised_gini_of_the_right_order_is_1_and_of_the_reverse_minus_1():
    actual = np.array([3.0, 2.0, 1.0])
    assert ours.normalised_gini(actual, actual * 10) == pytest.approx(1.0)
    assert ours.normalised_gini(actual, -actual) == pytest.approx(-1.0)
    assert ours.normalised_gini(actual, np.ones(3)) == pytest.approx(0.0)


def test_bias_and_errors_by_hand():
    actual, predicted = np.array([0.0, 10.0]), np.array([3.0, 6.0])
    assert ours.bias(actual, predicted) == 0.9
    assert ours.mean_absolute_error(actual, predicted) == 3.5
    assert ours.root_mean_squared_error(actual, predicted) == pytest.approx(np.sqrt(12.5))


def test_measures_without_an_answer_are_nan():
    nobody = np.zeros(3)
    scores = np.array([0.1, 0.2, 0.3])
    for measure in (ours.area_under_curve, ours.average_precision, ours.lift, ours.normalised_gini, ours.bias):
        assert np.isnan(measure(nobody, scores))
    assert np.isnan(ours.rank_correlation(nobody, scores))


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60))
def test_measures_agree_with_another_implementation_with_ties(rows):
    outcomes = np.array([left for left, _ in rows], dtype=float)
    probabilities = np.array([place / 8 for _, place in rows])
    assert ours.brier_score(outcomes, probabilities) == pytest.approx(
        sklearn_metrics.brier_score_loss(outcomes, probabilities, pos_label=1)
    )
    clipped = np.clip(probabilities, 0.01, 0.99)
    assert ours.log_loss(outcomes, clipped) == pytest.approx(
        sklearn_metrics.log_loss(outcomes, clipped, labels=[0.0, 1.0])
    )
    if 0 < outcomes.sum() < len(outcomes):
        expected = sklearn_metrics.roc_auc_score(outcomes, probabilities)
        assert ours.area_under_curve(outcomes, probabilities) == pytest.approx(expected)
        precision = sklearn_metrics.average_precision_score(outcomes, probabilities)
        assert ours.average_precision(outcomes, probabilities) == pytest.approx(precision)


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=2, max_size=40), seed=st.integers(0, 1000))
def test_the_order_of_the_rows_does_not_matter(rows, seed):
    values = np.array(rows, dtype=float)
    turned = np.random.default_rng(seed).permutation(values)
    for measure in (*ours.PROBABILITY_MEASURES.values(), *ours.VALUE_MEASURES.values()):
        before, after = measure(values[:, 0], values[:, 1]), measure(turned[:, 0], turned[:, 1])
        assert before == pytest.approx(after, nan_ok=True)


def test_an_interval_holds_the_measure_and_shrinks_with_the_customers():
    rng = np.random.default_rng(0)
    probabilities = rng.random(40_000)
    outcomes = (rng.random(40_000) < probabilities).astype(float)
    small = ours.measured(ours.brier_score, outcomes[:400], probabilities[:400], seed=0, samples=50)
    large = ours.measured(ours.brier_score, outcomes, probabilities, seed=0, samples=50)
    assert small.low < small.mean < small.high
    assert large.low < 1 / 6 < large.high
    # A hundred times the customers, a tenth of the width.
    assert (large.high - large.low) / (small.high - small.low) == pytest.approx(0.1, abs=0.05)
    assert large.customers == 40_000


def test_a_paired_difference_of_equal_predictions_is_nothing():
    scores = np.array([0.9, 0.5, 0.3, 0.1])
    same = ours.paired_difference(ours.brier_score, FOUR, scores, scores, seed=0)
    assert (same.mean, same.low, same.high) == (0.0, 0.0, 0.0)


def test_all_measures_are_judged_by_name():
    found = ours.judge(ours.PROBABILITY_MEASURES, FOUR, np.array([0.9, 0.5, 0.3, 0.1]), seed=0)
    assert found["auc"].mean == 0.75
    assert ours.judge(ours.VALUE_MEASURES, np.array([]), np.array([]), seed=0)["rmse"].customers == 0


def test_area_components_average_to_the_area_with_ties_counting_half():
    outcomes = np.array([1.0, 0.0, 1.0, 0.0, 0.0])
    probabilities = np.array([0.9, 0.4, 0.4, 0.4, 0.1])
    # The leaver at .9 beats all three who stayed, the one at .4 ties with two and beats one: (1 + 2/3) / 2.
    assert ours.area_components(outcomes, probabilities).mean() == pytest.approx(5 / 6)
    assert ours.area_under_curve(outcomes, probabilities) == pytest.approx(5 / 6)


def test_area_components_spread_as_the_bootstrap_of_the_area_does():
    rng = np.random.default_rng(1)
    outcomes = (rng.random(800) < 0.2).astype(float)
    probabilities = 0.3 * outcomes + rng.random(800)
    components = ours.area_components(outcomes, probabilities)
    resampled = [rng.integers(800, size=800) for _ in range(300)]
    bootstrap = np.std([ours.area_under_curve(outcomes[one], probabilities[one]) for one in resampled])
    assert components.std() / np.sqrt(800) == pytest.approx(bootstrap, rel=0.15)


def test_without_two_outcomes_there_is_no_area():
    assert np.isnan(ours.area_components(np.zeros(3), np.array([0.1, 0.2, 0.3]))).all()


def test_cumulative_gains_count_who_left_among_the_highest():
    outcomes = np.array([0.0, 1.0, 0.0, 1.0])
    found = ours.cumulative_gains(outcomes, np.array([0.1, 0.9, 0.5, 0.4]), steps=4)
    assert found == [0.5, 0.5, 1.0, 1.0]
    assert ours.cumulative_gains(np.zeros(4), outcomes) == []


def test_equal_probabilities_find_no_more_than_chance():
    found = ours.cumulative_gains(np.array([1.0, 0.0, 0.0, 0.0]), np.full(4, 0.5), steps=2)
    assert found == [0.5, 1.0]
