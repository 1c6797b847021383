"""Which churn risks are asked for: the parameters of the routes."""

from __future__ import annotations

import csv
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from api.schemas.common import Query
from recommender.customer_answers import MAIN_DEFINITION, RiskFilter

Sort = Literal[
    "-expected_loss",
    "expected_loss",
    "-churn_probability",
    "churn_probability",
    "-predicted_value",
    "predicted_value",
    "-customer_id",
    "customer_id",
]
Format = Literal["json", "csv", "ndjson", "xlsx"]
_NAMES = "; several by comma, one that holds a comma in double quotes"
_LONGEST = 4_000


def _names_in(text: str | None) -> tuple[str, ...]:
    """The names that commas separate."""
    return () if text is None else tuple(next(csv.reader([text], skipinitialspace=True, strict=True), []))


def _checked_names(text: str | None) -> str | None:
    try:
        names = _names_in(text)
    except csv.Error as problem:
        raise ValueError(f"cannot be read as names separated by commas: {problem}") from None
    if text is not None and not (names and all(names)):
        raise ValueError("names nothing before or after a comma; leave the parameter out for all")
    return text


Names = Annotated[str | None, AfterValidator(_checked_names)]


class RiskQuery(Query):
    """How to find a risk."""

    fresh: bool = Field(False, description="`true`: score anew with all events so far; else as of the last scoring")
    definition: str = Field(MAIN_DEFINITION, max_length=64, description="By which definition of churn")
    history: bool = Field(False, description="`true`: also tell what the scorings said, of the last 400 days")


class RisksQuery(Query):
    """Which part of the churn list to tell; bounds are inclusive."""

    min_probability: float | None = Field(None, ge=0, le=1, description="Churn probability at least")
    max_probability: float | None = Field(None, ge=0, le=1, description="Churn probability at most")
    min_value: float | None = Field(None, description="Predicted value at least, in the account currency")
    max_value: float | None = Field(None, description="Predicted value at most, in the account currency")
    min_loss: float | None = Field(None, description="Expected loss at least, in the account currency")
    max_loss: float | None = Field(None, description="Expected loss at most, in the account currency")
    segment: Names = Field(
        None, max_length=_LONGEST, description=f"Lifecycle segments, or segments saved by name{_NAMES}"
    )
    region: Names = Field(None, max_length=_LONGEST, description=f"Regions{_NAMES}")
    band: Names = Field(None, max_length=_LONGEST, description=f"Bands of risk{_NAMES}")
    lever: Names = Field(None, max_length=_LONGEST, description=f"Levers{_NAMES}")
    treatment: Names = Field(
        None, max_length=_LONGEST, description=f"Suggested treatments, `none` for those without one{_NAMES}"
    )
    holdout: bool | None = Field(None, description="Only who is never treated (`true`), or who may be (`false`)")
    consent: Literal["given", "any"] = Field(
        "given",
        description="`given`: who may be sent offers by now; `any`: everybody, which needs the scope `risk:read_all`",
    )
    definition: str = Field(MAIN_DEFINITION, max_length=64, description="By which definition of churn")
    since: AwareDatetime | None = Field(
        None, description="Tell `previous_band`, of the last scoring at or before this instant"
    )
    moved: Literal["up", "down"] | None = Field(
        None, description="Only who moved to a band of higher (`up`) or lower risk since `since`"
    )
    fields: Names = Field(
        None,
        max_length=_LONGEST,
        description="Fields to tell, in this order, separated by commas; in CSV and XLSX `reasons` is `reason_1` to "
        "`reason_3`, which can also be named one by one. Default: all, in CSV and XLSX those that people act on",
    )
    format: Format | None = Field(
        None, description="Instead of the header Accept, and stronger than it: for links that people follow"
    )
    sort: Sort = Field("-expected_loss", description="Order; a minus: largest first. Who has no value comes last")
    cursor: str | None = Field(None, min_length=1, max_length=2_000, description="`next_cursor` of the page before")
    limit: int | None = Field(
        None, ge=1, le=500, description="Rows at most; default 50, in CSV, NDJSON and XLSX without cursor all"
    )

    @model_validator(mode="after")
    def _moved_since_when(self) -> Self:
        if self.moved is not None and self.since is None:
            raise ValueError("moved needs since: the instant to compare with")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The fields asked for; none: all."""
        return _names_in(self.fields)

    @property
    def filter(self) -> RiskFilter:
        """The rows asked for."""
        plain = ("min_probability", "max_probability", "min_loss", "max_loss", "min_value", "max_value")
        return RiskFilter(
            **{name: getattr(self, name) for name in (*plain, "definition", "since", "moved")},
            segments=_names_in(self.segment),
            regions=_names_in(self.region),
            bands=_names_in(self.band),
            levers=_names_in(self.lever),
            treatments=_names_in(self.treatment),
            is_holdout=self.holdout,
            consent_marketing=True if self.consent == "given" else None,
        )


class MovesQuery(Query):
    """Which two scorings to compare."""

    since: AwareDatetime = Field(description="Compare with the last scoring at or before this instant")
    definition: str = Field(MAIN_DEFINITION, max_length=64, description="By which definition of churn")
