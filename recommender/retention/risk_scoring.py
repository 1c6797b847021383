"""From what is known of customers to their rows of scores: risk, reasons, value, segment.

The command ``score`` and a fresh request both come through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recommender.answers import RiskReason
from recommender.bundle import ModelBundle
from recommender.retention.customer_figures import figures_of
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.order_times import times_of
from recommender.retention.risk_policy import action_for, band_of, lever_of
from recommender.retention.risk_reasons import LAPSED, NOT_MODELLED, reasons_of
from recommender.score_rows import ScoreRow
from recommender.touchpoints import FEATURES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Risks:
    """What the model of a definition says, by customer; ``inside`` are those that it is asked about."""

    inside: pd.Index
    probabilities: Mapping[str, float] = field(default_factory=dict)
    reasons: Mapping[str, tuple[RiskReason, ...]] = field(default_factory=dict)


def score_rows(
    tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, bundle: ModelBundle, as_of: datetime
) -> list[ScoreRow]:
    """One row of scores per customer, from tables as of ``as_of``."""
    facts = bundle.facts["churn"]
    definition = ChurnDefinition(**facts["definition"])
    figures = figures_of(tables, customer_ids, bundle, as_of, activity_days=definition.activity_days)
    risks = risks_of(tables, customer_ids, definition, bundle.models.get("churn"), facts["features"], as_of)
    shared: dict[str, Any] = {
        "model_version": bundle.version,
        "as_of": as_of,
        "horizon_days": definition.horizon_days,
        "definition": definition.name,
        "population": definition.population_name,
    }
    times = times_of(tables, customer_ids, definition, risks.probabilities, bundle.models, as_of)
    figures = figures.join(times)
    records = figures.astype(object).where(figures.notna(), None).rename_axis("customer_id").reset_index()
    return [ScoreRow(**shared, **_plain(one), **_risk(one, risks)) for one in records.to_dict("records")]


def risks_of(
    tables: Mapping[str, pd.DataFrame],
    customer_ids: pd.Index,
    definition: ChurnDefinition,
    model: Any,
    columns: list[str],
    as_of: datetime,
) -> Risks:
    """Probabilities and reasons of those customers that the definition asks about."""
    inside = customer_ids.intersection(definition.population(tables, as_of))
    if model is None or not len(inside):
        return Risks(inside)
    features = FEATURES.compute(tables, inside, as_of)[columns]
    reasons = reasons_of(features, model.contributions(features))
    return Risks(inside, model.predict_proba(features).to_dict(), reasons)


def _plain(record: Mapping[Any, Any]) -> dict[str, Any]:
    """The figures of a customer with instants of the standard library."""
    return {name: value.to_pydatetime() if hasattr(value, "to_pydatetime") else value for name, value in record.items()}


def _risk(record: Mapping[Any, Any], risks: Risks) -> dict[str, Any]:
    """The columns of a score row that are about risk."""
    customer_id, value = record["customer_id"], record["predicted_value"]
    probability = risks.probabilities.get(customer_id)
    in_population = customer_id in risks.inside
    reasons = risks.reasons.get(customer_id) or ((NOT_MODELLED,) if in_population else (LAPSED,))
    band = None if probability is None else band_of(probability)
    lever = lever_of(reasons)
    return {
        "in_population": in_population,
        "churn_probability": probability,
        "band": band,
        "expected_loss": None if probability is None or value is None else probability * max(value, 0.0),
        "reasons": reasons,
        "lever": lever,
        "action": action_for(band or "", lever),
    }
