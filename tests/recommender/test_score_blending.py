import numpy as np
import pytest

from recommender.errors import SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.personal_frequency import DecayedPersonalFrequency
from recommender.models.popularity import DecayedPopularity
from recommender.models.score_blending import ScoreBlend
from tests.recommender.histories import strangers

# rice is bought twice, milk and soap once; ann bought milk twice and rice once.
PAIRS = InteractionMatrix.from_pairs(["ann", "ann", "ann", "bob", "cat"], ["milk", "milk", "rice", "rice", "soap"])


def test_scores_are_weighted_sums_of_standardised_scores():
    blend = ScoreBlend([DecayedPersonalFrequency(), DecayedPopularity()], [1.0, 0.5]).fit(PAIRS)
    # ann's frequencies are 2, 1 and unknown, which counts as the lowest, 1.
    frequency = np.array([2, 1, 1]) - 4 / 3
    popularity = DecayedPopularity().fit(PAIRS).score(PAIRS)[0]
    popularity = popularity - popularity.mean()
    expected = frequency / frequency.std() + 0.5 * popularity / popularity.std()
    np.testing.assert_allclose(blend.score(PAIRS)[0], expected, rtol=1e-5)


def test_an_item_that_no_recommender_knows_is_unknown():
    blend = ScoreBlend(["personal_frequency"], [1.0]).fit(PAIRS)
    assert np.isnan(blend.score(PAIRS)).tolist() == [[False, False, True], [True, False, True], [True, True, False]]
    assert np.isnan(blend.score(strangers(PAIRS, "zoe"))).all()


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], []])
def test_weights_must_match(weights):
    with pytest.raises(SettingError, match="do not fit 2 recommenders; give each one above 0"):
        ScoreBlend(["personal_frequency", "popularity"], weights).fit(PAIRS)
