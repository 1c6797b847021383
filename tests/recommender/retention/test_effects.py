"""What is said of the effect of a treatment, and when nothing is claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from recommender.periods import instant
from recommender.randomness import rng_for
from recommender.retention.effect_answers import (
    ALL_HELD_OUT,
    LOWERS,
    MISMATCH,
    NO_HOLDOUT,
    NO_UNITS,
    NOTHING_SEEN,
    RAISES,
    TOO_FEW,
    VERDICTS,
    Estimate,
    MeasuredEffects,
)
from recommender.retention.effects import Units, cost_per_saved, measured_effect


def units(treated: tuple[int, int], held_out: tuple[int, int], *, cost: float = 2.0) -> Units:
    """Groups of ``(retained, customers)``; who stays pays 10, as all did before."""
    held = np.repeat([False, True], [treated[1], held_out[1]])
    retained = np.concatenate([np.arange(size) < stayed for stayed, size in (treated, held_out)])
    return Units(held, retained, 10.0 * retained, np.full(len(held), 10.0), np.full(len(held), cost))


def test_a_known_effect_is_told_with_its_interval_and_what_a_saved_customer_cost():
    effect = measured_effect("offer", units((700, 1000), (600, 1000)), holdout_share=0.5)
    assert (effect.verdict, effect.treated, effect.held_out) == (RAISES, 1000, 1000)
    assert (effect.retained_treated, effect.retained_held_out) == (0.7, 0.6)
    assert effect.retention.value == pytest.approx(0.1)
    assert effect.revenue.value == pytest.approx(1.0)
    assert effect.cost_per_customer == 2.0
    # 2 for each of ten, one of whom was saved.
    assert effect.cost_per_saved.value == pytest.approx(20.0)
    assert effect.cost_per_saved.low == pytest.approx(2.0 / effect.retention.high)
    assert effect.cost_per_saved.high == pytest.approx(2.0 / effect.retention.low)


@pytest.mark.parametrize(
    ("treated", "held_out", "share", "verdict"),
    [
        ((600, 1000), (700, 1000), 0.5, LOWERS),
        ((60, 100), (50, 100), 0.5, TOO_FEW),
        ((5, 5), (0, 5), 0.5, TOO_FEW),
        ((30_000, 60_000), (30_000, 60_000), 0.5, NOTHING_SEEN),
        ((700, 1000), (600, 1000), 0.05, MISMATCH),
        ((0, 100), (0, 100), 0.5, TOO_FEW),
        ((100, 100), (100, 100), 0.5, TOO_FEW),
    ],
)
def test_nothing_is_claimed_that_the_groups_do_not_show(treated, held_out, share, verdict):
    effect = measured_effect("offer", units(treated, held_out), holdout_share=share)
    assert effect.verdict == verdict
    assert effect.cost_per_saved is None
    assert effect.detectable > 0


@pytest.mark.parametrize(
    ("treated", "held_out", "share", "verdict"),
    [
        ((0, 0), (0, 0), 0.05, NO_UNITS),
        ((8, 10), (0, 0), 0.0, NO_HOLDOUT),
        ((0, 0), (8, 10), 1.0, ALL_HELD_OUT),
    ],
)
def test_without_two_groups_the_effect_is_not_measurable(treated, held_out, share, verdict):
    effect = measured_effect("offer", units(treated, held_out), holdout_share=share)
    assert (effect.verdict, effect.retention, effect.revenue) == (verdict, None, None)
    assert "nobody" in effect.verdict_text or "not measurable" in effect.verdict_text


def test_a_cost_per_saved_customer_is_not_measurable_where_the_effect_may_be_none():
    assert cost_per_saved(2.0, Estimate(0.1, -0.01, 0.2)) is None
    assert cost_per_saved(2.0, Estimate(0.1, 0.0, 0.2)) is None
    assert cost_per_saved(0.0, Estimate(0.1, 0.05, 0.2)) is None
    assert cost_per_saved(2.0, Estimate(0.1, 0.05, 0.2)) == Estimate(20.0, 10.0, 40.0)


def test_only_who_was_contacted_cost_something_and_contacts_of_the_holdout_are_told():
    given = units((700, 1000), (600, 1000))
    contacted = np.where(given.held_out, np.arange(2000) % 20 == 0, np.arange(2000) % 2 == 0)
    effect = measured_effect("offer", replace(given, contacted=contacted), holdout_share=0.5)
    assert (effect.contacted_treated, effect.contacted_held_out) == (0.5, 0.05)
    assert effect.cost_per_customer == 1.0
    assert effect.notes[0] == "5.0% of those held out were contacted all the same: the effect is diluted"


def test_a_heavy_tail_of_spend_is_told_and_makes_no_effect_of_retention():
    given = units((600, 1000), (600, 1000))
    spent = np.where(np.arange(2000) == 3, 1e6, given.revenue)
    effect = measured_effect("offer", replace(given, revenue=spent), holdout_share=0.5)
    assert effect.retention.value == 0
    assert effect.notes[0].startswith("few customers make most of the revenue")
    assert not effect.revenue.excludes_zero


def test_a_treatment_without_effect_is_hardly_ever_said_to_have_one():
    rng, draws, claims = rng_for(5, "no effect"), 400, 0
    for _ in range(draws):
        held = rng.random(3_000) < 0.1
        given = units((0, 0), (0, 0))
        given = replace(
            given,
            held_out=held,
            retained=rng.random(3_000) < 0.7,
            revenue=rng.gamma(2.0, 10.0, 3_000),
            revenue_before=rng.gamma(2.0, 10.0, 3_000),
            costs=np.ones(3_000),
        )
        claims += measured_effect("offer", given, holdout_share=0.1).verdict in (RAISES, LOWERS)
    assert claims <= binom.ppf(0.999, draws, 0.05)


def test_effects_come_back_from_text_as_they_were():
    effect = measured_effect("offer", units((700, 1000), (600, 1000)), holdout_share=0.5)
    empty = measured_effect("points", units((0, 0), (0, 0)), holdout_share=0.5)
    told = MeasuredEffects("churn", 28, "retention", 0.5, instant("2024-05-01"), (effect, empty), {"x": 3})
    assert MeasuredEffects.from_json(told.to_json()) == told
    assert {effect.verdict, empty.verdict} <= set(VERDICTS)
