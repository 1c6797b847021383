import pytest

from recommender.touchpoints import table_named
from recommender.validation import validate_rows
from tests.conftest import NOW


def test_columns_that_are_not_declared_become_attributes_beside_those_given_as_such():
    given = {"item_id": "tea", "colour": "green", "attributes": {"size": 2}}
    (row,) = validate_rows(table_named("items"), [given], now=NOW).rows
    assert row["attributes"] == '{"colour": "green", "size": 2}'


@pytest.mark.parametrize("attributes", ["green", [1], 3, '["a"]'])
def test_attributes_that_are_no_object_reject_the_row(attributes):
    given = {"item_id": "tea", "attributes": attributes, "colour": "green"}
    checked = validate_rows(table_named("items"), [given], now=NOW)
    assert [(one.column, one.code) for one in checked.rejections] == [("attributes", "wrong_type")]
