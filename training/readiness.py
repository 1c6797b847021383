"""Readiness: which answers the data held can support, and what is missing for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from recommender.event_store import EventStore
from training.readiness_facts import RECENT_DAYS, Facts, Span, gather_facts

# Fewer events, or customers with a second item, and lists are those of the bestsellers.
ITEM_EVENTS = 1_000
EXPLORING_CUSTOMERS = 25
# Fewer sessions, and what a visitor is shown next is that as well.
EXPLORING_SESSIONS = 25
# New items are found by what they have in common with items that customers met.
DESCRIBED_ITEMS = 50
# A churn model is judged on a past window: history before it, the window itself, and enough customers who left.
ORDERING_CUSTOMERS = 500
SILENT_CUSTOMERS = 50
HISTORY_DAYS = 180
SUBSCRIPTIONS = 500
ENDED_SUBSCRIPTIONS = 50
# Spend is learned from customers who came back.
PAYING_CUSTOMERS = 200
# An effect is measured against customers drawn not to get the offer.
ASSIGNMENTS_PER_ARM = 50
OPINIONS = 50


@dataclass(frozen=True)
class AnswerReadiness:
    """Whether one answer can be given; ``missing`` says in one sentence what more is needed, None where nothing is."""

    answer: str
    ready: bool
    missing: str | None


@dataclass(frozen=True)
class Readiness:
    """Rows and time spanned by table, and the verdict for each answer."""

    counts: dict[str, int]
    spans: dict[str, Span]
    answers: tuple[AnswerReadiness, ...]


def judge(store: EventStore) -> Readiness:
    """What the store can support; raises StoreUnavailable."""
    return judge_facts(gather_facts(store))


def judge_facts(facts: Facts) -> Readiness:
    """The verdict on counts."""
    answers = tuple(_verdict(answer, list(needs(facts))) for answer, needs in _NEEDS.items())
    return Readiness({name: count for name, count in facts.counts.items() if count}, dict(facts.spans), answers)


def _verdict(answer: str, missing: list[str]) -> AnswerReadiness:
    return AnswerReadiness(answer, not missing, "; ".join(missing) if missing else None)


def _too_few(what: str, held: float, needed: int) -> Iterator[str]:
    if held < needed:
        yield f"{needed:,} {what} are needed, {held:,.0f} are there"


def _recommendations(facts: Facts) -> Iterator[str]:
    yield from _too_few("order lines or interactions with an item", facts.item_events, ITEM_EVENTS)
    yield from _too_few("customers who met at least two items", facts.exploring_customers, EXPLORING_CUSTOMERS)


def _sessions(facts: Facts) -> Iterator[str]:
    yield from _too_few("order lines or interactions with an item", facts.item_events, ITEM_EVENTS)
    yield from _too_few("sessions of visitors who met at least two items", facts.exploring_sessions, EXPLORING_SESSIONS)


def _discovery(facts: Facts) -> Iterator[str]:
    yield from _recommendations(facts)
    yield from _too_few("items with a category or a brand", facts.described_items, DESCRIBED_ITEMS)


def _churn_of_orders(facts: Facts) -> Iterator[str]:
    yield from _too_few("customers with an order", facts.ordering_customers, ORDERING_CUSTOMERS)
    yield from _too_few(
        f"customers without an order in the last {RECENT_DAYS} days", facts.silent_customers, SILENT_CUSTOMERS
    )
    yield from _too_few("days of orders", _days(facts, "order_lines"), HISTORY_DAYS)


def _churn_of_contracts(facts: Facts) -> Iterator[str]:
    yield from _too_few("subscriptions", facts.counts["subscriptions"], SUBSCRIPTIONS)
    yield from _too_few("subscriptions that ended", facts.ended_subscriptions, ENDED_SUBSCRIPTIONS)
    yield from _too_few("days of subscriptions", _days(facts, "subscriptions"), HISTORY_DAYS)


def _value(facts: Facts) -> Iterator[str]:
    yield from _too_few("customers with two orders that have an amount", facts.paying_customers, PAYING_CUSTOMERS)
    yield from _too_few("days of orders", _days(facts, "order_lines"), HISTORY_DAYS)


def _offers(facts: Facts) -> Iterator[str]:
    yield from _too_few("offers", facts.counts["offers"], 1)
    for arm in ("treatment", "control"):
        note = f" ({facts.assigned_without_propensity:,} have none)" if facts.assigned_without_propensity else ""
        yield from _too_few(
            f"assignments to {arm} with a propensity{note}", facts.arms.get(arm, 0), ASSIGNMENTS_PER_ARM
        )


def _experience(facts: Facts) -> Iterator[str]:
    opinions = facts.counts["tickets"] + facts.counts["survey_responses"]
    yield from _too_few("tickets or survey responses", opinions, OPINIONS)


def _days(facts: Facts, table: str) -> float:
    return facts.spans[table].days if table in facts.spans else 0.0


_NEEDS: dict[str, Callable[[Facts], Iterator[str]]] = {
    "recommendations": _recommendations,
    "next item for visitors": _sessions,
    "discovery of new items": _discovery,
    "churn of customers who order": _churn_of_orders,
    "churn of subscriptions": _churn_of_contracts,
    "value": _value,
    "offers": _offers,
    "experience": _experience,
}
