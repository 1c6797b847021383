"""The quality panel: its figures by hand, and its tables and plots on a page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recommender.periods import instant
from training.html_report import html_report
from training.retention.quality import JudgedWindow, deciles, quality
from training.retention.quality_report import quality_blocks, quality_sentences

TEN = [f"c{place}" for place in range(10)]


def series(values, index=None):
    return pd.Series(values, index=index or TEN)


def window(cutoff="2024-03-01", *, left=(1, 1, 0, 0, 0, 0, 0, 0, 0, 0), **probabilities):
    ours = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    said = {"churn": ours, "recency": ours[::-1], **probabilities}
    return JudgedWindow(
        instant(cutoff),
        series([bool(one) for one in left]),
        {name: series(values) for name, values in said.items()},
        series(["new"] * 10),
        series([100.0, *[1.0] * 9]),
    )


def test_tenths_go_from_the_highest_probability_down_and_lift_is_the_share_over_that_of_all():
    found = deciles(np.array([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), np.arange(10, 0, -1) / 10)
    assert [one["left"] for one in found[:4]] == [1.0, 0.0, 1.0, 0.0]
    assert [one["lift"] for one in found[:4]] == [5.0, 0.0, 5.0, 0.0]
    assert [one["predicted"] for one in found[:2]] == [1.0, 0.9]


def test_a_perfect_order_has_an_area_of_1_and_its_reverse_loses_by_1():
    panel = quality([window()], "churn", seed=0)
    assert panel["models"]["churn"]["auc"]["mean"] == 1.0
    assert panel["models"]["recency"]["auc"]["mean"] == 0.0
    assert panel["auc_gains"]["recency"]["mean"] == 1.0
    assert panel["windows"][0]["base_rate"] == 0.2


def test_figures_of_several_cutoffs_are_means_over_them():
    reversed_order = window("2024-02-01", left=(0, 0, 0, 0, 0, 0, 0, 0, 1, 1))
    panel = quality([window(), reversed_order], "churn", seed=0)
    assert [one["models"]["churn"]["auc"]["mean"] for one in panel["windows"]] == [1.0, 0.0]
    assert panel["models"]["churn"]["auc"]["mean"] == 0.5
    assert panel["auc_gains"]["recency"]["mean"] == 0.0
    assert sum(one["customers"] for one in panel["deciles"]) == 20


def test_value_capture_is_the_part_of_the_lost_spend_with_the_tenth_of_the_highest_expected_loss():
    # c0 is the tenth: 100 of the 101 that those who left had paid.
    assert quality([window()], "churn", seed=0)["value_capture"]["mean"] == pytest.approx(100 / 101)


def test_where_nobody_left_the_panel_has_no_order_to_judge_but_stands():
    panel = quality([window(left=[0] * 10)], "churn", seed=0)
    assert np.isnan(panel["models"]["churn"]["auc"]["mean"])
    assert panel["cumulative_gains"] == []


def test_segments_of_few_customers_are_not_told():
    assert quality([window()], "churn", seed=0)["segments"] == {}
    many = [f"c{place}" for place in range(60)]
    wide = replace(
        window(),
        left=series([True, False] * 30, many),
        probabilities={"churn": series([0.9, 0.1] * 30, many)},
        segments=series(["new"] * 60, many),
        at_stake=series([1.0] * 60, many),
    )
    found = quality([wide], "churn", seed=0)["segments"]["new"]
    assert (found["customers"], found["base_rate"], found["auc"]["mean"]) == (60, 0.5, 1.0)


def test_the_page_names_every_model_and_draws_calibration_gains_and_stability():
    panel = quality([window(), window("2024-02-01")], "churn", seed=0)
    blocks = list(quality_blocks(panel, "q"))
    drawn = [one.drawing for one in blocks if hasattr(one, "drawing")]
    assert len(drawn) == 3
    assert all("<svg" in str(one) for one in drawn)
    labels = {row.label for one in blocks if hasattr(one, "rows") for row in one.rows}
    assert {"churn", "recency", "2024-03-01", "2024-02-01"} <= labels
    assert "2 past cutoffs (2024-02-01, 2024-03-01)" in next(iter(quality_sentences(panel)))


def test_a_training_keeps_the_panel_of_the_windows_that_chose_the_model(trained_shop):
    churn = trained_shop.training.bundle.facts["churn"]
    panel, choice = churn["quality"], trained_shop.training.churn.choice
    assert panel["shipped"] == choice.shipped
    assert set(panel["models"]) == {*choice.means, "recency"}
    assert "past cutoffs" in html_report(trained_shop.artifacts.load().facts)
