"""What a ranker knows of every item: how it sold up to a cutoff, and the groups that its features put it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from recommender.models.event_groups import EventGroups

FACTS = (
    "item_count",
    "item_count_7d",
    "item_count_28d",
    "item_count_84d",
    "item_week_trend",
    "item_month_trend",
    "item_buyers",
    "item_repeat_share",
    "item_count_per_buyer",
    "item_interval_days",
    "item_known_days",
)
# More groupings than this say little more, and each costs seconds.
GROUPINGS_AT_MOST = 5


@dataclass(frozen=True)
class Grouping:
    """A partition of the items by one attribute: a code per item, -1 without one, and its share in its group.

    ``shares`` is the part of the item in the recent sales of its group, NaN without a group.
    """

    codes: np.ndarray
    shares: np.ndarray

    @property
    def size(self) -> int:
        """The number of groups."""
        return int(self.codes.max(initial=-1)) + 1


@dataclass(frozen=True)
class ItemFacts:
    """Per item the columns named in FACTS, and the groupings by attribute.

    Trends are the sales of a week (four weeks) over a quarter (a third) of the four (twelve) weeks, damped by one
    sale; the interval is the median over buyers of their mean days between purchases, NaN where nobody bought twice.
    """

    values: np.ndarray
    groupings: Mapping[str, Grouping]

    @classmethod
    def of(cls, interactions: InteractionMatrix, groups: EventGroups) -> ItemFacts:
        """The facts from purchases and their groups by customer and item (see ``purchase_groups``)."""
        bought = interactions.of_events(interactions.is_purchase())
        values = np.column_stack(_columns(bought, groups, len(interactions.items))).astype(np.float32)
        recent = values[:, FACTS.index("item_count_28d")] + 0.1 * values[:, FACTS.index("item_count_84d")]
        groupings = {
            name: _grouping(codes, recent) for name, codes in item_groupings(interactions.item_features).items()
        }
        return cls(values, groupings)

    def state(self) -> dict[str, Any]:
        """The arrays."""
        groupings = {name: {"codes": one.codes, "shares": one.shares} for name, one in self.groupings.items()}
        return {"values": self.values, "groupings": groupings}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ItemFacts:
        """The facts that ``state`` was taken from."""
        return cls(state["values"], {name: Grouping(**one) for name, one in state["groupings"].items()})


def purchase_groups(interactions: InteractionMatrix) -> EventGroups:
    """The purchases of a matrix by customer and item."""
    bought = interactions.of_events(interactions.is_purchase())
    return EventGroups.of(bought.rows, bought.columns, bought.age_days, len(interactions.items))


def item_groupings(features: FeatureMatrix | None, at_most: int = GROUPINGS_AT_MOST) -> dict[str, np.ndarray]:
    """A code per item for each attribute that partitions the items, finest first; -1 for an item without a value.

    Features are named ``attribute=value``. An attribute counts where at least half of the items have a value of it.
    """
    if features is None:
        return {}
    attributes: dict[str, list[int]] = {}
    for place, name in enumerate(features.names):
        attributes.setdefault(name.partition("=")[0], []).append(place)
    columns = features.values.tocsc()
    found = {name: _codes(columns[:, places]) for name, places in attributes.items() if len(places) > 1}
    wide = {name: codes for name, codes in found.items() if 2 * np.count_nonzero(codes >= 0) >= len(codes)}
    finest = sorted(wide, key=lambda name: (-int(wide[name].max()), name))[:at_most]
    return {name: wide[name] for name in finest}


def _codes(columns: Any) -> np.ndarray:
    entries = columns.tocoo()
    codes = np.full(columns.shape[0], -1, dtype=np.int32)
    codes[entries.row] = entries.col
    return codes


def _grouping(codes: np.ndarray, sales: np.ndarray) -> Grouping:
    is_grouped = codes >= 0
    totals = np.bincount(codes[is_grouped], weights=sales[is_grouped])
    shares = np.full(len(codes), np.nan, dtype=np.float32)
    shares[is_grouped] = sales[is_grouped] / np.maximum(totals[codes[is_grouped]], 1e-9)
    return Grouping(codes, shares)


def _columns(bought: InteractionMatrix, groups: EventGroups, item_count: int) -> list[np.ndarray]:
    def counted(weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(bought.columns, weights=weights, minlength=item_count).astype(np.float64)

    ages = bought.age_days
    week, month, quarter = (counted(ages < days) for days in (7, 28, 84))
    buyers = np.bincount(groups.codes, minlength=item_count)
    repeaters = np.bincount(groups.codes, weights=groups.column("days") > 1, minlength=item_count)
    known = np.zeros(item_count)
    np.maximum.at(known, bought.columns, ages)
    everything = counted()
    return [
        everything,
        week,
        month,
        quarter,
        (week + 1) / (month / 4 + 1),
        (month + 1) / (quarter / 3 + 1),
        buyers,
        (repeaters + 0.5) / (buyers + 2),
        everything / np.maximum(buyers, 1),
        median_by(groups.codes, groups.column("interval_days"), item_count),
        known,
    ]


def median_by(codes: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """The upper median of the values of each code, NaN where it has none."""
    is_known = ~np.isnan(values)
    codes, values = codes[is_known], values[is_known]
    order = np.lexsort((values, codes))
    codes, values = codes[order], values[order]
    sizes = np.bincount(codes, minlength=count)
    medians = np.full(count, np.nan)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    has_any = sizes > 0
    medians[has_any] = values[(starts + sizes // 2)[has_any]]
    return medians
