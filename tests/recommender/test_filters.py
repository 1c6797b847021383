"""The filter language: what it says, what it refuses and where, and a slow second version that agrees."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import SettingError
from recommender.filter_parsing import COLUMNS, DEPTH_AT_MOST, LENGTH_AT_MOST, TERMS_AT_MOST, FilterError
from recommender.filter_terms import Compares, Contains, Equals, Field, Joined, Missing, Not, Under
from recommender.filters import Filter, parse_filter

MILK = {
    "item_id": "milk",
    "title": "Whole Milk",
    "category": "GROCERY > DAIRY > MILK",
    "brand": "Meadow",
    "price": 1.2,
    "is_available": True,
    "available_from": datetime(2024, 5, 1, tzinfo=UTC),
    "available_until": None,
    "is_replenishable": None,
    "attributes": json.dumps(
        {"colour": "white", "litres": 1, "is_fresh": True, "Größe": "L", "filled_at": "2024-05-02"}
    ),
}


def passes(text: str, row=MILK) -> bool:
    return parse_filter(text).allows("milk", row)


@pytest.mark.parametrize(
    "text",
    [
        'category under "GROCERY > DAIRY" and price < 10 and not brand in ["A", "B"] and is_available',
        'category under "GROCERY>DAIRY"',
        'title contains "milk" AND attributes.colour = "white"',
        "price >= 1.2 and price <= 1.2 and price != 1.3 and not price > 1.2",
        "attributes.litres = 1.0 and attributes.is_fresh",
        'attributes."Größe" = "L"',
        "available_from = 2024-05-01T02:00:00+02:00 and available_from < 2024-05-01T00:00:01Z",
        "attributes.filled_at > 2024-05-01T12:00:00Z",
        "available_until is missing and price is not missing",
        'brand = "x" or (price < 2 and (title contains "whole" or price > 9))',
        'item_id not in ["bread"]',
        'brand = "Mea\\u0064ow"',
    ],
)
def test_milk_passes(text):
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        'category under "GROCERY > DA"',
        'category under "DAIRY"',
        "is_replenishable",
        "is_replenishable = false",
        'attributes.litres = "1"',
        "attributes.is_fresh = 1",
        "attributes.colour < 3",
        'attributes.nothing contains "a"',
        'brand = "meadow"',
        "not price < 10",
    ],
)
def test_milk_does_not_pass(text):
    assert not passes(text)


def test_a_term_about_a_missing_value_is_false_and_its_negation_true():
    for text in ('brand = "A"', 'brand in ["A"]', "price < 3", 'title contains "a"', 'category under "a"'):
        assert not passes(text, {"item_id": "milk"})
        assert passes(f"not {text}", {"item_id": "milk"})
    assert passes('brand != "A"', None)
    assert passes('item_id = "milk"', None)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 1, "the filter is empty; leave it out"),
        ("price", 6, "expected what price is compared with, as in price < 10, found the end"),
        ("price < ", 9, "expected a number or an instant, found the end"),
        ('price = "3"', 9, "price is compared with a value of the kind number"),
        ("colour = 3", 1, "there is no field 'colour'; there are item_id, title"),
        ("attributes = 3", 12, 'expected "." and a name after "attributes"'),
        ("brand = 'A'", 9, "write texts in double quotes"),
        ('brand = "A', 9, "this text has no end"),
        ("price < 3 price > 1", 11, 'expected "and", "or" or the end'),
        ("(price < 3", 11, 'expected "and", "or" or ")"'),
        ("price < 1e999", 9, "is no JSON number"),
        ("available_from > 2024-05-01T00:00:00", 18, "is no instant"),
        ("brand in []", 11, "expected a text in double quotes"),
        ('brand = "\\x"', 9, "is no JSON string"),
        ("price ; 3", 7, "';' is no part of a filter"),
        ("not " * (DEPTH_AT_MOST + 1) + "is_available", 4 * DEPTH_AT_MOST + 1, "write the filter flatter"),
        (" and ".join(["is_available"] * (TERMS_AT_MOST + 1)), 17 * TERMS_AT_MOST + 1, "more than 200 terms"),
        ("x" * (LENGTH_AT_MOST + 1), LENGTH_AT_MOST + 1, "at most 5000 characters"),
    ],
)
def test_an_error_names_the_place_and_the_cure(text, position, message):
    with pytest.raises(FilterError) as error:
        parse_filter(text)
    assert error.value.position == position
    assert str(error.value).startswith(f"character {position}: ")
    assert message in str(error.value)
    assert isinstance(error.value, SettingError)


WORDS = ["and", "or", "not", "in", "is", "missing", "under", "contains", "(", ")", "[", "]", ",", ".", "<", ">=", "=",
         "!=", "price", "brand", "attributes", '"a"', "1", "true", "2024-05-01T00:00:00Z", '"', "\\", "é"]  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)))
def test_any_text_is_a_filter_or_a_clear_error(text):
    problem = parsed = None
    try:
        parsed = parse_filter(text)
    except FilterError as error:
        problem = error
    if problem is not None:
        assert 1 <= problem.position <= len(text) + 1
        str(problem).encode()
    else:
        assert parse_filter(str(parsed)) == parsed


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
NUMBERS = st.one_of(st.integers(-5, 5), st.floats(-5, 5, allow_nan=False))
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2024, 1, 3), timezones=st.just(UTC))
BOOLEANS = st.booleans()
BY_KIND = {"text": TEXTS, "number": NUMBERS, "instant": INSTANTS, "true or false": BOOLEANS}
FIELDS = st.one_of(
    st.sampled_from(sorted(COLUMNS)).map(Field), st.sampled_from(["colour", "a b", "in"]).map(lambda n: Field(n, True))
)


def literals(field):
    return st.one_of(*BY_KIND.values()) if field.is_attribute else BY_KIND[COLUMNS[field.name]]


@st.composite
def terms(draw):
    field = draw(FIELDS)
    kind = None if field.is_attribute else COLUMNS[field.name]
    made = [st.just(Missing(field)), literals(field).map(lambda one: Equals(field, (one,)))]
    made.append(st.lists(literals(field), min_size=1, max_size=3).map(lambda some: Equals(field, tuple(some), True)))
    if kind in {None, "text"}:
        made += [TEXTS.map(lambda one: Contains(field, one)), TEXTS.map(lambda one: Under(field, one))]
    if kind in {None, "number", "instant"}:
        ordered = st.one_of(NUMBERS, INSTANTS) if kind is None else BY_KIND[kind]
        order = draw(st.sampled_from(["<", "<=", ">", ">="]))
        made.append(ordered.map(lambda one: Compares(field, order, one)))
    return draw(st.one_of(made))


def joined(parts):
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(parts.map(Not), st.builds(Joined, st.sampled_from(["and", "or"]), several))


TREES = st.recursive(terms(), joined, max_leaves=8)


@given(TREES)
def test_a_filter_printed_and_parsed_again_is_the_same(term):
    assert parse_filter(str(Filter(term))) == Filter(term)


VALUES = {name: st.none() | BY_KIND[kind] for name, kind in COLUMNS.items()}
ATTRIBUTES = st.dictionaries(st.sampled_from(["colour", "a b", "in"]), st.none() | TEXTS | NUMBERS | BOOLEANS)
ROWS = st.builds(lambda row, given: row | {"attributes": json.dumps(given)}, st.fixed_dictionaries(VALUES), ATTRIBUTES)


def slowly(term, row) -> bool:
    """The meaning of a filter, written a second time from its description."""
    if isinstance(term, Not):
        return not slowly(term.term, row)
    if isinstance(term, Joined):
        results = [slowly(one, row) for one in term.terms]
        return False not in results if term.word == "and" else True in results
    value = json.loads(row["attributes"]).get(term.field.name) if term.field.is_attribute else row[term.field.name]
    if isinstance(term, Missing):
        return value is None
    if value is None:
        return False
    if isinstance(term, Contains):
        return type(value) is str and value.casefold().find(term.text.casefold()) >= 0
    if isinstance(term, Under):
        return type(value) is str and f"{tidy(value)}>".startswith(f"{tidy(term.path)}>" if tidy(term.path) else "")
    if isinstance(term, Equals):
        return any(kind_of(one) == kind_of(value) and one == value for one in term.literals)
    if kind_of(term.literal) != kind_of(value):
        return False
    sign = (value > term.literal) - (value < term.literal)
    return sign in {"<": {-1}, "<=": {-1, 0}, ">": {1}, ">=": {0, 1}}[term.order]


def tidy(path: str) -> str:
    return ">".join(part.strip() for part in path.split(">") if part.strip())


def kind_of(value):
    return "number" if type(value) in {int, float} else type(value)


@given(TREES, ROWS)
def test_a_filter_means_what_a_slow_second_version_says(term, row):
    assert Filter(term).allows("x", row) == slowly(term, row)
