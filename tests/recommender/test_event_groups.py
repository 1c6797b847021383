"""Statistics of a customer's events by item or group of items."""

import numpy as np
import pytest

from recommender.models.event_groups import STATISTICS, EventGroups


def groups_of(*events: tuple[int, int, float], code_count: int = 10) -> EventGroups:
    rows, codes, ages = (np.array(values) for values in zip(*events, strict=True))
    return EventGroups.of(rows, codes, ages.astype(np.float32), code_count)


def statistics(groups: EventGroups, row: int, code: int) -> dict[str, float]:
    values = groups.at(np.array([row]), np.array([code]))[0]
    return dict(zip(STATISTICS, values.tolist(), strict=True))


def test_gaps_are_between_days_with_an_event():
    # days 30, 20 (twice) and 4 before the cutoff: gaps of 10 and 16 days
    found = statistics(groups_of((0, 3, 30.5), (0, 3, 20.5), (0, 3, 20.25), (0, 3, 4.5)), 0, 3)
    assert found["count"] == 4
    assert found["days"] == 3
    assert found["last_age_days"] == 4.5
    assert found["first_age_days"] == 30.5
    assert found["interval_days"] == pytest.approx((30.5 - 4.5) / 2, abs=0.2)
    assert found["last_gap_days"] == pytest.approx(15.75)
    assert found["count_28d"] == 3
    assert found["count_84d"] == 4
    assert found["decayed_14d"] == pytest.approx(sum(np.exp(-np.array([30.5, 20.5, 20.25, 4.5]) / 14)), rel=1e-5)


def test_one_event_has_no_interval_and_two_have_no_deviation():
    once = statistics(groups_of((0, 1, 5.0)), 0, 1)
    twice = statistics(groups_of((0, 1, 5.0), (0, 1, 9.0)), 0, 1)
    assert np.isnan(once["interval_days"])
    assert twice["interval_days"] == 4.0
    assert np.isnan(twice["interval_sd_days"])


def test_a_pair_without_events_has_counts_of_0_and_no_ages():
    found = statistics(groups_of((0, 1, 5.0)), 1, 1)
    assert found["count"] == found["decayed_120d"] == 0
    assert np.isnan(found["last_age_days"])
    nobody = EventGroups.of(np.zeros(0, int), np.zeros(0, int), np.zeros(0), 4)
    assert statistics(nobody, 0, 0)["count"] == 0


def test_events_and_pairs_without_a_code_belong_to_no_group():
    groups = groups_of((0, -1, 5.0), (0, 9, 5.0))
    assert groups.keys.tolist() == [9]
    assert statistics(groups, 1, -1)["count"] == 0


def test_the_order_of_events_does_not_matter():
    events = [(row, code, float(age)) for row in range(3) for code in range(4) for age in (1, 8, 20, 33)]
    first, second = groups_of(*events), groups_of(*reversed(events))
    np.testing.assert_array_equal(first.values, second.values)
