"""What customers of the same attributes buy, with answers known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.models.attribute_popularity import AttributePopularity

NAMES = ("region=north", "region=south", "channel=web")


def with_attributes(matrix: InteractionMatrix, *rows: tuple[str, ...]) -> InteractionMatrix:
    values = np.array([[float(name in row) for name in NAMES] for row in rows], dtype=np.float32)
    return replace(matrix, customer_features=FeatureMatrix(NAMES, sparse.csr_matrix(values)))


def shop() -> InteractionMatrix:
    """Milk is bought by all, tea in the north, oil in the south."""
    pairs = [("ann", "milk"), ("ann", "tea"), ("bob", "milk"), ("bob", "oil"), ("cat", "milk")]
    matrix = InteractionMatrix.from_pairs(*zip(*pairs, strict=True))
    return with_attributes(matrix, ("region=north", "channel=web"), ("region=south",), ())


def stranger(*attributes: str) -> InteractionMatrix:
    board = shop()
    nobody = board.of_events(np.zeros(len(board), dtype=bool)).of_customers(np.array([0]))
    return with_attributes(nobody, attributes)


def scores(model: AttributePopularity, *attributes: str) -> dict[str, float]:
    return dict(zip(shop().items.ids(), model.score(stranger(*attributes))[0].tolist(), strict=True))


def test_the_score_is_the_popularity_times_how_much_more_customers_alike_buy():
    model = AttributePopularity(prior_purchases=10.0).fit(shop())
    # Milk is 3 of 5 purchases, tea and oil 1 of 5; 10 more are spread so. The north has one milk and one tea.
    found = scores(model, "region=north")
    assert found["milk"] == pytest.approx(0.6 * (1 + 1 / 6))
    assert found["tea"] == pytest.approx(0.2 * (1 + 1 / 2))
    assert found["oil"] == pytest.approx(0.2)


def test_of_several_values_the_geometric_mean_counts():
    model = AttributePopularity(prior_purchases=10.0).fit(shop())
    # ann is all of the north and of the web, so both say the same, and together no more than each.
    assert scores(model, "region=north", "channel=web") == pytest.approx(scores(model, "region=north"))
    both = scores(model, "region=north", "region=south")
    assert both["tea"] == pytest.approx(0.2 * np.sqrt(1.5))


@pytest.mark.parametrize("attributes", [(), ("region=atlantis",)])
def test_who_has_no_value_that_was_met_gets_the_popularity(attributes):
    model = AttributePopularity().fit(shop())
    assert scores(model, *attributes) == pytest.approx({"milk": 0.6, "oil": 0.2, "tea": 0.2})


def test_a_history_changes_nothing():
    model = AttributePopularity().fit(shop())
    ann = shop().of_customers(np.array([0]))
    np.testing.assert_array_equal(model.score(ann), model.score(stranger("region=north", "channel=web")))
