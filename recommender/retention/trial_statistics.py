"""Two groups of a random draw compared: differences with intervals, what can be seen, whether the draw is sound."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2, norm, skew, t

from recommender.retention.effect_answers import Estimate

CONFIDENCE = 0.95
POWER = 0.8
# Units for a mean to be normal enough, times the squared skewness (Kohavi et al. 2014, rule 7).
UNITS_PER_SQUARED_SKEWNESS = 355.0


def difference_of_shares(first: int, of_first: int, second: int, of_second: int) -> Estimate:
    """``first / of_first - second / of_second`` with Newcombe's hybrid score interval (1998, method 10)."""
    shares = first / of_first, second / of_second
    (low_one, high_one), (low_other, high_other) = _wilson(first, of_first), _wilson(second, of_second)
    difference = shares[0] - shares[1]
    below = np.hypot(shares[0] - low_one, high_other - shares[1])
    above = np.hypot(high_one - shares[0], shares[1] - low_other)
    return Estimate(difference, float(difference - below), float(difference + above))


def _wilson(count: int, of: int) -> tuple[float, float]:
    z = norm.ppf(0.5 + CONFIDENCE / 2)
    middle, spread = count + z**2 / 2, z * np.sqrt(count * (of - count) / of + z**2 / 4)
    return float((middle - spread) / (of + z**2)), float((middle + spread) / (of + z**2))


def difference_of_means(values: np.ndarray, before: np.ndarray, held_out: np.ndarray) -> Estimate | None:
    """Mean of those treated less of those held out, adjusted for the same figure before (CUPED, Deng et al. 2013).

    The interval is Welch's. None where a group has fewer than two customers.
    """
    if min(held_out.sum(), (~held_out).sum()) < 2:
        return None
    adjusted = _adjusted(values, before, held_out)
    groups = adjusted[~held_out], adjusted[held_out]
    parts = [group.var(ddof=1) / len(group) for group in groups]
    difference, variance = float(groups[0].mean() - groups[1].mean()), sum(parts)
    if variance == 0:
        return Estimate(difference, difference, difference)
    freedom = variance**2 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
    margin = float(t.ppf(0.5 + CONFIDENCE / 2, freedom) * np.sqrt(variance))
    return Estimate(difference, difference - margin, difference + margin)


def _adjusted(values: np.ndarray, before: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """The values less what the covariate explains within the groups."""
    values, before = values.astype("float64"), before.astype("float64")
    within = [values.copy(), before.copy()]
    for one in within:
        for group in (held_out, ~held_out):
            one[group] -= one[group].mean()
    spread = float(within[1] @ within[1])
    slope = float(within[0] @ within[1]) / spread if spread > 0 else 0.0
    return np.asarray(values - slope * (before - before.mean()))


def detectable_difference(held_out_retained: int, treated: int, held_out: int) -> float:
    """The smallest difference of shares that groups of these sizes show at the 5 % level with a power of 80 %."""
    # One more of each kind: a group in which all stayed does not mean that nobody can leave.
    share = (held_out_retained + 1) / (held_out + 2)
    distance = norm.ppf(0.5 + CONFIDENCE / 2) + norm.ppf(POWER)
    return float(distance * np.sqrt(share * (1 - share) * (1 / treated + 1 / held_out)))


def mismatch_probability(held_out: int, units: int, holdout_share: float) -> float:
    """How often a draw with the share splits the units at least so unevenly: the chi-square test of one share."""
    expected = units * holdout_share
    if not 0 < expected < units:
        return 1.0 if held_out == expected else 0.0
    statistic = (held_out - expected) ** 2 / expected + (held_out - expected) ** 2 / (units - expected)
    return float(chi2.sf(statistic, 1))


def units_for_a_normal_mean(values: np.ndarray, before: np.ndarray, held_out: np.ndarray) -> float:
    """How many units each group needs before the interval of ``difference_of_means`` can be trusted.

    355 times the squared skewness of the adjusted values (Kohavi et al. 2014, "Seven rules of thumb", rule 7).
    """
    adjusted = _adjusted(values, before, held_out)
    is_constant = np.ptp(adjusted) <= 1e-9 * np.abs(adjusted).max(initial=0.0)
    return 0.0 if is_constant else UNITS_PER_SQUARED_SKEWNESS * float(skew(adjusted)) ** 2
