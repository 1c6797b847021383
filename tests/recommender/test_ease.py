import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recommender.errors import SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import ease
from recommender.models.ease import Ease
from tests.recommender.histories import matrix_of, strangers

PAIRS = InteractionMatrix.from_pairs(["ann", "ann", "bob"], ["milk", "rice", "rice"])


def test_weights_are_those_of_the_published_solution():
    # X'X + I = [[2, 1], [1, 3]], its inverse [[3, -1], [-1, 2]] / 5: milk says 1/2 of rice, rice 1/3 of milk.
    model = Ease(regularisation=1).fit(PAIRS)
    np.testing.assert_allclose(model.weights_, [[0, 1 / 2], [1 / 3, 0]], rtol=1e-6)
    np.testing.assert_allclose(model.score(PAIRS), [[1 / 3, 1 / 2], [1 / 3, 0]], rtol=1e-6)


dense = arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 7)), elements=st.sampled_from([0, 0, 1]))


@given(dense, st.sampled_from([1, 2, 3, 512]))
@settings(max_examples=60, deadline=None)
def test_the_inverse_in_blocks_and_in_place_is_the_inverse(matrix, block):
    products = matrix.T @ matrix + 2 * np.eye(matrix.shape[1])
    inverse = np.linalg.inv(products)
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ease, "_BLOCK_ROWS", block)
        np.testing.assert_allclose(ease._item_weights(np.asfortranarray(products)), expected, rtol=1e-5, atol=1e-6)


def test_items_beyond_the_most_met_are_unknown_and_equals_go_by_catalogue_order():
    orders = InteractionMatrix.from_pairs(["ann", "ann", "ann", "bob"], ["milk", "rice", "soap", "soap"])
    model = Ease(most_items=2).fit(orders)
    assert np.isnan(model.score(orders)).tolist() == [[False, True, False], [False, True, False]]


def test_the_memory_guard_leaves_items_out():
    orders = InteractionMatrix.from_pairs(["ann", "ann", "ann", "bob"], ["milk", "rice", "soap", "soap"])
    model = Ease(memory_bytes=12 * 2 * 2).fit(orders)
    assert model.weights_.shape == (2, 2)
    assert model.weights_.nbytes == 4 * 2 * 2


def test_settings_that_leave_no_item_name_the_cure():
    with pytest.raises(SettingError, match=r"memory_bytes 11 of Ease leave no item; n items need 12 n\^2 bytes"):
        Ease(memory_bytes=11).fit(PAIRS)
    with pytest.raises(SettingError, match=r"regularisation 0 of Ease is not above 0"):
        Ease(regularisation=0).fit(PAIRS)


def test_customers_who_met_none_of_the_items_are_unknown():
    assert np.isnan(Ease().fit(PAIRS).score(strangers(PAIRS, "zoe"))).all()


def test_a_new_customer_is_scored_by_what_was_just_bought():
    model = Ease(regularisation=1).fit(PAIRS)
    zoe = matrix_of(("zoe", "milk", 120, "order"), items="milk rice")
    np.testing.assert_allclose(model.score(zoe), [[0, np.log2(1 + np.exp(-1)) / 2]], rtol=1e-6)
    np.testing.assert_allclose(Ease(regularisation=1, weighting="binary").fit(PAIRS).score(zoe), [[0, 1 / 2]])
