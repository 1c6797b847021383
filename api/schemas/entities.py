"""Rows of items and customers as they are put."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, GetJsonSchemaHandler, RootModel
from pydantic_core import CoreSchema

from api.schemas.table_rows import row_schema
from recommender.touchpoints import table_named


class ItemIn(RootModel[dict[str, Any]]):
    """The whole row of an item; what is not given gets its default, further fields are attributes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Oat drink 1 l", "category": "grocery > drinks", "price": 1.99}]}
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The columns of the table."""
        return row_schema(table_named("items"), without=("item_id",)) | {"description": cls.__doc__}


class CustomerIn(RootModel[dict[str, Any]]):
    """The whole row of a customer; what is not given gets its default, further fields are attributes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"signed_up_at": "2017-03-01T09:00:00Z", "region": "north"}]}
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The columns of the table."""
        return row_schema(table_named("customers"), without=("customer_id",)) | {"description": cls.__doc__}
