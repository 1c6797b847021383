import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender import metrics

# ann is shown items 0 1 2 and wants 1 and 4; bob is shown 3 and nothing else and wants 3; cat wants nothing.
POSITIONS = np.array([[0, 1, 2], [3, -1, -1], [0, 1, 2]])
TRUTH = sparse.csr_matrix(np.array([[0, 1, 0, 0, 1], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=np.float32))


def test_recall_is_the_share_of_the_truth():
    np.testing.assert_allclose(metrics.recall(POSITIONS, TRUTH), [0.5, 1.0, np.nan])


def test_precision_is_the_share_of_the_places():
    np.testing.assert_allclose(metrics.precision(POSITIONS, TRUTH), [1 / 3, 1 / 3, np.nan])


def test_the_first_hit_gives_the_reciprocal_rank():
    np.testing.assert_allclose(metrics.reciprocal_rank(POSITIONS, TRUTH), [1 / 2, 1.0, np.nan])
    np.testing.assert_allclose(metrics.hit(POSITIONS, TRUTH), [1.0, 1.0, np.nan])


def test_gain_is_judged_against_the_best_list_of_that_length():
    ideal = 1 + 1 / math.log2(3)
    np.testing.assert_allclose(metrics.ndcg(POSITIONS, TRUTH), [1 / math.log2(3) / ideal, 1.0, np.nan])


def test_a_full_list_of_hits_is_perfect_although_the_truth_is_longer():
    truth = sparse.csr_matrix(np.ones((1, 5), dtype=np.float32))
    assert metrics.ndcg(np.array([[4, 2]]), truth).tolist() == [1.0]


def test_novelty_is_measured_in_bits():
    counts = np.array([4, 2, 0, 1, 4])
    np.testing.assert_allclose(metrics.novelty(POSITIONS, counts, 4), [1.0, 2.0, 1.0])


def test_diversity_is_the_share_of_pairs_from_different_categories():
    categories = np.array([7, 7, 8, -1, -1])
    np.testing.assert_allclose(metrics.category_diversity(POSITIONS, categories), [2 / 3, np.nan, 2 / 3])


def test_items_without_category_are_like_no_other():
    assert metrics.category_diversity(np.array([[3, 4]]), np.array([7, 7, 8, -1, -1])).tolist() == [1.0]


def test_overlap_is_the_share_that_another_list_holds_too():
    np.testing.assert_allclose(metrics.overlap(POSITIONS, 5), [0.5, 0.0, 0.5])
    assert np.isnan(metrics.overlap(POSITIONS[:1], 5)).all()


def test_coverage_is_the_share_of_the_catalogue_that_is_shown():
    assert metrics.coverage(POSITIONS, 5) == pytest.approx(4 / 5)


def test_an_interval_leaves_out_customers_without_a_value():
    found = metrics.interval(np.array([1.0, 1.0, np.nan, 1.0]), seed=0)
    assert found == metrics.Interval(1.0, 1.0, 1.0, 3)


def test_no_values_have_no_mean():
    assert math.isnan(metrics.interval(np.array([np.nan]), seed=0).mean)


def test_an_interval_has_the_width_of_the_normal_one():
    values = np.tile([0.0, 1.0], 200)
    found = metrics.interval(values, seed=3, samples=4000)
    assert found.low == pytest.approx(0.5 - 1.96 * 0.5 / 20, abs=0.006)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.5 / 20, abs=0.006)


def test_one_seed_gives_one_interval():
    values = np.arange(50.0)
    assert metrics.interval(values, seed=1) == metrics.interval(values, seed=1)
    assert metrics.interval(values, seed=1) != metrics.interval(values, seed=2)


def test_a_small_gain_of_everybody_is_certain_although_customers_differ():
    theirs = np.linspace(0, 1, 40)
    found = metrics.paired_interval(theirs + 0.01, theirs, seed=0)
    assert found.low == pytest.approx(0.01)
    assert found.high == pytest.approx(0.01)


def slowly(shown: list[int], wanted: set[int], k: int) -> dict[str, float]:
    """The same measures, one customer and one place after the other."""
    if not wanted:
        return dict.fromkeys(["ndcg", "recall", "precision", "hit", "mrr"], math.nan)
    gain, found, first = 0.0, 0, 0.0
    for rank, item in enumerate(shown, start=1):
        if item in wanted:
            gain += 1 / math.log2(rank + 1)
            found += 1
            first = first or 1 / rank
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(wanted)) + 1))
    return {
        "ndcg": gain / ideal,
        "recall": found / len(wanted),
        "precision": found / k,
        "hit": float(found > 0),
        "mrr": first,
    }


@st.composite
def lists_and_truths(draw):
    k = draw(st.integers(1, 6))
    customer = st.tuples(st.lists(st.integers(0, 9), max_size=k, unique=True), st.sets(st.integers(0, 9), max_size=10))
    return k, draw(st.lists(customer, min_size=1, max_size=5))


@given(lists_and_truths())
@settings(max_examples=100, deadline=None)
def test_all_measures_agree_with_their_slow_definitions(case):
    k, customers = case
    positions = np.array([shown + [-1] * (k - len(shown)) for shown, _ in customers])
    dense = np.array([[item in wanted for item in range(10)] for _, wanted in customers], dtype=np.float32)
    quick = metrics.accuracy(positions, sparse.csr_matrix(dense))
    for row, (shown, wanted) in enumerate(customers):
        for name, value in slowly(shown, wanted, k).items():
            np.testing.assert_allclose(quick[name][row], value, err_msg=name)
