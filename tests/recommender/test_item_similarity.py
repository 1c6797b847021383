from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from recommender.errors import NotFitted
from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.models import strongest_products
from recommender.models.item_similarity import ItemSimilarity, nearest
from tests.recommender.histories import matrix_of

# ann and bob buy milk and rice, cat buys milk and soap; everybody buys two things, so all entries are equal.
PAIRS = InteractionMatrix.from_pairs(
    ["ann", "ann", "bob", "bob", "cat", "cat"], ["milk", "rice", "milk", "rice", "milk", "soap"]
)
MILK, RICE, SOAP = range(3)


def test_similarity_is_the_cosine_of_the_customers():
    model = ItemSimilarity(shrinkage=0).fit(PAIRS)
    positions, values = model.similar(MILK, 5)
    assert positions.tolist() == [RICE, SOAP]
    np.testing.assert_allclose(values, [2 / np.sqrt(3 * 2), 1 / np.sqrt(3)], rtol=1e-6)


def test_what_few_customers_support_is_shrunk():
    model = ItemSimilarity(shrinkage=2).fit(PAIRS)
    _, values = model.similar(MILK, 5)
    np.testing.assert_allclose(values, [2 / (np.sqrt(6) + 2), 1 / (np.sqrt(3) + 2)], rtol=1e-6)


def test_an_item_scores_by_its_similarity_to_what_was_bought():
    model = ItemSimilarity(shrinkage=0).fit(PAIRS)
    scores = model.score(PAIRS)
    cat = np.log(2) * np.array([1 / np.sqrt(3), 2 / np.sqrt(6), 1 / np.sqrt(3)])
    np.testing.assert_allclose(scores[2], cat, rtol=1e-6)


def test_items_near_nothing_that_was_bought_are_unknown():
    apart = InteractionMatrix.from_pairs(["ann", "ann", "bob", "bob"], ["milk", "rice", "nail", "glue"])
    scores = ItemSimilarity().fit(apart).score(apart)
    assert np.isnan(scores).tolist() == [[True, False, True, False], [False, True, False, True]]


def test_only_the_nearest_are_kept_and_equals_in_catalogue_order():
    model = ItemSimilarity(neighbours=1, shrinkage=0).fit(
        InteractionMatrix.from_pairs(["ann", "ann", "ann"], ["a", "b", "c"])
    )
    assert [model.similar(item, 5)[0].tolist() for item in range(3)] == [[1], [0], [0]]


def with_features(dense: np.ndarray) -> InteractionMatrix:
    """Forty items of which the last was never bought; ann buys the first two, bob the third."""
    items = " ".join(f"i{number:02}" for number in range(len(dense)))
    orders = matrix_of(("ann", "i00", 1, "order"), ("ann", "i01", 1, "order"), ("bob", "i02", 1, "order"), items=items)
    names = tuple(f"f{number}" for number in range(dense.shape[1]))
    return replace(orders, item_features=FeatureMatrix(names, sparse.csr_matrix(dense.astype(np.float32))))


FEATURES = np.zeros((40, 2))
FEATURES[[2, 39], 0] = 1
FEATURES[:, 1] = 1


def test_an_item_never_bought_is_found_through_what_it_is_like():
    model = ItemSimilarity().fit(with_features(FEATURES))
    assert model.similar(39, 3)[0].tolist() == [2]
    scores = model.score(with_features(FEATURES))
    assert scores[1, 39] > 0
    assert np.isnan(scores[0, 39])


def test_a_feature_of_everything_makes_nothing_alike():
    model = ItemSimilarity().fit(with_features(FEATURES[:, 1:]))
    assert len(model.similar(39, 3)[0]) == 0


dense = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 6), st.integers(1, 7)), elements=st.sampled_from([0, 0, 1, 2])
)


@given(dense, st.integers(1, 4), st.sampled_from([1, 3, 2**24]))
@settings(max_examples=100, deadline=None)
def test_neighbours_in_blocks_are_those_of_the_dense_product(matrix, count, block):
    norms = np.linalg.norm(matrix, axis=0)
    expected = matrix.T @ matrix / (norms[:, None] * norms[None, :] + 0.5)
    np.fill_diagonal(expected, 0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(strongest_products, "_BLOCK_PRODUCTS", block)
        found = nearest(sparse.csr_matrix(matrix), count, 0.5).toarray()
    for row, values in enumerate(expected):
        best = sorted(np.flatnonzero(values > 0), key=lambda column, values=values: (-round(values[column], 5), column))
        assert np.flatnonzero(found[row]).tolist() == sorted(best[:count])
        np.testing.assert_allclose(found[row][best[:count]], values[best[:count]], rtol=1e-5)


def test_before_the_fit_nothing_is_similar():
    with pytest.raises(NotFitted):
        ItemSimilarity().similar(0, 3)
