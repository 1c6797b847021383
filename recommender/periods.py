"""Half-open periods of time and instants in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from recommender.errors import SettingError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Period:
    """All instants from ``start`` (included) to ``end`` (excluded), both aware."""

    start: datetime
    end: datetime

    @classmethod
    def after(cls, start: datetime, days: float) -> Period:
        """The ``days`` days that begin at ``start``."""
        return cls(start, start + timedelta(days=days))

    @classmethod
    def up_to(cls, end: datetime, days: float) -> Period:
        """The ``days`` days that end at ``end``."""
        return cls(end - timedelta(days=days), end)


def instant(text: str) -> datetime:
    """Read an RFC 3339 instant, or a date as its midnight UTC.

    Raises SettingError for anything else, also for an instant without an offset or outside the calendar in UTC.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(f"{text!r} is not an instant; write it as 2017-12-04 or 2017-12-04T04:05:00Z") from None
    if moment.tzinfo is None and _DATE_ONLY.fullmatch(text):
        return moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise SettingError(f"{text!r} has no offset; write {text}Z if it is UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise SettingError(f"{text!r} lies outside the calendar in UTC; its years are 1 to 9999") from None


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC: how the event store keeps instants."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """The instant that ``to_microseconds`` turned into ``value``."""
    return _EPOCH + timedelta(microseconds=value)


def rfc3339(moment: datetime) -> str:
    """Text of an instant in UTC, with ``Z`` and without needless fractions."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="auto")
    return f"{text}Z"
