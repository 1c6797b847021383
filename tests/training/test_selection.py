"""What is shipped, and what the gate lets pass: decided customer by customer."""

from __future__ import annotations

import numpy as np

from recommender.bundle import ModelBundle, Slates
from recommender.identifiers import IdIndex
from recommender.periods import instant
from training.gate import judge
from training.selection import Judged, choose

BETTER = Judged({"ndcg": np.linspace(0.5, 0.7, 200)}, "ndcg")
WORSE = Judged({"ndcg": np.linspace(0.3, 0.5, 200)}, "ndcg")
NOISY = Judged({"ndcg": np.tile([0.0, 0.81], 100)}, "ndcg")


def a_bundle(positions: list[list[int]]) -> ModelBundle:
    places = np.array(positions, dtype=np.int32)
    slates = Slates(places, np.where(places < 0, np.nan, 1.0).astype(np.float32))
    return ModelBundle(
        as_of=instant("2024-01-01"),
        horizon_days=28,
        customers=IdIndex(["ann"]),
        items=IdIndex(["milk", "rye"]),
        slates={"all": slates, "new": slates},
        history={},
        item_slates={"similar": slates},
        lists={"popular": slates},
        models={},
    )


def test_a_model_that_is_better_for_every_customer_is_shipped():
    choice = choose("all", {"plain": WORSE, "clever": BETTER}, baseline="plain", seed=0)
    assert (choice.shipped, choice.is_baseline) == ("clever", False)
    assert choice.gains["clever"].mean > 0.19


def test_a_gain_that_may_be_luck_leaves_the_baseline():
    choice = choose("all", {"plain": WORSE, "noisy": NOISY}, baseline="plain", seed=0)
    assert choice.gains["noisy"].low < 0 < choice.gains["noisy"].high
    assert choice.shipped == "plain"


def test_a_model_of_others_is_shipped_only_where_it_beats_the_best_of_them_surely():
    single, little = BETTER, Judged({"ndcg": BETTER.values + np.tile([-0.2, 0.21], 100)}, "ndcg")
    judged = {"plain": WORSE, "single": single, "ranker": little}
    assert choose("all", judged, baseline="plain", seed=0).shipped == "ranker"
    assert choose("all", judged, baseline="plain", seed=0, combined=["ranker"]).shipped == "single"
    sure = {**judged, "ranker": Judged({"ndcg": BETTER.values + 0.05}, "ndcg")}
    assert choose("all", sure, baseline="plain", seed=0, combined=["ranker"]).shipped == "ranker"


def test_a_model_that_is_barred_is_not_chosen_however_good():
    judged = {"plain": WORSE, "clever": BETTER}
    assert choose("all", judged, baseline="plain", seed=0, barred=["clever"]).shipped == "plain"


def test_customers_without_truth_do_not_count():
    absent = Judged({"ndcg": np.full(200, np.nan)}, "ndcg")
    assert choose("all", {"plain": absent, "clever": absent}, baseline="plain", seed=0).shipped == "plain"


def test_the_first_bundle_passes_also_where_it_ships_the_baseline():
    choice = choose("all", {"plain": WORSE}, baseline="plain", seed=0)
    assert judge(a_bundle([[0, 1]]), {"all": choice}, None, seed=0).passed


def test_a_bundle_worse_than_the_served_model_is_refused_by_name():
    ours = choose("all", {"plain": WORSE, "clever": BETTER}, baseline="clever", seed=0)
    worse = type(ours)(ours.answer, "plain", "plain", ours.means, ours.gains, ours.judged)
    verdict = judge(a_bundle([[0, 1]]), {"all": worse}, {"shipped": {"all": "clever"}}, seed=0)
    assert not verdict.passed
    assert "plain is worse than the served bundle (clever) by 0.2000" in verdict.objections[0]


def test_a_served_model_that_was_not_fitted_cannot_object():
    choice = choose("all", {"plain": WORSE}, baseline="plain", seed=0)
    assert judge(a_bundle([[0, 1]]), {"all": choice}, {"shipped": {"all": "gone"}}, seed=0).passed


def test_a_broken_bundle_is_refused_even_as_the_first():
    verdict = judge(a_bundle([[0, 7]]), {}, None, seed=0)
    assert not verdict.passed
    assert "outside the catalogue" in verdict.objections[0]
