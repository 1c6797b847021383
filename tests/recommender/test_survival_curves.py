import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender.models.survival_curves import NODES, SurvivalCurves

# Half is left after a week, a quarter after two: the hazard of a day is the same all along.
HALVING = SurvivalCurves.of(np.array([7.0, 14.0]), np.array([[0.5, 0.25]]))
PROBABILITIES = st.floats(0.0, 1.0)
ANY_CURVES = arrays(np.float64, (3, len(NODES)), elements=PROBABILITIES)


def at(curves, *days):
    return curves.at(np.array(days, dtype=np.float64))[0].tolist()


def test_between_two_days_the_hazard_is_constant():
    assert at(HALVING, 0, 7, 14) == pytest.approx([1.0, 0.5, 0.25])
    assert at(HALVING, 3.5) == pytest.approx([math.sqrt(0.5)])


def test_beyond_the_last_day_the_probability_falls_as_a_power_of_time():
    # from 7 to 14 days it halves, so it halves again whenever the time doubles
    assert at(HALVING, 28, 56) == pytest.approx([0.125, 0.0625])


def test_hazards_multiply():
    curves = SurvivalCurves.of_hazards(np.array([7.0, 14.0]), np.array([[0.2, 0.5]]))
    assert at(curves, 7, 14) == pytest.approx([0.8, 0.4])


def test_half_have_come_after_a_week_and_nobody_knows_when_nine_tenths_will_have():
    assert HALVING.days_until(0.5)[0] == pytest.approx(7.0)
    assert HALVING.days_until(0.75)[0] == pytest.approx(14.0)
    assert HALVING.days_until(0.9)[0] == math.inf


def test_after_a_week_of_silence_the_second_week_is_the_first():
    assert at(HALVING.after(7.0), 7) == pytest.approx([0.5])


def test_where_more_stay_than_the_curve_says_the_rest_will_not_come_and_the_others_keep_their_times():
    moved = HALVING.anchored(14, np.array([0.4]))
    # a fifth will not come, and of the others a quarter is left: 0.2 + 0.8 * 0.25
    assert at(moved, 7, 14) == pytest.approx([0.2 + 0.8 * 0.5, 0.4])


def test_where_fewer_stay_all_hazards_before_the_horizon_grow_alike():
    assert at(HALVING.anchored(14, np.array([1 / 16])), 7, 14) == pytest.approx([0.25, 1 / 16])


def test_beyond_the_horizon_the_hazards_stay_as_they_are():
    assert at(HALVING.anchored(7, np.array([0.8])), 14) == pytest.approx([0.4])


def test_a_row_without_an_anchor_stays_as_it_is():
    assert at(HALVING.anchored(7, np.array([np.nan])), 3.5, 14) == at(HALVING, 3.5, 14)


def test_an_anchor_between_two_days_becomes_a_day_of_its_own():
    assert HALVING.anchored(10, np.array([0.9])).nodes.tolist() == [7.0, 10.0, 14.0]


@given(ANY_CURVES, st.floats(0.0, 800.0), st.integers(1, 3650), PROBABILITIES)
def test_whatever_is_done_to_a_curve_it_falls_and_stays_between_0_and_1(survival, elapsed, horizon, anchor):
    curves = SurvivalCurves.of(NODES, survival)
    days = np.concatenate([[0.0], NODES, [500.0, 4000.0]])
    for made in (curves, curves.after(elapsed), curves.anchored(horizon, np.full(3, anchor))):
        found = made.at(days)
        assert ((found >= 0.0) & (found <= 1.0)).all()
        assert (np.diff(found, axis=1) <= 1e-12).all()


@given(ANY_CURVES, st.floats(0.01, 0.99))
def test_the_day_by_which_a_share_has_come_is_the_day_of_that_share(survival, share):
    curves = SurvivalCurves.of(NODES, survival)
    days = curves.days_until(share)
    for row in np.flatnonzero(np.isfinite(days)):
        one = SurvivalCurves(NODES, curves.log_survival[[row]])
        assert one.at(days[[row]])[0, 0] == pytest.approx(1.0 - share, rel=1e-6)
