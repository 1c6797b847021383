"""The advisor: every answer to a storefront or a marketer, from a bundle, the event store and the last scoring."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from recommender import candidates, item_answers, risk_answers
from recommender.answers import (
    ChurnRisk,
    CustomerList,
    CustomerSummary,
    CustomerValue,
    ItemList,
    Recommendations,
    RiskFilter,
    RiskPage,
)
from recommender.artifact_store import ArtifactStore
from recommender.bundle import ModelBundle
from recommender.errors import ArtifactError, UnknownName
from recommender.event_store import EventStore
from recommender.item_lists import Candidate, present, sellable, spread
from recommender.live_history import events_of, last_instant
from recommender.placements import BUY_AGAIN, DEFAULT_PLACEMENTS, POPULAR, Placement, placements_from
from recommender.score_store import ScoreStore
from recommender.store_queries import Profile

logger = logging.getLogger(__name__)

VALID_FOR = timedelta(minutes=30)
# So many candidates beyond the limit are looked up at once, because some cannot be sold.
SPARE = 10
# No customer can have this id.
NOBODY = ""
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Erasure:
    """What was deleted of a customer, and which bundles on disk were trained while the customer was known."""

    deleted: dict[str, int]
    bundles_holding_id: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """Candidates of one answer with how they were found."""

    candidates: Sequence[Candidate]
    fallback: str | None
    as_of: datetime | None
    warnings: tuple[str, ...] = ()
    may_be_filled: bool = False


class Advisor:
    """Answers as of the later of the bundle's ``as_of`` and the customer's last event.

    Safe to share between threads: a promoted bundle replaces the old one in one assignment, and an answer works
    with the one that it began with.
    """

    def __init__(self, store: EventStore, artifacts: ArtifactStore, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._scores = ScoreStore(store.engine)
        self._artifacts = artifacts
        self._clock = clock
        self._bundle: ModelBundle | None = None
        self._tried: int | None = None
        self._problem: str | None = None
        self.refresh()

    @property
    def bundle(self) -> ModelBundle | None:
        """The bundle that answers now, None before the first promotion."""
        return self._bundle

    @property
    def bundle_version(self) -> str | None:
        """Version of the bundle that answers now."""
        return self._bundle.version if self._bundle else None

    def refresh(self) -> None:
        """Take up a version that was promoted since; one that cannot be read leaves the old one in place."""
        promoted_at = self._artifacts.promoted_at()
        if promoted_at == self._tried:
            return
        version = self._artifacts.current()
        try:
            self._bundle = self._artifacts.load(version) if version else None
            self._problem = None
        except (ArtifactError, UnknownName) as problem:
            logger.error("bundle refused version=%s problem=%s", version, problem)
            self._problem = str(problem)
        self._tried = promoted_at

    def status(self) -> dict[str, Any]:
        """What a readiness probe wants to know: the version served, its ``as_of``, and a problem with a newer one."""
        bundle = self._bundle
        return {
            "model_version": bundle.version if bundle else None,
            "as_of": bundle.as_of if bundle else None,
            "problem": self._problem or (None if bundle else "no bundle was promoted yet; run the command train"),
        }

    def recommend(
        self,
        customer_id: str,
        *,
        placement: str = "home",
        limit: int = 10,
        diversity: float | None = None,
        include: frozenset[str] = frozenset(),
    ) -> Recommendations:
        """What to show a customer at a placement; raises UnknownName for a placement that is not configured."""
        bundle = self._bundle
        place = self._placement(bundle, placement)
        profile = self._store.profile(customer_id)
        found = self._find(bundle, profile, customer_id, place)
        at = found.as_of or self._clock()
        wanted = place.diversity if diversity is None else diversity
        shown, rows, warnings = self._fill(bundle, found, at, limit=limit, diversity=wanted)
        return Recommendations(
            recommendation_id=uuid.uuid4().hex,
            customer_id=customer_id,
            customer_known=profile.known,
            placement=placement,
            strategy=place.strategy if found.fallback is None else found.fallback,
            fallback=found.fallback,
            model_version=bundle.version if bundle else None,
            as_of=found.as_of,
            valid_until=self._clock() + VALID_FOR,
            items=present(shown, rows, include=include),
            warnings=warnings,
            debug={"candidate_count": len(found.candidates)} if "debug" in include else None,
        )

    def similar_items(self, item_id: str, *, limit: int) -> ItemList:
        """Items like the given one."""
        return item_answers.similar(self._store, self._bundle, item_id, limit=limit, now=self._clock())

    def bought_together(self, item_ids: Sequence[str], *, limit: int) -> ItemList:
        """What is bought together with the items given."""
        return item_answers.bought_together(self._store, self._bundle, item_ids, limit=limit, now=self._clock())

    def popular_items(self, *, limit: int, category: str | None = None) -> ItemList:
        """What many customers bought lately, by default of all categories; a category covers those below it."""
        return item_answers.popular(self._store, self._bundle, category, limit=limit, now=self._clock())

    def trending_items(self, *, limit: int) -> ItemList:
        """What sells more and more."""
        return item_answers.trending(self._store, self._bundle, limit=limit, now=self._clock())

    def new_items(self, *, limit: int) -> ItemList:
        """What came into the catalogue lately."""
        return item_answers.new_arrivals(self._store, self._bundle, limit=limit, now=self._clock())

    def customers_for(self, item_id: str, *, limit: int) -> CustomerList:
        """Which customers to tell of an item."""
        return item_answers.customers_for(self._store, self._bundle, item_id, limit=limit)

    def churn_risk(self, customer_id: str, *, fresh: bool = False) -> ChurnRisk:
        """The customer's risk as of the last scoring, or scored anew from all that is known now."""
        return risk_answers.churn_risk(self._store, self._scores, self._bundle, customer_id, fresh=fresh)

    def churn_risks(self, wanted: RiskFilter, *, sort: str, cursor: str | None, limit: int) -> RiskPage:
        """One page of the churn list; raises SettingError for a sort or a cursor that does not exist."""
        return risk_answers.page(self._scores, wanted, sort=sort, cursor=cursor, limit=limit)

    def stream_risks(self, wanted: RiskFilter, *, sort: str) -> Iterator[ChurnRisk]:
        """The whole churn list, row by row."""
        return risk_answers.stream(self._scores, wanted, sort=sort)

    def value(self, customer_id: str) -> CustomerValue:
        """What the customer was and will be worth, as of the last scoring."""
        return risk_answers.value(self._store, self._scores, self._bundle, customer_id)

    def customer(self, customer_id: str) -> CustomerSummary:
        """Profile, consents and the figures of the last scoring."""
        return risk_answers.summary(self._store, self._scores, customer_id)

    def forget(self, customer_id: str) -> Erasure:
        """Delete all rows and scores of a customer; from now on no slate is served for the id."""
        deleted = self._store.erase(customer_id)
        holding = [version for version in self._artifacts.versions() if self._holds(version, customer_id)]
        return Erasure(deleted, tuple(holding))

    def _holds(self, version: str, customer_id: str) -> bool:
        try:
            return customer_id in self._artifacts.customers_of(version)
        except ArtifactError:
            # A bundle that cannot be read may hold the id as well.
            return True

    def _placement(self, bundle: ModelBundle | None, name: str) -> Placement:
        placements = placements_from(bundle.facts.get("placements", {})) if bundle else DEFAULT_PLACEMENTS
        if name not in placements:
            raise UnknownName("placement", name, placements)
        return placements[name]

    def _find(self, bundle: ModelBundle | None, profile: Profile, customer_id: str, place: Placement) -> _Found:
        if bundle is None:
            warning = "no model is served yet: the list is what was ordered last"
            return _Found(self._popular(None), "recent_orders", None, (warning,))
        if not profile.consent_personalization:
            warning = "the customer has not agreed to personalization: the list is the same for everybody"
            return _Found(self._popular(bundle), POPULAR, bundle.as_of, (warning,))
        if place.strategy == POPULAR:
            return _Found(self._popular(bundle), None, bundle.as_of)
        return self._find_personal(bundle, profile, customer_id, place)

    def _find_personal(self, bundle: ModelBundle, profile: Profile, customer_id: str, place: Placement) -> _Found:
        position = None if profile.erased else bundle.customers.position(customer_id)
        news = events_of(self._store, customer_id, since=bundle.as_of) if profile.known else []
        as_of = max(bundle.as_of, last_instant(news) or bundle.as_of)
        may_be_filled = place.strategy != BUY_AGAIN
        if position is not None and not news:
            slate = candidates.from_slate(bundle, position, place.strategy)
            return _Found(slate, None, as_of, may_be_filled=may_be_filled)
        events = events_of(self._store, customer_id) if profile.known else []
        if not events:
            return _Found(self._popular(bundle), POPULAR, as_of)
        # A model may have learned of the one who was forgotten: to it, who bears the id now is nobody.
        learned_id = NOBODY if profile.erased else customer_id
        slate = candidates.from_events(bundle, learned_id, events, place.strategy, as_of)
        return _Found(slate, None, as_of, may_be_filled=may_be_filled)

    def _popular(self, bundle: ModelBundle | None) -> Sequence[Candidate]:
        if bundle is not None:
            return candidates.popular(bundle, candidates.DEPTH)
        counted = self._store.recently_ordered(candidates.DEPTH)
        return [Candidate(item_id, float(count), "recent_orders") for item_id, count in counted]

    def _fill(
        self, bundle: ModelBundle | None, found: _Found, at: datetime, *, limit: int, diversity: float
    ) -> tuple[Sequence[Candidate], dict[str, Any], tuple[str, ...]]:
        """The candidates to show with the item rows they need; popular items fill up, with a warning."""
        shown, rows = self._choose(found.candidates, at, limit=limit, diversity=diversity)
        if len(shown) >= limit or not found.may_be_filled:
            return shown, rows, found.warnings
        padded, rows = self._choose([*shown, *self._popular(bundle)], at, limit=limit, diversity=0)
        if len(padded) == len(shown):
            return padded, rows, found.warnings
        return padded, rows, (*found.warnings, f"{len(padded) - len(shown)} places are filled with popular items")

    def _choose(
        self, listed: Sequence[Candidate], at: datetime, *, limit: int, diversity: float
    ) -> tuple[Sequence[Candidate], dict[str, Any]]:
        """The candidates to show; without diversity, rows are read only until the list is full."""
        step = len(listed) if diversity > 0 else limit + SPARE
        rows: dict[str, Any] = {}
        shown: Sequence[Candidate] = ()
        for stop in range(step, len(listed) + step, step or 1):
            rows |= self._item_rows(listed[stop - step : stop])
            shown = spread(sellable(listed[:stop], rows, at), rows, limit=limit, diversity=diversity)
            if len(shown) >= limit:
                break
        return shown, rows

    def _item_rows(self, listed: Sequence[Candidate]) -> dict[str, Any]:
        named = {one.item_id for one in listed} | {one.evidence_item_id for one in listed if one.evidence_item_id}
        return self._store.rows_by_key("items", sorted(named))


def open_advisor(store: EventStore, artifacts: Path, *, clock: Callable[[], datetime]) -> Advisor:
    """An advisor over a store and a folder of bundles, which may still be empty."""
    return Advisor(store, ArtifactStore(artifacts), clock=clock)
