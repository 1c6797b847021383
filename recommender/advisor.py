"""The advisor: every answer to a storefront or a marketer, from a bundle, the event store and the last scoring."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from recommender import item_answers, list_answers, rerank_answers
from recommender.answers import CustomerList, ItemList, Recommendations, Reranking
from recommender.artifact_store import ArtifactStore
from recommender.bundle import ModelBundle
from recommender.customer_answers import (
    MAIN_DEFINITION,
    BandMoves,
    ChurnDrivers,
    ChurnRisk,
    CustomerBase,
    CustomerSummary,
    CustomerValue,
    RiskFilter,
    RiskPage,
)
from recommender.errors import ArtifactError, UnknownName, UnknownRecommendation
from recommender.event_store import EventStore
from recommender.kept_requests import shown_list
from recommender.list_requests import ListRequest
from recommender.retention import risk_answers, risk_lists, treatment_answers, value_answers
from recommender.retention.driver_store import DriverStore
from recommender.retention.drivers import EVERYBODY, drivers_of
from recommender.retention.effect_answers import MeasuredEffects
from recommender.retention.segment_store import SegmentStore
from recommender.retention.treatment_answers import TreatmentLadder
from recommender.score_history import ScoreHistory
from recommender.score_store import ScoreStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Erasure:
    """What was deleted of a customer, and which bundles on disk were trained while the customer was known."""

    deleted: dict[str, int]
    bundles_holding_id: tuple[str, ...]


class Advisor:
    """Answers as of the later of the bundle's ``as_of`` and the customer's last event.

    Safe to share between threads: a promoted bundle replaces the old one in one assignment, and an answer works
    with the one that it began with.
    """

    def __init__(self, store: EventStore, artifacts: ArtifactStore, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._scores = ScoreStore(store.engine)
        self.segments = SegmentStore(store.engine)
        self._drivers = DriverStore(store.engine)
        self._history = ScoreHistory(store.engine)
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
        return self.decide(ListRequest(customer_id, None, placement, limit, diversity=diversity, include=include))

    def decide(self, request: ListRequest, *, also_excluded: frozenset[str] = frozenset()) -> Recommendations:
        """The list that a request asks for, without the items ``also_excluded``.

        Raises UnknownName for a placement that is not configured, FilterError for a filter that cannot be read.
        """
        return list_answers.recommend(self._store, self._bundle, request, self._clock(), also_excluded=also_excluded)

    def continued(self, recommendation_id: str, *, limit: int | None = None) -> tuple[ListRequest, Recommendations]:
        """The request of a list that was shown within the last 30 minutes, and what comes next on that list.

        Raises UnknownRecommendation where the list is older, was not recorded, or is not written yet.
        """
        now = self._clock()
        shown = shown_list(self._store, recommendation_id, now)
        if shown is None:
            raise UnknownRecommendation(recommendation_id)
        request = replace(shown.kept.request, limit=limit or shown.kept.request.limit)
        return request, list_answers.recommend(self._store, self._bundle, request, now, after=shown)

    def rerank(self, request: ListRequest, item_ids: Sequence[str]) -> Reranking:
        """The caller's items in the order that suits who asks."""
        return rerank_answers.rerank(self._store, self._bundle, request, item_ids, self._clock())

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

    def churn_risk(
        self,
        customer_id: str,
        *,
        fresh: bool = False,
        definition: str = MAIN_DEFINITION,
        with_history: bool = False,
    ) -> ChurnRisk:
        """The customer's risk as of the last scoring, or scored anew from all that is known now.

        Raises UnknownName for a definition of churn that the bundle does not answer.
        """
        risk = risk_answers.churn_risk(
            self._store, self._scores, self._bundle, customer_id, fresh=fresh, definition=definition
        )
        return replace(risk, history=self._history.of_customer(customer_id, definition)) if with_history else risk

    def churn_risks(self, wanted: RiskFilter, *, sort: str, cursor: str | None, limit: int) -> RiskPage:
        """One page of the churn list.

        Raises SettingError for a sort or a cursor that does not exist and for a ``since`` before every scoring,
        UnknownName for a definition of churn that the bundle does not answer.
        """
        risk_answers.check_definition(self._bundle, wanted.definition)
        return risk_lists.page(self._scores, self._history, wanted, sort=sort, cursor=cursor, limit=limit)

    def stream_risks(self, wanted: RiskFilter, *, sort: str) -> Iterator[ChurnRisk]:
        """The whole churn list, row by row; raises as ``churn_risks`` does."""
        risk_answers.check_definition(self._bundle, wanted.definition)
        return risk_lists.stream(self._scores, self._history, wanted, sort=sort)

    def stream_stored_risks(
        self, wanted: RiskFilter, names: Sequence[str], *, sort: str
    ) -> Iterator[Sequence[Sequence[Any]]]:
        """Chosen columns of the whole churn list as they are stored, many rows at a time."""
        risk_answers.check_definition(self._bundle, wanted.definition)
        return risk_lists.stream_stored(self._scores, wanted, names, sort=sort)

    def count_risks(self, wanted: RiskFilter, *, at_most: int) -> int:
        """How many customers are on the list, counted up to a bound."""
        risk_answers.check_definition(self._bundle, wanted.definition)
        return risk_lists.count(self._scores, self._history, wanted, at_most=at_most)

    def risk_moves(self, since: datetime, definition: str = MAIN_DEFINITION) -> BandMoves:
        """How customers moved between bands since an instant; raises SettingError where it is before every scoring."""
        risk_answers.check_definition(self._bundle, definition)
        return self._history.moves(since, definition)

    def treatments(self) -> TreatmentLadder:
        """What is done about customers at risk, and who is held out."""
        return treatment_answers.ladder(self._bundle)

    def treatment_effects(self, definition: str) -> MeasuredEffects:
        """What the treatments of a definition of churn brought, as last measured."""
        return treatment_answers.effects(self._store.engine, self._bundle, definition)

    def churn_drivers(
        self, definition: str = MAIN_DEFINITION, *, group: str = EVERYBODY, name: str = EVERYBODY
    ) -> ChurnDrivers:
        """Which causes drive churn over everybody, or within a segment or region, beside a month before.

        Raises UnknownName for a definition that the bundle does not answer.
        """
        risk_answers.check_definition(self._bundle, definition)
        return drivers_of(self._drivers, definition, group, name)

    def value(self, customer_id: str, *, horizon_days: int | None = None) -> CustomerValue:
        """What the customer was worth and will be within a horizon, as of the last scoring; default: the bundle's."""
        return value_answers.value(self._store, self._scores, self._bundle, customer_id, horizon_days=horizon_days)

    def customer(self, customer_id: str) -> CustomerSummary:
        """Profile, consents and the figures of the last scoring."""
        return risk_answers.summary(self._store, self._scores, customer_id)

    def customer_base(self) -> CustomerBase:
        """What the served bundle learned of all customers together; empty before the first promotion."""
        bundle = self._bundle
        if bundle is None:
            return CustomerBase(None, None, {})
        return CustomerBase(bundle.version, bundle.as_of, bundle.facts.get("customer_base", {}))

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


def open_advisor(store: EventStore, artifacts: Path, *, clock: Callable[[], datetime]) -> Advisor:
    """An advisor over a store and a folder of bundles, which may still be empty."""
    return Advisor(store, ArtifactStore(artifacts), clock=clock)
