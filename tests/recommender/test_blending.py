import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recommender.errors import SettingError
from recommender.models import create
from recommender.models.blending import Blend, RankBlend
from recommender.ranking import recommend
from tests.recommender.histories import matrix_of, strangers

NAN = np.nan
ORDERS = matrix_of(
    ("ann", "milk", 1, "order"),
    ("bob", "rice", 1, "order"),
    ("bob", "soap", 1, "order"),
    ("cat", "rice", 1, "order"),
    items="milk rice soap wine",
)


class Fixed:
    """A recommender that gives the scores typed in."""

    def __init__(self, *scores):
        self.scores = np.array(scores, dtype=np.float32)

    def score(self, histories):
        return self.scores.copy()


def order(scores: np.ndarray) -> list[int]:
    return sorted(np.flatnonzero(~np.isnan(scores)), key=lambda place: (-scores[place], place))


def test_what_the_first_does_not_know_follows_in_the_order_of_the_second():
    lists = recommend(Blend().fit(ORDERS), ORDERS, k=4, exclude_seen=False)
    assert lists[lists["customer_id"] == "ann"]["item_id"].tolist() == ["milk", "rice", "soap", "wine"]
    assert lists[lists["customer_id"] == "bob"]["item_id"].tolist() == ["rice", "soap", "milk", "wine"]


def test_a_stranger_gets_the_scores_of_the_second():
    blend, popularity = Blend().fit(ORDERS), create("popularity").fit(ORDERS)
    stranger = strangers(ORDERS, "zoe")
    np.testing.assert_array_equal(blend.score(stranger), popularity.score(stranger))


def test_the_scores_of_the_first_stay_as_they_are():
    blend = Blend.of_fitted([Fixed([0.25, NAN, 2.0]), Fixed([9.0, 8.0, 7.0])])
    scores = blend.score(strangers(ORDERS, "zoe"))
    assert scores[0, [0, 2]].tolist() == [0.25, 2.0]
    assert scores[0, 1] < 0.25


def test_a_third_recommender_comes_last():
    blend = Blend.of_fitted([Fixed([NAN, 1.0, NAN, NAN]), Fixed([NAN, 5.0, 0.0, NAN]), Fixed([3.0, 3.0, 3.0, 3.0])])
    assert order(blend.score(strangers(ORDERS, "zoe"))[0]) == [1, 2, 0, 3]


def test_scores_at_both_ends_of_the_floats_keep_their_order():
    huge = float(np.finfo(np.float32).max)
    blend = Blend.of_fitted([Fixed([-huge / 2, NAN, NAN, NAN]), Fixed([0.0, huge, -huge, 1e-45])])
    scores = blend.score(strangers(ORDERS, "zoe"))[0]
    assert order(scores) == [0, 1, 3, 2]
    assert np.isfinite(scores).all()


floats = st.one_of(st.just(NAN), st.floats(-(2.0**100), 2.0**100, width=32), st.sampled_from([0.0, -0.0, 1.0, 2.0]))
pairs = arrays.arrays(np.float32, st.tuples(st.just(2), st.integers(1, 12)), elements=floats)


@given(pairs)
@settings(max_examples=100, deadline=None)
def test_a_blend_is_one_list_after_the_other_with_ties_where_they_were(case):
    first, second = case
    blended = Blend.of_fitted([Fixed(first), Fixed(second)]).score(strangers(ORDERS, "zoe"))[0]
    rest = np.where(np.isnan(first), second, NAN)
    assert order(blended) == order(first) + order(rest)
    known = ~np.isnan(rest)
    assert len(np.unique(blended[known])) == len(np.unique(rest[known]))


def test_ranks_are_weighed_and_equal_scores_share_the_best():
    blend = RankBlend.of_fitted([Fixed([5.0, 5.0, 1.0, NAN]), Fixed([NAN, 1.0, 2.0, NAN])], weights=[1, 3])
    expected = [1 / 61, 1 / 61 + 3 / 62, 1 / 63 + 3 / 61, NAN]
    np.testing.assert_allclose(blend.score(strangers(ORDERS, "zoe"))[0], expected, rtol=1e-6)


def test_ranks_beyond_the_depth_do_not_count():
    blend = RankBlend([Fixed([4.0, 3.0, 3.0, 1.0])], depth=2)
    blend.fitted_, blend.weights_ = blend.recommenders, (1.0,)
    np.testing.assert_allclose(blend.score(strangers(ORDERS, "zoe"))[0], [1 / 61, 1 / 62, 1 / 62, NAN], rtol=1e-6)


def test_weights_that_do_not_match_are_refused():
    with pytest.raises(SettingError, match=r"weights \[1\] do not fit 2 recommenders"):
        RankBlend(weights=[1]).fit(ORDERS)


def test_a_blend_of_nothing_is_refused():
    with pytest.raises(SettingError, match="name at least one"):
        Blend([]).fit(ORDERS)
