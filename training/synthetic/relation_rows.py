"""Rows of tickets, surveys, contacts, assignments, subscriptions and referrals."""

from __future__ import annotations

import numpy as np

from training.synthetic.columns import Columns, chosen
from training.synthetic.environment import OFFERS
from training.synthetic.leaving import CAUSES
from training.synthetic.order_rows import Rendering
from training.synthetic.plan import WEEKS
from training.synthetic.service import DAY, TOPICS

_TICKET_CHANNELS = ("email", "phone", "chat")
_SEVERITIES = ("low", "medium", "high")
_TICKET_TEXTS = (
    "My order has not arrived on the day that was promised.",
    "The item is broken, please replace it or pay it back.",
    "I was charged the wrong amount.",
    "I have a question about one of your products.",
)
_PLANS = ("basic", "plus", "family")
_PLAN_AMOUNTS = np.array([4.99, 8.99, 14.99])
_END_REASONS = (*CAUSES, "unexplained", "no_longer_needed")
_NO_LONGER_NEEDED = len(_END_REASONS) - 1
_SURVEY_KINDS = ("csat", "ces", "nps")
_SURVEY_TOUCHPOINTS = ("delivery", "support", "relationship")
_NEWSLETTER_WEEKS = 4


def tickets(rendering: Rendering) -> Columns:
    """The rows of ``tickets``."""
    rng, rows = rendering.rng("tickets"), rendering.journeys.tickets
    count, topic = len(rows["topic"]), rows["topic"]
    contacts = 1 + rng.poisson(0.6, count) + np.isfinite(rows["reopened"])
    return {
        "ticket_id": rendering.ids("t", count),
        "customer_id": rendering.customers(rows["customer"]),
        "opened_at": rendering.plan.instants(rows["opened"]),
        "first_replied_at": rendering.plan.instants(rows["replied"]),
        "resolved_at": rendering.plan.instants(rows["resolved"]),
        "reopened_at": rendering.plan.instants(rows["reopened"]),
        "channel": chosen(_TICKET_CHANNELS, rng.integers(3, size=count)),
        "topic": chosen(TOPICS, topic),
        "severity": chosen(_SEVERITIES, np.minimum(rng.integers(3, size=count), np.where(topic < 2, 2, 1))),
        "contact_count": contacts,
        "handle_seconds": np.round(contacts * rng.lognormal(5.8, 0.6, count)),
        "order_id": rendering.order_ids(np.maximum(rows["order"], 0), rows["order"] < 0),
        "text": chosen(_TICKET_TEXTS, topic),
    }


def survey_responses(rendering: Rendering) -> Columns:
    """The rows of ``survey_responses``: after deliveries and tickets, and twice a year about everything.

    A score follows from the satisfaction of the week before and from what the question is about.
    """
    rng, journeys = rendering.rng("surveys"), rendering.journeys
    orders, issues = journeys.orders, journeys.tickets
    after = np.flatnonzero(np.isfinite(orders["delivered"]) & (rng.random(len(orders["placed"])) < 0.05))
    solved = np.flatnonzero(np.isfinite(issues["resolved"]) & (rng.random(len(issues["topic"])) < 0.3))
    asked, at = _asked_for_nps(rendering, rng)
    customer = np.concatenate([orders["customer"][after], issues["customer"][solved], asked])
    answered = np.concatenate([orders["delivered"][after], issues["resolved"][solved], at])
    answered = answered + DAY * rng.uniform(0.1, 3, len(customer))
    kind = np.repeat([0, 1, 2], [len(after), len(solved), len(asked)])
    week = np.minimum(answered.astype(np.int64), WEEKS - 1)
    mood = journeys.satisfaction[week, customer]
    effort = (issues["resolved"] - issues["opened"])[solved]
    trouble = np.concatenate([1.3 * (orders["late_days"][after] > 0), 1.2 * effort, np.zeros(len(asked))])
    noise = rng.normal(0, 1, len(customer))
    level, slope, spread = (np.array(values)[kind] for values in ((4.0, 5.4, 7.6), (0.8, 1.0, 2.0), (0.5, 0.8, 1.0)))
    low, high = (np.array(values)[kind] for values in ((1, 1, 0), (5, 7, 10)))
    score = np.clip(np.round(level + slope * mood - trouble + spread * noise), low, high)
    return {
        "response_id": rendering.ids("q", len(customer)),
        "customer_id": rendering.customers(customer),
        "answered_at": rendering.plan.instants(answered),
        "kind": chosen(_SURVEY_KINDS, kind),
        "score": score,
        "touchpoint": chosen(_SURVEY_TOUCHPOINTS, kind),
        "channel": chosen(_TICKET_CHANNELS, np.zeros(len(kind), dtype=np.int64)),
    }


def _every(rendering: Rendering, weeks: int, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Customers and times: once in so many weeks from each customer's phase on, while the customer is one."""
    journeys = rendering.journeys
    times = phase[:, None] + np.arange(0, WEEKS, weeks)
    begins, ends = journeys.population.first_week, journeys.last_week(WEEKS)
    customers, places = np.nonzero((times >= begins[:, None]) & (times < ends[:, None]))
    return customers, times[customers, places]


def _asked_for_nps(rendering: Rendering, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    customers, times = _every(rendering, 26, rng.uniform(0, 26, len(rendering.journeys.population)))
    answers = rng.random(len(customers)) < 0.25
    return customers[answers], times[answers]


def contacts(rendering: Rendering) -> Columns:
    """The rows of ``contacts``: newsletters to who agreed to them, and a message to everybody who is treated."""
    rng, journeys = rendering.rng("contacts"), rendering.journeys
    who, drawn = journeys.population, journeys.assignments
    readers, times = _every(rendering, _NEWSLETTER_WEEKS, rng.uniform(0, 1, len(who)))
    agreed = who.allows_marketing[readers]
    treated = np.flatnonzero(drawn["is_treated"])
    customer = np.concatenate([readers[agreed], drawn["customer"][treated]])
    sent = np.concatenate([times[agreed], drawn["assigned"][treated] + DAY * 0.1])
    offer = np.concatenate([np.full(int(agreed.sum()), -1), drawn["offer"][treated]])
    interest = 0.25 + 0.15 * (offer >= 0) + 0.1 * np.clip(journeys.satisfaction[sent.astype(np.int64), customer], -1, 1)
    opened = np.where(rng.random(len(sent)) < interest, sent + DAY * rng.exponential(0.7, len(sent)), np.nan)
    clicked = np.where(rng.random(len(sent)) < 0.2, opened + DAY * 0.01, np.nan)
    return {
        "contact_id": rendering.ids("m", len(sent)),
        "customer_id": rendering.customers(customer),
        "sent_at": rendering.plan.instants(sent),
        "channel": chosen(("email",), np.zeros(len(sent), dtype=np.int64)),
        "campaign": chosen(("newsletter", "offer"), (offer >= 0).astype(np.int64)),
        "offer_id": chosen([one.offer_id for one in OFFERS], np.maximum(offer, 0), offer < 0),
        "opened_at": rendering.plan.instants(opened),
        "clicked_at": rendering.plan.instants(clicked),
    }


def assignments(rendering: Rendering) -> Columns:
    """The rows of ``assignments``; the propensity is empty where past spend decided."""
    rows = rendering.journeys.assignments
    count = len(rows["offer"])
    return {
        "assignment_id": rendering.ids("a", count),
        "offer_id": chosen([offer.offer_id for offer in OFFERS], rows["offer"]),
        "customer_id": rendering.customers(rows["customer"]),
        "assigned_at": rendering.plan.instants(rows["assigned"]),
        "arm": chosen(("control", "treatment"), rows["is_treated"].astype(np.int64)),
        "propensity": rows["propensity"],
        "channel": chosen(("email",), np.zeros(count, dtype=np.int64)),
    }


def subscriptions(rendering: Rendering) -> Columns:
    """The rows of ``subscriptions``: some customers have one; it ends when they leave, for that cause, or before."""
    rng, journeys = rendering.rng("subscriptions"), rendering.journeys
    first, last = journeys.population.first_week.astype(float), journeys.last_week(np.inf)
    started = first + rng.exponential(12.0, len(first))
    holder = np.flatnonzero((rng.random(len(first)) < 0.2) & (started < np.minimum(last, WEEKS)))
    not_needed = started[holder] + rng.exponential(200.0, len(holder))
    ended = np.minimum(not_needed, last[holder])
    reason = np.where(not_needed < last[holder], _NO_LONGER_NEEDED, journeys.cause[holder])
    plan = rng.integers(len(_PLANS), size=len(holder))
    return {
        "subscription_id": rendering.ids("b", len(holder)),
        "customer_id": rendering.customers(holder),
        "started_at": rendering.plan.instants(started[holder]),
        "ended_at": rendering.plan.instants(np.where(ended < WEEKS, ended, np.nan)),
        "end_reason": chosen(_END_REASONS, np.maximum(reason, 0), ended >= WEEKS),
        "plan": chosen(_PLANS, plan),
        "monthly_amount": _PLAN_AMOUNTS[plan],
    }
