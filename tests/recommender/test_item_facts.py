"""What a ranker knows of every item."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from recommender.interaction_matrix import FeatureMatrix
from recommender.models.item_facts import FACTS, ItemFacts, item_groupings, median_by, purchase_groups
from tests.recommender.histories import matrix_of


def fact(facts: ItemFacts, name: str, item: int) -> float:
    return float(facts.values[item, FACTS.index(name)])


def test_facts_count_purchases_buyers_and_intervals():
    matrix = matrix_of(
        ("ann", "milk", 3, "order"),
        ("ann", "milk", 10, "order"),
        ("bob", "milk", 40, "order"),
        ("bob", "rice", 1, "view"),
    )
    facts = ItemFacts.of(matrix, purchase_groups(matrix))
    milk, rice = matrix.items.position("milk"), matrix.items.position("rice")
    assert fact(facts, "item_count", milk) == 3
    assert fact(facts, "item_count_7d", milk) == 1
    assert fact(facts, "item_count_28d", milk) == 2
    assert fact(facts, "item_buyers", milk) == 2
    assert fact(facts, "item_interval_days", milk) == 7
    assert fact(facts, "item_known_days", milk) == 40
    assert fact(facts, "item_count", rice) == 0
    assert np.isnan(fact(facts, "item_interval_days", rice))


def test_groupings_are_attributes_that_most_items_have_the_finest_first():
    names = (
        "level_1=a",
        "level_1=b",
        "level_2=a > x",
        "level_2=a > y",
        "level_2=b > z",
        "rare=1",
        "rare=2",
    )
    rows = [[0, 2], [0, 3], [1, 4], [1, 4, 5]]
    values = sparse.lil_matrix((4, len(names)), dtype=np.float32)
    for row, columns in enumerate(rows):
        values[row, columns] = 1
    groupings = item_groupings(FeatureMatrix(names, values.tocsr()))
    assert list(groupings) == ["level_2", "level_1"]
    assert groupings["level_2"].tolist() == [0, 1, 2, 2]
    assert item_groupings(None) == {}


def test_the_median_of_a_code_without_values_is_unknown():
    medians = median_by(np.array([0, 0, 0, 2]), np.array([5.0, 1.0, 3.0, np.nan]), 3)
    assert medians[0] == 3.0
    assert np.isnan(medians[1:]).all()


def test_a_share_is_the_part_of_an_item_in_the_recent_sales_of_its_group():
    matrix = matrix_of(("ann", "milk", 3, "order"), ("bob", "milk", 3, "order"), ("bob", "oats", 3, "order"))
    features = FeatureMatrix(
        ("kind=food", "kind=other"), sparse.csr_matrix(np.array([[1, 0], [1, 0]], dtype=np.float32))
    )

    facts = ItemFacts.of(replace(matrix, item_features=features), purchase_groups(matrix))
    np.testing.assert_allclose(facts.groupings["kind"].shares, [2 / 3, 1 / 3], rtol=1e-6)
