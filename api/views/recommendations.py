"""What to show a customer."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from api.decision_log import Decision
from api.operation import operation
from api.request_log import took_ms
from api.schemas.recommendations import RecommendationsOut, RecommendationsQuery
from api.services import services

views = APIBlueprint("recommendations", __name__, tag="Recommendations")


@views.get("/v1/customers/<identifier:customer_id>/recommendations")
@operation(scope="recs:read", query=RecommendationsQuery, returns=RecommendationsOut)
def get_recommendations(customer_id: str, query: RecommendationsQuery) -> dict[str, Any]:
    """Items to show a customer at a placement, each with its reasons.

    An unknown customer gets a list for everybody, labelled as a fallback. Each decision is recorded as impressions.
    """
    current = services()
    answer = current.advisor.recommend(
        customer_id,
        placement=query.placement,
        limit=query.limit,
        diversity=query.diversity,
        include=query.included,
    )
    current.decisions.add(Decision(answer, current.clock()))
    return {**vars(answer), "took_ms": took_ms()}
