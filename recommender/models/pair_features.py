"""What a ranker looks at for a customer and an item: the customer's own history, the item's, and that of its groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.event_groups import STATISTICS, EventGroups
from recommender.models.item_facts import FACTS, ItemFacts, purchase_groups

CUSTOMER_FACTS = (
    "customer_baskets",
    "customer_last_days",
    "customer_first_days",
    "customer_tempo_days",
    "customer_count",
    "customer_items",
    "customer_basket_size",
    "customer_repeat_share",
    "customer_count_28d",
    "customer_count_84d",
    "customer_baskets_28d",
)
_GROUP_STATISTICS = ("count", "days", "decayed_14d", "decayed_45d", "decayed_240d",
                     "last_age_days", "interval_days", "last_gap_days")  # fmt: skip
_OTHER_STATISTICS = ("count", "decayed_14d", "last_age_days")
# An interval seen once or twice is drawn towards the item's with the weight of so many intervals.
_SHRINKAGE = 2.0
# Days of one customer in a key: what is older counts as so old.
_MOST_DAYS = 100_000

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class CustomerFacts:
    """Per customer the columns named in CUSTOMER_FACTS, and the days with a purchase as sorted keys."""

    values: np.ndarray
    basket_keys: np.ndarray

    @classmethod
    def of(cls, bought: InteractionMatrix) -> CustomerFacts:
        """The facts from purchases; a basket is a day with any."""
        count = len(bought.customers)
        keys = np.unique(_day_keys(bought.rows, bought.age_days))
        rows, ages = keys // _MOST_DAYS, (keys % _MOST_DAYS).astype(np.float64)
        baskets = np.bincount(rows, minlength=count)
        last, first = np.full(count, np.nan), np.full(count, np.nan)
        np.fmin.at(last, rows, ages)
        np.fmax.at(first, rows, ages)
        lines = np.bincount(bought.rows, minlength=count)
        pairs = np.unique(bought.rows.astype(np.int64) * len(bought.items) + bought.columns)
        items = np.bincount(pairs // max(len(bought.items), 1), minlength=count)
        recent = [np.bincount(bought.rows, weights=bought.age_days < days, minlength=count) for days in (28, 84)]
        columns = [
            baskets,
            last,
            first,
            (first - last) / np.maximum(baskets - 1, 1),
            lines,
            items,
            lines / np.maximum(baskets, 1),
            1 - items / np.maximum(lines, 1),
            *recent,
            np.bincount(rows, weights=ages < 28, minlength=count),
        ]
        return cls(np.column_stack(columns).astype(np.float32), keys)

    def baskets_between(self, rows: np.ndarray, age_days: np.ndarray, *, up_to: bool) -> np.ndarray:
        """Baskets of each customer younger than an age in days, or with ``up_to`` of that age too; NaN of NaN."""
        ages = np.nan_to_num(age_days)
        since = np.searchsorted(self.basket_keys, _day_keys(rows, ages), side="right" if up_to else "left")
        before = np.searchsorted(self.basket_keys, _day_keys(rows, np.zeros(len(rows))), side="left")
        return np.where(np.isnan(age_days), np.nan, since - before)


def _day_keys(rows: np.ndarray, age_days: np.ndarray) -> np.ndarray:
    days = np.clip(np.floor(age_days), 0, _MOST_DAYS - 1).astype(np.int64)
    keys: np.ndarray = rows.astype(np.int64) * _MOST_DAYS + days
    return keys


@dataclass(frozen=True)
class PairFeatures:
    """Features of pairs of some customers and any items, as a matrix with named columns.

    Everything of a customer comes from the histories given, so what happened a minute ago counts at once.
    """

    facts: ItemFacts
    customers: CustomerFacts
    own: EventGroups
    others: EventGroups
    by_grouping: Mapping[str, EventGroups]

    @classmethod
    def of(cls, histories: InteractionMatrix, facts: ItemFacts) -> PairFeatures:
        """The statistics of a block of customers, beside the facts of all items."""
        is_purchase = histories.is_purchase()
        bought, other = histories.of_events(is_purchase), histories.of_events(~is_purchase & (histories.weights > 0))
        grouped = {
            name: EventGroups.of(bought.rows, one.codes[bought.columns], bought.age_days, max(one.size, 1))
            for name, one in facts.groupings.items()
        }
        others = EventGroups.of(other.rows, other.columns, other.age_days, len(histories.items))
        return cls(facts, CustomerFacts.of(bought), purchase_groups(histories), others, grouped)

    def at(self, rows: np.ndarray, columns: np.ndarray) -> Columns:
        """The features of pairs by name, in a fixed order."""
        found = {f"own_{name}": one for name, one in _named(STATISTICS, self.own.at(rows, columns))}
        found |= dict(_named(FACTS, self.facts.values[columns]))
        found |= dict(_named(CUSTOMER_FACTS, self.customers.values[rows]))
        others = dict(_named(STATISTICS, self.others.at(rows, columns)))
        found |= {f"other_{name}": others[name] for name in _OTHER_STATISTICS}
        with np.errstate(divide="ignore", invalid="ignore"):
            found |= self._rhythm(found, rows)
            for name in self.by_grouping:
                found |= self._in_group(name, found, rows, columns)
        return found

    def _rhythm(self, found: Columns, rows: np.ndarray) -> Columns:
        """How due an item is: the time since the last purchase against personal, shrunk and usual intervals."""
        since, interval = found["own_last_age_days"], found["own_interval_days"]
        usual = np.nan_to_num(found["item_interval_days"], nan=60.0)
        intervals = np.where(np.isnan(interval), 0.0, found["own_days"] - 1)
        shrunk = (intervals * np.nan_to_num(interval) + _SHRINKAGE * usual) / (intervals + _SHRINKAGE)
        baskets = self.customers.baskets_between(rows, found["own_first_age_days"], up_to=True)
        return {
            "due_personal": since / np.maximum(interval, 1),
            "due_usual": since / np.maximum(found["item_interval_days"], 1),
            "due_shrunk": since / np.maximum(shrunk, 1),
            "interval_shrunk_days": shrunk,
            "share_of_baskets": found["own_days"] / found["customer_baskets"],
            "share_of_baskets_since_first": found["own_days"] / np.maximum(baskets, 1),
            "baskets_since_last": self.customers.baskets_between(rows, since, up_to=False),
            "share_of_lines_28d": found["own_count_28d"] / np.maximum(found["customer_count_28d"], 1),
            "freshness": found["own_decayed_45d"] / np.maximum(found["own_decayed_240d"], 1e-6),
            "next_visit_days": since + found["customer_tempo_days"],
        }

    def _in_group(self, name: str, found: Columns, rows: np.ndarray, columns: np.ndarray) -> Columns:
        """The customer in the item's group of one grouping, and the item's place in it."""
        grouping = self.facts.groupings[name]
        statistics = dict(_named(STATISTICS, self.by_grouping[name].at(rows, grouping.codes[columns])))
        shares = grouping.shares[columns]
        return {
            **{f"{name}_{one}": statistics[one] for one in _GROUP_STATISTICS},
            f"{name}_due": statistics["last_age_days"] / np.maximum(statistics["interval_days"], 1),
            f"{name}_loyalty": found["own_count"] / np.maximum(statistics["count"], 1),
            f"{name}_loyalty_45d": found["own_decayed_45d"] / np.maximum(statistics["decayed_45d"], 1e-6),
            f"{name}_item_share": shares,
            f"{name}_affinity": shares * statistics["decayed_45d"],
        }


def _named(names: tuple[str, ...], values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    return [(name, values[:, place]) for place, name in enumerate(names)]
