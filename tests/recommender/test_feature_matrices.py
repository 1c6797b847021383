import numpy as np
import pandas as pd

from recommender.feature_matrices import customer_features, item_features
from recommender.identifiers import IdIndex

ITEMS = pd.DataFrame(
    {
        "item_id": pd.Series(["milk", "rice", "soap", "elsewhere"], dtype="string"),
        "title": pd.Series(["Milk", "Rice", "Soap", "?"], dtype="string"),
        "category": pd.Series(["food > fresh", "food > dry > grain", "home", None], dtype="string"),
        "brand": pd.Series(["own", None, "own", "own"], dtype="string"),
        "price": [1.0, 2.0, None, 3.0],
        "attributes": pd.Series(['{"organic": true, "size": "1 l"}', '{"size": "1 kg"}', None, None], dtype="string"),
    }
)


def of(features, index, one) -> set[str]:
    return {features.names[place] for place in features.values[index.position(one)].indices}


def test_items_are_described_by_category_brand_price_and_attributes():
    index = IdIndex(["milk", "rice", "soap", "wine"])
    features = item_features(ITEMS, index)
    assert of(features, index, "milk") == {
        "category_1=food", "category_2=food > fresh", "brand=own", "price_band=0", "organic=true", "size=1 l"
    }  # fmt: skip
    assert {"category_1=food", "category_2=food > dry", "category_3=food > dry > grain"} < of(features, index, "rice")
    assert of(features, index, "soap") == {"category_1=home", "brand=own"}
    assert of(features, index, "wine") == set()
    assert features.values.dtype == np.float32


def test_items_of_which_none_has_a_category_are_described_by_the_rest():
    index = IdIndex(["milk", "rice"])
    features = item_features(ITEMS.assign(category=pd.Series([None] * 4, dtype="string")), index)
    assert of(features, index, "milk") == {"brand=own", "price_band=0", "organic=true", "size=1 l"}


def test_dearer_items_have_a_higher_price_band():
    ids = [f"i{number}" for number in range(20)]
    frame = pd.DataFrame({"item_id": pd.Series(ids, dtype="string"), "price": np.arange(20.0)})
    features = item_features(frame, IdIndex(ids))
    assert len(features.names) == 10
    assert of(features, IdIndex(ids), "i19") == {"price_band=9"}


def test_the_most_frequent_features_are_kept():
    index = IdIndex(["milk", "rice", "soap"])
    assert item_features(ITEMS, index, limit=2).names == ("brand=own", "category_1=food")


def test_a_column_that_names_each_item_is_no_feature():
    ids = [f"i{number}" for number in range(1100)]
    frame = pd.DataFrame({"item_id": pd.Series(ids, dtype="string"), "barcode": pd.Series(ids, dtype="string")})
    assert item_features(frame, IdIndex(ids)).names == ()


def test_an_attribute_of_many_values_is_a_feature_where_many_items_share_each():
    ids = [f"i{number:05}" for number in range(11_000)]
    makers = pd.Series([str(number % 1_100) for number in range(11_000)], dtype="string")
    codes = pd.Series([str(number % 1_101) for number in range(11_000)], dtype="string")
    frame = pd.DataFrame({"item_id": pd.Series(ids, dtype="string"), "maker": makers, "code": codes})
    assert {name.partition("=")[0] for name in item_features(frame, IdIndex(ids)).names} == {"maker"}


def test_customers_are_described_by_region_channel_and_decade_of_birth():
    customers = pd.DataFrame(
        {
            "customer_id": pd.Series(["ann", "bob"], dtype="string"),
            "birth_year": pd.Series([1984, None], dtype="Int64"),
            "region": pd.Series(["north", "south"], dtype="string"),
            "channel": pd.Series([None, "shop"], dtype="string"),
            "consent_marketing": pd.Series([True, False], dtype="boolean"),
            "attributes": pd.Series(['{"pets": 2}', None], dtype="string"),
        }
    )
    index = IdIndex(["ann", "bob", "zoe"])
    features = customer_features(customers, index)
    assert of(features, index, "ann") == {"region=north", "birth_decade=1980", "pets=2"}
    assert of(features, index, "bob") == {"region=south", "channel=shop"}
    assert features.values.shape == (3, 5)


def test_an_empty_table_has_no_features():
    features = item_features(ITEMS.iloc[:0], IdIndex(["milk"]))
    assert features.names == ()
    assert features.values.shape == (1, 0)
