import numpy as np
from scipy import sparse

from recommender.interaction_matrix import FeatureMatrix
from recommender.models.attribute_codes import attribute_codes, one_hot, with_pairs


def features(*names: str, rows: list[list[int]]) -> FeatureMatrix:
    return FeatureMatrix(names, sparse.csr_matrix(np.array(rows, dtype=np.float32)))


FOUR = features("brand=x", "brand=y", "kind=a", "kind=b", rows=[[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0]])


def test_an_attribute_is_a_row_and_what_is_missing_is_below_zero():
    assert attribute_codes(FOUR).tolist() == [[0, 0, 1, -1], [0, 1, 0, 0]]


def test_of_two_values_of_one_attribute_the_first_counts():
    twice = features("kind=a", "kind=b", rows=[[1, 1], [0, 1], [1, 0]])
    assert attribute_codes(twice).tolist() == [[0, 1, 0]]


def test_what_all_or_none_of_the_items_share_is_left_out():
    same = features("kind=a", "name=1", "name=2", rows=[[1, 1, 0], [1, 0, 1]])
    assert attribute_codes(same).shape == (0, 2)


def test_pairs_are_added_where_they_tell_more_and_are_shared():
    codes = np.array([[0, 0, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 1, 1, 1]])
    assert with_pairs(codes).tolist() == [*codes.tolist(), [0, 0, 1, 2, 2], [0, 0, 1, 2, 2]]


def test_the_values_of_all_attributes_stand_one_after_the_other():
    values, attribute_of = one_hot(attribute_codes(FOUR))
    assert attribute_of.tolist() == [0, 0, 1, 1]
    assert values.toarray().tolist() == [[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0]]
