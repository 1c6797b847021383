"""Answers that start from items: what is like them, what goes with them, what sells, and who may want them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from recommender import item_candidates
from recommender.answers import CustomerForItem, CustomerList, ItemList
from recommender.bundle import ModelBundle
from recommender.event_store import EventStore
from recommender.item_candidates import BEST_SELLERS, NEW_ARRIVALS, SIMILAR, TOGETHER, TRENDING
from recommender.item_lists import Candidate, present
from recommender.list_policy import ListPolicy, Rows, choose, shown_at
from recommender.ways import Way, Ways

RECENT_ORDERS, CATEGORY_SELLERS = "recent_orders", "category_best_sellers"
CUSTOMERS = "customers_for_item"
# So many items beyond the limit are counted, because some cannot be sold.
_SPARE = 10
# Customers of so many items stand in where an item has none of its own.
_STAND_INS = 5
_NO_MODEL = "no model is served yet: the list is what was ordered last"


@dataclass(frozen=True)
class _Asked:
    """A list as asked: at most ``limit`` items, available at an instant, none of the ``seeds`` or their variants."""

    store: EventStore
    bundle: ModelBundle | None
    limit: int
    at: datetime
    seeds: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, store: EventStore, bundle: ModelBundle | None, limit: int, now: datetime, seeds: Iterable[str] = ()
    ) -> _Asked:
        return cls(store, bundle, limit, shown_at(now, bundle.as_of if bundle else None), tuple(dict.fromkeys(seeds)))


def similar(store: EventStore, bundle: ModelBundle | None, item_id: str, *, limit: int, now: datetime) -> ItemList:
    """Items like the given one; then, labelled, the best sellers of its category and of everything."""
    asked = _Asked.of(store, bundle, limit, now, [item_id])
    return _listed(asked, [(SIMILAR, lambda: _near(asked, item_candidates.similar))])


def bought_together(
    store: EventStore, bundle: ModelBundle | None, item_ids: Sequence[str], *, limit: int, now: datetime
) -> ItemList:
    """What stands in baskets with the items given; then, labelled, what is like them, and best sellers."""
    asked = _Asked.of(store, bundle, limit, now, item_ids)
    ways: list[Way] = [
        (TOGETHER, lambda: _near(asked, item_candidates.bought_together)),
        (SIMILAR, lambda: _near(asked, item_candidates.similar)),
    ]
    return _listed(asked, ways)


def popular(
    store: EventStore, bundle: ModelBundle | None, category: str | None, *, limit: int, now: datetime
) -> ItemList:
    """What many customers bought lately, of everything or within a category; of everything where it has nothing."""
    asked = _Asked.of(store, bundle, limit, now)
    if category is None:
        return _listed(asked, [(BEST_SELLERS, lambda: _of_bundle(asked, item_candidates.best_sellers))])
    return _listed(asked, [(CATEGORY_SELLERS, lambda: _within(asked, category))], is_filled=False)


def trending(store: EventStore, bundle: ModelBundle | None, *, limit: int, now: datetime) -> ItemList:
    """What sells more and more; then, labelled, what is popular."""
    asked = _Asked.of(store, bundle, limit, now)
    return _listed(asked, [(TRENDING, lambda: _of_bundle(asked, item_candidates.trending))])


def new_arrivals(store: EventStore, bundle: ModelBundle | None, *, limit: int, now: datetime) -> ItemList:
    """What came into the catalogue lately; then, labelled, what is popular."""
    asked = _Asked.of(store, bundle, limit, now)
    return _listed(asked, [(NEW_ARRIVALS, lambda: _of_bundle(asked, item_candidates.new_arrivals))])


def customers_for(store: EventStore, bundle: ModelBundle | None, item_id: str, *, limit: int) -> CustomerList:
    """The customers for whom the model ranks an item best, without those who are erased or did not agree.

    An item in nobody's list is told to the customers of the items most like it, else of its category's best sellers,
    else of the best sellers, labelled.
    """
    if bundle is None:
        return CustomerList(item_id, CUSTOMERS, "nobody", None, None, (), ("no model is served yet: nobody is listed",))
    asked = _Asked.of(store, bundle, _STAND_INS, bundle.as_of, [item_id])
    ways: list[tuple[str, Callable[[], Iterable[str]]]] = [
        (CUSTOMERS, lambda: [item_id]),
        ("customers_of_similar_items", lambda: _ids(_near(asked, item_candidates.similar))),
        ("customers_of_category", lambda: _ids(_same_category(asked))),
        ("customers_of_popular_items", lambda: _ids(item_candidates.best_sellers(bundle, limit=_STAND_INS))),
    ]
    for name, items in ways:
        found = _agreed(store, bundle, _customers_of(bundle, items()), limit)
        if found:
            fallback = None if name == CUSTOMERS else name
            warnings = () if fallback is None else ("the model lists the item for nobody: these may like it as well",)
            return CustomerList(item_id, name, fallback, bundle.version, bundle.as_of, found, warnings)
    warning = "no customer who agreed to personalization is known for any such item"
    return CustomerList(item_id, CUSTOMERS, "nobody", bundle.version, bundle.as_of, (), (warning,))


def _listed(asked: _Asked, ways: Sequence[Way], *, is_filled: bool = True) -> ItemList:
    """The list of the ways in turn, then of what sells in the categories of the seeds, then of what is popular.

    What answered, where it is not the first way, and what filled the list up, is told.
    """
    everybody: list[Way] = [
        (CATEGORY_SELLERS, lambda: _same_category(asked)),
        (BEST_SELLERS, lambda: _of_bundle(asked, item_candidates.best_sellers)),
        (RECENT_ORDERS, lambda: _recent(asked)),
    ]
    turns = Ways([*ways, *(way for way in everybody if way[0] not in dict(ways))])
    rows = Rows(lambda item_ids: asked.store.rows_by_key("items", item_ids))
    policy = ListPolicy(limit=asked.limit, at=asked.at, is_filled=is_filled, beside=asked.seeds)
    shown = choose(policy, iter(turns), (), rows)
    wanted, found = ways[0][0], turns.answered(shown) if asked.bundle is not None else RECENT_ORDERS
    version, as_of = (asked.bundle.version, asked.bundle.as_of) if asked.bundle else (None, None)
    # A category is a filter of the best sellers, not another way to find items.
    strategy = BEST_SELLERS if found == wanted == CATEGORY_SELLERS else found
    fallback = None if found == wanted else found
    warnings = tuple(_warnings(asked, turns, found, shown))
    return ItemList(strategy, fallback, version, as_of, present(shown, rows.found), warnings)


def _warnings(asked: _Asked, turns: Ways, found: str, shown: Sequence[Candidate]) -> Iterator[str]:
    wanted = turns.ways[0][0]
    if not shown:
        yield "nothing else that can be sold is known" if asked.seeds else "nothing that can be sold is known"
    elif asked.bundle is None:
        yield _NO_MODEL
    else:
        if found != wanted:
            yield f"nothing is known for {wanted}: the list is {found}"
        yield from turns.filled(shown)


def _near(asked: _Asked, find: Callable[[ModelBundle, Sequence[int]], Sequence[Candidate]]) -> Sequence[Candidate]:
    if asked.bundle is None:
        return []
    places = [asked.bundle.items.position(seed) for seed in asked.seeds]
    return find(asked.bundle, [place for place in places if place is not None])


def _of_bundle(asked: _Asked, find: Callable[[ModelBundle], Sequence[Candidate]]) -> Sequence[Candidate]:
    return find(asked.bundle) if asked.bundle is not None else []


def _within(asked: _Asked, category: str) -> Sequence[Candidate]:
    """Best sellers of a category; an item that has moved to another one since the training is not among them."""
    if asked.bundle is None:
        return _still_within(asked, _recent(asked), category)
    listed = item_candidates.best_sellers(asked.bundle, category)
    return _still_within(asked, listed or item_candidates.best_sellers(asked.bundle), category)


def _still_within(asked: _Asked, listed: Sequence[Candidate], category: str) -> Sequence[Candidate]:
    rows = asked.store.rows_by_key("items", _ids(listed))
    paths = ((one, (rows.get(one.item_id) or {}).get("category")) for one in listed)
    return [one for one, path in paths if path is not None and (path == category or path.startswith(f"{category} > "))]


def _same_category(asked: _Asked) -> Sequence[Candidate]:
    """Best sellers of the categories of the seeds, as the shop has them now: also for an item it has just got."""
    rows = asked.store.rows_by_key("items", asked.seeds)
    categories = dict.fromkeys(row["category"] for row in rows.values() if row.get("category"))
    listed = [one for category in categories for one in _within(asked, category)]
    return [replace(one, strategy=CATEGORY_SELLERS) for one in listed]


def _recent(asked: _Asked) -> Sequence[Candidate]:
    counted = asked.store.recently_ordered(asked.limit + _SPARE)
    return [Candidate(item_id, float(count), RECENT_ORDERS) for item_id, count in counted]


def _ids(listed: Iterable[Candidate]) -> list[str]:
    return [one.item_id for one in listed]


def _customers_of(bundle: ModelBundle, item_ids: Iterable[str]) -> dict[int, float]:
    """Positions of the customers of the first items that have any, each with its best score."""
    found: dict[int, float] = {}
    for place in [bundle.items.position(item_id) for item_id in list(item_ids)[:_STAND_INS]]:
        for customer, score in item_candidates.customers_for(bundle, place) if place is not None else ():
            found[customer] = max(score, found.get(customer, 0.0))
    return found


def _agreed(store: EventStore, bundle: ModelBundle, found: dict[int, float], limit: int) -> tuple[CustomerForItem, ...]:
    listed: list[CustomerForItem] = []
    for customer in sorted(found, key=lambda one: -found[one]):
        customer_id = bundle.customers[customer]
        profile = store.profile(customer_id)
        if profile.consent_personalization and not profile.erased:
            listed.append(CustomerForItem(customer_id, len(listed) + 1, round(found[customer], 6)))
        if len(listed) == limit:
            break
    return tuple(listed)
