from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.errors import SettingError
from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.models.lightfm_hybrid import LightFMHybrid, _Tables
from tests.recommender.histories import matrix_of, strangers

SIDE = 16


def colours(count: int) -> np.ndarray:
    return np.eye(2, dtype=np.float32)[np.arange(count) % 2]


def checkerboard(with_features: bool = True) -> InteractionMatrix:
    """Even customers buy even items, odd ones odd items; the last two items and customers are never met."""
    pairs = [(row, column) for row in range(SIDE) for column in range(SIDE) if row % 2 == column % 2]
    seen = [(f"c{row:02}", f"i{column:02}", 1.0, "order") for row, column in pairs if max(row, column) < SIDE - 2]
    names = [" ".join(f"{letter}{number:02}" for number in range(SIDE)) for letter in "ci"]
    matrix = matrix_of(*seen, customers=names[0], items=names[1])
    features = FeatureMatrix(("even", "odd"), sparse.csr_matrix(colours(SIDE)))
    return replace(matrix, customer_features=features, item_features=features) if with_features else matrix


BOARD = checkerboard()


@pytest.fixture(scope="module")
def model() -> LightFMHybrid:
    return LightFMHybrid(components=8, epochs=30, seed=1).fit(BOARD)


def test_scores_are_those_of_lightfm(model):
    from lightfm import LightFM

    from recommender.randomness import seed_for

    tables = _Tables(BOARD)
    theirs = LightFM(no_components=8, loss="warp", random_state=seed_for(1, "lightfm"))
    theirs.fit(tables.positives, tables.customer_shares, tables.item_shares, tables.weights, epochs=30, num_threads=1)
    rows, columns = np.repeat(np.arange(14), 14), np.tile(np.arange(14), 14)
    expected = theirs.predict(rows, columns, tables.item_shares, tables.customer_shares, num_threads=1)
    np.testing.assert_allclose(model.score(BOARD)[:14, :14].ravel(), expected, rtol=1e-4, atol=1e-5)


def test_an_item_never_bought_is_scored_by_its_features(model):
    scores = model.score(BOARD)
    assert scores[0, 14] > scores[0, 15]
    assert scores[1, 15] > scores[1, 14]


def test_a_customer_without_purchases_is_scored_by_the_features(model):
    scores = model.score(BOARD)
    assert scores[14, :14:2].mean() > scores[14, 1:14:2].mean()
    assert scores[15, 1:14:2].mean() > scores[15, :14:2].mean()


def test_a_customer_unknown_to_the_fit_is_scored_by_the_features_that_come_along(model):
    stranger = strangers(BOARD, "zoe")
    # The columns come in another order, with one that the fit never met.
    features = FeatureMatrix(("left-handed", "odd"), sparse.csr_matrix(np.array([[1, 1]], dtype=np.float32)))
    known = model.score(replace(stranger, customer_features=features))
    np.testing.assert_allclose(known[0], model.score(BOARD)[15], rtol=1e-5)
    assert np.isnan(model.score(stranger)).all()


def test_without_features_those_never_met_are_unknown():
    board = checkerboard(with_features=False)
    scores = LightFMHybrid(components=4, epochs=2).fit(board).score(board)
    assert np.isnan(scores[14:]).all()
    assert np.isnan(scores[:, 14:]).all()
    assert not np.isnan(scores[:14, :14]).any()


def test_items_of_equal_features_are_told_apart(model):
    scores = model.score(BOARD)
    assert len(np.unique(scores[0, :14:2])) == 7


def test_pairs_are_learned_once_with_the_damped_sum_of_their_weights():
    orders = matrix_of(
        ("ann", "milk", 1, "order"),
        ("ann", "milk", 2, "order"),
        ("ann", "rice", 1, "view"),
        ("ann", "hat", 1, "dislike"),
    )
    tables = _Tables(orders)
    assert tables.positives.nnz == 2
    weights = np.log1p([2.0, 0.1])
    np.testing.assert_allclose(tables.weights.data, weights / weights.mean(), rtol=1e-6)


def test_shares_of_identity_and_features_sum_to_one():
    tables = _Tables(BOARD)
    assert tables.item_shares[0].toarray().ravel()[[0, SIDE]].tolist() == [0.5, 0.5]
    np.testing.assert_allclose(tables.item_shares.sum(axis=1), 1)


def test_features_may_be_left_out():
    features = FeatureMatrix(("kind=a",), sparse.csr_matrix(np.ones((SIDE, 1), dtype=np.float32)))
    board = replace(BOARD, customer_features=features)
    newcomer = replace(strangers(board, "zoe"), customer_features=FeatureMatrix(("kind=a",), features.values[:1]))
    assert np.isfinite(LightFMHybrid(components=2, epochs=1).fit(board).score(newcomer)).all()
    assert np.isnan(LightFMHybrid(components=2, epochs=1, with_features=False).fit(board).score(newcomer)).all()


def test_another_seed_gives_another_model():
    first, second = (LightFMHybrid(components=4, epochs=2, seed=seed).fit(BOARD).score(BOARD) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_learning_that_diverges_names_the_cure():
    with pytest.raises(SettingError, match=r"learning_rate 1e\+30; lower it"):
        LightFMHybrid(components=4, epochs=20, learning_rate=1e30).fit(BOARD)
