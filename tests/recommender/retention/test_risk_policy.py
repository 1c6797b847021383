"""Bands and levers."""

from __future__ import annotations

import pytest

from recommender.customer_answers import RiskReason
from recommender.retention.risk_policy import band_of, lever_of


def reason(lever: str, direction: str) -> RiskReason:
    return RiskReason("code", "text", lever, direction, 0.1)


@pytest.mark.parametrize(("probability", "band"), [(0.0, "low"), (0.2, "medium"), (0.4999, "medium"), (0.5, "high")])
def test_bands_begin_at_their_bounds(probability, band):
    assert band_of(probability) == band


def test_the_lever_is_that_of_the_strongest_reason_that_raises_the_risk():
    given = [reason("offer", "down"), reason("none", "up"), reason("service", "up"), reason("product", "up")]
    assert lever_of(given) == "service"
