import numpy as np
import pytest

from recommender import models
from recommender.periods import instant
from recommender.splits import Split
from tests.benchmarks import _lists, journey

pytestmark = pytest.mark.slow

CUTOFF = instant("2017-11-06")


@pytest.fixture(scope="module")
def past():
    folder = journey.folder()
    if folder is None:
        pytest.skip("the Complete Journey files are neither in ../shared/data nor installed")
    data = journey.read(folder)
    matrix = journey.history(data, CUTOFF, journey.choices(data, CUTOFF, "frequent"))
    return matrix, Split(CUTOFF, 28).truth(data.events, matrix)


def test_what_a_household_buys_again_predicts_its_next_four_weeks(past):
    matrix, truth = past
    judged = _lists.judge("frequency", models.create("personal_frequency"), matrix, truth)
    assert np.nanmean(judged.values["all"]["ndcg"]) == pytest.approx(0.418, abs=0.004)


def test_what_everybody_buys_finds_some_of_what_a_household_never_bought(past):
    matrix, truth = past
    judged = _lists.judge("popularity", models.create("popularity"), matrix, truth)
    assert np.nanmean(judged.values["new"]["ndcg"]) == pytest.approx(0.034, abs=0.003)


def test_a_filled_list_is_as_good_as_the_list_that_it_fills(past):
    matrix, truth = past
    judged = _lists.judge("blend", models.create("blending"), matrix, truth)
    assert np.nanmean(judged.values["all"]["ndcg"]) >= 0.414
    assert np.nanmean(judged.values["new"]["ndcg"]) >= 0.031
