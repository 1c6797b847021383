"""Who is treated how, and who is held out from all treatments."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from recommender.errors import SettingError, UnknownName
from recommender.retention.causes import LEVERS
from recommender.retention.treatment_settings import policy_from, policy_of, policy_to_settings
from recommender.retention.treatments import (
    CONTENT,
    HELD_OUT,
    NO_ACTION,
    OFFER,
    POINTS,
    SERVICE_RECOVERY,
    Situation,
    TreatmentPolicy,
)

POLICY = TreatmentPolicy()
CUSTOMERS = [f"c{number}" for number in range(20_000)]
OFFERED = Situation("high", "offer", 100.0)
SITUATIONS = st.builds(
    Situation,
    band=st.sampled_from(["high", "medium", "low", None]),
    lever=st.sampled_from(LEVERS),
    expected_loss=st.none() | st.floats(0, 1e6),
    consent_marketing=st.booleans(),
    has_open_problem=st.booleans(),
)


def name_of(policy: TreatmentPolicy, situation: Situation) -> str | None:
    found = policy.suggested(situation)
    return found.name if found else None


@pytest.mark.parametrize(
    ("band", "lever", "name"),
    [
        ("high", "service", SERVICE_RECOVERY),
        ("high", "product", CONTENT),
        ("high", "offer", OFFER),
        ("high", "none", POINTS),
        ("medium", "service", SERVICE_RECOVERY),
        ("medium", "product", CONTENT),
        ("medium", "offer", POINTS),
        ("medium", "none", CONTENT),
        ("low", "offer", None),
        (None, "none", None),
    ],
)
def test_band_and_lever_name_the_treatment_and_points_come_before_a_discount(band, lever, name):
    assert name_of(POLICY, Situation(band, lever, 100.0)) == name


@pytest.mark.parametrize("lever", LEVERS)
def test_an_open_problem_puts_service_recovery_first_whatever_the_lever(lever):
    assert name_of(POLICY, Situation("high", lever, 100.0, has_open_problem=True)) == SERVICE_RECOVERY


def test_an_open_problem_is_answered_without_consent_to_marketing_too():
    troubled = Situation("medium", "offer", 100.0, consent_marketing=False, has_open_problem=True)
    assert name_of(POLICY, troubled) == SERVICE_RECOVERY


def test_without_consent_to_marketing_nothing_else_is_suggested():
    without = [Situation("high", lever, 100.0, consent_marketing=False) for lever in LEVERS]
    assert [name_of(POLICY, one) for one in without] == [None, SERVICE_RECOVERY, None, None]


COSTLY = policy_from({"ladder": {"offer": {"cost": 10.0, "saved_share": 0.5}, "points": {"cost": 4.0}}})


@pytest.mark.parametrize(
    ("loss", "name"), [(20.0, OFFER), (19.99, POINTS), (4.0, POINTS), (3.99, CONTENT), (0.0, CONTENT), (None, CONTENT)]
)
def test_a_treatment_that_costs_more_than_it_can_save_gives_way_to_a_milder_one(loss, name):
    assert name_of(COSTLY, replace(OFFERED, expected_loss=loss)) == name


def test_what_does_not_pay_never_gives_way_to_service_recovery_nor_an_open_problem_to_an_upsell():
    policy = policy_from({"ladder": {name: {"cost": 5.0} for name in (SERVICE_RECOVERY, CONTENT, POINTS, OFFER)}})
    assert policy.suggested(replace(OFFERED, expected_loss=4.0)) is None
    assert policy.suggested(replace(OFFERED, expected_loss=4.0, has_open_problem=True)) is None
    cheap_offers = policy_from({"ladder": {SERVICE_RECOVERY: {"cost": 5.0}}})
    assert cheap_offers.suggested(replace(OFFERED, expected_loss=4.0, has_open_problem=True)) is None


@given(SITUATIONS)
def test_no_situation_breaks_a_rule_of_the_ladder(situation):
    name = name_of(COSTLY, situation)
    assert situation.band in ("high", "medium") or name is None
    assert not situation.has_open_problem or name in (SERVICE_RECOVERY, None)
    assert situation.consent_marketing or name in (SERVICE_RECOVERY, None)
    cost = {OFFER: 20.0, POINTS: 4.0}.get(name or "", 0.0)
    assert cost <= (situation.expected_loss or 0.0)


def test_the_action_is_the_sentence_of_the_treatment_and_says_who_is_held_out():
    offer = POLICY.suggested(OFFERED)
    assert POLICY.action(offer, is_holdout=False) == "Make a win-back offer on what this customer used to buy"
    assert POLICY.action(None, is_holdout=False) == NO_ACTION
    assert POLICY.action(offer, is_holdout=True) == HELD_OUT


def test_the_holdout_is_the_lowest_hashes_of_experiment_and_customer():
    digest = hashlib.sha256(b"retention\0ann").hexdigest()
    share = int(digest[:16], 16) / 2**64
    assert not TreatmentPolicy(holdout_share=share * 0.999).holds_out("ann")
    assert TreatmentPolicy(holdout_share=share * 1.001).holds_out("ann")


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
@pytest.mark.parametrize("experiment", ["retention", "autumn"])
def test_the_share_held_out_is_what_chance_allows(share, experiment):
    policy = TreatmentPolicy(holdout_share=share, experiment=experiment)
    held = sum(map(policy.holds_out, CUSTOMERS))
    low, high = binom.interval(0.9999, len(CUSTOMERS), share)
    assert low <= held <= high


def test_the_holdout_is_as_large_in_every_band():
    policy = TreatmentPolicy(holdout_share=0.1)
    bands = [("low", "medium", "high")[number * number % 7 % 3] for number in range(len(CUSTOMERS))]
    for band in set(bands):
        inside = [one for one, own in zip(CUSTOMERS, bands, strict=True) if own == band]
        low, high = binom.interval(0.9999, len(inside), 0.1)
        assert low <= sum(map(policy.holds_out, inside)) <= high


@given(st.text(max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_holds_out_the_same_customers_and_more(customer_id, one, other):
    less, more = (TreatmentPolicy(holdout_share=share) for share in sorted((one, other)))
    assert less.holds_out(customer_id) <= more.holds_out(customer_id)


@given(st.text(max_size=40))
def test_nobody_is_held_out_at_a_share_of_0_and_everybody_at_1(customer_id):
    assert not TreatmentPolicy(holdout_share=0).holds_out(customer_id)
    assert TreatmentPolicy(holdout_share=1).holds_out(customer_id)


def test_another_experiment_holds_out_others():
    policies = [TreatmentPolicy(holdout_share=0.2, experiment=name) for name in ("retention", "autumn")]
    both = sum(all(one.holds_out(customer_id) for one in policies) for customer_id in CUSTOMERS)
    low, high = binom.interval(0.9999, len(CUSTOMERS), 0.04)
    assert low <= both <= high


def test_a_manifest_keeps_the_policy_with_the_order_of_its_ladder():
    policy = policy_from({"ladder": {"call": {"sentence": "Call", "cost": 3}}, "holdout_share": 0.1, "experiment": "x"})
    assert [one.name for one in policy.ladder][-1] == "call"
    assert policy_of({"treatments": policy_to_settings(policy)}) == policy
    assert policy_of({}) == TreatmentPolicy()


def test_a_configuration_renames_takes_away_and_reassigns():
    policy = policy_from(
        {
            "recovery": "callback",
            "ladder": {SERVICE_RECOVERY: False, "callback": {"sentence": "Call back"}, POINTS: False},
            "by_band": {
                "high": {"service": "callback", "none": "none"},
                "medium": {"service": "callback", "offer": CONTENT},
            },
        }
    )
    assert name_of(policy, replace(OFFERED, has_open_problem=True)) == "callback"
    assert name_of(policy, Situation("medium", "offer", 1.0)) == CONTENT
    assert name_of(policy, Situation("high", "none", 1.0)) is None
    assert name_of(policy, Situation("high", "service", 1.0, consent_marketing=False)) == "callback"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([], "treatments is []; it must be a table of keys and values"),
        ({"holdout": 0.1}, "treatments: unknown key 'holdout'; known are by_band, experiment, holdout_share, ladder,"),
        ({"holdout_share": 1.5}, "treatments: holdout_share is 1.5; it must be a number within 0 to 1"),
        ({"holdout_share": float("nan")}, "holdout_share is nan"),
        ({"holdout_share": True}, "holdout_share is True"),
        ({"experiment": ""}, "treatments: experiment is ''; give the experiment a name"),
        ({"recovery": "call"}, "there is no treatment for open problems, treatments.recovery: 'call'; there are: cont"),
        ({"ladder": {"gift": {}}}, "treatments.ladder.gift has no sentence; say what is to be done"),
        ({"ladder": {"offer": 5}}, "treatments.ladder.offer is 5; it must be a table of keys and values"),
        ({"ladder": {"offer": {"price": 5}}}, "treatments.ladder.offer: unknown key 'price'; known are cost, saved_"),
        ({"ladder": {"offer": {"cost": -1}}}, "treatment 'offer': cost is -1; it must be a number of at least 0"),
        ({"ladder": {"offer": {"cost": float("inf")}}}, "treatment 'offer': cost is inf"),
        ({"ladder": {"offer": {"saved_share": 2}}}, "treatment 'offer': saved_share is 2; it must be a number within"),
        ({"ladder": {"offer": {"sentence": " "}}}, "treatment 'offer': sentence is ' '; say what is to be done"),
        ({"ladder": {"none": {"sentence": "x"}}}, "treatments: a treatment cannot be called 'none'; choose another"),
        ({"ladder": {"points": False}}, "there is no treatment for treatments.by_band.high.none: 'points'; there are:"),
        ({"by_band": {"low": {"offer": "offer"}}}, "there is no band to treat in treatments.by_band: 'low'; there are"),
        ({"by_band": {"high": {"price": "offer"}}}, "there is no lever in treatments.by_band.high: 'price'; there are"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name_with_the_cure(settings, message):
    with pytest.raises((SettingError, UnknownName), match=re.escape(message)):
        policy_from(settings)
