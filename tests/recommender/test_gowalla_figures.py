import numpy as np
import pytest
from scipy import sparse

from tests.benchmarks import gowalla
from tests.public_data import public_data


def test_a_tenth_of_train_is_held_out_once():
    train = sparse.csr_matrix(np.ones((100, 50), dtype=np.float32))
    kept, truth = gowalla.held_out(train, seed=0)
    assert (kept + truth != train).nnz == 0
    assert 400 < truth.nnz < 600
    assert (gowalla.held_out(train, seed=1)[1] != truth).nnz > 0


def test_positions_of_the_split_are_those_of_the_interactions():
    split = sparse.csr_matrix(np.array([[0, 1, 0], [1, 0, 1]], dtype=np.float32))
    np.testing.assert_array_equal(gowalla.interactions(split).counts().toarray(), split.toarray())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_graph_filter_is_as_good_as_its_authors_say():
    train, truth = gowalla.read(public_data("gowalla"))
    matrix = gowalla.interactions(train)
    entry = gowalla.Entry("graph filter", "graph_filter", {"sharpening_steps": 0})
    judged = gowalla.judged(entry.name, *gowalla.ours(entry, matrix, matrix, seed=0), truth)
    assert judged.recall.mean() >= 0.1849
    assert judged.ndcg.mean() >= 0.1518
