"""From a placement, a request and who asks to the policy that the list keeps to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from recommender.filter_terms import Not
from recommender.filters import Filter, parse_filter
from recommender.item_lists import is_due, is_used_up
from recommender.list_policy import Allows, ListPolicy, Move, shown_at
from recommender.list_requests import ListRequest
from recommender.live_history import ALWAYS
from recommender.placement_rules import BOOST, HIDE, PIN, Rule
from recommender.placements import BOUGHT, Placement
from recommender.strategies import due_items
from recommender.visits import Visit

# So many impressions of a customer tell what was shown lately.
IMPRESSIONS_AT_MOST = 1_000


def made_policy(
    visit: Visit | None,
    place: Placement,
    request: ListRequest,
    now: datetime,
    *,
    seed: str,
    hidden: frozenset[str],
    is_next: bool,
) -> ListPolicy:
    """The policy of one list; without a visit (no bundle) what depends on who asks is left out.

    ``now`` is the wall clock, ``hidden`` is excluded as well; the next page of a list repeats no pins.
    """
    rules = [rule for rule in place.rules if rule.holds(now, request.context)]
    due = _due(visit, place)
    who = visit.profile.row if visit and visit.is_personal else None
    floor = place.min_relevance if request.min_relevance is None else request.min_relevance
    rotation = place.rotation if request.rotation is None else request.rotation
    return ListPolicy(
        limit=request.limit,
        at=shown_at(now, visit.as_of if visit else None),
        seed=seed,
        # A list that is asked to be relevant rather than long is not filled.
        is_filled=place.is_filled and floor <= 0,
        diversity=place.diversity if request.diversity is None else request.diversity,
        min_relevance=floor,
        new_share=place.new_share,
        exploration_share=place.exploration_share,
        rotation=rotation,
        excluded=frozenset([*hidden, *request.exclude, *_marked(visit, place, due)]),
        beside=request.context_items,
        bought=frozenset(visit.bought) if visit and (place.new_share or place.exploration_share) else frozenset(),
        shown=_shown_lately(visit, place, seed) if visit and rotation > 0 else {},
        filters=tuple(_filters(place, request, rules, due, who)),
        moves=tuple(_moves(rules, who)),
        pins=() if is_next else tuple((rule.position, rule.item_id) for rule in rules if rule.action == PIN),
    )


def _marked(visit: Visit | None, place: Placement, due: frozenset[str]) -> frozenset[str]:
    if visit is None:
        return frozenset()
    marks = visit.marks(place.exclude)
    others = [name for name in place.exclude if name != BOUGHT]
    bought = marks.bought - due if BOUGHT in place.exclude else frozenset()
    return marks.of(others) | bought


def _due(visit: Visit | None, place: Placement) -> frozenset[str]:
    """What was bought and is due again by its own interval."""
    if visit is None or BOUGHT not in place.exclude or not place.reoffers_when_due:
        return frozenset()
    return frozenset(one.item_id for one in due_items(visit) if is_due(one))


def _filters(
    place: Placement, request: ListRequest, rules: list[Rule], due: frozenset[str], who: Mapping[str, Any] | None
) -> Iterator[Allows]:
    if request.filter:
        yield parse_filter(request.filter).for_customer(who)
    if place.parsed is not None:
        yield place.parsed.for_customer(who)
    for rule in rules:
        if rule.action == HIDE:
            yield Filter(Not(rule.parsed.term)).for_customer(who)
    if due:
        yield lambda item_id, row: item_id not in due or is_used_up(row) is True


def _moves(rules: list[Rule], who: Mapping[str, Any] | None) -> Iterator[Move]:
    for rule in rules:
        if rule.action not in {PIN, HIDE}:
            yield Move(rule.parsed.for_customer(who), rule.weight if rule.action == BOOST else -rule.weight)


def _shown_lately(visit: Visit, place: Placement, recommendation_id: str) -> dict[str, float]:
    """For items shown here to the same customer or session: how often, each time less the longer ago it was."""
    window = timedelta(hours=place.rotation_hours)
    shown: dict[str, float] = {}
    for row in _impressions(visit, visit.now - window):
        is_here = row["placement"] == place.name and row["recommendation_id"] != recommendation_id
        if is_here and row["item_id"] is not None:
            freshness = min(1.0, max(0.0, 1 - (visit.now - row["shown_at"]) / window))
            shown[row["item_id"]] = shown.get(row["item_id"], 0.0) + freshness
    return shown


def _impressions(visit: Visit, since: datetime) -> list[dict[str, Any]]:
    request, store = visit.request, visit.store
    if not visit.is_personal:
        return []
    if request.customer_id is not None and visit.profile.known:
        return store.rows_of_customer(
            "impressions", request.customer_id, before=ALWAYS, since=since, limit=IMPRESSIONS_AT_MOST
        )
    if request.session_id is not None:
        return store.rows_of_session("impressions", request.session_id, since=since, limit=IMPRESSIONS_AT_MOST)
    return []
