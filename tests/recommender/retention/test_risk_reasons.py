import numpy as np
import pandas as pd
import pytest

from recommender.retention.causes import CAUSE_OF, CAUSES, LEVERS
from recommender.retention.risk_reasons import NOISE_LOG_ODDS, cause_contributions, reasons_of
from recommender.touchpoints import FEATURES

FIGURES = {
    "ticket_open_count": 2.0,
    "ticket_open_oldest_days": 9.0,
    "ticket_90d_count": 2.0,
    "days_since_last_order": 43.0,
    "order_interval_mean_days": 12.0,
    "order_day_count": 9.0,
    "return_182d_count": 0.0,
}


def reasons(**contributions):
    index = pd.Index(["ann"], dtype="string", name="customer_id")
    return reasons_of(pd.DataFrame(FIGURES, index=index), pd.DataFrame(contributions, index=index))["ann"]


def codes(found):
    return [one.code for one in found.told]


def test_every_feature_belongs_to_one_cause():
    assert set(CAUSE_OF) == set(FEATURES.features)
    assert sum(len(cause.features) for cause in CAUSES) == len(CAUSE_OF)


def test_causes_have_a_lever_that_exists_and_codes_of_their_own():
    assert {cause.lever for cause in CAUSES} <= set(LEVERS)
    assert len({cause.code for cause in CAUSES}) == len(CAUSES)


def test_features_of_one_cause_are_one_reason_with_their_sum():
    found = reasons(days_since_last_order=0.5, order_due_mean_ratio=0.25, order_days_28d_count=-0.125)
    assert [(one.code, one.contribution, one.direction, one.lever) for one in found.told] == [
        ("no_order", 0.625, "up", "offer")
    ]
    assert found.told[0].text == "No order for 43 days; usually every 12"


def test_what_was_done_to_the_customer_comes_before_a_stronger_symptom():
    found = reasons(days_since_last_order=1.5, ticket_open_count=0.25)
    assert codes(found) == ["unresolved_tickets", "no_order"]
    assert found.told[0].text == "2 open tickets, the oldest for 9 days"
    assert found.told[0].lever == "service"


def test_an_experience_within_the_noise_waits_for_the_symptoms():
    found = reasons(days_since_last_order=1.5, ticket_open_count=NOISE_LOG_ODDS / 2)
    assert codes(found) == ["no_order", "unresolved_tickets"]


def test_a_reason_that_lowers_the_risk_reads_as_one():
    found = reasons(return_182d_count=-0.5)
    assert [(one.direction, one.text) for one in found.told] == [("down", "No item returned in the last 182 days")]


def test_what_the_figures_do_not_bear_out_is_not_told_but_summed():
    found = reasons(return_182d_count=0.75, days_since_last_order=0.25)
    assert codes(found) == ["no_order"]
    assert found.other_log_odds == 0.75


def test_a_feature_of_no_cause_is_summed_too():
    assert reasons(unheard_of=0.5, days_since_last_order=0.25).other_log_odds == 0.5


def test_a_cause_that_moves_nothing_is_no_reason():
    assert codes(reasons(days_since_last_order=0.0, ticket_open_count=0.0)) == []


@pytest.mark.parametrize("seed", range(5))
def test_reasons_and_the_rest_sum_to_all_contributions(seed):
    rng = np.random.default_rng(seed)
    index = pd.Index([f"c{number}" for number in range(20)], dtype="string", name="customer_id")
    names = list(FEATURES.features)
    features = pd.DataFrame(rng.poisson(2.0, (20, len(names))).astype("float64"), index=index, columns=names)
    contributions = pd.DataFrame(rng.normal(size=features.shape), index=index, columns=names)
    found = reasons_of(features, contributions)
    for customer_id, total in contributions.sum(axis=1).items():
        one = found[customer_id]
        assert sum(reason.contribution for reason in one.told) + one.other_log_odds == pytest.approx(total, abs=1e-9)
    np.testing.assert_allclose(cause_contributions(contributions).sum(axis=1), contributions.sum(axis=1))
