import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.popularity import DecayedPopularity
from recommender.ranking import recommend, score_blocks
from recommender.top_items import top_items
from tests.recommender.histories import matrix_of, strangers

NAN = np.nan


def slowly(scores: np.ndarray, k: int) -> list[list[int]]:
    """The best columns of each row by sorting every row whole."""
    lists = []
    for row in scores:
        usable = [column for column in range(len(row)) if row[column] > -np.inf]
        lists.append(sorted(usable, key=lambda column, row=row: (-row[column], column))[:k])
    return lists


def test_the_best_come_first_and_equals_in_column_order():
    positions, best = top_items(np.array([[1.0, 3.0, 3.0, 2.0]], dtype=np.float32), 3)
    assert positions.tolist() == [[1, 2, 3]]
    assert best.tolist() == [[3.0, 3.0, 2.0]]


def test_unknown_items_are_never_chosen():
    positions, best = top_items(np.array([[NAN, -5.0, -np.inf], [NAN, NAN, NAN]], dtype=np.float32), 2)
    assert positions.tolist() == [[1, -1], [-1, -1]]
    np.testing.assert_array_equal(best, [[-5.0, NAN], [NAN, NAN]])


def test_of_more_equals_than_places_the_first_are_chosen():
    positions, _ = top_items(np.zeros((2, 5000), dtype=np.float32), 3)
    assert positions.tolist() == [[0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_an_empty_block_has_empty_lists(shape):
    positions, _ = top_items(np.zeros(shape, dtype=np.float32), 4)
    assert positions.shape == (shape[0], 4)
    assert (positions == -1).all()


values = st.sampled_from([NAN, -np.inf, -2.0, -1.0, 0.0, 0.5, 1.0, 7.0])
blocks = arrays.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 90)), elements=values)


@given(blocks, st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_quick_lists_are_those_of_sorting_every_row(scores, k):
    positions, best = top_items(scores, k)
    for row, expected in enumerate(slowly(scores, k)):
        assert positions[row].tolist() == expected + [-1] * (k - len(expected))
        np.testing.assert_array_equal(best[row, : len(expected)], scores[row, expected])


def test_a_large_block_agrees_too():
    scores = np.random.default_rng(5).integers(0, 400, (6, 3001)).astype(np.float32)
    assert top_items(scores, 20)[0].tolist() == slowly(scores, 20)


ORDERS = matrix_of(
    ("ann", "milk", 1, "order"), ("bob", "milk", 1, "order"), ("bob", "rice", 1, "order"), ("cat", "soap", 9, "order")
)


def test_lists_leave_out_what_was_bought_and_what_is_not_allowed():
    model = DecayedPopularity().fit(ORDERS)
    lists = recommend(model, ORDERS, k=2, allowed_items=["milk", "soap", "unheard-of"])
    found = list(lists[["customer_id", "item_id", "rank"]].itertuples(index=False, name=None))
    assert found == [("ann", "soap", 1), ("bob", "soap", 1), ("cat", "milk", 1)]


def test_lists_may_hold_what_was_bought():
    lists = recommend(DecayedPopularity().fit(ORDERS), ORDERS, k=1, exclude_seen=False)
    assert lists["item_id"].tolist() == ["milk"] * 3
    assert str(lists["item_id"].dtype) == "string"


def test_nobody_gets_an_empty_frame_with_the_right_columns():
    lists = recommend(DecayedPopularity().fit(ORDERS), strangers(ORDERS), k=2)
    assert lists.dtypes.astype(str).to_dict() == {
        "customer_id": "string", "item_id": "string", "score": "float32", "rank": "int64"
    }  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 1024])
def test_blocks_of_any_size_hold_every_customer_with_the_own_history(size):
    shuffled = InteractionMatrix.from_pairs(["cat", "ann", "bob", "ann"], ["soap", "milk", "rice", "rice"])
    model = DecayedPopularity().fit(shuffled)
    names, rows = [], []
    for positions, block, scores in score_blocks(model, shuffled, block_customers=size):
        names += block.customers.ids()
        rows.append(block.counts().toarray())
        assert len(scores) == len(positions) <= size
    assert names == ["ann", "bob", "cat"]
    np.testing.assert_array_equal(np.concatenate(rows), shuffled.counts().toarray())
