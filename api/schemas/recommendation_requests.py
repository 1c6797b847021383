"""Bodies that ask for lists."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from api.schemas.common import Query
from recommender.column_kinds import KINDS, BadValue
from recommender.errors import SettingError
from recommender.filter_parsing import LENGTH_AT_MOST
from recommender.filters import parse_filter
from recommender.list_requests import ListRequest, RecentEvent
from recommender.validation import check_not_ancient

MOST_REQUESTS = 100
MOST_RERANKED = 500
# The word is how a kind of interaction is written: see the table ``interactions``.
_KIND = r"^[a-z][a-z0-9_]*$"


INCLUDABLE = ("properties", "debug")


def _known_name(name: str) -> str:
    if name not in INCLUDABLE:
        raise ValueError(f"{name!r} cannot be included; known are {', '.join(INCLUDABLE)}")
    return name


def _known_names(text: str) -> str:
    for name in text.split(",") if text else ():
        _known_name(name)
    return text


def _readable(text: str) -> str:
    if text:
        try:
            parse_filter(text)
        except SettingError as problem:
            raise ValueError(str(problem)) from None
    return text


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds the character U+0000, which no identifier has")
    return text


def _instant(value: Any) -> datetime:
    """The instant in UTC at which something happened, read as the tables read theirs."""
    try:
        moment: datetime = KINDS["instant"].parse(value)
        check_not_ancient(moment)
    except BadValue as bad:
        raise ValueError(str(bad)) from None
    return moment


FilterText = Annotated[str, Field(max_length=LENGTH_AT_MOST), AfterValidator(_readable)]
Identifier = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_without_nul)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Includable = Annotated[str, AfterValidator(_known_name)]
ContextValue = Annotated[str, Field(max_length=256)] | float | bool | None


class RecommendationsQuery(Query):
    """What to recommend."""

    placement: str = Field("home", min_length=1, max_length=64, description="Where the items are shown")
    limit: int = Field(10, ge=1, le=100, description="Number of items at most")
    session_id: Identifier | None = Field(None, description="The visit; its stored events count as well")
    filter: FilterText = Field("", description="What every item must be; the language is described in README")
    diversity: float | None = Field(
        None,
        ge=0,
        le=1,
        description="0: most relevant, 1: as many categories as possible; default: the placement's",
    )
    min_relevance: float | None = Field(
        None, ge=0, le=1, description="Lowest score as a share of the best one; such a list is not filled up"
    )
    rotation: float | None = Field(
        None, ge=0, le=1, description="How far what was shown here lately moves down; default: the placement's"
    )
    include: Annotated[str, AfterValidator(_known_names)] = Field(
        "", description="More to tell, separated by commas: `properties` of the items, `debug`"
    )

    def request(self, customer_id: str) -> ListRequest:
        """What is asked, as the domain understands it."""
        return ListRequest(
            customer_id,
            self.session_id,
            self.placement,
            self.limit,
            filter=self.filter,
            diversity=self.diversity,
            min_relevance=self.min_relevance,
            rotation=self.rotation,
            include=frozenset(filter(None, self.include.split(","))),
        )


class NextQuery(Query):
    """How much more to tell."""

    limit: int | None = Field(None, ge=1, le=100, description="Number of items at most; default: as the first time")


class Body(BaseModel):
    """A body: no unknown field, no number as text."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)


class RecentEventIn(Body):
    """An event of the visit that was perhaps not sent yet."""

    item_id: Identifier = Field(description="The item")
    kind: str = Field("view", pattern=_KIND, max_length=64, description="view, cart_add, cart_remove, dislike, ...")
    occurred_at: Instant | None = Field(
        None, description="When, with an offset; left out: just now. An instant in the future counts as now"
    )


class WhoAsks(Body):
    """Who asks, and what is known of the visit."""

    customer_id: Identifier | None = Field(None, description="The customer, where known")
    session_id: Identifier | None = Field(None, description="The visit; its stored events count, also of strangers")
    recent_events: list[RecentEventIn] = Field([], max_length=100, description="Events that count at once")

    def events(self) -> tuple[RecentEvent, ...]:
        """The events of the request, their instants in UTC."""
        return tuple(RecentEvent(one.item_id, one.kind, one.occurred_at) for one in self.recent_events)


_REQUEST: dict[str, Any] = {
    "customer_id": "2375",
    "session_id": "s-81",
    "placement": "cart",
    "limit": 3,
    "context_items": ["1082185"],
    "recent_events": [{"item_id": "995242", "kind": "cart_add"}],
    "context": {"channel": "app"},
    "filter": 'category under "GROCERY" and price < 10',
    "exclude": ["951590"],
    "include": ["properties"],
}


class RecommendationsIn(WhoAsks):
    """For whom, for which place, and within which bounds a list is wanted."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REQUEST]})

    placement: str = Field("home", min_length=1, max_length=64, description="Where the items are shown")
    limit: int = Field(10, ge=1, le=100, description="Number of items at most")
    context_items: list[Identifier] = Field([], max_length=100, description="The items of the page; none is shown")
    context: dict[Annotated[str, Field(max_length=64)], ContextValue] = Field(
        {}, max_length=150, description="Facts that rules of the placement may ask for, such as the channel"
    )
    filter: FilterText = Field("", description="What every item must be; the language is described in README")
    exclude: list[Identifier] = Field([], max_length=1_000, description="Items that are not shown")
    diversity: float | None = Field(
        None, ge=0, le=1, description="0: most relevant, 1: as many categories as possible; default: the placement's"
    )
    min_relevance: float | None = Field(
        None, ge=0, le=1, description="Lowest score as a share of the best one; such a list is not filled up"
    )
    rotation: float | None = Field(
        None, ge=0, le=1, description="How far what was shown here lately moves down; default: the placement's"
    )
    include: list[Includable] = Field([], max_length=10, description=f"More to tell: {', '.join(INCLUDABLE)}")
    dry_run: bool = Field(False, description="Answer without recording the list as shown")

    def request(self) -> ListRequest:
        """What is asked, as the domain understands it."""
        return ListRequest(
            customer_id=self.customer_id,
            session_id=self.session_id,
            placement=self.placement,
            limit=self.limit,
            context_items=tuple(self.context_items),
            recent_events=self.events(),
            context=self.context,
            filter=self.filter,
            exclude=tuple(self.exclude),
            diversity=self.diversity,
            min_relevance=self.min_relevance,
            rotation=self.rotation,
            include=frozenset(self.include),
        )


class RecommendationsBatchIn(Body):
    """The lists of one page."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "distinct": True,
                    "requests": [
                        {"customer_id": "2375", "placement": "home", "limit": 2},
                        {"customer_id": "2375", "placement": "buy_again", "limit": 2},
                    ],
                }
            ]
        }
    )

    requests: list[RecommendationsIn] = Field(min_length=1, max_length=MOST_REQUESTS, description="In page order")
    distinct: bool = Field(True, description="No item in two of the lists: the earlier list has it")


class RerankIn(WhoAsks):
    """A list to put in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"customer_id": "2375", "item_ids": ["951590", "1082185", "no-such-item"], "include": []}]
        }
    )

    item_ids: list[Identifier] = Field(min_length=1, max_length=MOST_RERANKED, description="The items, in any order")
    include: list[Includable] = Field([], max_length=10, description=f"More to tell: {', '.join(INCLUDABLE)}")

    def request(self) -> ListRequest:
        """Who asks, as the domain understands it."""
        return ListRequest(
            self.customer_id, self.session_id, recent_events=self.events(), include=frozenset(self.include)
        )
