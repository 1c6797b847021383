"""What the database says of a filter never leaves out an item that the filter lets pass."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.filter_sql import FilterBounds
from recommender.filter_terms import Owner
from recommender.filters import parse_filter
from recommender.store_engine import reading
from recommender.store_schema import EVENT_TABLES

MAY, ON = datetime(2024, 5, 1, tzinfo=UTC), "2024-05-01T00:00:00Z"
ITEMS = [
    {"item_id": "plain"},
    {"item_id": "milk", "title": "Whole MILK", "category": "food > dairy", "brand": "Own", "price": 1.0},
    {"item_id": "ilk", "title": "_il%", "category": "food>dairy > milk", "brand": "own", "price": 2.5},
    {"item_id": "kelvin", "title": "Mil\u212a", "category": " > food", "price": 0.0, "is_replenishable": False},
    {"item_id": "street", "title": "Straße", "category": "dairy > food", "brand": "Größe", "is_replenishable": True},
    {"item_id": "soon", "available_from": MAY, "is_available": False, "attributes": {"size": "M", "litres": 1}},
    {"item_id": "red", "attributes": {"size": "m", "a b": 'say "hi"', "is_red": True, "litres": 2.5, "on": ON}},
    {"item_id": "deep", "attributes": {"in": {"size": "M"}, "größe": "Ü", "litres": "1"}},
    {"item_id": "off%er", "title": "100%", "brand": "a/b", "attributes": {"size": None, "none": "\\"}},
]
CUSTOMER = {
    "customer_id": "ann",
    "region": "Own",
    "birth_year": 1,
    "signed_up_at": MAY,
    "attributes": json.dumps({"size": "M", "litres": 1, "may": ON, "is_red": True, "huge": 10**400}),
}
TERMS = [
    *('brand = "Own"', 'brand != "Own"', 'brand in ["Own", "a/b"]', 'brand not in ["Größe"]', 'brand = "\\ud800"'),
    *("price = 1", "price != 1.0", "price < 2.5", "not price >= 2.5", "price in [1, 2.5]", "price < 1e39", "price = 0"),
    *("is_available", "is_replenishable", "not is_replenishable", "is_replenishable = false"),
    *("available_from = 2024-05-01T02:00:00+02:00", "available_from > 2024-04-30T00:00:00Z"),
    *('title contains "milk"', 'title contains "k"', 'title contains "ss"', 'title contains "%"', 'title contains ""'),
    *('not title contains "k"', 'not title contains "ß"', 'title contains "STRASSE"', 'title not contains "_"'),
    *('category under "food"', 'category under "food > dairy"', 'category not under "food"', 'category under ""'),
    *("brand is missing", "price is not missing", "attributes.size is missing", "attributes.size is not missing"),
    *('attributes.size = "M"', 'attributes.size != "M"', 'attributes.size in ["M", "m"]', 'attributes.none = "\\\\"'),
    *("attributes.litres = 1", "attributes.litres > 1", "not attributes.litres > 1", "attributes.is_red"),
    *('attributes."a b" contains "HI"', 'attributes."größe" = "Ü"', "attributes.on = 2024-05-01T00:00:00Z"),
    *("brand = customer.region", "brand != customer.region", "attributes.size = customer.attributes.size"),
    *("attributes.on >= customer.signed_up_at", "available_from = customer.attributes.may"),
    *("price = customer.attributes.no", "price = customer.attributes.litres"),
    *("customer.birth_year > 0", 'customer.region = "north"', "customer.channel is missing"),
    *("price < customer.attributes.huge", "price != customer.attributes.huge", "price < customer.birth_year"),
    *("title contains customer.attributes.size", "category under customer.attributes.size"),
    *("is_replenishable = customer.attributes.is_red", "brand = customer.attributes.litres"),
]
FILTERS = st.recursive(
    st.sampled_from(TERMS),
    lambda inner: (
        inner.map("not ({})".format)
        | st.lists(inner, min_size=2, max_size=3).map(lambda some: f"({' and '.join(some)})")
        | st.lists(inner, min_size=2, max_size=3).map(lambda some: f"({' or '.join(some)})")
    ),
    max_leaves=6,
)


@pytest.fixture
def filled(store):
    assert store.append_rows("items", ITEMS).accepted == len(ITEMS)
    return store


def passing(store, text, customer):
    """The items that the filter lets pass, and those that the database leaves to look at."""
    term, rows = parse_filter(text), store.rows_by_key("items", [one["item_id"] for one in ITEMS])
    bound = FilterBounds(Owner(customer or {}), store.engine.dialect.name).of(term.term)
    items = EVENT_TABLES["items"]
    with reading(store.engine) as connection:
        left = set(connection.scalars(sa.select(items.c.item_id).where(*([] if bound is None else [bound]))))
    allows = term.for_customer(customer)
    return {item_id for item_id, row in rows.items() if allows(item_id, row)}, left


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILTERS, st.sampled_from([CUSTOMER, None]))
def test_no_item_that_passes_is_left_out(filled, text, customer):
    expected, left = passing(filled, text, customer)
    assert expected <= left, text


@pytest.mark.parametrize("text", TERMS)
def test_no_single_term_nor_its_negation_leaves_out_an_item_that_passes(filled, text):
    for one in (text, f"not ({text})"):
        expected, left = passing(filled, one, CUSTOMER)
        assert expected <= left, one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('brand = "Own"', {"milk"}),
        ('not (brand = "Own" or price < 3)', {"plain", "street", "soon", "red", "deep", "off%er"}),
        ("price > 1 and is_available", {"ilk"}),
        ("available_from < customer.signed_up_at", set()),
        ("brand is missing and is_replenishable is not missing", {"kelvin"}),
        ('attributes."größe" = "Ü" or attributes.litres = "1"', {"deep"}),
        ('title contains "ilk" and price is not missing', {"milk", "kelvin"}),
        ('customer.region = "north" and is_available', set()),
    ],
)
def test_few_are_left_where_the_database_can_tell(filled, text, expected):
    assert passing(filled, text, CUSTOMER)[1] == expected
