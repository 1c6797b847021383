"""What drives churn over the population."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from api.schemas.common import Answer, Query
from recommender.customer_answers import MAIN_DEFINITION
from recommender.retention.drivers import EVERYBODY, GROUPS

DRIVERS_EXAMPLE: dict[str, Any] = {
    "definition": "churn",
    "as_of": "2017-12-04T00:00:00Z",
    "compared_with": "2017-11-06T00:00:00Z",
    "customer_count": 2124,
    "expected_loss": 21840.5,
    "drivers": [
        {
            "code": "late_deliveries",
            "meaning": "orders that came late or have not come",
            "lever": "service",
            "customer_count": 310,
            "customer_share": 0.146,
            "mean_contribution": 0.42,
            "expected_loss": 2610.2,
            "customer_share_before": 0.061,
            "customer_share_change": 0.085,
            "expected_loss_before": 940.8,
        }
    ],
}


class DriversQuery(Query):
    """Over whom to count."""

    definition: str = Field(MAIN_DEFINITION, max_length=64, description="Which definition of churn this is about")
    segment: str | None = Field(None, max_length=1_000, description="Only customers of this segment")
    region: str | None = Field(None, max_length=1_000, description="Only customers of this region")

    @model_validator(mode="after")
    def _one_group(self) -> DriversQuery:
        if self.segment is not None and self.region is not None:
            raise ValueError("counts are kept by segment and by region, not by both; give one of them")
        return self

    @property
    def group(self) -> dict[str, str]:
        """The group asked for; empty for everybody."""
        chosen = ((kind, getattr(self, kind)) for kind in GROUPS)
        kind, name = next(((kind, name) for kind, name in chosen if name is not None), (EVERYBODY, EVERYBODY))
        return {"group": kind, "name": name}


class DriverOut(Answer):
    """One cause over the population."""

    code: str = Field(description="The code of the reason in the churn list")
    meaning: str = Field(description="What it is about")
    lever: str = Field(description="What helps against it: offer, service, product or none")
    customer_count: int = Field(description="Customers told that it raises their risk")
    customer_share: float = Field(ge=0, le=1, description="The same as a share of the customers asked about")
    mean_contribution: float = Field(description="Mean share in the score of these customers, in log-odds")
    expected_loss: float = Field(
        description="Expected loss it carries, in the account currency: that of each customer is divided over the "
        "reasons told that raise the risk, by contribution"
    )
    customer_share_before: float | None = Field(description="`customer_share` at `compared_with`")
    customer_share_change: float | None = Field(description="By how much the share grew since; below 0: it fell")
    expected_loss_before: float | None = Field(description="`expected_loss` at `compared_with`")


class DriversOut(Answer):
    """The causes of the last scoring, the one that carries most expected loss first."""

    model_config = ConfigDict(json_schema_extra={"examples": [DRIVERS_EXAMPLE]})

    definition: str = Field(description="Which definition of churn this is about")
    as_of: AwareDatetime | None = Field(description="Instant (UTC) of the last scoring; null: there was none")
    compared_with: AwareDatetime | None = Field(
        description="The scoring nearest to 28 days before, within 14 days; null: none is kept"
    )
    customer_count: int = Field(description="Customers asked about")
    expected_loss: float = Field(description="Their expected loss, in the account currency")
    drivers: tuple[DriverOut, ...] = Field(description="A cause that nobody is told of is not listed")
