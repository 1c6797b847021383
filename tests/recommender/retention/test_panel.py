import pandas as pd
import pytest

from recommender.errors import NotEnoughData
from recommender.periods import instant
from recommender.retention.panel import gather_panel, panel_cutoffs


def test_the_windows_of_all_cutoffs_end_by_the_instant():
    cutoffs = panel_cutoffs(instant("2024-07-01"), 56, instant("2023-01-01"), count=3, step_days=28)
    assert cutoffs == [instant("2024-03-11"), instant("2024-04-08"), instant("2024-05-06")]


def test_cutoffs_with_too_little_history_are_left_out():
    cutoffs = panel_cutoffs(instant("2024-07-01"), 56, instant("2024-03-12"), count=3, step_days=28)
    assert cutoffs == [instant("2024-05-06")]
    assert panel_cutoffs(instant("2024-07-01"), 56, instant("2024-06-01")) == []


def examples(cutoff):
    ids = pd.Index(["ann", "bob"] if cutoff.month > 1 else [], dtype="string", name="customer_id")
    churned = pd.Series([True, False], index=ids[::-1]) if len(ids) else pd.Series(dtype=bool)
    return pd.DataFrame({"month": float(cutoff.month)}, index=ids), churned


def test_examples_stand_under_one_another_with_their_cutoff():
    panel = gather_panel([instant("2024-01-01"), instant("2024-02-01"), instant("2024-03-01")], examples)
    assert panel.features["month"].tolist() == [2.0, 2.0, 3.0, 3.0]
    assert panel.features.index.tolist() == ["ann", "bob", "ann", "bob"]
    assert panel.churned.tolist() == [False, True, False, True]
    assert panel.cutoffs.dt.month.tolist() == [2, 2, 3, 3]


def test_a_panel_without_a_customer_is_refused():
    with pytest.raises(NotEnoughData, match="none of 1 past cutoffs has a customer"):
        gather_panel([instant("2024-01-01")], examples)
