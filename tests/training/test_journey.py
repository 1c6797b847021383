"""The whole path on Complete Journey: the figures that are promised, and that later rows change no byte."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.public_data import public_data
from tests.training.test_train_commands import done

pytestmark = pytest.mark.slow

CUTOFF = "2017-12-04"
CHURN_CUTOFFS = ("2017-08-14", "2017-09-11", "2017-10-09", "2017-11-06")
HAPPENED = {
    "order_lines": "ordered_at",
    "assignments": "assigned_at",
    "redemptions": "redeemed_at",
    "offers": "starts_at",
}


@pytest.fixture(scope="module")
def journey(tmp_path_factory) -> Path:
    """Complete Journey as a folder of tables."""
    home = tmp_path_factory.mktemp("journey")
    done(home, "import", "completejourney", str(public_data("completejourney")), "--out", str(home / "tables"))
    return home / "tables"


def backtested(home: Path, folder: Path, cutoff: str, horizon_days: int, *options: str) -> Path:
    out = home / f"out-{cutoff}"
    done(
        home,
        "backtest",
        str(folder),
        "--cutoff",
        cutoff,
        "--horizon-days",
        str(horizon_days),
        "--out",
        str(out),
        *options,
    )
    return out


def test_lists_are_as_good_as_decayed_frequency_and_later_rows_change_no_byte(journey, tmp_path):
    whole = backtested(tmp_path / "whole", journey, CUTOFF, 28)
    judged = json.loads((whole / "metrics.json").read_text())["recommendations"]["all"]
    assert judged["shipped"]["ndcg"]["mean"] >= judged["models"]["personal_frequency"]["ndcg"]["mean"] >= 0.41

    earlier = tmp_path / "tables"
    earlier.mkdir()
    for path in journey.glob("*.parquet"):
        frame = pd.read_parquet(path)
        if path.stem in HAPPENED:
            begins = frame[HAPPENED[path.stem]]
            frame = frame[(begins < pd.Timestamp(CUTOFF, tz="UTC")) | begins.isna()]
        frame.to_parquet(earlier / path.name)
    cut = backtested(tmp_path / "cut", earlier, CUTOFF, 28)
    for path in whole.glob("*.parquet"):
        assert (cut / path.name).read_bytes() == path.read_bytes(), path.name


def test_who_stops_ordering_is_told_with_an_area_of_85_hundredths_over_four_cutoffs(journey, tmp_path):
    quick = tmp_path / "quick.toml"
    quick.write_text("[recommenders.popularity]\n[recommenders.personal_frequency]\n")
    areas = []
    for cutoff in CHURN_CUTOFFS:
        out = backtested(tmp_path / cutoff, journey, cutoff, 56, "--config", str(quick))
        churn = json.loads((out / "metrics.json").read_text())["churn"]
        assert 2_200 < churn["customers"] < 2_230
        areas.append(churn["shipped"]["auc"]["mean"])
    assert np.mean(areas) >= 0.85, areas
