"""From what is known of customers to their rows of scores: risk, reasons, value, segment.

The command ``score`` and a fresh request both come through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recommender.answers import RiskReason
from recommender.bundle import ModelBundle
from recommender.features import Feature, FeatureSet
from recommender.models.lifetime_value import purchase_history
from recommender.outcomes import active_population, running_subscribers
from recommender.risk_policy import action_for, band_of, lever_of
from recommender.score_store import ScoreRow
from recommender.segments import lifecycle_segments
from recommender.touchpoints import BLOCKS, TABLES

if TYPE_CHECKING:
    import pandas as pd

FEATURES = FeatureSet(BLOCKS)
REASONS_AT_MOST = 3
LAPSED = RiskReason("lapsed", "Outside the population that this risk is asked about", "none", "up", 0.0)
NOT_MODELLED = RiskReason("not_modelled", "The data held do not support a churn model yet", "none", "up", 0.0)


def population_of(
    tables: Mapping[str, pd.DataFrame], cutoff: datetime, *, contractual: bool, activity_days: int
) -> Any:
    """The customers that churn is asked about at a cutoff, as an index."""
    if contractual:
        return running_subscribers(tables["subscriptions"], cutoff)
    return active_population(tables["order_lines"], cutoff, activity_days)


def population_name(*, contractual: bool, activity_days: int) -> str:
    """The population in words."""
    return "a running subscription" if contractual else f"an order in the {activity_days} days before"


def score_rows(
    tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, bundle: ModelBundle, as_of: datetime
) -> list[ScoreRow]:
    """One row of scores per customer, from tables as of ``as_of``."""

    frame = _values(tables, customer_ids, bundle, as_of)
    risk = bundle.facts["churn"]
    inside = population_of(tables, as_of, contractual=risk["contractual"], activity_days=risk["activity_days"])
    inside = customer_ids.intersection(inside)
    probabilities: dict[str, float] = {}
    reasons: dict[str, tuple[RiskReason, ...]] = {}
    if "churn" in bundle.models and len(inside):
        features = FEATURES.compute(tables, inside, as_of)[risk["features"]]
        model = bundle.models["churn"]
        probabilities = model.predict_proba(features).to_dict()
        reasons = reasons_of(features, model.contributions(features))
    population = population_name(contractual=risk["contractual"], activity_days=risk["activity_days"])
    shared = {"model_version": bundle.version, "as_of": as_of, "horizon_days": bundle.horizon_days}
    return [
        _row(
            record,
            probabilities.get(record["customer_id"]),
            reasons.get(record["customer_id"]),
            inside,
            population,
            shared,
        )
        for record in frame.to_dict("records")
    ]


def reasons_of(features: pd.DataFrame, contributions: pd.DataFrame) -> dict[str, tuple[RiskReason, ...]]:
    """By customer the features with the largest contributions that have a sentence, largest first.

    A feature that is unknown for a customer is no reason: there is no figure to tell.
    """
    import numpy as np

    named = [name for name in features.columns if FEATURES.features[name].sentence]
    values, parts = features[named].to_numpy(), contributions[named].to_numpy()
    strengths = np.where(np.isnan(values), 0.0, np.abs(parts))
    order = np.argsort(-strengths, axis=1, kind="stable")[:, :REASONS_AT_MOST]
    return {
        customer_id: tuple(
            _reason(FEATURES.features[named[one]], float(values[row, one]), float(parts[row, one]))
            for one in order[row]
            if strengths[row, one] > 0
        )
        for row, customer_id in enumerate(features.index)
    }


def _reason(feature: Feature, value: float, contribution: float) -> RiskReason:
    direction = "up" if contribution > 0 else "down"
    return RiskReason(feature.name, feature.say(value), feature.lever, direction, round(contribution, 4))


def _values(
    tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, bundle: ModelBundle, as_of: datetime
) -> pd.DataFrame:
    """Per customer: predicted and historic value, segment, region, orders; in the order of the ids."""
    import pandas as pd

    lines, returns = tables["order_lines"], tables.get("returns", TABLES["returns"].empty())
    history = purchase_history(lines, returns, as_of)
    by_customer = lines.groupby("customer_id")
    regions = tables.get("customers", TABLES["customers"].empty()).set_index("customer_id")["region"]
    paid_back = returns.groupby("customer_id")["amount"].sum().reindex(customer_ids, fill_value=0.0)
    frame = pd.DataFrame(
        {
            "historic_value": by_customer["amount"].sum().reindex(customer_ids, fill_value=0.0) - paid_back,
            "segment": lifecycle_segments(lines, customer_ids, as_of, bundle.facts["churn"]["activity_days"]),
            "region": regions.reindex(customer_ids),
            "order_count": by_customer["order_id"].nunique().reindex(customer_ids, fill_value=0),
            "last_order_at": by_customer["ordered_at"].max().reindex(customer_ids),
        },
        index=customer_ids,
    )
    frame["predicted_value"] = float("nan")
    if "value" in bundle.models and len(history):
        predicted = bundle.models["value"].predict(history, bundle.horizon_days)
        frame["predicted_value"] = predicted.reindex(customer_ids)
    return frame.reset_index(names="customer_id")


def _row(
    record: Mapping[Any, Any],
    probability: float | None,
    reasons: tuple[RiskReason, ...] | None,
    inside: pd.Index,
    population: str,
    shared: Mapping[str, Any],
) -> ScoreRow:
    import pandas as pd

    known = {name: None if pd.isna(value) else value for name, value in record.items()}
    customer_id, value, last_order_at = str(record["customer_id"]), known["predicted_value"], known["last_order_at"]
    in_population = customer_id in inside
    given = reasons or ((NOT_MODELLED,) if in_population else (LAPSED,))
    band = None if probability is None else band_of(probability)
    loss = None if probability is None or value is None else probability * max(value, 0.0)
    lever = lever_of(given)
    return ScoreRow(
        customer_id=customer_id,
        in_population=in_population,
        churn_probability=probability,
        population=population,
        band=band,
        predicted_value=value,
        historic_value=known["historic_value"],
        expected_loss=loss,
        lever=lever,
        action=action_for(band or "", lever),
        reasons=given,
        segment=known["segment"],
        region=known["region"],
        order_count=int(record["order_count"]),
        last_order_at=None if last_order_at is None else last_order_at.to_pydatetime(),
        **shared,
    )
