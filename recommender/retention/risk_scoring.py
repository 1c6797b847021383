"""From what is known of customers to their rows of scores: risk, reasons, value, segment.

The command ``score`` and a fresh request both come through here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recommender.bundle import ModelBundle
from recommender.retention.customer_figures import figures_of
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.open_problems import open_problems
from recommender.retention.order_times import times_of
from recommender.retention.risk_policy import band_of, lever_of
from recommender.retention.risk_reasons import LAPSED, NO_EVIDENCE, NOT_MODELLED, Reasons, reasons_of
from recommender.retention.treatment_settings import policy_of
from recommender.retention.treatments import Situation, TreatmentPolicy
from recommender.score_rows import ScoreRow
from recommender.touchpoints import FEATURES, TABLES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Risks:
    """What the model of a definition says, by customer; ``inside`` are those that it is asked about.

    ``troubled`` are those with an open problem.
    """

    inside: pd.Index
    probabilities: Mapping[str, float] = field(default_factory=dict)
    reasons: Mapping[str, Reasons] = field(default_factory=dict)
    troubled: frozenset[str] = frozenset()
    base_log_odds: float | None = None


@dataclass(frozen=True)
class Asked:
    """A definition of churn as a bundle answers it: its model, None where the data hold none, and its features."""

    definition: ChurnDefinition
    model: Any | None
    columns: list[str]

    @classmethod
    def of(cls, facts: Mapping[str, Any], bundle: ModelBundle) -> Asked:
        """From what the bundle says of one definition."""
        definition = ChurnDefinition(**facts["definition"])
        return cls(definition, bundle.models.get(definition.model_name), facts["features"])


def asked_of(bundle: ModelBundle) -> list[Asked]:
    """All definitions that a bundle answers, the main one first."""
    return [Asked.of(facts, bundle) for facts in (bundle.facts["churn"], *bundle.facts.get("churn_also", {}).values())]


def score_rows(
    tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, bundle: ModelBundle, as_of: datetime
) -> list[ScoreRow]:
    """A row of scores per definition of churn and customer, from tables as of ``as_of``."""
    asked = asked_of(bundle)
    features = FEATURES.compute(tables, customer_ids, as_of)
    figures = figures_of(tables, customer_ids, bundle, as_of, definition=asked[0].definition, features=features)
    policy = policy_of(bundle.facts)
    rows: list[ScoreRow] = []
    for one in asked:
        risks = risks_of(tables, features, one, as_of)
        shared: dict[str, Any] = {
            "model_version": bundle.version,
            "as_of": as_of,
            "horizon_days": one.definition.horizon_days,
            "definition": one.definition.name,
            "population": one.definition.population_name,
        }
        times = times_of(tables, customer_ids, one.definition, risks.probabilities, bundle.models, as_of)
        risked = ({**record, **_risk(record, risks)} for record in _records(figures.join(times)))
        rows += [ScoreRow(**shared, **record, **_treatment(record, risks, policy)) for record in risked]
    return rows


def risks_of(tables: Mapping[str, pd.DataFrame], features: pd.DataFrame, asked: Asked, as_of: datetime) -> Risks:
    """Probabilities and reasons of those customers, of all whose features are given, that a definition asks about."""
    inside = features.index.intersection(asked.definition.population(tables, as_of))
    if asked.model is None or not len(inside):
        return Risks(inside)
    every = features.loc[inside]
    known = every[asked.columns]
    reasons = reasons_of(every, asked.model.contributions(known))
    responses = tables.get("survey_responses", TABLES["survey_responses"].empty())
    troubled = open_problems(every, responses, as_of)
    probabilities = asked.model.predict_proba(known).to_dict()
    return Risks(inside, probabilities, reasons, troubled, asked.model.base_log_odds)


def _records(figures: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The figures of each customer, None where one is not known."""
    known = figures.astype(object).where(figures.notna(), None).rename_axis("customer_id").reset_index()
    return (_plain(one) for one in known.to_dict("records"))


def _plain(record: Mapping[Any, Any]) -> dict[str, Any]:
    """The figures of a customer with instants of the standard library."""
    return {name: value.to_pydatetime() if hasattr(value, "to_pydatetime") else value for name, value in record.items()}


def _risk(record: Mapping[Any, Any], risks: Risks) -> dict[str, Any]:
    """The columns of a score row that are about risk."""
    customer_id, value = record["customer_id"], record["predicted_value"]
    probability = risks.probabilities.get(customer_id)
    in_population = customer_id in risks.inside
    found = risks.reasons.get(customer_id)
    told = found.told if found else ()
    reasons = told or (NO_EVIDENCE if found else NOT_MODELLED if in_population else LAPSED,)
    band = None if probability is None else band_of(probability)
    return {
        "in_population": in_population,
        "churn_probability": probability,
        "band": band,
        "expected_loss": None if probability is None or value is None else probability * max(value, 0.0),
        "reasons": reasons,
        "base_log_odds": risks.base_log_odds if found else None,
        "other_log_odds": found.other_log_odds if found else None,
        "lever": lever_of(reasons),
    }


def _treatment(row: Mapping[str, Any], risks: Risks, policy: TreatmentPolicy) -> dict[str, Any]:
    """The columns of a score row that say what to do about the risk."""
    customer_id = row["customer_id"]
    asked = {name: row[name] for name in ("band", "lever", "expected_loss", "consent_marketing")}
    suggested = policy.suggested(Situation(**asked, has_open_problem=customer_id in risks.troubled))
    is_holdout = policy.holds_out(customer_id)
    name = suggested.name if suggested else None
    return {
        "suggested_treatment": name,
        "treatment": None if is_holdout else name,
        "is_holdout": is_holdout,
        "action": policy.action(suggested, is_holdout=is_holdout),
    }
