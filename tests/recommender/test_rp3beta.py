import numpy as np
import pytest

from recommender.errors import SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import strongest_products
from recommender.models.rp3beta import RP3Beta
from tests.recommender.histories import matrix_of, strangers

# ann buys milk and rice, bob rice and soap: milk and soap meet over rice alone.
PAIRS = InteractionMatrix.from_pairs(["ann", "ann", "bob", "bob"], ["milk", "rice", "rice", "soap"])


def test_weights_are_those_of_the_published_equation():
    # Walks: milk-ann 1 x ann-rice 1/2; rice-ann 1/2 x ann-milk 1/2; the sums of the items are 1, 2 and 1.
    weights = RP3Beta(alpha=2, beta=1).fit(PAIRS).weights_.toarray()
    milk_to_rice, rice_to_milk = 1**2 * (1 / 2) ** 2 / 2, (1 / 2) ** 2 * (1 / 2) ** 2 / 1
    expected = [[0, milk_to_rice, 0], [rice_to_milk, 0, rice_to_milk], [0, milk_to_rice, 0]]
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_an_item_scores_by_the_walks_from_all_that_was_bought():
    scores = RP3Beta(alpha=1, beta=0).fit(PAIRS).score(PAIRS)
    np.testing.assert_allclose(scores, [[1 / 4, 1 / 2, 1 / 4], [1 / 4, 1 / 2, 1 / 4]], rtol=1e-6)


def test_items_that_no_walk_reaches_are_unknown():
    model = RP3Beta().fit(PAIRS)
    zoe = matrix_of(("zoe", "milk", 1, "order"), items="milk rice soap")
    assert np.isnan(model.score(zoe)).tolist() == [[True, False, True]]
    assert np.isnan(model.score(strangers(PAIRS, "zoe"))).all()


def test_only_the_likeliest_ends_are_kept_and_equals_in_catalogue_order():
    weights = RP3Beta(neighbours=1).fit(PAIRS).weights_
    assert weights.indices.tolist() == [1, 0, 1]


@pytest.mark.parametrize("neighbours", [1, 2, 5])
def test_blocks_of_bounded_size_change_nothing(neighbours, monkeypatch):
    rng = np.random.default_rng(2)
    pairs = InteractionMatrix.from_pairs(*rng.integers(9, size=(2, 40)).astype(str))
    at_once = RP3Beta(neighbours=neighbours).fit(pairs).weights_.toarray()
    monkeypatch.setattr(strongest_products, "_BLOCK_PRODUCTS", 1)
    np.testing.assert_array_equal(RP3Beta(neighbours=neighbours).fit(pairs).weights_.toarray(), at_once)


def test_what_was_bought_lately_says_more_than_what_was_bought_long_ago():
    model = RP3Beta(alpha=1, beta=0).fit(PAIRS)
    zoe = matrix_of(("zoe", "milk", 120, "order"), items="milk rice soap")
    np.testing.assert_allclose(model.score(zoe)[0, 1], np.log2(1 + np.exp(-1)) / 2, rtol=1e-6)
    binary = RP3Beta(alpha=1, beta=0, weighting="binary").fit(PAIRS)
    np.testing.assert_allclose(binary.score(zoe)[0, 1], 1 / 2, rtol=1e-6)


def test_no_neighbours_is_refused():
    with pytest.raises(SettingError, match="neighbours 0 of RP3Beta is below 1; give the number"):
        RP3Beta(neighbours=0).fit(PAIRS)
