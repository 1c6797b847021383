"""The filter language: what it says, what it refuses and where, and a slow second version that agrees."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import SettingError
from recommender.filter_parsing import COLUMNS, CUSTOMER_COLUMNS, DEPTH_AT_MOST, LENGTH_AT_MOST, TERMS_AT_MOST
from recommender.filter_terms import Compares, Contains, Equals, Field, Joined, Missing, Not, Under
from recommender.filter_tokens import FilterError
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


ANN = {
    "customer_id": "ann",
    "signed_up_at": datetime(2024, 5, 1, tzinfo=UTC),
    "birth_year": 1990,
    "region": "Meadow",
    "channel": None,
    "consent_personalization": True,
    "attributes": json.dumps(
        {"colour": "white", "litres": 1.0, "wants_fresh": True, "budget": 2, "shelf": "GROCERY", "since": "2024-05-01"}
    ),
}


def passes(text: str, row=MILK, customer=ANN) -> bool:
    return parse_filter(text).for_customer(customer)("milk", row)


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
        "attributes.colour = customer.attributes.colour",
        "brand = customer.region",
        "price < customer.attributes.budget and attributes.litres >= customer.attributes.litres",
        'brand in ["A", customer.region]',
        "category under customer.attributes.shelf and title contains customer.attributes.nothing or is_available",
        "available_from = customer.attributes.since and available_from <= customer.signed_up_at",
        "not customer.attributes.wants_fresh or attributes.is_fresh = customer.attributes.wants_fresh",
        'customer.birth_year >= 1990 and customer.region = "Meadow" and customer.channel is missing',
    ],
)
def test_milk_passes_for_ann(text):
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "attributes.colour = customer.attributes.size",
        "brand = customer.channel",
        "attributes.colour < customer.attributes.colour",
        "attributes.is_fresh < customer.attributes.wants_fresh",
        "attributes.litres = customer.attributes.wants_fresh",
        "title contains customer.attributes.litres",
        "category under customer.attributes.colour",
    ],
)
def test_milk_does_not_pass_for_ann(text):
    assert not passes(text)


def test_of_a_customer_who_is_not_known_everything_is_missing():
    assert not passes("brand = customer.region", customer=None)
    assert passes("brand != customer.region and customer.region is missing", customer=None)


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
        ("price < ", 9, "expected a number or an instant or a field of the customer, found the end"),
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
        ("customer = 3", 10, 'expected "." and a field after "customer", found \'=\''),
        ("brand = customer", 17, 'expected "." and a field after "customer", found the end'),
        (
            "brand = customer.size",
            18,
            "there is no field 'size' of the customer; there are customer_id, signed_up_at, birth_year, region, "
            "channel and attributes.<name>",
        ),
        ("customer.consent_marketing", 10, "there is no field 'consent_marketing' of the customer"),
        ("price = customer.region", 9, "price is compared with a value of the kind number"),
        ("attributes.size < customer.region", 19, "expected a number or an instant, and customer.region is of"),
        ("customer.region", 16, 'customer.region is compared with, as in customer.region = "A", found the end'),
        ("price < brand", 9, "expected a number or an instant or a field of the customer, found 'brand'"),
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
         "!=", "price", "brand", "attributes", "customer", "region", '"a"', "1", "true", "2024-05-01T00:00:00Z", '"',
         "\\", "é"]  # fmt: skip


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
NAMES = ["colour", "a b", "in"]
THEIRS = [*(Field(one, False, True) for one in sorted(CUSTOMER_COLUMNS)), *(Field(one, True, True) for one in NAMES)]
FIELDS = st.sampled_from([*map(Field, sorted(COLUMNS)), *(Field(one, True) for one in NAMES), *THEIRS])


def kind(field):
    """What a field holds, None for anything."""
    columns = CUSTOMER_COLUMNS if field.is_customers else COLUMNS
    return None if field.is_attribute else columns[field.name]


def operands(field, kinds=frozenset(BY_KIND)):
    """Literals and fields of the customer that the field can be compared with."""
    wanted = kinds if kind(field) is None else kinds & {kind(field)}
    theirs = [one for one in THEIRS if kind(one) in {None, *wanted}]
    return st.one_of(*(BY_KIND[one] for one in sorted(wanted)), st.sampled_from(theirs))


@st.composite
def terms(draw):
    field = draw(FIELDS)
    made = [st.just(Missing(field)), operands(field).map(lambda one: Equals(field, (one,)))]
    made.append(st.lists(operands(field), min_size=1, max_size=3).map(lambda some: Equals(field, tuple(some), True)))
    if kind(field) in {None, "text"}:
        texts = operands(field, {"text"})
        made += [texts.map(lambda one: Contains(field, one)), texts.map(lambda one: Under(field, one))]
    if kind(field) in {None, "number", "instant"}:
        order = draw(st.sampled_from(["<", "<=", ">", ">="]))
        made.append(operands(field, {"number", "instant"}).map(lambda one: Compares(field, order, one)))
    return draw(st.one_of(made))


def joined(parts):
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(parts.map(Not), st.builds(Joined, st.sampled_from(["and", "or"]), several))


TREES = st.recursive(terms(), joined, max_leaves=8)


@given(TREES)
def test_a_filter_printed_and_parsed_again_is_the_same(term):
    assert parse_filter(str(Filter(term))) == Filter(term)


ATTRIBUTES = st.dictionaries(
    st.sampled_from(NAMES), st.none() | TEXTS | NUMBERS | BOOLEANS | INSTANTS.map(datetime.isoformat)
)


def rows(columns):
    values = st.fixed_dictionaries({name: st.none() | BY_KIND[kind] for name, kind in columns.items()})
    return st.builds(lambda row, given: row | {"attributes": json.dumps(given)}, values, ATTRIBUTES)


def slowly(term, row, customer) -> bool:
    """The meaning of a filter, written a second time from its description."""
    if isinstance(term, Not):
        return not slowly(term.term, row, customer)
    if isinstance(term, Joined):
        results = [slowly(one, row, customer) for one in term.terms]
        return False not in results if term.word == "and" else True in results

    def value_of(operand):
        if not isinstance(operand, Field):
            return operand
        owner = customer if operand.is_customers else row
        return json.loads(owner["attributes"]).get(operand.name) if operand.is_attribute else owner[operand.name]

    value = value_of(term.field)
    if isinstance(term, Missing):
        return value is None
    if isinstance(term, Equals):
        return any(sign(value, value_of(one)) == 0 for one in term.operands)
    if isinstance(term, Compares):
        is_ordered = type(value) not in {str, bool} or type(value_of(term.operand)) is datetime
        return is_ordered and sign(value, value_of(term.operand)) in SIGNS[term.order]
    wanted = value_of(term.text if isinstance(term, Contains) else term.path)
    if type(value) is not str or type(wanted) is not str:
        return False
    if isinstance(term, Contains):
        return value.casefold().find(wanted.casefold()) >= 0
    return f"{tidy(value)}>".startswith(f"{tidy(wanted)}>" if tidy(wanted) else "")


SIGNS = {"<": {-1}, "<=": {-1, 0}, ">": {1}, ">=": {0, 1}}


def sign(one, other):
    """Whether one value lies below, at or above another; None where they cannot be compared."""
    if datetime in {type(one), type(other)}:
        one, other = map(read, (one, other))
    if one is None or kind_of(one) != kind_of(other):
        return None
    return (one > other) - (one < other)


def read(value):
    """A text that tells an instant as one."""
    return datetime.fromisoformat(value) if type(value) is str and value.startswith("2024-") else value


def tidy(path: str) -> str:
    return ">".join(part.strip() for part in path.split(">") if part.strip())


def kind_of(value):
    return "number" if type(value) in {int, float} else type(value)


@given(TREES, rows(COLUMNS), rows(CUSTOMER_COLUMNS))
def test_a_filter_means_what_a_slow_second_version_says(term, row, customer):
    assert Filter(term).for_customer(customer)("x", row) == slowly(term, row, customer)
