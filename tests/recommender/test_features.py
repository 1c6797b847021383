import numpy as np
import pandas as pd
import pytest

from recommender.errors import DataError
from recommender.features import (
    UNKNOWN,
    Feature,
    FeatureBlock,
    FeatureSet,
    age_days,
    distinct_counts,
    event_days,
    gap_days,
    last_by,
    share,
    unique_pairs,
)
from recommender.tables import Column, Table
from tests.recommender.rows import CUTOFF, rows_of

VISITS = Table(
    "visits",
    (
        Column("visit_id", "identifier", "one visit", required=True),
        Column("customer_id", "identifier", "whose", required=True),
        Column("visited_at", "instant", "when", required=True),
        Column("left_at", "instant", "until when"),
        Column("rating", "decimal", "how it was"),
    ),
    key=("visit_id",),
    exists_from="visited_at",
)
FEATURES = (Feature("visit_count", "visits"), Feature("rating_score", "mean rating", UNKNOWN))


def visit_features(visits, cutoff):
    by_customer = visits.groupby("customer_id")
    return pd.DataFrame({"rating_score": by_customer["rating"].mean(), "visit_count": by_customer.size()})


BLOCK = FeatureBlock("visits", (VISITS,), visit_features, FEATURES)


@pytest.fixture
def visits():
    return rows_of(
        VISITS,
        {"visit_id": "v1", "customer_id": "ann", "visited_at": 30.5, "left_at": 30.0, "rating": 4.0},
        {"visit_id": "v2", "customer_id": "ann", "visited_at": 2.5},
        {"visit_id": "v3", "customer_id": "bob", "visited_at": 2.25},
    )


def ids(text):
    return pd.Index(text.split(), dtype="string", name="customer_id")


def test_features_come_in_the_order_asked_for(visits):
    features = FeatureSet([BLOCK]).compute({"visits": visits}, ids("cy bob ann"), CUTOFF)
    assert list(features.index) == ["cy", "bob", "ann"]
    assert list(features.columns) == ["visit_count", "rating_score"]
    assert list(features["visit_count"]) == [0, 1, 2]


def test_what_a_block_left_unknown_stays_unknown(visits):
    zero_filled = FeatureBlock("visits", (VISITS,), visit_features, (Feature("rating_score", "mean rating", fill=0.0),))
    features = FeatureSet([zero_filled]).compute({"visits": visits}, ids("ann bob cy"), CUTOFF)
    assert features["rating_score"].isna().to_dict() == {"ann": False, "bob": True, "cy": False}


def test_a_table_that_is_absent_counts_as_empty():
    features = FeatureSet([BLOCK]).compute({}, ids("ann"), CUTOFF)
    assert features.loc["ann", "visit_count"] == 0
    assert pd.isna(features.loc["ann", "rating_score"])


def test_no_customers_give_no_rows(visits):
    features = FeatureSet([BLOCK]).compute({"visits": visits}, ids(""), CUTOFF)
    assert features.shape == (0, 2)


def test_no_blocks_give_no_columns(visits):
    assert FeatureSet([]).compute({"visits": visits}, ids("ann"), CUTOFF).shape == (1, 0)


def test_a_feature_declared_twice_is_refused():
    with pytest.raises(DataError, match="again: the feature 'visit_count' is declared twice; rename one"):
        FeatureSet([BLOCK, FeatureBlock("again", (VISITS,), visit_features, FEATURES)])


def test_a_feature_set_names_its_tables_once():
    other = FeatureBlock("more", (VISITS,), visit_features, ())
    assert FeatureSet([BLOCK, other]).table_names == ("visits",)


def test_ages_and_gaps_are_in_days(visits):
    assert list(age_days(visits["visited_at"], CUTOFF)) == [30.5, 2.5, 2.25]
    assert list(gap_days(visits["visited_at"], visits["left_at"]).fillna(-1.0)) == [0.5, -1.0, -1.0]


def test_a_share_of_nothing_is_unknown():
    assert list(share(pd.Series([1.0, 0.0]), pd.Series([4.0, 0.0])).fillna(-1.0)) == [0.25, -1.0]


def test_the_last_row_is_told_by_all_columns_named():
    rows = pd.DataFrame({"who": ["ann", "ann", "bob"], "day": [1, 1, 0], "size": [5, 3, 9]})
    assert last_by(rows, "who", ["day", "size"])["size"].to_dict() == {"ann": 5, "bob": 9}


def test_event_days_are_whole_days_counted_back_from_the_cutoff():
    days = event_days(pd.DataFrame({"who": ["ann"] * 4, "age": [0.9, 1.0, 1.5, 9.99]}), "who", "age")
    assert list(days["day"]) == [9, 1, 0]
    assert list(days["interval"].fillna(-1)) == [-1, 8, 1]


def test_pairs_are_counted_once_and_unknown_ones_never():
    owners, values = np.array([0, 0, 0, 2, 2, -1]), np.array([5, 5, 0, 7, -1, 3])
    assert list(zip(*unique_pairs(owners, values), strict=True)) == [(0, 5), (0, 0), (2, 7)]
    assert list(distinct_counts(owners, values, 4)) == [2, 0, 1, 0]
    assert list(distinct_counts(np.array([], int), np.array([], int), 2)) == [0, 0]
