"""Rows of orders, returns and redemptions from the journeys of a block."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from training.synthetic.catalogue import Catalogue
from training.synthetic.columns import Columns, chosen, numbered, within
from training.synthetic.environment import OFFERS
from training.synthetic.journeys import Journeys
from training.synthetic.plan import Plan
from training.synthetic.population import customer_ids
from training.synthetic.service import DAY, IN_STORE, ORDER_CHANNELS, handed_over

_RETURN_REASONS = ("defective", "changed my mind", "does not fit")
_STORES_PER_REGION = 4


@dataclass(frozen=True)
class Rendering:
    """A block's journeys with what is needed to write them down; identifiers carry the number of the block."""

    plan: Plan
    catalogue: Catalogue
    journeys: Journeys

    def rng(self, purpose: str) -> np.random.Generator:
        """The stream of one table of this block."""
        return self.plan.rng(f"{purpose} of block {self.journeys.block.number}")

    def numbers(self, count: int) -> np.ndarray:
        """Numbers of ``count`` rows, distinct from those of every other block."""
        return self.journeys.block.number * 10_000_000 + np.arange(count)

    def ids(self, prefix: str, count: int) -> pa.Array:
        """Identifiers of ``count`` rows."""
        return numbered(prefix, self.numbers(count), 12)

    def order_ids(self, orders: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
        """Identifiers of orders by position."""
        return numbered("o", self.journeys.block.number * 10_000_000 + orders, 12, missing)

    def customers(self, places: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
        """Identifiers of customers by position."""
        return within(self._customer_ids, places, missing)

    def items(self, places: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
        """Identifiers of items by position."""
        return within(self._item_ids, places, missing)

    @cached_property
    def _customer_ids(self) -> pa.Array:
        return customer_ids(self.journeys.block)

    @cached_property
    def _item_ids(self) -> pa.Array:
        return numbered("i", np.arange(len(self.catalogue.category)), 6)

    @cached_property
    def line_money(self) -> dict[str, np.ndarray]:
        """By line: what it would cost, what was paid, what it cost the company."""
        journeys, catalogue = self.journeys, self.catalogue
        lines, order = journeys.lines, journeys.lines["order"]
        week = journeys.orders["placed"][order].astype(np.int64)
        full = catalogue.prices[lines["item"], week] * lines["quantity"]
        usual = full * (1 - catalogue.discounts[catalogue.category[lines["item"]], week])
        paid = np.round(usual * (1 - self._offer_discounts(usual)[order]), 2)
        return {
            "full": np.round(full, 2),
            "paid": paid,
            "cost": np.round(full * catalogue.cost_share[lines["item"]], 2),
        }

    def _offer_discounts(self, usual: np.ndarray) -> np.ndarray:
        offer = self.journeys.orders["offer"]
        total = np.bincount(self.journeys.lines["order"], usual, len(offer))
        percent = np.array([one.value / 100 if one.kind == "percent" else 0.0 for one in OFFERS] + [0.0])
        amount = np.array([one.value if one.kind == "amount" else 0.0 for one in OFFERS] + [0.0])
        return percent[offer] + np.minimum(amount[offer] / np.maximum(total, 0.01), 0.5)


def order_lines(rendering: Rendering, recommended: Columns) -> Columns:
    """The rows of ``order_lines``; ``recommended`` holds the recommendation of each line, if any."""
    journeys = rendering.journeys
    lines, order = journeys.lines, journeys.lines["order"]
    orders = {name: values[order] for name, values in journeys.orders.items()}
    region = journeys.population.region[orders["customer"]]
    store = region * _STORES_PER_REGION + orders["customer"] % _STORES_PER_REGION
    money = rendering.line_money
    first = np.searchsorted(order, order, side="left")
    return {
        "order_id": rendering.order_ids(order),
        "item_id": rendering.items(lines["item"]),
        "customer_id": rendering.customers(orders["customer"]),
        "ordered_at": rendering.plan.instants(orders["placed"]),
        "line_number": np.arange(len(order)) - first + 1,
        "quantity": lines["quantity"].astype(float),
        "amount": money["paid"],
        "discount": np.round(money["full"] - money["paid"], 2),
        "cost": money["cost"],
        "channel": chosen(ORDER_CHANNELS, orders["channel"]),
        "store_id": numbered("s", store, 3, orders["channel"] != IN_STORE),
        "promised_at": rendering.plan.instants(orders["promised"]),
        "delivered_at": rendering.plan.instants(orders["delivered"]),
        **recommended,
    }


def returns(rendering: Rendering) -> Columns:
    """The rows of ``returns``: what was broken or not wanted, some days after it was received."""
    rng, journeys = rendering.rng("returns"), rendering.journeys
    lines = journeys.lines
    back = np.flatnonzero((lines["is_defective"] & (rng.random(len(lines["item"])) < 0.85)) | lines["is_unwanted"])
    order = lines["order"][back]
    returned = handed_over(journeys.orders)[order] + DAY * rng.uniform(1, 14, len(back))
    reason = np.where(lines["is_defective"][back], 0, rng.integers(1, 3, len(back)))
    return {
        "return_id": rendering.ids("r", len(back)),
        "customer_id": rendering.customers(journeys.orders["customer"][order]),
        "item_id": rendering.items(lines["item"][back]),
        "returned_at": rendering.plan.instants(returned),
        "order_id": rendering.order_ids(order),
        "quantity": lines["quantity"][back].astype(float),
        "amount": rendering.line_money["paid"][back],
        "reason": chosen(_RETURN_REASONS, reason),
    }


def redemptions(rendering: Rendering) -> Columns:
    """The rows of ``redemptions``: the order in which a treated customer used an offer, and what it cost."""
    orders = rendering.journeys.orders
    used = np.flatnonzero(orders["offer"] >= 0)
    offer = orders["offer"][used]
    money, order = rendering.line_money, rendering.journeys.lines["order"]
    off = np.bincount(order, money["full"] - money["paid"], len(orders["offer"]))[used]
    takes_off = np.array([one.kind in {"percent", "amount"} for one in OFFERS])[offer]
    unit_cost = np.array([one.unit_cost for one in OFFERS])[offer]
    return {
        "redemption_id": rendering.ids("x", len(used)),
        "offer_id": chosen([one.offer_id for one in OFFERS], offer),
        "customer_id": rendering.customers(orders["customer"][used]),
        "redeemed_at": rendering.plan.instants(orders["placed"][used]),
        "order_id": rendering.order_ids(used),
        "cost": np.round(np.where(takes_off, off, unit_cost), 2),
    }
