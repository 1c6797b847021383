"""Instants as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recommender.errors import SettingError
from recommender.periods import instant


def test_an_instant_is_the_same_in_every_zone_and_a_date_is_its_midnight():
    noon = datetime(2024, 1, 3, 12, tzinfo=UTC)
    assert instant("2024-01-03T12:00:00Z") == instant("2024-01-03T17:30:00+05:30") == noon
    assert instant("2024-01-03") == noon.replace(hour=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "'soon' is not an instant; write it as"),
        ("2024-01-03T12:00:00", "has no offset; write 2024-01-03T12:00:00Z if it is UTC"),
        ("0001-01-01T00:00:00+14:00", "'0001-01-01T00:00:00\\+14:00' lies outside the calendar"),
        ("9999-12-31T23:59:59-14:00", "'9999-12-31T23:59:59-14:00' lies outside the calendar"),
    ],
)
def test_what_is_no_instant_is_told(text, message):
    with pytest.raises(SettingError, match=message):
        instant(text)
