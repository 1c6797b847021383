"""The page and the text of effects that are typed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from recommender.periods import instant
from recommender.retention.effect_answers import (
    NO_HOLDOUT,
    RAISES,
    TOO_FEW,
    Estimate,
    MeasuredEffects,
    TreatmentEffect,
)
from tests.training.test_html_report import Page
from training.retention.effect_report import effects_text, write_effects_page

OFFER = TreatmentEffect(
    "offer",
    RAISES,
    treated=950,
    held_out=50,
    retained_treated=0.7,
    retained_held_out=0.6,
    retention=Estimate(0.1, 0.02, 0.18),
    revenue=Estimate(4.0, -1.0, 9.0),
    detectable=0.07,
    mismatch_probability=0.4,
    contacted_treated=0.8,
    contacted_held_out=0.0,
    cost_per_customer=1.6,
    cost_per_saved=Estimate(16.0, 8.9, 80.0),
)
POINTS = TreatmentEffect(
    "points",
    TOO_FEW,
    treated=90,
    held_out=5,
    retained_treated=0.7,
    retained_held_out=0.6,
    retention=Estimate(0.1, -0.2, 0.4),
    detectable=0.3,
    mismatch_probability=0.9,
    cost_per_customer=0.0,
    notes=("few customers make most of the revenue",),
)
CONTENT = TreatmentEffect("content", NO_HOLDOUT, treated=10, held_out=0)
MEASURED = MeasuredEffects(
    "churn", 28, "retention", 0.05, instant("2024-05-01"), (OFFER, POINTS, CONTENT), {"window_not_complete": 7}
)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    write_effects_page(MEASURED, tmp_path / "made" / "effects.html")
    return Page((tmp_path / "made" / "effects.html").read_text())


def test_the_text_says_what_can_be_said_of_each_treatment():
    text = effects_text(MEASURED)
    assert "offer: keeps customers (950 treated, 50 held out)" in text
    assert "stayed: 70.0% against 60.0%, +10.0 [+2.0, +18.0] points; detectable 7.0 points" in text
    assert "revenue per customer: +4.00 [-1.00, +9.00]" in text
    assert "cost per saved customer: 16.00 [8.90, 80.00]" in text
    assert "points: too few to tell" in text
    assert "cost per saved customer: no cost is set" in text
    assert "content: not measurable: nobody is held out (10 treated, 0 held out)" in text
    assert "left out: 7 customers, suggested so late that the window is not complete" in text


def test_the_page_is_closed_in_itself_and_shows_every_treatment(page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert all(address.startswith("#") for address in page.addresses)
    assert "svg" in page.tags
    for expected in ("offer", "points", "content", "+10.0 [+2.0, +18.0]", "16.00 [8.90, 80.00]", "28 days", "5.0%",
                     "2024-05-01T00:00:00Z", "intention to treat", "few customers make most"):  # fmt: skip
        assert expected in page.text
