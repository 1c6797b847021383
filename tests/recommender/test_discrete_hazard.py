import numpy as np
import pandas as pd
import pytest

from recommender.errors import DataError, NotEnoughData
from recommender.models.discrete_hazard import DiscreteHazard, PersonPeriods
from recommender.models.survival_curves import NODES

NEVER = np.inf


def rows_of(days, known_days):
    periods = PersonPeriods.of(np.array(days), np.array(known_days))
    starts = [0, 1, 3, 7, 14, 28, 56, 91, 182]
    told = zip(periods.examples.tolist(), periods.intervals.tolist(), periods.happened.tolist(), strict=True)
    return [(example, starts[interval], happened) for example, interval, happened in told]


def life_table(counts):
    """Examples that tell nothing of each other: how many ordered on which day, seen for how long."""
    days = np.concatenate([np.full(count, day) for count, day, _ in counts])
    known = np.concatenate([np.full(count, seen) for count, _, seen in counts])
    return pd.DataFrame({"same": np.ones(len(days))}), days, known


def survival(model):
    return np.exp(model.curves(np.array([[1.0]])).log_survival[0])


def test_one_who_orders_on_the_fifth_day_was_at_risk_in_three_intervals():
    assert rows_of([5.0], [30.0]) == [(0, 0, 0.0), (0, 1, 0.0), (0, 3, 1.0)]


def test_an_order_at_the_end_of_an_interval_belongs_to_the_next():
    assert rows_of([7.0], [30.0])[-2:] == [(0, 3, 0.0), (0, 7, 1.0)]


def test_an_interval_that_was_not_seen_to_its_end_tells_nothing_also_not_of_an_order_in_its_beginning():
    # both were seen for ten days: of the second week nothing counts, neither the order nor the silence
    assert rows_of([8.0], [10.0]) == rows_of([NEVER], [10.0]) == [(0, 0, 0.0), (0, 1, 0.0), (0, 3, 0.0)]


def test_hazards_are_those_of_the_life_table():
    # of 400, 100 order on the first day; of the 300 left, 150 within the next two; then nobody for a month
    model = DiscreteHazard().fit(*life_table([(100, 0.5, 30.0), (150, 2.0, 30.0), (150, NEVER, 30.0)]))
    assert survival(model)[:2] == pytest.approx([0.75, 0.375], abs=0.01)
    assert model.learned_days == 28


def test_who_was_seen_for_a_shorter_time_counts_as_long_as_seen():
    # 200 more were seen for one day only, a quarter of whom ordered: the hazards stay as they were
    counts = [(100, 0.5, 30.0), (150, 2.0, 30.0), (150, NEVER, 30.0), (50, 0.5, 1.0), (150, NEVER, 1.0)]
    model = DiscreteHazard().fit(*life_table(counts))
    assert survival(model)[:2] == pytest.approx([0.75, 0.375], abs=0.01)


def test_what_happens_in_an_interval_that_was_not_seen_to_its_end_changes_nothing():
    seen = [(100, 0.5, 30.0), (100, NEVER, 30.0)]
    one = DiscreteHazard().fit(*life_table([*seen, (50, 29.0, 30.0)]))
    other = DiscreteHazard().fit(*life_table([*seen, (50, NEVER, 30.0)]))
    assert survival(one).tolist() == survival(other).tolist()


def test_beyond_what_was_seen_the_curve_goes_on():
    model = DiscreteHazard().fit(*life_table([(100, 0.5, 10.0), (100, NEVER, 10.0)]))
    assert model.learned_days == 7
    assert len(survival(model)) == len(NODES)


def test_a_feature_moves_the_curve():
    often = np.repeat([0.0, 10.0], 200)
    days = np.concatenate([np.full(20, 0.5), np.full(180, NEVER), np.full(160, 0.5), np.full(40, NEVER)])
    model = DiscreteHazard().fit(pd.DataFrame({"orders": often}), days, np.full(400, 10.0))
    rare, frequent = np.exp(model.curves(np.array([[0.0], [10.0]])).log_survival[:, 0])
    assert rare == pytest.approx(0.9, abs=0.02)
    assert frequent == pytest.approx(0.2, abs=0.02)


def test_too_few_events_are_named():
    with pytest.raises(NotEnoughData, match="a hazard needs 50 events in whole intervals and got 10"):
        DiscreteHazard().fit(*life_table([(10, 0.5, 30.0), (100, NEVER, 30.0)]))


def test_rows_without_durations_are_refused():
    with pytest.raises(DataError, match="2 rows do not match 1 durations"):
        DiscreteHazard().fit(pd.DataFrame({"same": [1.0, 1.0]}), np.array([1.0]), np.array([9.0]))
