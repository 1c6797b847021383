"""Who asks for a list: customer, session or stranger, with the history read from the store only as far as needed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from recommender.bundle import ModelBundle
from recommender.event_store import EventStore
from recommender.list_requests import ListRequest
from recommender.live_history import (
    Event,
    Met,
    Purchases,
    events_of,
    items_met,
    last_instant,
    purchases,
    session_events_of,
)
from recommender.placements import BOUGHT, DISLIKED, IN_CART, RETURNED
from recommender.store_queries import UNKNOWN_CUSTOMER, Profile

# No customer can have this id.
NOBODY = ""
# A visit ends where nothing happens for so long.
SESSION_GAP = timedelta(minutes=30)
_LIKING = frozenset({"order", "wishlist", "cart_add"})


@dataclass(frozen=True)
class Marks:
    """What the newest event of its kind says about an item: bought ever, in the cart now, returned, disliked."""

    bought: frozenset[str] = frozenset()
    in_cart: frozenset[str] = frozenset()
    returned: frozenset[str] = frozenset()
    disliked: frozenset[str] = frozenset()

    def of(self, names: Iterable[str]) -> frozenset[str]:
        """The items with any of the marks."""
        return frozenset().union(*(getattr(self, name) for name in names))


def marks_of(events: Iterable[Event]) -> Marks:
    """The marks that events, oldest first, leave on their items.

    An order empties the cart of the item; a later order forgives a return, a later order, wish or cart a dislike.
    """
    marks: dict[str, set[str]] = {name: set() for name in (BOUGHT, IN_CART, RETURNED, DISLIKED)}
    for event in events:
        kind, item_id = event.kind, event.item_id
        if kind == "order":
            marks[BOUGHT].add(item_id)
            marks[RETURNED].discard(item_id)
        if kind in {"order", "cart_remove"}:
            marks[IN_CART].discard(item_id)
        if kind in _LIKING:
            marks[DISLIKED].discard(item_id)
        gained = {"cart_add": IN_CART, "return": RETURNED, "dislike": DISLIKED}.get(kind)
        if gained is not None:
            marks[gained].add(item_id)
    return Marks(**{name: frozenset(items) for name, items in marks.items()})


class Visit:
    """One request: who asks, and what is known of them. Serves one request in one thread.

    ``now`` is the wall clock, ``is_filtered`` whether a filter will leave out many of the candidates.

    Who did not agree to personalization, or was forgotten, has no place in the bundle; the first has no events either.
    """

    def __init__(
        self, store: EventStore, bundle: ModelBundle, request: ListRequest, now: datetime, *, is_filtered: bool = False
    ) -> None:
        self.store = store
        self.bundle = bundle
        self.request = request
        self.now = now
        self.is_filtered = is_filtered

    @cached_property
    def profile(self) -> Profile:
        """What the store holds of the customer."""
        customer_id = self.request.customer_id
        return UNKNOWN_CUSTOMER if customer_id is None else self.store.profile(customer_id)

    @property
    def is_personal(self) -> bool:
        """Whether the answer may depend on who asks."""
        return self.profile.consent_personalization

    @cached_property
    def position(self) -> int | None:
        """The customer's place in the bundle, None where the bundle may not or cannot know the customer."""
        customer_id = self.request.customer_id
        if customer_id is None or self.profile.erased or not self.is_personal:
            return None
        return self.bundle.customers.position(customer_id)

    @property
    def learned_id(self) -> str:
        """The id under which models know the customer; to them, who was forgotten is nobody."""
        is_nobody = self.profile.erased or not self.is_personal
        return NOBODY if is_nobody else self.request.customer_id or NOBODY

    @cached_property
    def news(self) -> list[Event]:
        """What happened since the bundle, in this session, and in the request."""
        return self._with_visit(self._stored(since=self.bundle.as_of))

    @cached_property
    def events(self) -> list[Event]:
        """What models score by: what is known of who asks, oldest first, of the heaviest customers the newest part."""
        return self._with_visit(self._stored(since=None))

    @cached_property
    def as_of(self) -> datetime:
        """The later of the bundle's ``as_of`` and the last event."""
        return max(self.bundle.as_of, last_instant(self.news) or self.bundle.as_of)

    @cached_property
    def session(self) -> list[Event]:
        """The events of this visit, oldest first: those of the session and the request, else the customer's last."""
        if not self.is_personal:
            return []
        visit = self._with_visit([])
        if visit or not self.news:
            return visit
        begun = len(self.news) - 1
        while begun > 0 and self.news[begun].at - self.news[begun - 1].at < SESSION_GAP:
            begun -= 1
        return self.news[begun:]

    def marks(self, names: Collection[str]) -> Marks:
        """The marks named, those of other names perhaps as well; the store is asked only where there may be any."""
        if not names or not self.is_personal:
            return Marks()
        is_rare = set(names) <= {RETURNED, DISLIKED}
        if is_rare and not any(event.kind in {"return", "dislike"} for event in self.news) and not self._has_refused:
            return Marks()
        # What a mark says of an item depends on the last event of each kind alone.
        last = [Event(one.item_id, one.last_at, one.kind) for one in self._met]
        return marks_of(sorted([*last, *self.news], key=lambda event: event.at))

    @cached_property
    def bought(self) -> Purchases:
        """All that was ever bought, whatever the models score by."""
        return purchases(self._met, self.news)

    @cached_property
    def _met(self) -> list[Met]:
        customer_id = self._customer_with_events
        return [] if customer_id is None else items_met(self.store, customer_id)

    @cached_property
    def _has_refused(self) -> bool:
        customer_id = self.request.customer_id
        return self.profile.known and customer_id is not None and self.store.has_refused(customer_id)

    @property
    def _customer_with_events(self) -> str | None:
        """The customer, where the store may hold events that the answer may depend on."""
        return self.request.customer_id if self.profile.known and self.is_personal else None

    def _stored(self, since: datetime | None) -> list[Event]:
        customer_id = self._customer_with_events
        return [] if customer_id is None else events_of(self.store, customer_id, since=since)

    @cached_property
    def _of_session(self) -> list[Event]:
        session_id = self.request.session_id
        return session_events_of(self.store, session_id) if session_id is not None else []

    def _with_visit(self, stored: list[Event]) -> list[Event]:
        """Stored events with those of the session and the request; an event without a time is the newest of all."""
        if not self.is_personal:
            return []
        dated = [*stored, *self._of_session]
        newest = max(self.bundle.as_of, last_instant(dated) or self.bundle.as_of)
        given = [Event(one.item_id, min(one.at or newest, self.now), one.kind) for one in self.request.recent_events]
        return sorted(dict.fromkeys([*dated, *given]), key=lambda event: event.at)
