"""A recommender that raises is left out with its reason, wherever it raises, and the others go on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.interaction_matrix import InteractionMatrix
from recommender.models import RECOMMENDERS
from recommender.models.popularity import DecayedPopularity
from tests import small_shop
from tests.training.conftest import TrainedShop
from training.pipeline import train
from training.progress import silent
from training.recommender_fitting import fit_recommenders
from training.settings import TrainingSettings, read_settings

PURCHASES = InteractionMatrix.from_pairs(["ann", "ann", "bob", "cat"], ["milk", "rye", "milk", "rye"])


class FailsToFit(DecayedPopularity):
    """Raises what no recommender should."""

    def fit(self, interactions: InteractionMatrix):
        raise KeyError("fit")


class FailsToScore(DecayedPopularity):
    """Fits, and cannot score."""

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        raise TypeError("score")


class FailsForMany(DecayedPopularity):
    """Scores a customer, but not a block of them."""

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        if len(histories.customers) > 1:
            raise RuntimeError("many")
        return super().score(histories)


@pytest.fixture(params=[FailsToFit, FailsToScore])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a registered recommender that fails."""
    monkeypatch.setitem(RECOMMENDERS, "failing", f"{__name__}:{request.param.__name__}")
    return "failing"


def small(**changes) -> TrainingSettings:
    return replace(read_settings(panel_cutoffs=1, ranking_cutoffs=2), **changes)


def test_who_cannot_be_fitted_or_cannot_score_is_left_out_with_the_reason(failing):
    fitted = fit_recommenders(PURCHASES, {}, seed=0, names=["popularity", failing, "personal_frequency"])
    assert set(fitted.alone) == {"popularity", "personal_frequency"}
    assert set(fitted.left_out) == {failing}


def test_keywords_of_the_wrong_kind_leave_the_recommender_out(monkeypatch):
    fitted = fit_recommenders(PURCHASES, {"ease": {"most_items": "abc"}}, seed=0, names=["ease"])
    assert "TypeError" in fitted.left_out["ease"]


def test_a_failing_generator_leaves_the_training_whole(failing, trained_shop: TrainedShop):
    names = {"popularity": {}, "personal_frequency": {}, "failing": {}}
    settings = small(recommenders=names, generators=tuple(names))
    training = train(trained_shop.history, settings, as_of=small_shop.END, seed=0, steps=silent)
    assert failing in training.bundle.facts["left_out"]
    assert training.bundle.facts["shipped"]["all"] in {"personal_frequency", "two_stage"}


def test_a_generator_that_fails_while_it_is_judged_leaves_itself_and_the_ranker_out(monkeypatch, trained_shop):
    monkeypatch.setitem(RECOMMENDERS, "failing", f"{__name__}:FailsForMany")
    names = {"popularity": {}, "personal_frequency": {}, "failing": {}}
    settings = small(recommenders=names, generators=tuple(names))
    training = train(trained_shop.history, settings, as_of=small_shop.END, seed=0, steps=silent)
    assert {"failing", "two_stage", "rank_blending"} <= set(training.bundle.facts["left_out"])
    assert training.bundle.facts["shipped"]["all"] == "personal_frequency"


def test_without_the_baseline_popularity_is_and_the_manifest_says_what_is_served(monkeypatch, trained_shop):
    monkeypatch.setitem(RECOMMENDERS, "personal_frequency", f"{__name__}:FailsToFit")
    settings = small(recommenders={"popularity": {}, "personal_frequency": {}}, generators=())
    training = train(trained_shop.history, settings, as_of=small_shop.END, seed=0, steps=silent)
    assert training.bundle.facts["shipped"]["all"] == "popularity"
    assert training.choices["all"].baseline == "popularity"
