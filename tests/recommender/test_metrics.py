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


def test_who_has_many_equal_values_counts_as_often_but_is_drawn_once():
    own = np.random.default_rng(0).random(50)
    many, whose = np.repeat(own, 20), np.repeat(np.arange(50), 20)
    clustered, single = metrics.interval(many, seed=0, clusters=whose), metrics.interval(own, seed=0)
    assert (clustered.mean, clustered.low, clustered.high) == pytest.approx((single.mean, single.low, single.high))
    assert clustered.customers == 1000
    apart = metrics.interval(many, seed=0)
    assert apart.high - apart.low < (clustered.high - clustered.low) / 3


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


# How many customers bought items 0 to 4: item 0 alone has half of the ten buyers.
BUYERS = np.array([5, 2, 2, 1, 0])


def test_the_percentile_of_an_item_is_its_mid_rank_among_all():
    np.testing.assert_allclose(metrics.popularity_percentiles(BUYERS), [0.9, 0.6, 0.6, 0.3, 0.1])


def test_the_short_head_is_the_fewest_popular_items_that_reach_the_share():
    assert metrics.short_head(BUYERS, 0.5).tolist() == [True, False, False, False, False]
    assert metrics.short_head(BUYERS, 0.51).tolist() == [True, True, False, False, False]
    assert not metrics.short_head(np.zeros(3)).any()


def test_a_value_of_items_is_averaged_over_the_list_and_over_the_truth():
    values = np.array([1.0, 0.0, 0.5, 0.0, 1.0])
    np.testing.assert_allclose(metrics.mean_over_list(POSITIONS, values), [0.5, 0.0, 0.5])
    np.testing.assert_allclose(metrics.mean_over_truth(TRUTH, values), [0.5, 0.0, np.nan])


def test_sets_overlap_as_lists_of_the_same_items_do():
    sets = sparse.csr_matrix(np.array([[1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [1, 1, 1, 0, 0]]))
    np.testing.assert_allclose(metrics.overlap_of_sets(sets), metrics.overlap(POSITIONS, 5))
    assert np.isnan(metrics.overlap_of_sets(sets[:1])).all()


def one_after_the_other(values: np.ndarray, samples: int) -> tuple[float, float]:
    """The percentile interval of as many customers drawn anew with replacement, one sample after the other."""
    rng = np.random.default_rng(11)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(samples)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


@pytest.mark.parametrize("count", [60, 400, 3000])
def test_intervals_agree_with_drawing_customers_one_by_one(count):
    values = np.random.default_rng(count).beta(0.3, 1.0, count)
    found = metrics.interval(values, seed=0, samples=4000)
    low, high = one_after_the_other(values, 4000)
    # Three standard errors of a bound from 4,000 samples, twice: both sides are drawn.
    tolerance = 6 * values.std() / math.sqrt(count) * math.sqrt(0.025 * 0.975 / 4000) / 0.0584
    assert found.low == pytest.approx(low, abs=tolerance)
    assert found.high == pytest.approx(high, abs=tolerance)


def test_groups_of_many_customers_have_the_spread_of_the_customers(monkeypatch):
    values = np.random.default_rng(0).beta(0.3, 1.0, 6000)
    each = metrics.interval(values, seed=0, samples=4000)
    monkeypatch.setattr(metrics, "MAXIMUM_GROUPS", 1000)
    grouped = metrics.interval(values, seed=0, samples=4000)
    assert grouped.mean == each.mean
    assert grouped.high - grouped.low == pytest.approx(each.high - each.low, rel=0.1)


@given(st.lists(st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=4, max_size=4), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_intervals_of_columns_count_what_is_known_and_lie_within_the_values(rows):
    table = np.array([[math.nan if one is None else one for one in row] for row in rows])
    found = metrics.intervals({str(place): table[:, place] for place in range(4)}, seed=0, samples=50)
    for place in range(4):
        known = table[~np.isnan(table[:, place]), place]
        one = found[str(place)]
        assert one.customers == len(known)
        if len(known) and not math.isnan(one.low):
            assert known.min() - 1e-9 <= one.low <= one.high <= known.max() + 1e-9


def test_a_column_that_nobody_has_is_nan_beside_one_that_all_have():
    found = metrics.intervals({"known": np.ones(9), "unknown": np.full(9, np.nan)}, seed=0)
    assert found["known"] == metrics.Interval(1.0, 1.0, 1.0, 9)
    assert math.isnan(found["unknown"].mean)
    assert found["unknown"].customers == 0
