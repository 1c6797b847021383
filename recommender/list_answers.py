"""What to show who asks: from a request, over candidates and the policy of its placement, to a list with reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from recommender import item_candidates
from recommender.answers import Recommendations
from recommender.bundle import ModelBundle
from recommender.candidates import DEPTH
from recommender.errors import UnknownName
from recommender.event_store import EventStore
from recommender.filter_matches import FilterMatches
from recommender.filters import Filter, parse_filter
from recommender.item_lists import Candidate, present
from recommender.kept_requests import VALID_FOR, ShownList, new_recommendation_id
from recommender.list_policy import ListPolicy, Rows, choose
from recommender.list_requests import ListRequest
from recommender.placements import DEFAULT_PLACEMENTS, POPULAR, Placement
from recommender.policy_making import made_policy
from recommender.store_queries import Profile
from recommender.strategies import REGISTRY
from recommender.visits import Visit
from recommender.ways import Way, Ways

RECENT_ORDERS = "recent_orders"
_NO_MODEL = "no model is served yet: the list is what was ordered last"
_NO_CONSENT = "the customer has not agreed to personalization: the list is the same for everybody"


def recommend(
    store: EventStore,
    bundle: ModelBundle | None,
    request: ListRequest,
    now: datetime,
    *,
    after: ShownList | None = None,
    also_excluded: frozenset[str] = frozenset(),
) -> Recommendations:
    """The list that a request asks for; ``after`` continues a list that was shown, with its id and its ranks.

    Raises UnknownName for a placement that is not configured, FilterError for a filter that cannot be read.
    """
    asked = _Asked(store, bundle, request, now, placement_of(bundle, request.placement), after, also_excluded)
    ways = Ways(asked.ways())
    rows = Rows(lambda item_ids: store.rows_by_key("items", item_ids))
    policy = asked.policy()
    shown = choose(policy, iter(ways), asked.new_items(policy), rows)
    rows.read([one.evidence_item_id for one in shown if one.evidence_item_id])
    answered = ways.answered(shown)
    fallback = None if answered == asked.place.strategy[0] else answered
    items = present(shown, rows.found, include=request.include, first_rank=after.next_rank if after else 1)
    told = _warnings(ways, shown, is_filtered=asked.is_filtered, is_next=after is not None)
    counts = {"candidate_count": sum(ways.counts.values()), "candidates": ways.counts}
    return Recommendations(
        recommendation_id=asked.recommendation_id,
        customer_id=request.customer_id,
        session_id=request.session_id,
        customer_known=asked.profile.known,
        placement=request.placement,
        strategy=answered,
        fallback=fallback,
        model_version=bundle.version if bundle else None,
        as_of=asked.visit.as_of if asked.visit else None,
        valid_until=(after.kept.asked_at if after else now) + VALID_FOR,
        items=items,
        warnings=(*asked.warnings(), *told),
        debug=counts if "debug" in request.include else None,
    )


def placement_of(bundle: ModelBundle | None, name: str) -> Placement:
    """A placement of the configuration that the bundle was trained with; raises UnknownName."""
    placements = bundle.placements if bundle else DEFAULT_PLACEMENTS
    if name not in placements:
        raise UnknownName("placement", name, placements)
    return placements[name]


class _Asked:
    """One request with its placement and who asks."""

    def __init__(
        self,
        store: EventStore,
        bundle: ModelBundle | None,
        request: ListRequest,
        now: datetime,
        place: Placement,
        after: ShownList | None,
        also_excluded: frozenset[str],
    ) -> None:
        self.store, self.bundle, self.request, self.now, self.place = store, bundle, request, now, place
        self.after = after
        self.hidden = also_excluded | frozenset(after.item_ids if after else ())
        self.recommendation_id = after.kept.recommendation_id if after else new_recommendation_id(now)
        self.is_filtered = bool(request.filter or place.filter)
        self.visit = Visit(store, bundle, request, now, is_filtered=self.is_filtered) if bundle else None

    @property
    def profile(self) -> Profile:
        """What the store holds of the customer."""
        return self.visit.profile if self.visit else self.store.profile(self.request.customer_id or "")

    def ways(self) -> list[Way]:
        """The strategies of the placement in turn, what is popular last."""
        visit = self.visit
        if visit is None:
            return [(RECENT_ORDERS, self._recent)]
        ways: list[Way] = []
        matches = FilterMatches(visit, self._filters())
        for name in dict.fromkeys([*self.place.strategy, POPULAR]):
            ways.append((name, partial(REGISTRY[name], visit)))
            deeper = matches.deeper(name) if self.is_filtered else None
            if deeper is not None:
                ways.append((name, deeper))
        return ways

    def _filters(self) -> list[Filter]:
        """The filters that every item passes."""
        asked = [parse_filter(self.request.filter)] if self.request.filter else []
        return asked if self.place.parsed is None else [*asked, self.place.parsed]

    def policy(self) -> ListPolicy:
        """What the list must keep to."""
        return made_policy(
            self.visit,
            self.place,
            self.request,
            self.now,
            seed=self.recommendation_id,
            hidden=self.hidden,
            is_next=self.after is not None,
        )

    def new_items(self, policy: ListPolicy) -> Sequence[Candidate]:
        """The new items that may be drawn."""
        return item_candidates.new_arrivals(self.bundle) if self.bundle and policy.exploration_share > 0 else ()

    def warnings(self) -> Iterator[str]:
        """What holds whatever is found."""
        if self.visit is None:
            yield _NO_MODEL
        elif not self.visit.is_personal:
            yield _NO_CONSENT

    def _recent(self) -> list[Candidate]:
        counted = self.store.recently_ordered(DEPTH)
        return [Candidate(item_id, float(count), RECENT_ORDERS) for item_id, count in counted]


def _warnings(ways: Ways, shown: Sequence[Candidate], *, is_filtered: bool, is_next: bool) -> Iterator[str]:
    """Which places were filled by others than the strategy that answered, or why there is nothing."""
    yield from ways.filled(shown)
    looked_at = sum(ways.counts.values())
    if shown or not ways.ways:
        return
    if is_next and looked_at:
        yield "there is nothing more to show"
    elif is_filtered and looked_at:
        yield f"none of the {looked_at} items found may be shown and passes the filter; widen it"
    elif looked_at:
        yield f"none of the {looked_at} items found may be shown: excluded, or not for sale"
    else:
        yield "no item is known yet"
