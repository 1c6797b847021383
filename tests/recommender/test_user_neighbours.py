import numpy as np

from recommender.models import baskets
from recommender.models.user_neighbours import UserNeighbours
from tests.recommender.histories import matrix_of, strangers

ITEMS = "glue milk rice soap"
EVENTS = matrix_of(
    ("ann", "glue", 9, "order"),
    ("ann", "milk", 5, "order"),
    ("ann", "milk", 3, "order"),
    ("ann", "rice", 3, "order"),
    ("bob", "milk", 4, "order"),
    ("cat", "soap", 1, "order"),
    ("cat", "milk", 1, "order"),
    ("cat", "nail", 1, "order"),
    items=ITEMS + " nail",
)
GLUE, MILK, NAIL, RICE, SOAP = range(5)
# The last two baskets of ann hold milk twice and rice once; bob and cat have one basket each.
ANN = np.array([0, 1, 0, 0.5, 0])
BOB = np.array([0, 1, 0, 0, 0])
CAT = np.array([0, 1, 1, 0, 1])


def test_shares_of_the_last_baskets_and_similarities_make_the_scores():
    scores = UserNeighbours(baskets=2, asymmetry=0.25, locality=2).fit(EVENTS).score(EVENTS)
    # One item in common; ann has two items, bob one, cat three.
    to_bob, to_cat = (1 / (2**0.25 * 1)) ** 2, (1 / (2**0.25 * 3**0.75)) ** 2
    expected = ANN + to_bob * BOB + to_cat * CAT
    np.testing.assert_allclose(scores[0], np.where(expected > 0, expected, np.nan), rtol=1e-5)


def test_similarity_is_not_the_same_in_both_directions():
    scores = UserNeighbours(baskets=2, asymmetry=0.25, locality=1).fit(EVENTS).score(EVENTS)
    from_bob_to_ann, from_bob_to_cat = 1 / 2**0.75, 1 / 3**0.75
    np.testing.assert_allclose(scores[1, MILK], 1 + from_bob_to_ann + from_bob_to_cat, rtol=1e-5)
    np.testing.assert_allclose(scores[1, RICE], 0.5 * from_bob_to_ann, rtol=1e-5)
    assert np.isnan(scores[1, GLUE])


def test_only_the_most_similar_others_count():
    scores = UserNeighbours(baskets=2, neighbours=1).fit(EVENTS).score(EVENTS)
    assert np.isnan(scores[0, [NAIL, SOAP]]).all()


def test_a_newcomer_is_scored_by_the_history_given():
    fitted = UserNeighbours(baskets=2, asymmetry=0.25, locality=1).fit(EVENTS)
    newcomer = matrix_of(("zoe", "rice", 1, "order"), items=ITEMS + " nail")
    expected = [np.nan, 1 / 2**0.75, np.nan, 1 + 0.5 / 2**0.75, np.nan]
    np.testing.assert_allclose(fitted.score(newcomer)[0], expected, rtol=1e-5)
    assert np.isnan(fitted.score(strangers(EVENTS, "zoe"))).all()


def test_a_purchase_after_the_fit_changes_the_answer():
    fitted = UserNeighbours().fit(EVENTS)
    later = matrix_of(("bob", "milk", 4, "order"), ("bob", "glue", 1, "order"), items=ITEMS + " nail")
    assert np.isfinite(fitted.score(later)[0, GLUE])


def test_blocks_of_any_size_give_the_same_scores(monkeypatch):
    fitted = UserNeighbours().fit(EVENTS)
    together = fitted.score(EVENTS)
    monkeypatch.setattr(baskets, "_BLOCK_PRODUCTS", 1)
    np.testing.assert_array_equal(fitted.score(EVENTS), together)
