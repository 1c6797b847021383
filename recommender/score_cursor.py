"""Sorts of the churn list, and the cursors that continue it."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from typing import Any

from recommender.errors import SettingError
from recommender.store_rows import is_storable
from recommender.store_schema import SCORE_SORTS

DEFAULT_SORT = "-expected_loss"
SORT_KEYS = (*SCORE_SORTS, "customer_id")


@dataclass(frozen=True)
class Sort:
    """A column to sort by; equal values go by ``customer_id`` upwards, missing ones come last."""

    key: str
    is_descending: bool

    @classmethod
    def parse(cls, text: str) -> Sort:
        """Read ``key`` or ``-key`` (downwards); raises SettingError."""
        sort = cls(text.removeprefix("-"), text.startswith("-"))
        if sort.key not in SORT_KEYS:
            known = ", ".join(SORT_KEYS)
            raise SettingError(f"the sort {text!r} is not known; use one of {known}, with - in front for downwards")
        return sort

    def __str__(self) -> str:
        return f"-{self.key}" if self.is_descending else self.key


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: its sort, the value of the sort key, and the customer."""

    sort: Sort
    value: float | None
    customer_id: str

    @classmethod
    def parse(cls, text: str, sort: Sort) -> Cursor:
        """Read a cursor that ``str`` made; raises SettingError where it is damaged or of another sort."""
        try:
            made_for, value, customer_id = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
            is_known = isinstance(customer_id, str) and is_storable(customer_id)
            is_sound = is_known and (value is None or (isinstance(value, float) and math.isfinite(value)))
        except (ValueError, TypeError, RecursionError):
            is_sound = False
        if not is_sound:
            raise SettingError(f"the cursor {text[:60]!r} cannot be read; use next_cursor of the page before")
        if made_for != str(sort):
            raise SettingError(
                f"the cursor belongs to the sort {made_for!r}, not {str(sort)!r}; begin without a cursor"
            )
        return cls(sort, value, customer_id)

    def __str__(self) -> str:
        parts: list[Any] = [str(self.sort), self.value, self.customer_id]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode("ascii")
