"""What every feature block promises, whatever rows it gets."""

import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.features import FeatureBlock, FeatureSet
from recommender.tables import Table, as_of
from recommender.touchpoints import BLOCKS, TABLES
from recommender.validation import validate_rows
from tests.strategies import CUSTOMERS, CUTOFF, frames, rows

UNITS = ("_count", "_amount", "_days", "_share", "_ratio", "_score", "_seconds", "_years")
PREFIXES = ("days_since_", "is_")
CUSTOMER_IDS = pd.Index([*CUSTOMERS, "nobody"], dtype="string", name="customer_id")
every_block = pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
few_examples = settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
Frames = dict[str, pd.DataFrame]


def tables_of(block: FeatureBlock) -> st.SearchStrategy[Frames]:
    return st.fixed_dictionaries({table.name: frames(table) for table in block.tables})


def computed(block: FeatureBlock, tables: Frames, customer_ids=CUSTOMER_IDS, cutoff=CUTOFF) -> pd.DataFrame:
    known = {table.name: as_of(table, tables[table.name], cutoff) for table in block.tables}
    return FeatureSet([block]).compute(known, customer_ids, cutoff)


def with_another_future(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The same past: later rows gone, later instants a day later, what became known with them gone."""
    if table.exists_from is not None:
        begins = frame[table.exists_from]
        frame = frame[(begins < CUTOFF) | begins.isna()]
    changed = {}
    for column in table.instant_columns:
        instants = frame[column.name]
        changed[column.name] = instants.where(~(instants >= CUTOFF), instants + timedelta(days=1))
    for column in table.columns:
        if column.known_at is not None:
            is_known = frame[column.known_at] < CUTOFF
            changed[column.name] = frame[column.name].where(is_known)
    return frame.assign(**changed)


def rows_of_customers(table: Table, frame: pd.DataFrame, customer_ids: pd.Index) -> pd.DataFrame:
    """The rows in the history of these customers: where a row names two, it lies with the first."""
    return frame[frame[table.customer_columns[0]].isin(customer_ids)]


def expect_equal(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
@few_examples
@given(data=st.data())
def test_the_strategy_makes_valid_rows(table, data):
    row = data.draw(rows(table))
    assert not validate_rows(table, [row], now=CUTOFF + timedelta(days=1000)).rejections


@every_block
@few_examples
@given(data=st.data())
def test_what_became_known_at_or_after_the_cutoff_changes_nothing(block, data):
    tables = data.draw(tables_of(block))
    changed = {table.name: with_another_future(table, tables[table.name]) for table in block.tables}
    pd.testing.assert_frame_equal(computed(block, tables), computed(block, changed), check_exact=True)


@every_block
@few_examples
@given(data=st.data())
def test_buckets_of_customers_give_the_same_as_all_at_once(block, data):
    tables = data.draw(tables_of(block))
    parts = []
    for bucket in (CUSTOMER_IDS[::2], CUSTOMER_IDS[1::2]):
        own = {table.name: rows_of_customers(table, tables[table.name], bucket) for table in block.tables}
        parts.append(computed(block, own, bucket))
    expect_equal(pd.concat(parts).reindex(CUSTOMER_IDS), computed(block, tables))


@every_block
@few_examples
@given(data=st.data())
def test_shuffled_rows_change_nothing(block, data):
    tables = data.draw(tables_of(block))
    seed = data.draw(st.integers(0, 99))
    shuffled = {name: frame.sample(frac=1, random_state=seed) for name, frame in tables.items()}
    expect_equal(computed(block, tables), computed(block, shuffled))


@every_block
@few_examples
@given(data=st.data())
def test_declared_features_are_numbers_or_unknown_and_the_fills_without_rows(block, data):
    features = computed(block, data.draw(tables_of(block)))
    assert tuple(features.columns) == block.feature_names
    assert set(features.dtypes) == {np.dtype("float64")}
    assert not np.isinf(features.to_numpy()).any()
    shares = features[[name for name in features if name.endswith("_share")]].to_numpy()
    assert ((shares >= 0) & (shares <= 1) | np.isnan(shares)).all()
    np.testing.assert_array_equal(features.loc["nobody"].to_numpy(), [feature.fill for feature in block.features])


@every_block
@few_examples
@given(data=st.data())
def test_no_feature_looks_at_the_clock(block, data):
    tables = data.draw(tables_of(block))
    shift = timedelta(days=28)
    moved = {
        table.name: tables[table.name].assign(
            **{column.name: tables[table.name][column.name] + shift for column in table.instant_columns}
        )
        for table in block.tables
    }
    expect_equal(computed(block, tables), computed(block, moved, cutoff=CUTOFF + shift))


@every_block
def test_empty_tables_give_the_fill_values(block):
    features = computed(block, {table.name: table.empty() for table in block.tables})
    for feature in block.features:
        expected = pd.Series(feature.fill, index=CUSTOMER_IDS, name=feature.name)
        pd.testing.assert_series_equal(features[feature.name], expected)


@every_block
def test_names_end_with_their_unit(block):
    for feature in block.features:
        assert feature.name.endswith(UNITS) or feature.name.startswith(PREFIXES), feature.name


@every_block
def test_fills_are_0_for_what_is_counted_and_unknown_otherwise(block):
    for feature in block.features:
        if feature.name.endswith("_count"):
            assert feature.fill == 0 or "_mean_" in feature.name, feature.name
        assert feature.fill == 0 or math.isnan(feature.fill), feature.name


@every_block
def test_every_feature_says_what_it_means(block):
    assert all(feature.meaning for feature in block.features)


def test_no_two_blocks_share_a_feature():
    assert len(FeatureSet(BLOCKS).features) == sum(len(block.features) for block in BLOCKS)
