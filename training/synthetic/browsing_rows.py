"""Rows of interactions and impressions: the visits that led to orders, and those that led to nothing."""

from __future__ import annotations

import numpy as np

from training.synthetic.catalogue import CATEGORIES
from training.synthetic.columns import Columns, chosen, numbered
from training.synthetic.environment import OFFERS
from training.synthetic.journeys import Rows
from training.synthetic.order_rows import Rendering
from training.synthetic.plan import WEEKS
from training.synthetic.service import DAY, IN_STORE, ORDER_CHANNELS

_HOUR = DAY / 24
KINDS = ("view", "search", "cart_add", "cart_remove", "wishlist", "rating", "dislike")
VIEW, SEARCH, CART_ADD, CART_REMOVE, WISHLIST, RATING, DISLIKE = range(7)
_ANONYMOUS_SHARE = 0.2
_SLATE = 4
_QUERIES = [path.split(" > ")[-1] for path, *_ in CATEGORIES]


def interactions(rendering: Rendering) -> Columns:
    """The rows of ``interactions``; a visit of which the customer is not known has a session alone."""
    rng = rendering.rng("browsing")
    parts = [*_before_orders(rendering, rng), _ratings(rendering, rng), _visits(rendering, rng)]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    by_time = np.argsort(rows["at"], kind="stable")
    rows = {name: values[by_time] for name, values in rows.items()}
    category = rendering.catalogue.category[rows["item"]]
    is_search, is_rating = rows["kind"] == SEARCH, rows["kind"] == RATING
    return {
        "event_id": rendering.ids("e", len(by_time)),
        "kind": chosen(KINDS, rows["kind"]),
        "occurred_at": rendering.plan.instants(rows["at"]),
        "item_id": rendering.items(rows["item"], is_search),
        "customer_id": rendering.customers(rows["customer"], rows["is_anonymous"]),
        "session_id": numbered("v", rendering.journeys.block.number * 10_000_000 + rows["session"], 12, is_rating),
        "value": np.where(is_rating, rows["stars"], np.nan),
        "query": chosen(_QUERIES, category, ~is_search),
        "channel": chosen(ORDER_CHANNELS, rows["channel"]),
    }


def _rows(kind: int | np.ndarray, at: np.ndarray, item: np.ndarray, customer: np.ndarray, session: np.ndarray) -> Rows:
    return {
        "kind": np.broadcast_to(kind, at.shape),
        "at": at,
        "item": item,
        "customer": customer,
        "session": session,
        "channel": np.where(session % 3 == 0, 1, 0),
        "is_anonymous": np.zeros(at.shape, dtype=bool),
        "stars": np.zeros(at.shape),
    }


def _before_orders(rendering: Rendering, rng: np.random.Generator) -> list[Rows]:
    """What was looked at, searched and put into the cart within the hour before an order on the web or in the app."""
    orders, lines = rendering.journeys.orders, rendering.journeys.lines
    online = np.flatnonzero(orders["channel"][lines["order"]] != IN_STORE)

    def seen(kind: int, share: float, earliest: float, latest: float, is_other: bool = False) -> Rows:
        line = online[rng.random(len(online)) < share]
        order, item = lines["order"][line], lines["item"][line]
        if is_other:
            week = orders["placed"][order].astype(np.int64)
            item = rendering.catalogue.draw(rng, rendering.catalogue.category[item], week)
        at = orders["placed"][order] - _HOUR * rng.uniform(latest, earliest, len(line))
        return _rows(kind, at, item, orders["customer"][order], order)

    return [
        seen(SEARCH, 0.1, 1.0, 0.95),
        seen(VIEW, 0.5, 0.9, 0.2),
        seen(VIEW, 0.3, 0.9, 0.2, is_other=True),
        seen(CART_ADD, 0.45, 0.2, 0.05),
    ]


def _ratings(rendering: Rendering, rng: np.random.Generator) -> Rows:
    """Stars for some of what was received, fewer for what was broken."""
    orders, lines = rendering.journeys.orders, rendering.journeys.lines
    received = orders["delivered"][lines["order"]]
    line = np.flatnonzero(np.isfinite(received) & (rng.random(len(received)) < 0.03))
    rows = _rows(
        RATING,
        received[line] + DAY * rng.uniform(1, 5, len(line)),
        lines["item"][line],
        orders["customer"][lines["order"][line]],
        lines["order"][line],
    )
    stars = np.round(4.3 - 2.5 * lines["is_defective"][line] + rng.normal(0, 0.7, len(line)))
    return {**rows, "stars": np.clip(stars, 1, 5)}


def _visits(rendering: Rendering, rng: np.random.Generator) -> Rows:
    """Visits without an order, while the customer is one; in some of them nobody is logged in."""
    journeys = rendering.journeys
    who, catalogue = journeys.population, rendering.catalogue
    weeks = np.maximum(journeys.last_week(WEEKS) - who.first_week, 0)
    visitor = np.repeat(np.arange(len(who)), rng.poisson(0.8 * who.activity * weeks))
    begins = who.first_week[visitor] + rng.random(len(visitor)) * weeks[visitor]
    session = len(journeys.orders["placed"]) + np.arange(len(visitor))
    visit = np.repeat(np.arange(len(visitor)), 1 + rng.poisson(1.0, len(visitor)))
    at = begins[visit] + _HOUR * rng.uniform(0, 0.5, len(visit))
    customer = visitor[visit]
    item = catalogue.draw(rng, who.favourite_of(rng, customer), begins[visit].astype(np.int64))
    kind = rng.choice(
        [VIEW, SEARCH, CART_ADD, CART_REMOVE, WISHLIST, DISLIKE], len(visit), p=[0.76, 0.06, 0.08, 0.03, 0.05, 0.02]
    )
    nobody = (rng.random(len(visitor)) < _ANONYMOUS_SHARE)[visit]
    return {**_rows(kind, at, item, customer, session[visit]), "is_anonymous": nobody}


def impressions(rendering: Rendering) -> tuple[Columns, Columns]:
    """The rows of ``impressions``, and the recommendation that each order line came from, if any.

    Some visits saw a slate before they bought; sometimes what was bought was in it. Offers are shown to who is treated.
    """
    rng, journeys = rendering.rng("impressions"), rendering.journeys
    orders, lines = journeys.orders, journeys.lines
    shown_to = np.flatnonzero((orders["channel"] != IN_STORE) & (rng.random(len(orders["placed"])) < 0.12))
    customer = np.repeat(orders["customer"][shown_to], _SLATE)
    week = np.repeat(orders["placed"][shown_to].astype(np.int64), _SLATE)
    item = rendering.catalogue.draw(rng, journeys.population.favourite_of(rng, customer), week).reshape(-1, _SLATE)
    first_line = np.searchsorted(lines["order"], shown_to)
    hit = np.flatnonzero(rng.random(len(shown_to)) < 0.35)
    item[hit, rng.integers(_SLATE, size=len(hit))] = lines["item"][first_line[hit]]
    led = np.full(len(lines["item"]), -1)
    led[first_line[hit]] = hit
    slates = _slates(rendering, rng, shown_to, item)
    offers = _offer_impressions(rendering, rng, len(shown_to))
    base = rendering.journeys.block.number * 10_000_000
    recommended = {"recommendation_id": numbered("k", base + np.maximum(led, 0), 12, led < 0)}
    both = {name: np.concatenate([slates[name], offers[name]]) for name in slates}
    return _impression_columns(rendering, both), recommended


def _slates(rendering: Rendering, rng: np.random.Generator, orders: np.ndarray, item: np.ndarray) -> Rows:
    placed = rendering.journeys.orders["placed"][orders] - _HOUR * rng.uniform(0.05, 0.9, len(orders))
    count = len(orders)
    return {
        "recommendation": np.repeat(np.arange(count), _SLATE),
        "rank": np.tile(np.arange(1, _SLATE + 1), count),
        "at": np.repeat(placed, _SLATE),
        "customer": np.repeat(rendering.journeys.orders["customer"][orders], _SLATE),
        "session": np.repeat(orders, _SLATE),
        "item": item.ravel(),
        "offer": np.full(count * _SLATE, -1),
        "placement": np.repeat(rng.integers(3, size=count), _SLATE),
    }


def _offer_impressions(rendering: Rendering, rng: np.random.Generator, first: int) -> Rows:
    assignments = rendering.journeys.assignments
    shown = np.flatnonzero(assignments["is_treated"] & (rng.random(len(assignments["offer"])) < 0.4))
    count = len(shown)
    return {
        "recommendation": first + np.arange(count),
        "rank": np.ones(count, dtype=np.int64),
        "at": assignments["assigned"][shown] + DAY * rng.uniform(0.3, 5, count),
        "customer": assignments["customer"][shown],
        "session": np.full(count, -1),
        "item": np.full(count, -1),
        "offer": assignments["offer"][shown],
        "placement": np.zeros(count, dtype=np.int64),
    }


def _impression_columns(rendering: Rendering, rows: Rows) -> Columns:
    base = rendering.journeys.block.number * 10_000_000
    no_session, no_item = rows["session"] < 0, rows["item"] < 0
    return {
        "recommendation_id": numbered("k", base + rows["recommendation"], 12),
        "rank": rows["rank"],
        "shown_at": rendering.plan.instants(rows["at"]),
        "customer_id": rendering.customers(rows["customer"]),
        "session_id": numbered("v", base + np.maximum(rows["session"], 0), 12, no_session),
        "item_id": rendering.items(np.maximum(rows["item"], 0), no_item),
        "offer_id": chosen([offer.offer_id for offer in OFFERS], np.maximum(rows["offer"], 0), rows["offer"] < 0),
        "placement": chosen(("home", "item", "cart"), rows["placement"]),
        "channel": chosen(ORDER_CHANNELS, np.zeros(len(rows["rank"]), dtype=np.int64)),
        "variant": chosen(("a", "b"), rows["customer"] % 2),
    }
