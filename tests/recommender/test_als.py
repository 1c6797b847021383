import numpy as np
import pytest
from scipy import sparse

from recommender.errors import SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import als
from recommender.models.als import AlternatingLeastSquares, products_of, solved_factors
from tests.recommender.histories import matrix_of, strangers

SIDE = 16


def board() -> InteractionMatrix:
    cells = [(row, column) for row in range(SIDE) for column in range(SIDE) if row % 2 == column % 2 and row != column]
    return InteractionMatrix.from_pairs(*zip(*[(f"c{row:02}", f"i{column:02}") for row, column in cells], strict=True))


def test_factors_of_a_history_solve_the_published_equation():
    # One factor: (1 + 4 + 1 + (5 - 1) 4) x = 5 * 2 for a history of the second item alone, so x = 10 / 22.
    history = sparse.csr_matrix(np.array([[0, 5.0]]))
    items = np.array([[1.0], [2.0]])
    np.testing.assert_allclose(solved_factors(history, items, products_of(items, 1.0)), [[10 / 22]], rtol=1e-6)


def test_factors_of_a_history_are_those_of_implicit():
    from implicit.cpu.als import AlternatingLeastSquares as Theirs

    rng = np.random.default_rng(3)
    confidences = sparse.random_array((6, 9), density=0.5, rng=rng, format="csr", dtype=np.float32)
    confidences.data = confidences.data * 5 + 1
    learner = Theirs(factors=3, regularization=0.5, use_cg=False, num_threads=1)
    learner.item_factors = rng.standard_normal((9, 3)).astype(np.float32)
    theirs = learner.recalculate_user(np.arange(6), sparse.csr_matrix(confidences))
    products = products_of(learner.item_factors, 0.5)
    ours = solved_factors(sparse.csr_matrix(confidences), learner.item_factors, products)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_blocks_of_customers_change_nothing(monkeypatch):
    model = AlternatingLeastSquares().fit(board())
    together = model.score(board())
    monkeypatch.setattr(als, "_BLOCK_CELLS", 1)
    np.testing.assert_allclose(model.score(board()), together, rtol=1e-5, atol=1e-6)


def test_ten_new_events_change_the_answer_of_a_known_customer():
    grid = board()
    model = AlternatingLeastSquares().fit(grid)
    events = [(f"c{row:02}", f"i{row:02}", 1.0, "order") for row in range(10)]
    later = matrix_of(*events, customers=" ".join(grid.customers.ids()), items=" ".join(grid.items.ids()))
    changed = np.abs(model.score(later)[:10] - model.score(grid)[:10]).max(axis=1)
    assert (changed > 1e-3).all()


def test_a_new_customer_is_scored_by_what_was_just_bought():
    grid = board()
    model = AlternatingLeastSquares().fit(grid)
    zoe = matrix_of(("zoe", "i02", 1, "order"), ("zoe", "i04", 1, "order"), items=" ".join(grid.items.ids()))
    scores = model.score(zoe)[0]
    assert scores[0::2].min() > scores[1::2].max()


def test_customers_without_history_and_items_never_met_are_unknown():
    orders = matrix_of(("ann", "milk", 1, "order"), ("bob", "milk", 2, "order"), items="milk soap")
    model = AlternatingLeastSquares().fit(orders)
    assert np.isnan(model.score(orders)).tolist() == [[False, True], [False, True]]
    assert np.isnan(model.score(strangers(orders, "zoe"))).all()


def test_the_factors_shrink_to_what_the_matrix_allows():
    assert AlternatingLeastSquares(factors=64).fit(board()).item_factors_.shape == (SIDE, SIDE // 4)
    assert AlternatingLeastSquares(factors=2).fit(board()).item_factors_.shape == (SIDE, 2)


@pytest.mark.parametrize("name", ["factors", "regularisation", "confidence", "iterations"])
def test_settings_that_are_not_above_0_are_named(name):
    with pytest.raises(SettingError, match=f"{name} 0 of AlternatingLeastSquares is not above 0"):
        AlternatingLeastSquares(**{name: 0}).fit(board())
