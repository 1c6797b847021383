"""Bands, levers and lifecycle segments."""

from __future__ import annotations

import pandas as pd
import pytest

from recommender.answers import RiskReason
from recommender.periods import instant
from recommender.retention.risk_policy import band_of, lever_of
from recommender.retention.segments import lifecycle_segments

NOW = instant("2024-05-01")


def reason(lever: str, direction: str) -> RiskReason:
    return RiskReason("code", "text", lever, direction, 0.1)


@pytest.mark.parametrize(("probability", "band"), [(0.0, "low"), (0.2, "medium"), (0.4999, "medium"), (0.5, "high")])
def test_bands_begin_at_their_bounds(probability, band):
    assert band_of(probability) == band


def test_the_lever_is_that_of_the_strongest_reason_that_raises_the_risk():
    given = [reason("offer", "down"), reason("none", "up"), reason("service", "up"), reason("product", "up")]
    assert lever_of(given) == "service"


def test_segments_follow_from_orders():
    orders = [("new", 1, 10), ("old", 1, 90), ("often", 5, 3), ("now_and_then", 1, 200), ("now_and_then", 1, 5)]
    lines = pd.DataFrame(
        [
            {
                "customer_id": who,
                "order_id": f"{who}-{ago}-{one}",
                "ordered_at": NOW - pd.Timedelta(days=ago * (one + 1)),
            }
            for who, count, ago in orders
            for one in range(count)
        ]
    )
    lines.loc[len(lines)] = {"customer_id": "often", "order_id": "first", "ordered_at": NOW - pd.Timedelta(days=300)}
    asked = pd.Index(["new", "old", "often", "now_and_then", "nobody"], name="customer_id")
    segments = lifecycle_segments(lines, asked, NOW, activity_days=56)
    assert segments.tolist() == ["new", "lapsed", "regular", "occasional", "prospect"]
