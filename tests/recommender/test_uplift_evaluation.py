import numpy as np
import pytest

from recommender.uplift_evaluation import Trial, area_under_uplift, average_effect, judge_uplift, qini


def trial(*rows, weights=None):
    """Rows of (treated, converted, estimated uplift)."""
    treated, converted, uplift = (np.array(one, dtype="float64") for one in zip(*rows, strict=True))
    return Trial(treated > 0, converted, np.ones(len(rows)) if weights is None else np.array(weights), uplift)


RIGHT = trial((1, 1, 0.9), (0, 0, 0.9), (1, 0, 0.1), (0, 0, 0.1))


def test_the_average_effect_is_the_difference_of_the_shares():
    assert average_effect(RIGHT) == 0.5


def test_the_area_is_that_under_the_gains_of_the_best():
    # Treating the better half brings 1 x 1/2, everybody 1/2: triangle 1/8 and rectangle 1/4.
    assert area_under_uplift(RIGHT) == pytest.approx(0.375)
    assert qini(RIGHT) == pytest.approx(0.125)


def test_a_reversed_order_is_worse_than_chance():
    reversed_order = Trial(RIGHT.treated, RIGHT.converted, RIGHT.weights, -RIGHT.uplift)
    assert qini(reversed_order) == pytest.approx(-0.125)


def test_equal_estimates_are_worth_nothing():
    same = Trial(RIGHT.treated, RIGHT.converted, RIGHT.weights, np.zeros(4))
    assert qini(same) == pytest.approx(0.0)


def test_weights_undo_unequal_chances():
    # A customer treated with probability 1/4 stands for four.
    rows = trial((1, 1, 0), (1, 0, 0), (0, 0, 0), weights=[4.0, 1.0, 1.0])
    assert average_effect(rows) == pytest.approx(0.8)


def test_one_arm_has_no_figures():
    alone = judge_uplift(trial((1, 1, 0.5), (1, 0, 0.2)), seed=0)
    assert all(np.isnan(one.mean) for one in alone.values())


def test_intervals_hold_the_figures():
    judged = judge_uplift(trial(*[(number % 2, number % 3 == 0, number / 60) for number in range(60)]), seed=0)
    assert judged.keys() == {"average_effect", "auuc", "qini"}
    assert all(one.low <= one.mean <= one.high for one in judged.values())
