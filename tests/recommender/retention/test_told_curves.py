import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.models.survival_curves import NODES, SurvivalCurves
from recommender.periods import instant
from recommender.retention.told_curves import curves_of, later, next_order_dates, stored_curves, told

AS_OF = instant("2024-03-01")
# Half is left after a week, a quarter after two.
SILENT = ((7, 0.5), (14, 0.25))
ENDED = ((7, 0.5), (14, 0.75))
PROBABILITIES = st.lists(st.floats(0.0, 1.0), min_size=len(NODES), max_size=len(NODES))


def test_a_curve_of_no_order_falls_and_that_of_contracts_rises():
    curves = SurvivalCurves.of(np.array([7.0, 14.0]), np.array([[0.5, 0.25]]))
    assert stored_curves(curves, 14, np.array([0.25]), rises=False) == [SILENT]
    assert stored_curves(curves, 14, np.array([0.75]), rises=True) == [ENDED]


def test_the_first_days_are_kept_but_not_told_and_the_horizon_is_told_wherever_it_lies():
    assert told(((1, 0.9), (3, 0.8), (7, 0.6), (365, 0.1)), 3) == ((3, 0.8), (7, 0.6), (365, 0.1))
    assert told(((1, 0.9), (365, 0.1), (400, 0.05)), 400) == ((365, 0.1), (400, 0.05))


def test_after_a_week_of_silence_the_second_week_is_told_as_the_first():
    # beyond two weeks the probability halves whenever the time doubles: 21 days leave 1/4 * 2/3
    assert later(SILENT, 14, 7.0) == ((7, 0.5), (14, pytest.approx(1 / 3)))
    assert later(ENDED, 14, 7.0) == ((7, 0.5), (14, pytest.approx(2 / 3)))


def test_half_will_have_ordered_in_a_week_and_nobody_can_tell_when_nine_tenths_will_have():
    dates = next_order_dates(curves_of(SILENT), AS_OF)
    assert dates["expected_next_order_at"] == AS_OF + timedelta(days=7)
    assert AS_OF < dates["next_order_earliest_at"] < AS_OF + timedelta(days=7)
    assert dates["next_order_latest_at"] is None


def test_an_order_that_is_due_at_once_is_not_told_before_the_answer():
    dates = next_order_dates(curves_of(((1, 1e-9), (7, 1e-9))), AS_OF)
    assert all(AS_OF < date < AS_OF + timedelta(days=1) for date in dates.values())


@given(PROBABILITIES, st.integers(1, 400), st.floats(0.0, 1.0), st.floats(0.0, 900.0), st.booleans())
def test_any_stored_curve_is_monotone_goes_through_the_probability_and_stays_so_later(
    survival, horizon, probability, elapsed, rises
):
    stays = 1.0 - probability if rises else probability
    curves = SurvivalCurves.of(NODES, np.array([survival])).anchored(horizon, np.array([stays]))
    stored = stored_curves(curves, horizon, np.array([probability]), rises=rises)[0]
    assert dict(stored)[horizon] == probability
    for one in (stored, later(stored, horizon, elapsed)):
        values = [value if rises else -value for _, value in one]
        assert values == sorted(values)
        assert all(0.0 <= value <= 1.0 for _, value in one)
        assert math.isclose(one[0][0], 1.0)
