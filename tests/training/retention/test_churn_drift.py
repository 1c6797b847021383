"""Base rates that move, scores that shift, and seasons that turn: on windows whose shares are set by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from recommender.periods import instant
from recommender.retention.definitions import ChurnDefinition
from training.examples import Examples
from training.retention.churn_drift import drift_facts, stability_index
from training.retention.season import season_cutoffs, seasonal_shift

LATEST = instant("2024-03-01")
NO_ORDER = ChurnDefinition("no_order", horizon_days=84, activity_days=56)
SAME = pd.Series(np.linspace(0.1, 0.9, 100))


def window(months_before: int, leaving: int, customers: int = 1000) -> Examples:
    """A window in which every customer is alike and the first ``leaving`` leave."""
    index = pd.Index([f"c{number:04d}" for number in range(customers)], dtype="string", name="customer_id")
    columns = {
        "days_since_last_order": 10.0,
        "order_days_28d_count": 1.0,
        "order_days_56d_count": np.arange(customers) % 3,
        "spend_28d_amount": 5.0,
        "spend_56d_amount": 9.0,
    }
    features = pd.DataFrame(columns, index=index)
    churned = pd.Series(np.arange(customers) < leaving, index=index)
    return Examples(LATEST - timedelta(days=28 * months_before), features, churned)


def test_equal_scores_have_an_index_of_zero_and_two_halves_a_known_one():
    scores = np.linspace(0.0, 1.0, 1000)
    assert stability_index(scores, scores) == pytest.approx(0.0)
    # Nothing but the upper half is left: five bins of 0.5 / 1005 against 0.1, five of 0.2 against 0.1.
    empty, full, tenth = 0.5 / 1005.0, 200.5 / 1005.0, 100.5 / 1005.0
    expected = 5 * ((empty - tenth) * np.log(empty / tenth) + (full - tenth) * np.log(full / tenth))
    assert stability_index(scores, np.linspace(0.5001, 1.0, 1000)) == pytest.approx(expected)
    assert stability_index(scores, np.array([])) is None


def test_a_base_rate_within_chance_raises_no_alarm():
    facts = drift_facts([window(0, 110), window(1, 100), window(2, 90)], None, SAME, SAME)
    assert facts["warnings"] == []
    assert [one["base_rate"] for one in facts["base_rates"]] == [0.11, 0.1, 0.09]


def test_a_base_rate_that_doubled_raises_an_alarm_that_names_both():
    facts = drift_facts([window(0, 200), window(1, 100), window(2, 90)], None, SAME, SAME)
    assert len(facts["warnings"]) == 1
    assert "20.0% left after 2024-03-01, 9.5% after the cutoffs before" in facts["warnings"][0]


def test_what_happened_in_the_same_season_of_last_year_is_no_alarm():
    panel = [window(0, 200), window(1, 100), window(2, 90)]
    assert drift_facts(panel, window(13, 210), SAME, SAME)["warnings"] == []


def test_scores_of_other_customers_raise_an_alarm_but_not_those_of_few():
    panel = [window(0, 100), window(1, 100)]
    facts = drift_facts(panel, None, SAME, SAME + 0.5)
    assert "scores are distributed otherwise" in facts["warnings"][0]
    assert drift_facts(panel, None, SAME.head(12), SAME.tail(12).iloc[:3])["warnings"] == [
        one for one in facts["warnings"] if "left after" in one
    ]


def test_the_level_moves_as_it_moved_a_year_before():
    panel = [window(place, 300) for place in range(4)]
    shift = seasonal_shift(panel, window(10, 450), window(13, 300), seed=0)
    # From odds of 3 : 7 to 9 : 11, less what chance may have done.
    change = np.log(9 / 11) - np.log(3 / 7)
    variance = 1 / (1000 * 0.45 * 0.55) + 1 / (1000 * 0.3 * 0.7)
    assert shift == pytest.approx(change * (1 - variance / change**2), abs=0.01)


def test_a_season_within_chance_or_without_leavers_moves_nothing():
    panel = [window(place, 300) for place in range(4)]
    assert seasonal_shift(panel, window(10, 310), window(13, 300), seed=0) == 0.0
    assert seasonal_shift(panel, window(10, 5), window(13, 300), seed=0) == 0.0


def test_a_season_needs_last_year_and_what_was_bought_before_it():
    as_of = instant("2024-06-01")
    # 364 + 84 days back, and 91 days of orders before.
    begun = as_of - timedelta(days=364 + 84 + 91)
    assert season_cutoffs(NO_ORDER, as_of, begun) == [as_of - timedelta(days=364), as_of - timedelta(days=448)]
    assert season_cutoffs(NO_ORDER, as_of, begun + timedelta(days=1)) == []
    contracts = ChurnDefinition("subscription_ended", horizon_days=84, activity_days=56)
    assert season_cutoffs(contracts, as_of, begun) == []
