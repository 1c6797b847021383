"""Events of customers grouped by what they are about, with the statistics that a ranker looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DECAYS_DAYS = (14, 45, 120, 240)
RECENT_DAYS = (28, 84)
STATISTICS = (
    "count",
    "days",
    *(f"decayed_{tau}d" for tau in DECAYS_DAYS),
    *(f"count_{days}d" for days in RECENT_DAYS),
    "last_age_days",
    "first_age_days",
    "interval_days",
    "interval_sd_days",
    "last_gap_days",
)


@dataclass(frozen=True)
class EventGroups:
    """One group per customer and code that have an event: sorted keys ``row * code_count + code`` and statistics.

    ``values`` has one row per group and one column per name in STATISTICS: events, distinct days, decayed and recent
    sums, the ages of the last and first event, and mean, deviation and last of the gaps between days with an event
    (NaN where there are fewer than two, for the deviation fewer than three).
    """

    keys: np.ndarray
    values: np.ndarray
    code_count: int

    @classmethod
    def of(cls, rows: np.ndarray, codes: np.ndarray, age_days: np.ndarray, code_count: int) -> EventGroups:
        """The groups of events given as parallel arrays; events with a negative code are left out."""
        kept = codes >= 0
        keys = rows[kept].astype(np.int64) * code_count + codes[kept]
        ages = age_days[kept].astype(np.float64)
        order = np.lexsort((ages, keys))
        keys, ages = keys[order], ages[order]
        starts = _starts(keys)
        values = np.empty((len(starts), len(STATISTICS)), dtype=np.float32)
        if len(starts):
            values[:, : len(STATISTICS) - 3] = _sums(ages, starts)
            values[:, -3:] = _gaps(keys, ages)
        return cls(keys[starts], values, code_count)

    def at(self, rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """The statistics at pairs of a customer and a code: NaN where there is no group, counts and sums 0."""
        wanted = rows.astype(np.int64) * self.code_count + codes
        found = np.full((len(wanted), len(STATISTICS)), np.nan, dtype=np.float32)
        found[:, : STATISTICS.index("last_age_days")] = 0.0
        if len(self.keys):
            places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
            is_there = (self.keys[places] == wanted) & (codes >= 0)
            found[is_there] = self.values[places[is_there]]
        return found

    def column(self, name: str) -> np.ndarray:
        """One statistic of all groups."""
        values: np.ndarray = self.values[:, STATISTICS.index(name)]
        return values

    @property
    def codes(self) -> np.ndarray:
        """The code of each group."""
        codes: np.ndarray = self.keys % self.code_count
        return codes


def _starts(keys: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, dtype=np.int64)


def _is_new_day(ages: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Whether an event falls on another day than the one before it in its group."""
    is_new = np.concatenate([[True], np.floor(ages[1:]) != np.floor(ages[:-1])])
    is_new[starts] = True
    return is_new


def _sums(ages: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """All statistics but the gaps, from the ages of the events, ascending in each group."""
    ends = np.append(starts[1:], len(ages)) - 1
    is_new_day = _is_new_day(ages, starts)
    columns = [
        (ends - starts + 1).astype(np.float64),
        np.add.reduceat(is_new_day.astype(np.float64), starts),
        *(np.add.reduceat(np.exp(-ages / tau), starts) for tau in DECAYS_DAYS),
        *(np.add.reduceat((ages < days).astype(np.float64), starts) for days in RECENT_DAYS),
        ages[starts],
        ages[ends],
    ]
    return np.column_stack(columns)


def _gaps(keys: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Mean, deviation and last of the gaps between the days with an event of each group."""
    starts = _starts(keys)
    is_new_day = _is_new_day(ages, starts)
    owners = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(keys))))
    days, owner = ages[is_new_day], owners[is_new_day]
    gaps = np.diff(days, prepend=days[:1])
    is_gap = np.concatenate([[False], owner[1:] == owner[:-1]])
    gap_owner, gaps = owner[is_gap], gaps[is_gap]
    count = np.bincount(gap_owner, minlength=len(starts)).astype(np.float64)
    total = np.bincount(gap_owner, weights=gaps, minlength=len(starts))
    squares = np.bincount(gap_owner, weights=gaps**2, minlength=len(starts))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
        deviation = np.where(count > 1, np.sqrt(np.maximum(squares / count - mean**2, 0.0)), np.nan)
    last = np.full(len(starts), np.nan)
    # Ages ascend: the first gap of a group is the latest.
    first_of_owner = _starts(gap_owner)
    last[gap_owner[first_of_owner]] = gaps[first_of_owner]
    return np.column_stack([mean, deviation, last])
