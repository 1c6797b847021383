"""What items and customers are like, as sparse features for models that have to guess about newcomers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from recommender.identifiers import IdIndex
from recommender.interaction_matrix import FeatureMatrix
from recommender.tables import attributes_of

if TYPE_CHECKING:
    import pandas as pd

FEATURE_LIMIT = 5000
PRICE_BANDS = 10
# An attribute with more distinct values than this describes things only where each is shared by some of them, as the
# makers of a large catalogue are; else it names them.
ATTRIBUTE_VALUES = 1000
SHARED_BY = 10

_CATEGORY_SEPARATOR = " > "
_NO_FEATURE_ITEM = frozenset({"item_id", "title", "category", "brand", "price", "cost", "product_group_id",
                              "is_available", "available_from", "available_until", "attributes"})  # fmt: skip
_NO_FEATURE_CUSTOMER = frozenset({"customer_id", "signed_up_at", "birth_year", "region", "channel",
                                  "consent_personalization", "consent_marketing", "attributes"})  # fmt: skip


def item_features(items: pd.DataFrame, index: IdIndex, limit: int = FEATURE_LIMIT) -> FeatureMatrix:
    """Features of the items of an index from the items table as of the cutoff.

    Each prefix of the category path, the brand, the price band (by quantiles of the prices given) and the values of
    the other columns and attributes, each as ``name=value`` with a 1; the ``limit`` most frequent are kept. An item
    without a row has none.
    """
    texts = {"brand": items["brand"]} if "brand" in items else {}
    return _matrix(
        items["item_id"],
        index,
        [*_category_prefixes(items), *texts.items(), *_price_bands(items), *_others(items, _NO_FEATURE_ITEM)],
        limit,
    )


def customer_features(customers: pd.DataFrame, index: IdIndex, limit: int = FEATURE_LIMIT) -> FeatureMatrix:
    """Features of the customers of an index from the customers table as of the cutoff.

    Region, channel, decade of birth and the values of the other columns and attributes, as for items.
    """
    columns = [(name, customers[name]) for name in ("region", "channel") if name in customers]
    if "birth_year" in customers:
        columns.append(("birth_decade", customers["birth_year"] // 10 * 10))
    return _matrix(customers["customer_id"], index, [*columns, *_others(customers, _NO_FEATURE_CUSTOMER)], limit)


def features_of_customer(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the features that ``customer_features`` gives a customers row, without pandas."""
    year = row.get("birth_year")
    values = {"region": row.get("region"), "channel": row.get("channel")}
    values["birth_decade"] = None if year is None else str(year // 10 * 10)
    fields = {name: _plain(value) for name, value in attributes_of(row).items() if name not in row}
    return tuple(f"{name}={value}" for name, value in (values | fields).items() if value is not None)


def _category_prefixes(items: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    if "category" not in items:
        return
    separators = items["category"].str.count(_CATEGORY_SEPARATOR).dropna()
    depth = int(separators.max()) if len(separators) else -1
    parts = items["category"].str.split(_CATEGORY_SEPARATOR)
    for level in range(depth + 1):
        deep_enough = parts.str.len() > level
        yield f"category_{level + 1}", parts.where(deep_enough).str[: level + 1].str.join(_CATEGORY_SEPARATOR)


def _price_bands(items: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    import pandas as pd

    if "price" not in items or items["price"].notna().sum() == 0:
        return
    bounds = np.unique(np.nanquantile(items["price"].astype("float64"), np.linspace(0, 1, PRICE_BANDS + 1)[1:-1]))
    bands = pd.Series(np.searchsorted(bounds, items["price"], side="left"), index=items.index, dtype="Int64")
    yield "price_band", bands.where(items["price"].notna())


def _others(rows: pd.DataFrame, left_out: frozenset[str]) -> Iterator[tuple[str, pd.Series]]:
    """Further columns and the fields of ``attributes``, as far as they describe rather than name."""
    for name in sorted(set(rows.columns) - left_out):
        if _describes(rows[name]):
            yield name, rows[name]
    if "attributes" not in rows:
        return
    fields = _fields(rows["attributes"])
    for name in sorted(set(fields.columns) - set(rows.columns)):
        if _describes(fields[name]):
            yield name, fields[name]


def _describes(values: pd.Series) -> bool:
    return bool(values.nunique() <= max(ATTRIBUTE_VALUES, values.notna().sum() // SHARED_BY))


def _fields(attributes: pd.Series) -> pd.DataFrame:
    import pandas as pd

    distinct = attributes.dropna().unique()
    parsed = {text: {name: _plain(value) for name, value in json.loads(text).items()} for text in distinct}
    nothing: dict[str, str] = {}
    return pd.DataFrame([parsed.get(text, nothing) for text in attributes], index=attributes.index, dtype="object")


def _plain(value: Any) -> str | None:
    return None if value is None or value == "" else value if isinstance(value, str) else json.dumps(value)


def _matrix(ids: pd.Series, index: IdIndex, columns: list[tuple[str, pd.Series]], limit: int) -> FeatureMatrix:
    import pandas as pd

    positions = index.positions(ids)
    pairs = [
        pd.DataFrame({"row": positions, "name": name + "=" + values.astype("string")})[values.notna().to_numpy()]
        for name, values in columns
    ]
    if not pairs:
        return FeatureMatrix((), sparse.csr_matrix((len(index), 0), dtype=np.float32))
    known = pd.concat(pairs)
    known = known[known["row"] >= 0].drop_duplicates()
    counts = known["name"].value_counts().reset_index()
    kept = counts.sort_values(["count", "name"], ascending=[False, True])["name"].iloc[:limit]
    names = IdIndex(kept)
    places = names.positions(known["name"])
    inside = places >= 0
    ones = np.ones(int(inside.sum()), dtype=np.float32)
    shape = (len(index), len(names))
    values = sparse.csr_matrix((ones, (known["row"].to_numpy()[inside], places[inside])), shape=shape)
    return FeatureMatrix(tuple(names.ids()), values)
