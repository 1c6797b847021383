"""What a definition of churn may say, and the sentence that tells what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recommender.errors import SettingError
from recommender.touchpoints import TABLES

NO_ORDER, SPEND_DROP, SUBSCRIPTION_ENDED = "no_order", "spend_drop", "subscription_ended"
NO_EVENT, NO_ROWS = "no_event", "no_rows"
OUTCOMES = (NO_ORDER, SPEND_DROP, SUBSCRIPTION_ENDED, NO_EVENT, NO_ROWS)

RECENT_ORDER, ANY_ORDER = "recent_order", "any_order"
RUNNING_SUBSCRIPTION, RECENT_EVENT = "running_subscription", "recent_event"
POPULATIONS = (RECENT_ORDER, ANY_ORDER, RUNNING_SUBSCRIPTION, RECENT_EVENT)

ALL_ENDS = "all"
ENDS = (ALL_ENDS, "voluntary", "involuntary")
# Ends that the customer did not ask for; read without regard to case, spaces and hyphens.
INVOLUNTARY_REASONS = (
    "payment_failed",
    "payment_failure",
    "payment_declined",
    "non_payment",
    "card_expired",
    "card_declined",
    "insufficient_funds",
    "fraud",
    "deceased",
)

# Tables whose rows are events of a customer that may fail to come.
EVENT_TABLES = tuple(
    name
    for name, table in TABLES.items()
    if "customer_id" in table.customer_columns and table.tells_time and not table.is_entity
)
LONGEST_DAYS = 3650
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def check(one: Mapping[str, Any]) -> None:
    """Raise SettingError for the first value of a definition that cannot be used; the message names the cure."""
    problem = next(_problems(one), None)
    if problem is not None:
        raise SettingError(f"churn definition {one['name']!r}: {problem}")


def _problems(one: Mapping[str, Any]) -> Iterator[str]:
    if not _NAME.fullmatch(one["name"]):
        yield "its name must be a lower-case word of letters, digits and _"
    yield from _unless_among("outcome", one["outcome"], OUTCOMES)
    for key in ("horizon_days", "activity_days"):
        value = one[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST_DAYS:
            yield f"{key} is {value!r}; it must be a whole number from 1 to {LONGEST_DAYS}"
    yield from _unless_among("asked_of", one["asked_of"], ("", *POPULATIONS))
    if one["asked_of"] == RECENT_EVENT and one["outcome"] not in (NO_EVENT, NO_ROWS):
        yield f"asked_of is {RECENT_EVENT!r}, which goes with {NO_EVENT} and {NO_ROWS} only"
    yield from _unless_among("ends", one["ends"], ENDS)
    if not isinstance(one["drop_share"], float) or not 0.0 < one["drop_share"] < 1.0:
        yield f"drop_share is {one['drop_share']!r}; it must be a number between 0 and 1, 0.5 for a half"
    reasons = one["involuntary_reasons"]
    if not isinstance(reasons, list | tuple) or not all(isinstance(text, str) for text in reasons):
        yield f"involuntary_reasons is {reasons!r}; give a list of texts"
    if one["outcome"] == NO_EVENT and not one["event_kind"]:
        yield f'{NO_EVENT} needs the kind of interaction that stays away, such as event_kind = "view"'
    if one["outcome"] == NO_ROWS:
        yield from _unless_among("event_table", one["event_table"], EVENT_TABLES)
    yield from _without_use(one)


def _without_use(one: Mapping[str, Any]) -> Iterator[str]:
    """A value that the outcome does not look at is a mistake."""
    for key, outcome, default in (
        ("event_kind", NO_EVENT, ""),
        ("event_table", NO_ROWS, ""),
        ("ends", SUBSCRIPTION_ENDED, ALL_ENDS),
    ):
        value = one[key]
        if one["outcome"] != outcome and value != default:
            yield f"{key} is {value!r}, which goes with {outcome} only; leave it out"


def _unless_among(key: str, value: str, known: Sequence[str]) -> Iterator[str]:
    if value not in known:
        yield f"{key} is {value!r}; it must be one of {', '.join(one for one in known if one)}"
