"""Leak canaries: where the future has nothing to do with the past, no model may look good (MODELS.md 6.7)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recommender.history import History
from tests import small_shop
from tests.training.conftest import TrainedShop
from training.backtest import Answers, backtest
from training.evaluate import judge_lists
from training.pipeline import Training
from training.progress import silent

CUTOFF = small_shop.END - timedelta(days=41)
LATE = "bought-only-later"


def history_with(folder: Path, later: pd.DataFrame) -> History:
    """The small shop until the cutoff, then the lines given."""
    history = History.create(folder, buckets=2)
    for name, frame in small_shop.valid_tables().items():
        if name == "order_lines":
            known = frame[frame["ordered_at"] < CUTOFF]
            history.add(name, pd.concat([known, later.astype(known.dtypes)], ignore_index=True))
        else:
            history.add(name, frame)
    return history


def later_lines() -> pd.DataFrame:
    lines = small_shop.valid_tables()["order_lines"]
    return lines[lines["ordered_at"] >= CUTOFF]


def answered(folder: Path, later: pd.DataFrame, shop: TrainedShop) -> tuple[History, Training, Answers]:
    history = history_with(folder, later)
    return history, *backtest(history, shop.settings, cutoff=CUTOFF, k=10, seed=0, steps=silent)


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory, trained_shop: TrainedShop) -> dict:
    """Figures of all lists where the items bought after the cutoff were dealt out anew among all customers."""
    later = later_lines()
    items = np.random.default_rng(5).permutation(later["item_id"].to_numpy(dtype=object))
    history, training, _ = answered(tmp_path_factory.mktemp("shuffled"), later.assign(item_id=items), trained_shop)
    return judge_lists(history, training, k=10, seed=0)


@pytest.mark.parametrize("slate", ["all", "new"])
def test_with_shuffled_futures_every_model_is_at_the_level_of_popularity(shuffled, slate):
    gains = shuffled[slate]["gains_over_popularity"]
    assert gains
    # The staple of a customer gains 0.3 where the future is the customer's own; dealt out by chance nothing does.
    assert {name: one["mean"] for name, one in gains.items() if one["mean"] > 0.03} == {}
    assert shuffled[slate]["shipped"]["ndcg"]["mean"] <= shuffled[slate]["models"]["popularity"]["ndcg"]["mean"] + 0.03


def test_an_item_bought_only_after_the_cutoff_is_in_no_list_and_no_feature(tmp_path, trained_shop: TrainedShop):
    later = later_lines()
    later = later.assign(item_id=later["item_id"].where(np.arange(len(later)) % 2 == 0, LATE))
    _, training, answers = answered(tmp_path / "with", later, trained_shop)
    assert LATE not in training.bundle.items
    assert LATE not in set(answers.recommendations["item_id"])
    _, _, without = answered(tmp_path / "without", later.head(0), trained_shop)
    for name in ("recommendations", "churn", "value", "features"):
        pd.testing.assert_frame_equal(getattr(answers, name), getattr(without, name))
