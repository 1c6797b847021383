from dataclasses import replace

import numpy as np
from scipy import sparse

from recommender import models
from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.models.affinity import Affinity
from tests.recommender.histories import matrix_of, strangers

# Tea and coffee, two of which nobody bought, and something without a kind.
KINDS = sparse.csr_matrix(np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0]], dtype=np.float32))
ITEMS = "coffee1 coffee2 tea1 tea2 thing"
COFFEE_1, COFFEE_2, TEA_1, TEA_2, THING = range(5)


def described(*rows: tuple[str, str, float, str]) -> InteractionMatrix:
    return replace(matrix_of(*rows, items=ITEMS), item_features=FeatureMatrix(("kind=coffee", "kind=tea"), KINDS))


EVENTS = described(
    ("ann", "coffee1", 12, "order"),
    ("ann", "coffee1", 24, "order"),
    ("bob", "tea1", 12, "order"),
)


def test_what_was_never_bought_is_found_by_what_it_is_like():
    scores = Affinity(prior_purchases=1).fit(EVENTS).score(EVENTS)
    assert scores[0, COFFEE_2] > scores[0, TEA_2]
    assert scores[1, TEA_2] > scores[1, COFFEE_2]
    assert np.isnan(scores[:, THING]).all()


def test_scores_are_logarithms_of_smoothed_shares_over_the_items_of_a_value():
    model = Affinity(tau_days=12, prior_purchases=3).fit(EVENTS)
    weight = model.value_weights_[0]
    ann, bob = np.exp(-1) + np.exp(-2), np.exp(-1)
    # One purchase more, half of it for each kind, as each has two of the four items.
    coffee, tea = (ann + 0.5) / (ann + bob + 1), (bob + 0.5) / (ann + bob + 1)
    scores = model.score(EVENTS)
    np.testing.assert_allclose(scores[0, COFFEE_2], weight * np.log((ann / (3 * coffee) + 1) * coffee / 2), rtol=1e-5)
    np.testing.assert_allclose(scores[0, TEA_2], weight * np.log(tea / 2), rtol=1e-5)


def test_the_attribute_that_tells_what_is_bought_gets_the_weight():
    rng = np.random.default_rng(0)
    kinds, colours = rng.integers(4, size=200), rng.integers(4, size=200)
    values = np.concatenate([np.eye(4)[colours], np.eye(4)[kinds]], axis=1).astype(np.float32)
    names = tuple(f"{attribute}={value}" for attribute in ("colour", "kind") for value in range(4))
    bought = [(f"c{one}", f"i{item:03}") for one in range(40) for item in np.flatnonzero(kinds == one % 4)[:30]]
    matrix = InteractionMatrix.from_pairs(*zip(*bought, strict=True))
    rows = [int(one[1:]) for one in matrix.items.ids()]
    model = Affinity().fit(replace(matrix, item_features=FeatureMatrix(names, sparse.csr_matrix(values[rows]))))
    assert model.value_weights_[4:8].min() > 3 * abs(model.value_weights_[:4]).max()


def test_without_attributes_nothing_is_known():
    plain = matrix_of(("ann", "milk", 1, "order"), ("bob", "rice", 1, "order"))
    assert np.isnan(models.create("affinity").fit(plain).score(plain)).all()


def test_who_bought_nothing_gets_what_everybody_likes():
    scores = Affinity().fit(EVENTS).score(strangers(EVENTS, "zoe"))
    assert scores[0, COFFEE_2] > scores[0, TEA_2]


def test_a_purchase_after_the_fit_changes_the_answer():
    fitted = Affinity().fit(EVENTS)
    later = described(*[("bob", "coffee1", day, "order") for day in range(1, 30)])
    scores = fitted.score(later)
    assert scores[0, COFFEE_2] > scores[0, TEA_2]
