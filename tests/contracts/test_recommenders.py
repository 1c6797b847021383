"""What every registered recommender promises."""

import copy
import subprocess
import sys
from dataclasses import replace

import joblib
import numpy as np
import pytest
from scipy import sparse

from recommender import models
from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.ranking import recommend
from tests.recommender.histories import matrix_of, strangers

EVERY = sorted(models.RECOMMENDERS)
# Those that give a customer other scores than the neighbour because the two bought other things.
PERSONALISING = sorted(set(EVERY) - {"popularity", "trending"})
# Those that can find an item that the customer never met.
DISCOVERING = sorted(set(PERSONALISING) - {"personal_frequency", "attribute_popularity", "blending", "rank_blending"})
SIDE = 16


def checkerboard() -> InteractionMatrix:
    """Even customers buy even items, odd ones odd items, which are marked; each leaves out one of the own colour."""
    pairs = [
        (f"c{row:02}", f"i{column:02}")
        for row in range(SIDE)
        for column in range(SIDE)
        if row % 2 == column % 2 and row != column
    ]
    board = InteractionMatrix.from_pairs(*zip(*pairs, strict=True))
    colours = FeatureMatrix(
        ("colour=even", "colour=odd"), sparse.csr_matrix(np.tile(np.eye(2, dtype=np.float32), (SIDE // 2, 1)))
    )
    return replace(board, item_features=colours, customer_features=colours)


def fitted(name: str, interactions: InteractionMatrix, seed: int = 0):
    return models.create(name, seed=seed).fit(interactions)


def arrays_of(state) -> list[np.ndarray]:
    if isinstance(state, dict):
        return [array for value in state.values() for array in arrays_of(value)]
    if isinstance(state, (list, tuple)):
        return [array for value in state for array in arrays_of(value)]
    return [state] if isinstance(state, np.ndarray) else []


@pytest.mark.parametrize("name", EVERY)
def test_a_block_has_a_float_per_customer_and_item(name):
    board = checkerboard()
    scores = fitted(name, board).score(board)
    assert scores.shape == (SIDE, SIDE)
    assert scores.dtype == np.float32
    assert scores.flags.writeable
    assert not np.isinf(scores).any()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("k", [1, 5, 100])
def test_nobody_gets_more_than_k_items_or_one_twice(name, k):
    board = checkerboard()
    lists = recommend(fitted(name, board), board, k=k, exclude_seen=False)
    assert lists.groupby("customer_id").size().max() <= k
    assert not lists.duplicated(["customer_id", "item_id"]).any()
    assert (lists["rank"] == lists.groupby("customer_id").cumcount() + 1).all()


@pytest.mark.parametrize("name", EVERY)
def test_better_scores_come_first_and_equal_ones_in_catalogue_order(name):
    board = checkerboard()
    model = fitted(name, board)
    lists = recommend(model, board, k=SIDE, exclude_seen=False)
    for row, scores in enumerate(model.score(board)):
        known = np.flatnonzero(~np.isnan(scores))
        expected = board.items.ids(known[np.argsort(-scores[known], kind="stable")])
        assert lists[lists["customer_id"] == board.customers[row]]["item_id"].tolist() == expected


@pytest.mark.parametrize("name", EVERY)
def test_what_is_excluded_is_not_recommended(name):
    board = checkerboard()
    lists = recommend(fitted(name, board), board, k=SIDE, exclude_seen=True, allowed_items=["i00", "i01", "i05"])
    seen = board.seen().toarray()
    assert set(lists["item_id"]) <= {"i00", "i01", "i05"}
    rows, columns = board.customers.positions(lists["customer_id"]), board.items.positions(lists["item_id"])
    assert not seen[rows, columns].any()


@pytest.mark.parametrize("name", EVERY)
def test_one_seed_gives_one_answer(name):
    board = checkerboard()
    np.testing.assert_array_equal(fitted(name, board, 7).score(board), fitted(name, board, 7).score(board))


@pytest.mark.parametrize("name", EVERY)
def test_a_second_fit_forgets_the_first(name):
    board = checkerboard()
    model = models.create(name).fit(matrix_of(("ann", "milk", 1, "order"), ("bob", "rice", 2, "order")))
    np.testing.assert_array_equal(model.fit(board).score(board), fitted(name, board).score(board))


@pytest.mark.parametrize("name", EVERY)
def test_scoring_changes_neither_the_model_nor_the_histories(name):
    board = checkerboard()
    model = fitted(name, board)
    before, rows = copy.deepcopy(model.state()), board.rows.copy()
    first = model.score(board)
    model.score(board.of_customers(np.array([3])))
    model.score(strangers(board, "zoe"))[:] = 0
    np.testing.assert_array_equal(model.score(board), first)
    np.testing.assert_array_equal(board.rows, rows)
    for ours, theirs in zip(arrays_of(model.state()), arrays_of(before), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", EVERY)
def test_customers_are_scored_the_same_alone_and_together(name):
    board = checkerboard()
    model = fitted(name, board)
    together = model.score(board)
    for row in range(SIDE):
        alone = model.score(board.of_customers(np.array([row])))
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", EVERY)
def test_a_model_survives_saving_and_mapping_into_memory(name, tmp_path):
    board = checkerboard()
    model = fitted(name, board)
    joblib.dump(model.state(), tmp_path / "state.joblib")
    mapped = joblib.load(tmp_path / "state.joblib", mmap_mode="r")
    restored = models.restore(name, mapped)
    assert all(not array.flags.writeable for array in arrays_of(mapped) if array.size)
    np.testing.assert_array_equal(restored.score(board), model.score(board))
    np.testing.assert_array_equal(restored.score(strangers(board, "zoe")), model.score(strangers(board, "zoe")))


@pytest.mark.parametrize("name", EVERY)
def test_an_unknown_customer_gets_real_scores_or_none_but_never_zeros(name):
    board = checkerboard()
    scores = fitted(name, board).score(strangers(board, "zoe"))
    assert np.isnan(scores).all() or (np.isfinite(scores).any() and scores[np.isfinite(scores)].any())


@pytest.mark.parametrize("name", EVERY)
def test_nobody_to_score_is_an_empty_block(name):
    board = checkerboard()
    assert fitted(name, board).score(strangers(board)).shape == (0, SIDE)


@pytest.mark.parametrize("name", EVERY)
def test_one_customer_and_one_item_are_enough(name):
    one = matrix_of(("ann", "milk", 1, "order"))
    model = fitted(name, one)
    assert model.score(one).shape == (1, 1)
    assert len(recommend(model, one, k=3, exclude_seen=True)) == 0


@pytest.mark.parametrize("name", EVERY)
def test_without_interactions_the_error_names_the_cure(name):
    nothing = strangers(matrix_of(("ann", "milk", 1, "order")), "ann", "bob")
    with pytest.raises(NotEnoughData, match="ingest order_lines or interactions"):
        fitted(name, nothing)


@pytest.mark.parametrize("name", EVERY)
def test_where_all_was_sent_back_the_error_says_so(name):
    returned = matrix_of(("ann", "hat", 2, "order"), ("ann", "hat", 1, "return"), ("bob", "hat", 1, "dislike"))
    with pytest.raises(NotEnoughData, match="one purchase that was kept"):
        fitted(name, returned)


@pytest.mark.parametrize("name", EVERY)
def test_when_everybody_bought_everything_nothing_new_is_left(name):
    everything = InteractionMatrix.from_pairs(["ann", "ann", "bob", "bob"], ["milk", "rice", "milk", "rice"])
    model = fitted(name, everything)
    assert model.score(everything).shape == (2, 2)
    assert len(recommend(model, everything, k=2, exclude_seen=True)) == 0


@pytest.mark.parametrize("name", EVERY)
def test_before_the_fit_the_error_says_so(name):
    board = checkerboard()
    with pytest.raises(NotFitted, match="call fit first"):
        models.create(name).score(board)
    with pytest.raises(NotFitted, match="call fit first"):
        models.create(name).state()


@pytest.mark.parametrize("name", EVERY)
def test_histories_on_other_items_are_refused(name):
    board = checkerboard()
    with pytest.raises(DataError, match="item index of the fit"):
        fitted(name, board).score(matrix_of(("ann", "milk", 1, "order")))


@pytest.mark.parametrize("name", PERSONALISING)
def test_customers_get_items_of_their_own_colour(name):
    board = checkerboard()
    lists = recommend(fitted(name, board), board, k=SIDE // 2 - 1, exclude_seen=False)
    assert (lists["customer_id"].str[1:].astype(int) % 2 == lists["item_id"].str[1:].astype(int) % 2).all()


@pytest.mark.parametrize("name", DISCOVERING)
def test_the_one_item_left_out_is_found(name):
    board = checkerboard()
    lists = recommend(fitted(name, board), board, k=1, exclude_seen=True)
    assert (lists["customer_id"].str[1:] == lists["item_id"].str[1:]).all()


def test_importing_the_models_loads_no_trainer():
    command = (
        "import sys, recommender.models as m; [m.model_class(name) for name in m.RECOMMENDERS]; "
        "print([name for name in ('pandas', 'sklearn', 'lightfm', 'lightgbm') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
