import numpy as np
import pytest
from scipy import sparse

from recommender.errors import SettingError, UnknownName
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import graph_filter
from recommender.models.graph_filter import GraphFilter, leading_factors
from tests.recommender.histories import matrix_of, strangers

PAIRS = InteractionMatrix.from_pairs(["ann", "ann", "bob"], ["milk", "rice", "rice"])
ANN, BOB = range(2)
# Customers have 2 and 1 items, items 1 and 2 customers: N = [[1/sqrt 2, 1/2], [0, 1/sqrt 2]] and P = N'N is
SPREAD = np.array([[1 / 2, np.sqrt(2) / 4], [np.sqrt(2) / 4, 3 / 4]])
# with the eigenvalues 1 and 1/4. The first vector is (1, sqrt 2) / sqrt 3, so that the low pass gives a history
# its number of interactions times the items' shares of all interactions.
LOW_PASS = np.array([[2 / 3, 4 / 3], [1 / 3, 2 / 3]])
HISTORIES = np.array([[1, 1], [0, 1]])


def board(side: int = 16) -> InteractionMatrix:
    cells = [(row, column) for row in range(side) for column in range(side) if row % 2 == column % 2 and row != column]
    return InteractionMatrix.from_pairs(*zip(*[(f"c{row:02}", f"i{column:02}") for row, column in cells], strict=True))


def test_the_filter_is_that_of_the_published_equations():
    scores = GraphFilter(low_pass_weight=0.3, sharpening_steps=0).fit(PAIRS).score(PAIRS)
    np.testing.assert_allclose(scores, HISTORIES @ SPREAD + 0.3 * LOW_PASS, rtol=1e-5)


@pytest.mark.parametrize("steps", [1, 2])
def test_a_sharpening_step_takes_off_what_would_be_smeared(steps):
    scores = GraphFilter(low_pass_weight=0.5, sharpening_steps=steps, sharpening_step=0.6).fit(PAIRS).score(PAIRS)
    expected = HISTORIES @ SPREAD + 0.5 * LOW_PASS
    for _ in range(steps):
        expected = expected - 0.6 * expected @ SPREAD
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_customers_without_history_and_items_never_met_are_unknown():
    orders = matrix_of(("ann", "milk", 1, "order"), ("bob", "milk", 2, "order"), items="milk soap")
    model = GraphFilter().fit(orders)
    assert np.isnan(model.score(orders)).tolist() == [[False, True], [False, True]]
    assert np.isnan(model.score(strangers(orders, "zoe"))).all()


def test_a_new_customer_is_scored_by_what_was_just_bought():
    grid = board()
    model = GraphFilter().fit(grid)
    zoe = matrix_of(("zoe", "i02", 1, "order"), ("zoe", "i04", 1, "order"), items=" ".join(grid.items.ids()))
    scores = model.score(zoe)[0]
    assert scores[0::2].min() > scores[1::2].max()


def test_what_was_bought_lately_says_more_than_what_was_bought_long_ago():
    grid = board()
    model = GraphFilter().fit(grid)
    zoe = matrix_of(("zoe", "i02", 1, "order"), ("zoe", "i03", 240, "order"), items=" ".join(grid.items.ids()))
    assert model.score(zoe)[0, 0] > model.score(zoe)[0, 1]
    binary = GraphFilter(weighting="binary").fit(grid).score(zoe)[0]
    np.testing.assert_allclose(binary[0], binary[1], rtol=1e-4)


def test_factors_that_the_next_one_ties_are_left_out():
    # 3, 2, 2, 1, 1, 1: the third is tied with the second, not with the fourth.
    matrix = sparse.csr_matrix(np.diag([1, 2, 3, 2, 1, 1.0]))
    assert leading_factors(matrix, 3, 0).shape == (6, 3)
    assert np.abs(leading_factors(matrix, 2, 0)).tolist() == [[0], [0], [1], [0], [0], [0]]


@pytest.mark.parametrize("shape", [(40, 60), (60, 40)])
def test_factors_of_large_and_small_matrices_agree(shape, monkeypatch):
    matrix = sparse.random_array(shape, density=0.3, rng=np.random.default_rng(1), format="csr", dtype=np.float32)
    exact = leading_factors(sparse.csr_matrix(matrix), 5, 0)
    monkeypatch.setattr(graph_filter, "_SMALL_SIDE", 10)
    found = leading_factors(sparse.csr_matrix(matrix), 5, 0)
    np.testing.assert_allclose(found @ found.T, exact @ exact.T, atol=1e-4)
    np.testing.assert_array_equal(found, leading_factors(sparse.csr_matrix(matrix), 5, 0))


def test_blocks_of_customers_change_nothing(monkeypatch):
    model = GraphFilter().fit(board())
    together = model.score(board())
    monkeypatch.setattr(graph_filter, "_BLOCK_CELLS", 1)
    np.testing.assert_allclose(model.score(board()), together, rtol=1e-5, atol=1e-6)


def test_settings_that_cannot_be_used_are_named():
    with pytest.raises(SettingError, match="factors 0 of GraphFilter is below 1; give the number"):
        GraphFilter(factors=0).fit(PAIRS)
    with pytest.raises(UnknownName, match="no weighting 'cosine'; there are: binary, damped"):
        GraphFilter(weighting="cosine").fit(PAIRS)


def test_the_graph_holds_no_more_customers_than_set_and_still_knows_what_goes_together():
    pairs = [(f"c{row:03}", f"{'ab'[row % 2]}{column}") for row in range(200) for column in range(4)]
    shop = InteractionMatrix.from_pairs(*zip(*pairs, strict=True))
    model = GraphFilter(known_customers=40).fit(shop)
    assert model.normalised_.shape == (40, 8)
    best = np.argsort(-model.score(shop), axis=1)[:, :4]
    own = [{shop.items[int(one)][0] for one in row} for row in best]
    assert own == [{"ab"[row % 2]} for row in range(200)]
