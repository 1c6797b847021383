"""Bases of all schemas, and what several of them share."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

ModelVersion = Annotated[str | None, Field(description="Bundle that answered; null before the first was promoted")]
AsOf = Annotated[AwareDatetime | None, Field(description="Instant (UTC) up to which events were taken into account")]

Row = TypeVar("Row")


class Answer(BaseModel):
    """What goes out: built from the values of the domain, and wrong values are our bug."""

    model_config = ConfigDict(extra="forbid", strict=True, from_attributes=True, allow_inf_nan=False)


class Page(Answer, Generic[Row]):
    """One page of a list."""

    data: tuple[Row, ...] = Field(description="The rows in the order asked for")
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null at the end")
    has_more: bool = Field(description="Whether there is a next page")


class Query(BaseModel):
    """Parameters of a query string: each at most once, none unknown."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """The parameters, parsed from text as strictly as text allows."""
        return cls.model_validate_strings(obj, strict=True)


class FieldErrorOut(Answer):
    """What is wrong with one field or parameter."""

    code: str = Field(description="For programs")
    detail: str = Field(description="For people")
    pointer: str | None = Field(None, description="JSON pointer (RFC 6901) to the field in the body")
    parameter: str | None = Field(None, description="Name of the query parameter")


class ProblemOut(Answer):
    """A failure (RFC 9457)."""

    type: str = Field(description="`about:blank`: the status says what kind of failure it is")
    title: str = Field(description="The phrase of the status")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What happened and what to do, for people")
    code: str = Field(description="What happened, for programs")
    request_id: str | None = Field(description="The id of the request in the log, also in the header X-Request-ID")
    errors: tuple[FieldErrorOut, ...] = Field((), description="The fields or parameters that are wrong")

    @staticmethod
    def example(status: int, code: str, detail: str) -> dict[str, Any]:
        """A problem document of a status, for the documentation."""
        from http import HTTPStatus

        return {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "code": code,
            "request_id": "9f86d081884c7d659a2feaa0c55ad015",
        }
