from typing import Any

import numpy as np
import pytest

from recommender.interaction_matrix import InteractionMatrix
from recommender.models import baskets
from recommender.models.neighbour_baskets import NeighbourBaskets
from tests.recommender.histories import matrix_of, strangers

EVENTS = matrix_of(
    ("ann", "milk", 5, "order"),
    ("ann", "rice", 3, "order"),
    ("ann", "milk", 1, "order"),
    ("bob", "milk", 4, "order"),
    ("bob", "soap", 2, "order"),
    ("cat", "glue", 1, "order"),
    items="glue milk rice soap",
)
# Baskets backwards from the last, in groups of two: the last group of ann holds milk (1) and rice (0.8), each over 2,
# the one before holds milk over 1; over two groups, of which the older counts half.
ANN = np.array([0, (1 / 2 + 0.5) / 2, 0.8 / 2 / 2, 0])
BOB = np.array([0, 0.8 / 2, 0, 1 / 2])


def model(**keywords: Any) -> NeighbourBaskets:
    published = {"tau_days": np.inf, "group_size": 2, "basket_decay": 0.8, "group_decay": 0.5, "mean_power": 1}
    return NeighbourBaskets(**published | keywords)


def known(expected: np.ndarray) -> np.ndarray:
    return np.where(expected > 0, expected, np.nan)


def test_the_own_vector_decays_within_and_between_groups():
    scores = model(own_share=1).fit(EVENTS).score(EVENTS)
    np.testing.assert_allclose(scores[0], known(ANN), rtol=1e-6)
    np.testing.assert_allclose(scores[1], known(BOB), rtol=1e-6)


def test_baskets_are_summed_by_their_age_unless_told_otherwise():
    scores = NeighbourBaskets(own_share=1, tau_days=10).fit(EVENTS).score(EVENTS)
    np.testing.assert_allclose(scores[0], known(np.array([0, np.exp(-0.1) + np.exp(-0.5), np.exp(-0.3), 0])), rtol=1e-6)


def test_own_and_neighbours_are_blended_and_who_shares_nothing_is_no_neighbour():
    scores = model(own_share=0.3).fit(EVENTS).score(EVENTS)
    np.testing.assert_allclose(scores[0], known(0.3 * ANN + 0.7 * BOB), rtol=1e-6)
    np.testing.assert_allclose(scores[1], known(0.3 * BOB + 0.7 * ANN), rtol=1e-6)
    np.testing.assert_allclose(scores[2], [0.3, np.nan, np.nan, np.nan], rtol=1e-6)


def test_with_no_own_share_only_the_neighbours_speak():
    scores = model(own_share=0).fit(EVENTS).score(EVENTS)
    np.testing.assert_allclose(scores[0], known(BOB), rtol=1e-6)


def test_only_the_nearest_customers_count():
    orders = InteractionMatrix.from_pairs(
        ["ann", "ann", "bob", "bob", "bob", "cat", "cat", "cat"],
        ["milk", "rice", "milk", "rice", "soap", "milk", "glue", "nail"],
    )
    scores = model(own_share=0, neighbours=1).fit(orders).score(orders)
    np.testing.assert_allclose(scores[0], [np.nan, 1, np.nan, 1, 1], rtol=1e-6)


def test_a_newcomer_is_scored_by_the_history_given():
    fitted = model(own_share=0).fit(EVENTS)
    newcomer = matrix_of(("zoe", "soap", 2, "order"), items="glue milk rice soap")
    np.testing.assert_allclose(fitted.score(newcomer)[0], known(BOB), rtol=1e-6)
    assert np.isnan(fitted.score(strangers(EVENTS, "zoe"))).all()


def test_a_purchase_after_the_fit_changes_the_answer():
    fitted = model().fit(EVENTS)
    later = matrix_of(("cat", "glue", 2, "order"), ("cat", "rice", 1, "order"), items="glue milk rice soap")
    assert np.isfinite(fitted.score(later)[0, 1])


def test_blocks_of_any_size_give_the_same_scores(monkeypatch):
    fitted = model().fit(EVENTS)
    together = fitted.score(EVENTS)
    monkeypatch.setattr(baskets, "_BLOCK_PRODUCTS", 1)
    np.testing.assert_array_equal(fitted.score(EVENTS), together)


@pytest.mark.parametrize("seed", [0, 1])
def test_neighbours_come_from_no_more_customers_than_allowed(seed):
    fitted = model(own_share=0, known_customers=1, seed=seed).fit(EVENTS)
    assert (np.isfinite(fitted.score(EVENTS)).any(axis=1)).sum() <= 1
