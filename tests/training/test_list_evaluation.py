"""Figures of lists: targets, slices and variety, on lists whose answers are known by counting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender import metrics
from recommender.interaction_matrix import FeatureMatrix
from recommender.splits import Split
from tests.recommender.histories import CUTOFF, event_frame, matrix_of
from training.evaluate import judge_lists
from training.list_evaluation import (
    Customers,
    calibration,
    category_codes,
    evaluate_lists,
    with_shipped,
    without_model,
)

# Items in this order: milk, rice, soap, tea. Milk is bought by all, soap by bob alone, tea by nobody.
PAST = (
    ("ann", "milk", 40, "order"),
    ("ann", "milk", 30, "order"),
    ("ann", "milk", 20, "order"),
    ("ann", "rice", 10, "order"),
    ("bob", "milk", 40, "order"),
    ("bob", "soap", 3, "order"),
    ("cat", "milk", 40, "order"),
)
FUTURE = (
    ("ann", "milk", -0.5, "order"),
    ("ann", "tea", -3, "order"),
    ("bob", "rice", -1, "order"),
    ("bob", "soap", -2, "order"),
)
HISTORY = matrix_of(*PAST, items="milk rice soap tea")
TRUTH = Split(CUTOFF, 7).truth(event_frame(*PAST, *FUTURE), HISTORY)
CUSTOMERS = Customers.of(HISTORY)
POPULAR = np.array([[0, 1], [0, 1], [0, 1]])
PERSONAL = np.array([[0, 3], [2, 0], [0, 1]])
LISTS = {slate: {"popularity": POPULAR, "own": PERSONAL} for slate in ("all", "new")}
BASELINES = {"all": "popularity", "new": "popularity"}
FIGURES = evaluate_lists(LISTS, TRUTH, CUSTOMERS, baselines=BASELINES, seed=0)


def test_the_window_and_the_next_basket_are_two_targets():
    own = FIGURES["all"]["models"]["own"]
    assert own["recall"]["mean"] == pytest.approx((1.0 + 0.5) / 2)
    assert own["recall"]["customers"] == 2
    basket = FIGURES["all"]["next_basket"]["models"]["own"]
    # ann's first day has milk, bob's rice
    assert basket["recall"]["mean"] == pytest.approx(0.5)


def test_gains_are_those_of_the_same_customers():
    own, popular = (metrics.ndcg(FIGURES_LISTS, TRUTH.all) for FIGURES_LISTS in (PERSONAL, POPULAR))
    gain = FIGURES["all"]["gains_over_baseline"]["own"]
    assert gain["mean"] == pytest.approx(np.nanmean(own - popular))
    assert "popularity" not in FIGURES["all"]["gains_over_baseline"]


def test_slices_by_item_hold_only_what_belongs_to_them():
    slices = FIGURES["all"]["slices"]
    recalls = {name: one["models"]["own"]["recall"] for name, one in slices.items()}
    assert recalls["repeat items"]["mean"] == 1.0
    # of the new items, ann finds her tea and bob not his rice
    assert recalls["new items"]["mean"] == 0.5
    # cold are soap (met 3 days before) and tea (never met)
    assert (recalls["cold items"]["mean"], recalls["cold items"]["customers"]) == (1.0, 2)
    assert set(FIGURES["new"]["slices"]) == {
        "cold items",
        "light customers",
        "heavy customers",
        "customers with few baskets",
    }


def test_light_customers_have_at_most_the_median_of_purchases_and_few_baskets_are_two_days():
    slices = CUSTOMERS.slices()
    assert slices["light customers"].tolist() == [False, True, True]
    assert slices["heavy customers"].tolist() == [True, False, False]
    assert slices["customers with few baskets"].tolist() == [False, True, True]


def test_without_orders_what_speaks_for_an_item_counts_as_a_purchase():
    views = matrix_of(("ann", "milk", 5, "view"), ("ann", "soap", 5, "view"), ("bob", "milk", 4, "dislike"))
    assert Customers.of(views).activity.tolist() == [2, 0]
    assert Customers.of(views).basket_days.tolist() == [1, 0]


def test_variety_tells_how_popular_and_how_alike_the_lists_are():
    own, popular = (FIGURES["all"]["models"][name] for name in ("own", "popularity"))
    assert popular["overlap"]["mean"] == 1.0
    # ann's milk is in two other lists, her tea in none; so on for bob and cat
    assert own["overlap"]["mean"] == pytest.approx((0.5 + 0.5 + 0.5) / 3)
    assert popular["coverage"] == 0.5
    assert own["coverage"] == 1.0
    # milk has 3 of 5 buyers and is the whole short head
    assert popular["head_share"]["mean"] == 0.5
    assert own["head_share"]["mean"] == 0.5
    assert popular["popularity_percentile"]["mean"] == pytest.approx((3.5 + 2.0) / 2 / 4)
    assert np.isnan(own["diversity"]["mean"])


def test_histories_overlap_by_what_customers_have_in_common():
    # all share milk with the two others; rice and soap are ann's and bob's alone
    assert FIGURES["all"]["histories"]["overlap"] == pytest.approx((0.5 + 0.5 + 1.0) / 3)
    assert (FIGURES["all"]["items"], FIGURES["all"]["places"]) == (4, 2)


def test_what_is_shipped_stands_beside_the_models_and_in_every_slice():
    named = with_shipped(FIGURES["all"], "own")
    assert named["shipped"] == named["models"]["own"]
    assert named["next_basket"]["shipped"] == named["next_basket"]["models"]["own"]
    assert named["slices"]["new items"]["recall"]["mean"] == 0.5
    assert named["shipped_gains_over_baseline"] == named["gains_over_baseline"]["own"]
    less = without_model(named, "own")
    assert list(less["models"]) == ["popularity"]
    assert less["shipped"] == named["shipped"]
    assert all(list(one["models"]) == ["popularity"] for one in less["next_basket"]["slices"].values())


def test_an_item_has_the_code_of_its_second_level_else_of_its_first():
    names = ("brand=x", "category_1=food", "category_2=food > fish", "category_3=food > fish > cod")
    values = np.array([[1, 1, 1, 1], [0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0]], dtype=np.float32)
    matrix = with_features(names, values)
    assert category_codes(matrix).tolist() == [2, 1, -1, 2]
    assert category_codes(HISTORY).tolist() == [-1] * 4


def with_features(names, values):
    return replace(HISTORY, item_features=FeatureMatrix(names, sparse.csr_matrix(values)))


def test_calibration_bins_count_places_and_empty_ones_nowhere():
    positions = np.array([[0, 3], [2, -1], [-1, -1]])
    scores = np.array([[0.9, 0.2], [0.6, np.nan], [np.nan, np.nan]])
    bins = calibration(positions, scores, TRUTH.all)
    assert [one["count"] for one in bins] == [1.0, 1.0, 1.0]
    assert [one["predicted"] for one in bins] == pytest.approx([0.2, 0.6, 0.9])
    assert [one["happened"] for one in bins] == [1.0, 1.0, 1.0]
    assert calibration(np.array([[-1]]), np.array([[np.nan]]), TRUTH.all[:1]) == []


@st.composite
def some_lists(draw):
    rows = [draw(st.permutations(range(4)))[:2] for _ in range(3)]
    return np.array(rows)


@given(some_lists())
@settings(max_examples=25, deadline=None)
def test_every_share_lies_between_0_and_1_and_the_baseline_gains_nothing_on_itself(positions):
    lists = {slate: {"popularity": positions, "own": positions} for slate in ("all", "new")}
    figures = evaluate_lists(lists, TRUTH, CUSTOMERS, baselines=BASELINES, seed=0)["all"]
    own = figures["models"]["own"]
    shares = [own[name]["mean"] for name in ("ndcg", "recall", "precision", "hit", "mrr", "overlap", "head_share")]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert figures["gains_over_baseline"]["own"]["mean"] == 0.0
    for part in figures["slices"].values():
        assert part["models"]["own"]["gain_over_baseline"]["mean"] in (0.0, pytest.approx(float("nan"), nan_ok=True))


@pytest.mark.parametrize(("told", "slates"), [(True, {"all", "new"}), ({"new": True}, {"new"}), (False, set())])
def test_scores_are_calibrated_where_the_bundle_says_that_they_are_probabilities(trained_shop, told, slates):
    training = trained_shop.training
    bundle = replace(training.bundle, facts={**training.bundle.facts, "score_is_probability": told})
    judged = judge_lists(trained_shop.history, replace(training, bundle=bundle), k=5, seed=0)
    assert {slate for slate in ("all", "new") if "calibration" in judged[slate]} == slates
