"""Answers about what a customer was and will be worth, from the last scoring."""

from __future__ import annotations

from dataclasses import replace

from recommender.bundle import ModelBundle
from recommender.customer_answers import CustomerValue
from recommender.event_store import EventStore
from recommender.retention.expected_values import Growth, growth_of
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore


def value(
    store: EventStore,
    scores: ScoreStore,
    bundle: ModelBundle | None,
    customer_id: str,
    *,
    horizon_days: int | None = None,
) -> CustomerValue:
    """Historic, predicted and total value within a horizon, that of the scores by default; None without a score."""
    profile = store.profile(customer_id)
    row = scores.get(customer_id) if profile.known and profile.consent_personalization else None
    if row is None:
        days = horizon_days or (bundle.horizon_days if bundle else 0)
        return CustomerValue(customer_id, profile.known, days, None, None, None, None, None)
    scoring = bundle if bundle and bundle.version == row.model_version else None
    # A definition of churn may look further than values do.
    own_days = bundle.horizon_days if bundle else row.horizon_days
    answer = _of_row(row, scoring, own_days)
    if horizon_days is None or horizon_days == own_days:
        return answer
    rows = store.rows_of_customer("order_lines", customer_id, before=row.as_of)
    ordered_at = [one["ordered_at"] for one in rows]
    model = scoring.models.get("value") if scoring else None
    return _grown(answer, horizon_days, growth_of(model, ordered_at, row.as_of, own_days, horizon_days))


def _of_row(row: ScoreRow, bundle: ModelBundle | None, horizon_days: int) -> CustomerValue:
    facts = bundle.facts.get("value", {}) if bundle else {}
    return CustomerValue(
        customer_id=row.customer_id,
        customer_known=True,
        horizon_days=horizon_days,
        historic_value=row.historic_value,
        predicted_value=row.predicted_value,
        total_value=_total(row.historic_value, row.predicted_value),
        model_version=row.model_version,
        as_of=row.as_of,
        predicted_value_low=row.predicted_value_low,
        predicted_value_high=row.predicted_value_high,
        predicted_orders=row.predicted_orders,
        predicted_order_amount=row.predicted_order_amount,
        value_is_margin=facts.get("is_margin"),
        method=facts.get("kind"),
    )


def _grown(answer: CustomerValue, horizon_days: int, growth: Growth) -> CustomerValue:
    """The same answer for another horizon, without the bounds, which are known for the model's own alone."""
    predicted, orders = (
        None if one is None else one * growth.factor for one in (answer.predicted_value, answer.predicted_orders)
    )
    return replace(
        answer,
        horizon_days=horizon_days,
        predicted_value=predicted,
        total_value=_total(answer.historic_value, predicted),
        predicted_orders=orders,
        predicted_value_low=None,
        predicted_value_high=None,
        horizon_method=growth.found_by,
    )


def _total(historic: float | None, predicted: float | None) -> float | None:
    return None if historic is None or predicted is None else historic + predicted
