"""Answers about one customer's risk and value, and the churn list, from the last scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from recommender.bundle import ModelBundle
from recommender.customer_answers import MAIN_DEFINITION, ChurnRisk, CustomerSummary, RiskReason
from recommender.errors import UnknownName
from recommender.event_store import EventStore
from recommender.retention.curve_answers import advanced
from recommender.retention.risk_lists import risk_of
from recommender.retention.treatments import NO_ACTION
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore
from recommender.store_queries import Profile
from recommender.tables import ATTRIBUTES, attributes_of
from recommender.touchpoints import TABLES

_ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
_NO_HISTORY = RiskReason("no_history", "Nothing is known of this customer", "none", "up", 0.0)
_NO_CONSENT = RiskReason("no_consent", "The customer has not agreed to personalization", "none", "up", 0.0)
_NOT_SCORED = RiskReason("not_scored", "The customer came after the last scoring", "none", "up", 0.0)


def churn_risk(
    store: EventStore,
    scores: ScoreStore,
    bundle: ModelBundle | None,
    customer_id: str,
    *,
    fresh: bool,
    definition: str = MAIN_DEFINITION,
) -> ChurnRisk:
    """The risk of one customer by a definition of churn; where there is no score the reason says why.

    Raises UnknownName for a definition that the bundle does not answer.
    """
    facts = _facts_of(bundle, definition)
    profile = store.profile(customer_id)
    if not profile.known:
        return _without_score(bundle, facts, customer_id, profile, _NO_HISTORY)
    if not profile.consent_personalization:
        return _without_score(bundle, facts, customer_id, profile, _NO_CONSENT)
    row = scores.get(customer_id, definition)
    if fresh and bundle:
        row = _fresh_rows(store, bundle, customer_id).get(definition)
    if row is None:
        return _without_score(bundle, facts, customer_id, profile, _NOT_SCORED)
    known, as_of = advanced(row, store, bundle.models if bundle else {})
    return replace(risk_of(known), as_of=as_of)


def check_definition(bundle: ModelBundle | None, definition: str) -> None:
    """Raise UnknownName for a definition of churn that the bundle does not answer."""
    _facts_of(bundle, definition)


def summary(store: EventStore, scores: ScoreStore, customer_id: str) -> CustomerSummary:
    """Profile, consents and the figures of the last scoring; without consent only the profile."""
    profile = store.profile(customer_id)
    row = scores.get(customer_id) if profile.known and profile.consent_personalization else None
    return CustomerSummary(
        customer_id=customer_id,
        customer_known=profile.known,
        profile={**profile.row, ATTRIBUTES: attributes_of(profile.row)} if profile.row else {},
        consent_personalization=profile.consent_personalization,
        consent_marketing=profile.consent_marketing,
        segment=row.segment if row else None,
        rfm=row.rfm if row else None,
        churn_probability=row.churn_probability if row else None,
        predicted_value=row.predicted_value if row else None,
        order_count=row.order_count if row else 0,
        last_order_at=row.last_order_at if row else None,
        model_version=row.model_version if row else None,
        as_of=row.as_of if row else None,
    )


def _facts_of(bundle: ModelBundle | None, definition: str) -> Mapping[str, Any]:
    """What the bundle says of a definition of churn."""
    facts = bundle.facts if bundle else {}
    known: dict[str, Mapping[str, Any]] = {MAIN_DEFINITION: facts.get("churn", {}), **facts.get("churn_also", {})}
    if bundle and definition not in known:
        raise UnknownName("definition of churn", definition, known)
    return known.get(definition, {})


def _fresh_rows(store: EventStore, bundle: ModelBundle, customer_id: str) -> dict[str, ScoreRow]:
    """The customer's scores from all that is known now, by definition of churn."""
    import pandas as pd

    from recommender.retention.risk_scoring import score_rows
    from recommender.tables import as_of as known_at

    own = [table for table in TABLES.values() if "customer_id" in table.customer_columns]
    tables = {one.name: store.read(one.name, before=_ALWAYS, customer_ids=[customer_id]) for one in own}
    newest = [tables[one.name][one.exists_from].max() for one in own if one.tells_time and not one.is_entity]
    last = max((one.to_pydatetime() for one in newest if not pd.isna(one)), default=bundle.as_of)
    as_of = max(bundle.as_of, last + timedelta(microseconds=1))
    tables = {one.name: known_at(one, tables[one.name], as_of) for one in own}
    bought = store.rows_by_key("items", tables["order_lines"]["item_id"].unique().tolist())
    tables["items"] = pd.DataFrame(
        [(item_id, one["cost"]) for item_id, one in bought.items()], columns=["item_id", "cost"]
    ).astype({"item_id": "string", "cost": "float64"})
    rows = score_rows(tables, pd.Index([customer_id], dtype="string", name="customer_id"), bundle, as_of)
    return {row.definition: row for row in rows}


def _without_score(
    bundle: ModelBundle | None, facts: Mapping[str, Any], customer_id: str, profile: Profile, reason: RiskReason
) -> ChurnRisk:
    definition = facts.get("definition", {})
    return ChurnRisk(
        customer_id=customer_id,
        customer_known=profile.known,
        in_population=False,
        churn_probability=None,
        horizon_days=definition.get("horizon_days", bundle.horizon_days if bundle else 0),
        population=facts.get("population", ""),
        band=None,
        expected_loss=None,
        predicted_value=None,
        lever="none",
        action=NO_ACTION,
        reasons=(reason,),
        model_version=bundle.version if bundle else None,
        as_of=bundle.as_of if bundle else None,
        definition=definition.get("name", MAIN_DEFINITION),
    )
