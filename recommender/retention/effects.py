"""What a treatment brought: those who were to be treated against those held out at random, with intervals.

Intention to treat: a customer counts in the group that was drawn, whether or not anybody acted, because who is
reached is no longer random. One customer is one unit, at the first scoring that suggested the treatment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.retention.effect_answers import (
    ALL_HELD_OUT,
    LOWERS,
    MISMATCH,
    NO_HOLDOUT,
    NO_UNITS,
    NOTHING_SEEN,
    RAISES,
    TOO_FEW,
    Estimate,
    TreatmentEffect,
)
from recommender.retention.trial_statistics import (
    detectable_difference,
    difference_of_means,
    difference_of_shares,
    mismatch_probability,
    units_for_a_normal_mean,
)

# Smaller groups say nothing, whatever their numbers.
LEAST_UNITS = 10
# An effect on retention that a company would want to see; a sample that cannot show it is too small to say "none".
WORTHWHILE = 0.02
# False alarms of a sound draw must be rare (Fabijan et al. 2019).
MISMATCH_BELOW = 0.001


@dataclass(frozen=True)
class Units:
    """One entry per customer that a treatment was meant for.

    ``held_out``, ``retained`` and ``contacted`` are booleans; ``revenue`` less returns within the horizon after,
    ``revenue_before`` within as long before, ``costs`` of treating each, in the account currency. ``contacted`` None:
    no contact names the treatment, and every treated customer is taken to have been.
    """

    held_out: np.ndarray
    retained: np.ndarray
    revenue: np.ndarray
    revenue_before: np.ndarray
    costs: np.ndarray
    contacted: np.ndarray | None = None


def measured_effect(treatment: str, units: Units, *, holdout_share: float) -> TreatmentEffect:
    """The effect of a treatment on the units that it was meant for, each held out with the probability of the share."""
    held = units.held_out.astype(bool)
    treated_count, held_count = int((~held).sum()), int(held.sum())
    if not treated_count or not held_count:
        verdict = NO_UNITS if not len(held) else ALL_HELD_OUT if held_count else NO_HOLDOUT
        return TreatmentEffect(treatment, verdict, treated_count, held_count)
    stayed = [int(units.retained[one].sum()) for one in (~held, held)]
    retention = difference_of_shares(stayed[0], treated_count, stayed[1], held_count)
    detectable = detectable_difference(stayed[1], treated_count, held_count)
    mismatch = mismatch_probability(held_count, treated_count + held_count, holdout_share)
    verdict = _verdict(retention, detectable, mismatch, min(treated_count, held_count))
    contacted = [_share(units.contacted, one) for one in (~held, held)]
    cost = _cost_per_customer(units, ~held)
    return TreatmentEffect(
        treatment,
        verdict,
        treated_count,
        held_count,
        retained_treated=stayed[0] / treated_count,
        retained_held_out=stayed[1] / held_count,
        retention=retention,
        revenue=difference_of_means(units.revenue, units.revenue_before, held),
        detectable=detectable,
        mismatch_probability=mismatch,
        contacted_treated=contacted[0],
        contacted_held_out=contacted[1],
        cost_per_customer=cost,
        cost_per_saved=cost_per_saved(cost, retention) if verdict == RAISES else None,
        notes=tuple(_notes(units, held, contacted[1])),
    )


def cost_per_saved(cost_per_customer: float, retention: Estimate) -> Estimate | None:
    """What it cost to keep one customer who would have left.

    None where nothing was spent, or where the interval of the effect includes 0: then it may have kept nobody.
    """
    if cost_per_customer <= 0 or retention.low <= 0:
        return None
    return Estimate(*(cost_per_customer / one for one in (retention.value, retention.high, retention.low)))


def _verdict(retention: Estimate, detectable: float, mismatch: float, fewest: int) -> str:
    if mismatch < MISMATCH_BELOW:
        return MISMATCH
    if fewest < LEAST_UNITS:
        return TOO_FEW
    if retention.excludes_zero:
        return RAISES if retention.value > 0 else LOWERS
    return TOO_FEW if detectable > WORTHWHILE else NOTHING_SEEN


def _cost_per_customer(units: Units, treated: np.ndarray) -> float:
    """Mean cost of the treated: of those who were contacted, where contacts tell."""
    reached = 1.0 if units.contacted is None else units.contacted[treated]
    return float(np.mean(units.costs[treated] * reached))


def _notes(units: Units, held_out: np.ndarray, contacted_held_out: float | None) -> list[str]:
    notes = []
    if contacted_held_out:
        notes.append(f"{contacted_held_out:.1%} of those held out were contacted all the same: the effect is diluted")
    needed = units_for_a_normal_mean(units.revenue, units.revenue_before, held_out)
    fewest = int(min(held_out.sum(), (~held_out).sum()))
    if fewest < needed:
        notes.append(
            f"few customers make most of the revenue: its interval is sure only from {needed:,.0f} customers in each "
            f"group on; the smaller one has {fewest:,}"
        )
    return notes


def _share(flags: np.ndarray | None, chosen: np.ndarray) -> float | None:
    return None if flags is None else float(flags[chosen].mean())
