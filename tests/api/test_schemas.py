import json

import pytest
from pydantic import BaseModel, ValidationError

from api.schemas import customers, events, operations, recommendations, risks, treatments
from api.schemas.common import Answer, Query
from api.schemas.table_rows import row_schema
from recommender.touchpoints import TABLES

MODULES = (customers, events, operations, recommendations, risks, treatments)
ANSWERS = sorted(
    {
        one
        for module in MODULES
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Answer) and "json_schema_extra" in one.model_config
    },
    key=lambda one: one.__name__,
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_example_of_an_answer_is_such_an_answer(answer):
    for example in answer.model_config["json_schema_extra"]["examples"]:
        assert json.loads(answer.model_validate_json(json.dumps(example)).model_dump_json()) == example


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_field_of_an_answer_is_explained(answer: type[BaseModel]):
    assert [name for name, field in answer.model_fields.items() if not field.description] == []


class Limit(Query):
    limit: int = 10


@pytest.mark.parametrize("given", [{"limit": "ten"}, {"limit": "1.5"}, {"limit": ""}, {"size": "1"}])
def test_a_parameter_that_is_not_what_it_must_be_is_refused(given):
    with pytest.raises(ValidationError):
        Limit.model_validate(given)


def test_the_row_schema_of_a_table_names_all_its_columns():
    for table in TABLES.values():
        schema = row_schema(table)
        assert set(schema["properties"]) == set(table.column_names) - {"attributes"}
        assert schema["required"] == list(table.required_names)
        assert schema["additionalProperties"] == table.allows_attributes
