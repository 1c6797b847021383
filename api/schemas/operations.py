"""Health and readiness."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.common import Answer, AsOf, ModelVersion


class HealthOut(Answer):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "alive", "version": "0.1.0"}]})

    status: str = Field(description="`alive`")
    version: str = Field(description="Version of regulars")


class ReadinessOut(Answer):
    """The store is reachable and a bundle is served."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ready",
                    "model_version": "20171204T000000Z-1f3a",
                    "as_of": "2017-12-04T00:00:00Z",
                    "problem": None,
                }
            ]
        }
    )

    status: str = Field(description="`ready`")
    model_version: ModelVersion
    as_of: AsOf
    problem: str | None = Field(description="Why a newer version was not taken up, if one was not")
