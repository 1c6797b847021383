"""What to show a customer or a visitor."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from api.decision_log import Decision
from api.errors import FieldError, Problem, invalid, pointer_to
from api.operation import operation
from api.request_log import took_ms
from api.schemas.recommendation_requests import (
    NextQuery,
    RecommendationsBatchIn,
    RecommendationsIn,
    RecommendationsQuery,
    RerankIn,
)
from api.schemas.recommendations import RecommendationsBatchOut, RecommendationsOut, RerankOut
from api.services import advisor, services
from recommender.errors import UnknownName, UnknownRecommendation
from recommender.kept_requests import age_of

if TYPE_CHECKING:
    from recommender.answers import Recommendations
    from recommender.list_requests import ListRequest

views = APIBlueprint("recommendations", __name__, tag="Recommendations")

# Decisions are written beside the requests: one that was just answered is there after so long.
WRITTEN_AFTER = timedelta(seconds=2)
LOOK_AGAIN_SECONDS = 0.05


@views.get("/v1/customers/<identifier:customer_id>/recommendations")
@operation(scope="recs:read", query=RecommendationsQuery, returns=RecommendationsOut)
def get_recommendations(customer_id: str, query: RecommendationsQuery) -> dict[str, Any]:
    """Items to show a customer at a placement, each with its reasons.

    An unknown customer gets a list for everybody, labelled as a fallback. Each decision is recorded as impressions.
    """
    return _answered(query.request(customer_id), advisor().decide(query.request(customer_id)))


@views.post("/v1/recommendations")
@operation(scope="recs:read", body=RecommendationsIn, returns=RecommendationsOut)
def post_recommendations(body: RecommendationsIn) -> dict[str, Any]:
    """Items to show a customer or a visitor, with the page, the last clicks, a filter and exclusions.

    Recent events count at once, also those of strangers; without anything known the list is one for everybody,
    labelled as a fallback. A filter that nothing passes gives an empty list with a warning. Each decision is recorded
    as impressions unless it is a dry run.
    """
    request = body.request()
    try:
        answer = advisor().decide(request)
    except UnknownName as problem:
        raise _unknown_placement(problem, "placement") from None
    return _answered(request, answer, is_recorded=not body.dry_run)


@views.post("/v1/recommendations/batch")
@operation(scope="recs:read", body=RecommendationsBatchIn, returns=RecommendationsBatchOut)
def post_recommendations_batch(body: RecommendationsBatchIn) -> dict[str, Any]:
    """The lists of one page, up to 100; with `distinct` no item is in two of them.

    The lists are made in the order given: what an earlier one shows, a later one does not. Where one request is
    invalid, none is answered.
    """
    shown: frozenset[str] = frozenset()
    requests, answers = [one.request() for one in body.requests], []
    for index, request in enumerate(requests):
        try:
            answers.append(advisor().decide(request, also_excluded=shown))
        except UnknownName as problem:
            raise _unknown_placement(problem, "requests", index, "placement") from None
        if body.distinct:
            shown |= {item.item_id for item in answers[-1].items}
    data = tuple(
        _answered(request, answer, is_recorded=not one.dry_run)
        for one, request, answer in zip(body.requests, requests, answers, strict=True)
    )
    return {"data": data, "took_ms": took_ms()}


@views.get("/v1/recommendations/<identifier:recommendation_id>/next")
@operation(scope="recs:read", query=NextQuery, returns=RecommendationsOut, fails=(404,))
def get_next_recommendations(recommendation_id: str, query: NextQuery) -> dict[str, Any]:
    """What comes next on a list that was shown within the last 30 minutes.

    The answer keeps to what was asked the first time and repeats no item; its ranks go on, under the same
    `recommendation_id`, so that it can be asked again for more; who asks at the same time gets another page. Lists of
    dry runs cannot be continued. Where very many ask for lists that were answered within the last moments, some get a
    503 with `Retry-After`.
    """
    while True:
        request, answer = _continued(recommendation_id, query.limit)
        # Written before it is answered: whoever asks for more gets more, and not this again.
        if services().decisions.write_page(Decision(answer, services().clock(), request)):
            return {**vars(answer), "took_ms": took_ms()}


@views.post("/v1/rerank")
@operation(scope="recs:read", body=RerankIn, returns=RerankOut)
def post_rerank(body: RerankIn) -> dict[str, Any]:
    """Up to 500 items of the caller in the order that suits a customer or a visitor.

    Items that nobody knows come last and are named in `missing_ids`. Nothing is recorded as shown, because only the
    caller knows what is: send impressions as events. Without anything known of who asks, the order is that of what is
    popular, labelled as a fallback.
    """
    return {**vars(advisor().rerank(body.request(), body.item_ids)), "took_ms": took_ms()}


def _answered(request: ListRequest, answer: Recommendations, *, is_recorded: bool = True) -> dict[str, Any]:
    if is_recorded:
        current = services()
        current.decisions.add(Decision(answer, current.clock(), request))
    return {**vars(answer), "took_ms": took_ms()}


def _continued(recommendation_id: str, limit: int | None) -> tuple[ListRequest, Recommendations]:
    """The next page; a list that was made a moment ago, perhaps by another worker, is waited for."""
    try:
        return _looked_up(recommendation_id, limit)
    except Problem:
        left = _left_to_wait(recommendation_id)
        if not left:
            raise
    until = time.monotonic() + left.total_seconds()
    with services().waiting_room.place():
        while time.monotonic() < until:
            time.sleep(LOOK_AGAIN_SECONDS)
            with suppress(Problem):
                return _looked_up(recommendation_id, limit)
    return _looked_up(recommendation_id, limit)


def _left_to_wait(recommendation_id: str) -> timedelta:
    age = age_of(recommendation_id, services().clock())
    # Clocks of two machines may differ: an id may come from what is the future here.
    if age is None or abs(age) >= WRITTEN_AFTER:
        return timedelta()
    return WRITTEN_AFTER - max(age, timedelta())


def _looked_up(recommendation_id: str, limit: int | None) -> tuple[ListRequest, Recommendations]:
    try:
        return advisor().continued(recommendation_id, limit=limit)
    except UnknownRecommendation as problem:
        raise Problem(404, "unknown_recommendation", str(problem)) from None


def _unknown_placement(problem: UnknownName, *steps: object) -> Problem:
    return invalid([FieldError("unknown_name", str(problem), pointer=pointer_to(*steps))])
