"""Treatments of customers at risk, and what they brought."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from api.schemas.common import Answer, AsOf, ModelVersion, Query
from recommender.customer_answers import MAIN_DEFINITION

TREATMENTS_EXAMPLE: dict[str, Any] = {
    "experiment": "retention",
    "holdout_share": 0.05,
    "recovery": "service_recovery",
    "rules": ["Nobody outside the bands of the table is treated: a low risk is left alone"],
    "data": [
        {
            "name": "service_recovery",
            "rank": 1,
            "sentence": "Call the customer and solve what is open before anything else",
            "cost": 4.0,
            "saved_share": 1.0,
            "suggested_for": [{"band": "high", "lever": "service"}, {"band": "medium", "lever": "service"}],
        }
    ],
    "model_version": "20171204T000000Z-1f3a",
    "as_of": "2017-12-04T00:00:00Z",
}
EFFECT_EXAMPLE: dict[str, Any] = {
    "treatment": "offer",
    "verdict": "raises_retention",
    "verdict_text": "keeps customers",
    "treated": 1900,
    "held_out": 100,
    "retained_treated": 0.7,
    "retained_held_out": 0.58,
    "retention": {"value": 0.12, "low": 0.03, "high": 0.22},
    "revenue": {"value": 4.1, "low": 0.6, "high": 7.6},
    "detectable": 0.14,
    "mismatch_probability": 1.0,
    "contacted_treated": 0.8,
    "contacted_held_out": 0.0,
    "cost_per_customer": 4.0,
    "cost_per_saved": {"value": 33.3, "low": 18.2, "high": 133.3},
    "notes": [],
}
EFFECTS_EXAMPLE: dict[str, Any] = {
    "definition": "churn",
    "horizon_days": 28,
    "experiment": "retention",
    "holdout_share": 0.05,
    "as_of": "2017-12-04T00:00:00Z",
    "data": [EFFECT_EXAMPLE],
    "left_out": {"window_not_complete": 12, "no_outcome": 0, "other_holdout_share": 0},
}


class EffectsQuery(Query):
    """Of which definition of churn the effects are asked."""

    definition: str = Field(MAIN_DEFINITION, min_length=1, max_length=256, description="The definition of churn")


class PlaceOut(Answer):
    """Where a treatment is suggested."""

    band: str = Field(description="Band of risk")
    lever: str = Field(description="What the strongest reason asks for: offer, service, product or none")


class TreatmentOut(Answer):
    """One rung of the ladder."""

    name: str = Field(description="Its name, also that of the `campaign` of its contacts")
    rank: int = Field(ge=1, description="1 is the mildest")
    sentence: str = Field(description="What to do")
    cost: float = Field(ge=0, description="Of treating one customer, in the account currency; 0: none, or not told")
    saved_share: float = Field(ge=0, le=1, description="Share of the expected loss that it saves at most")
    suggested_for: tuple[PlaceOut, ...] = Field(description="The bands and levers that it is meant for")


class TreatmentsOut(Answer):
    """The ladder in force."""

    model_config = ConfigDict(json_schema_extra={"examples": [TREATMENTS_EXAMPLE]})

    experiment: str = Field(description="Its name decides who is held out")
    holdout_share: float = Field(ge=0, le=1, description="Share of all customers that is never treated")
    recovery: str = Field(description="The treatment of customers with an open problem, whatever the lever")
    rules: tuple[str, ...] = Field(description="Who gets what, in the order in which the rules apply")
    data: tuple[TreatmentOut, ...] = Field(description="The treatments, the mildest first")
    model_version: ModelVersion
    as_of: AsOf


class EstimateOut(Answer):
    """A value with its 95 % interval."""

    value: float = Field(description="The estimate")
    low: float = Field(description="Lower bound")
    high: float = Field(description="Upper bound")


class TreatmentEffectOut(Answer):
    """What is known of the effect of one treatment."""

    treatment: str = Field(description="The treatment; `any`: all together")
    verdict: str = Field(
        description="`raises_retention`, `lowers_retention`, `no_effect_seen`, `too_few_to_tell`, `nobody_eligible`, "
        "`no_holdout`, `all_held_out`, `sample_ratio_mismatch`"
    )
    verdict_text: str = Field(description="The same in words")
    treated: int = Field(ge=0, description="Customers whom it was meant for and who were not held out")
    held_out: int = Field(ge=0, description="Customers whom it was meant for and who were held out")
    retained_treated: float | None = Field(description="Share of the treated that stayed")
    retained_held_out: float | None = Field(description="Share of those held out that stayed")
    retention: EstimateOut | None = Field(description="The first share less the second")
    revenue: EstimateOut | None = Field(
        description="Revenue less returns per customer that it brought, in the account currency"
    )
    detectable: float | None = Field(description="Smallest effect on retention found in four of five cases")
    mismatch_probability: float | None = Field(description="How often chance splits the groups so unevenly")
    contacted_treated: float | None = Field(description="Share of the treated who were contacted; null: not known")
    contacted_held_out: float | None = Field(description="Share of those held out who were contacted all the same")
    cost_per_customer: float | None = Field(description="Mean cost of a treated customer, in the account currency")
    cost_per_saved: EstimateOut | None = Field(
        description="Cost of one customer who would have left; null: not measurable, or no cost is set"
    )
    notes: tuple[str, ...] = Field(description="What else must be known to read the figures")


class TreatmentEffectsOut(Answer):
    """What the treatments brought, as last measured."""

    model_config = ConfigDict(json_schema_extra={"examples": [EFFECTS_EXAMPLE]})

    definition: str = Field(description="The definition of churn")
    horizon_days: int = Field(ge=0, description="Days after the first suggestion that are looked at")
    experiment: str = Field(description="The experiment that was measured")
    holdout_share: float = Field(ge=0, le=1, description="Share of all customers that was held out")
    as_of: AsOf
    data: tuple[TreatmentEffectOut, ...] = Field(
        description="All together first, then the ladder; empty where `regulars effects` has not run"
    )
    left_out: dict[str, int] = Field(description="Customers that could not be measured, by why")
