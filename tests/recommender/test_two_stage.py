"""Two stages: candidates of generators, ranked by trees that learned from past windows."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.errors import NotEnoughData
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.boosted_trees import TreeSettings
from recommender.models.candidate_source import CandidateSource, Pairs
from recommender.models.learned_ranking import learn_ranking
from recommender.models.popularity import DecayedPopularity
from recommender.models.ranking_examples import RankingExamples, Sampling, ranking_examples
from recommender.models.two_stage import TwoStage
from recommender.randomness import rng_for
from tests.recommender.histories import matrix_of

STAPLES, EXTRAS, CUSTOMERS = 4, 30, 120


def regulars() -> InteractionMatrix:
    """Each customer buys one of four staples every 7 days for 26 weeks, and beside it any of thirty items."""
    extras = rng_for(0, "extras").integers(EXTRAS, size=(CUSTOMERS, 26))
    events = [
        event
        for customer in range(CUSTOMERS)
        for week in range(26)
        for event in (
            (f"c{customer:03}", f"staple{customer % STAPLES}", week * 7 + 1.0 + customer % 5, "order"),
            (f"c{customer:03}", f"extra{extras[customer, week]:02}", week * 7 + 1.0 + customer % 5, "order"),
        )
    ]
    return matrix_of(*events)


@pytest.fixture(scope="module")
def shop() -> InteractionMatrix:
    return regulars()


@pytest.fixture(scope="module")
def fitted(shop: InteractionMatrix) -> TwoStage:
    return TwoStage(horizon_days=14).fit(shop)


def test_what_comes_back_every_week_is_ranked_first_with_a_probability_near_1(shop, fitted):
    scores = fitted.score(shop)
    own = [shop.items.position(f"staple{int(one[1:]) % STAPLES}") for one in shop.customers.ids()]
    assert (np.nanargmax(scores, axis=1) == own).all()
    assert (scores[np.arange(CUSTOMERS), own] > 0.9).all()


def test_scores_are_probabilities(shop, fitted):
    scores = fitted.score(shop)
    assert np.nanmin(scores) >= 0
    assert np.nanmax(scores) <= 1


def test_a_purchase_after_the_training_changes_the_answer(shop, fitted):
    one = shop.of_customers(np.array([0]))
    more = np.arange(10)
    place = shop.items.position("staple3")
    later = replace(
        one,
        rows=np.append(one.rows, 0 * more).astype(np.int32),
        columns=np.append(one.columns, 0 * more + place).astype(np.int32),
        weights=np.append(one.weights, np.ones(10)).astype(np.float32),
        age_days=np.append(one.age_days, 7.0 * more).astype(np.float32),
        is_order=np.append(one.is_order, np.ones(10, dtype=bool)),
    )
    assert fitted.score(later)[0, place] > 0.3
    assert not fitted.score(one)[0, place] > 0.1


def test_examples_know_nothing_of_what_happened_after_their_cutoff(shop):
    past = shop.earlier(14)
    source = CandidateSource.of_fitted({"popularity": DecayedPopularity().fit(past)}, past)
    sampling = Sampling(negative_share=1.0)
    shuffled = replace(shop, columns=np.where(shop.age_days <= 14, shop.columns[::-1], shop.columns))
    honest = ranking_examples(source, shop, days=14, horizon_days=14, sampling=sampling)
    other = ranking_examples(source, shuffled, days=14, horizon_days=14, sampling=sampling)
    np.testing.assert_array_equal(honest.features, other.features)
    assert (honest.bought != other.bought).any()


def test_examples_are_of_at_most_so_many_customers_and_stand_for_all_pairs(shop):
    past = shop.earlier(14)
    source = CandidateSource.of_fitted({"popularity": DecayedPopularity().fit(past)}, past)
    everything = ranking_examples(source, shop, days=14, horizon_days=14, sampling=Sampling(negative_share=1.0))
    some = ranking_examples(source, shop, days=14, horizon_days=14, sampling=Sampling(negative_share=0.25))
    assert some.bought.sum() == everything.bought.sum()
    assert some.weights.sum() == pytest.approx(len(everything.bought), rel=0.1)
    few = ranking_examples(source, shop, days=14, horizon_days=14, sampling=Sampling(customers_at_most=10))
    assert 0 < few.bought.sum() < everything.bought.sum()


def test_without_a_past_window_examples_are_refused(shop):
    source = CandidateSource.of_fitted({"popularity": DecayedPopularity().fit(shop)}, shop)
    with pytest.raises(NotEnoughData, match="400 days before the cutoff"):
        ranking_examples(source, shop, days=400, horizon_days=14, sampling=Sampling())


def test_too_few_purchases_teach_no_ranking():
    few = RankingExamples(("x",), np.zeros((9, 1), dtype=np.float32), np.arange(9) < 3, np.ones(9))
    with pytest.raises(NotEnoughData, match="needs 50 purchases of candidates to learn from, got 3"):
        learn_ranking([few], TreeSettings())


def test_only_features_that_all_examples_share_are_learned_from():
    def examples(*names: str) -> RankingExamples:
        bought = np.arange(400) % 2 == 0
        return RankingExamples(names, np.column_stack([bought] * len(names)).astype(np.float32), bought, np.ones(400))

    ranking = learn_ranking([examples("a", "b"), examples("b", "c")], TreeSettings(min_child_rows=10))
    assert ranking.names == ("b",)


def windows_of(*shares: float) -> list[RankingExamples]:
    """Windows in each of which another share of equal pairs is bought; of the rest a quarter was kept."""
    found = []
    for share in shares:
        bought = np.arange(1000) < 1000 * share
        kept = bought | (np.arange(1000) % 4 == 0)
        weights = np.where(bought, 1.0, 4.0)[kept]
        found.append(RankingExamples(("x",), np.ones((kept.sum(), 1), dtype=np.float32), bought[kept], weights))
    return found


@pytest.mark.parametrize(("shares", "expected"), [((0.1, 0.3, 0.2), 0.1), ((0.4, 0.2), 0.4), ((0.2,), 0.2)])
def test_probabilities_have_the_level_of_the_latest_window(shares, expected):
    ranking = learn_ranking(windows_of(*shares), TreeSettings(min_child_rows=10))
    one = Pairs(np.zeros(1, dtype=int), np.zeros(1, dtype=int), {"x": np.ones(1)})
    assert ranking.probabilities(one) == pytest.approx(expected, abs=0.005)


def test_a_ranking_that_was_too_sure_of_the_latest_window_is_made_less_sure():
    def window(bought_of_a: float) -> RankingExamples:
        is_a, place = np.arange(1000) < 500, np.arange(1000) % 500
        bought = place < 500 * np.where(is_a, bought_of_a, 1.0 - bought_of_a)
        return RankingExamples(("a",), is_a[:, None].astype(np.float32), bought, np.ones(1000))

    # Of the item a .95 were bought before, .8 lately: less than the .9 of all windows together.
    ranking = learn_ranking([window(0.8), window(0.95), window(0.95)], TreeSettings(min_child_rows=10))
    both = Pairs(np.zeros(2, dtype=int), np.arange(2), {"a": np.array([1.0, 0.0])})
    high, low = ranking.probabilities(both)
    assert high < 0.85
    assert low > 0.15


def test_a_young_shop_without_past_windows_gets_the_blended_ranks_of_the_generators():
    young = matrix_of(("ann", "milk", 1, "order"), ("bob", "rice", 2, "order"), ("bob", "milk", 2, "order"))
    model = TwoStage().fit(young)
    assert model.ranking_ is None
    assert model.feature_gains() == {}
    assert young.items[int(np.nanargmax(model.score(young)[0]))] == "milk"


def test_gains_name_features_and_sum_to_1(fitted):
    gains = fitted.feature_gains()
    assert sum(gains.values()) == pytest.approx(1.0)
    assert list(gains.values()) == sorted(gains.values(), reverse=True)
