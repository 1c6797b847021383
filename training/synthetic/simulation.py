"""One block of customers, week by week: leaving, offers, orders, what goes wrong, and what it does to the mood."""

from __future__ import annotations

import numpy as np

from training.synthetic.baskets import Repertoire, draw_finds
from training.synthetic.campaigns import Campaigns
from training.synthetic.catalogue import Catalogue
from training.synthetic.environment import Environment
from training.synthetic.journeys import EventLog, Journeys, Rows
from training.synthetic.leaving import CAUSES, Mood, hazards
from training.synthetic.plan import WEEKS, Block, Plan
from training.synthetic.population import make_population
from training.synthetic.service import DAY, ORDER_CHANNELS, deliver, draw_tickets, handed_over

TRUTH_EVERY_WEEKS = 4
UNEXPLAINED = len(CAUSES)
_ASKING_A_WEEK = 0.006
_WEEKDAY_SHARES = np.cumsum([0.12, 0.12, 0.13, 0.13, 0.16, 0.19, 0.15])


class Simulation:
    """The state of a block; ``run`` moves it through all weeks. Loops are over weeks, never over customers."""

    def __init__(self, plan: Plan, catalogue: Catalogue, environment: Environment, block: Block) -> None:
        self._rng = plan.rng(f"journeys of block {block.number}")
        self._block = block
        self._catalogue = catalogue
        self._environment = environment
        self._population = make_population(plan, block, len(catalogue.starts) - 1)
        self._repertoire = Repertoire(self._rng, self._population, catalogue)
        self._campaigns = Campaigns(self._population)
        self._mood = Mood(self._population)
        self._log = EventLog()
        self._left = np.full(block.size, np.nan)
        self._cause = np.full(block.size, -1)
        self._chance = self._rng.normal(size=block.size)
        self._spend = np.zeros(block.size)
        self._order_count = 0

    def run(self) -> Journeys:
        """Everything that happened."""
        for week in range(WEEKS):
            self._step(week)
        rows = {kind: self._log.rows(kind) for kind in ("orders", "lines", "tickets", "assignments", "hazards")}
        by_order = np.argsort(rows["lines"]["order"], kind="stable")
        rows["lines"] = {name: values[by_order] for name, values in rows["lines"].items()}
        return Journeys(
            block=self._block,
            population=self._population,
            satisfaction=self._mood.satisfaction[:WEEKS],
            left=self._left,
            cause=self._cause,
            uplift=self._campaigns.uplift,
            **rows,
        )

    def _step(self, week: int) -> None:
        competitor = self._environment.competitor[week, self._population.region]
        self._mood.advance(self._rng, week, competitor)
        is_active = (self._population.first_week <= week) & ~(self._left <= week)
        is_active &= ~self._leave(week, is_active)
        due = self._repertoire.is_due(week)
        rate = self._rate(week, is_active, due, competitor)
        offer = self._environment.offer_in(week)
        if offer is not None:
            drawn = self._campaigns.draw(self._rng, week, offer, is_active, self._spend, rate)
            self._log.add("assignments", **drawn)
        counts = self._rng.poisson(self._campaigns.treated_rate(week, rate))
        orders = self._order(week, counts)
        lines = self._fill(week, counts, due & (counts > 0)[:, None])
        self._follow_up(week, orders, lines, is_active)
        self._order_count += len(orders["customer"])

    def _leave(self, week: int, is_active: np.ndarray) -> np.ndarray:
        self._chance = 0.95 * self._chance + np.sqrt(1 - 0.95**2) * self._rng.normal(size=self._block.size)
        parts = self._mood.contributions(week)
        hazard, unexplained = hazards(parts, self._chance, is_active)
        was_here = is_active & (self._population.first_week < week)
        leaves = was_here & (self._rng.random(self._block.size) < hazard)
        self._left[leaves] = week
        self._cause[leaves] = np.argmax(np.vstack([parts, unexplained])[:, leaves], axis=0)
        if (WEEKS - week) % TRUTH_EVERY_WEEKS == 0:
            who = np.flatnonzero(is_active)
            causes = {name: part[who].astype(np.float32) for name, part in zip(CAUSES, parts, strict=True)}
            shown = {"hazard": hazard[who].astype(np.float32), "unexplained": unexplained[who].astype(np.float32)}
            self._log.add("hazards", customer=who, week=np.full(len(who), float(week)), **shown, **causes)
        return leaves

    def _rate(self, week: int, is_active: np.ndarray, due: np.ndarray, competitor: np.ndarray) -> np.ndarray:
        who = self._population
        mood = np.exp(0.3 * np.clip(self._mood.satisfaction[week], -2, 1))
        rhythm = 1 + 0.35 * np.minimum(due.sum(axis=1), 3)
        pull = 1 - 0.35 * np.minimum(competitor, 1.2) * who.competitor_sensitivity
        return is_active * who.activity * self._environment.season[week] * mood * rhythm * pull

    def _order(self, week: int, counts: np.ndarray) -> Rows:
        ordering = np.flatnonzero(counts)
        customer = np.repeat(ordering, counts[ordering])
        size = len(customer)
        weekday = np.minimum(np.searchsorted(_WEEKDAY_SHARES, self._rng.random(size), side="right"), 6)
        placed = week + DAY * (weekday + self._rng.triangular(0.27, 0.78, 0.999, size))
        channel = self._rng.choice(len(ORDER_CHANNELS), size, p=[0.55, 0.27, 0.18])
        offer = np.full(size, -1)
        offer[np.cumsum(counts[ordering]) - counts[ordering]] = self._campaigns.redeem(self._rng, week, ordering)
        strain = self._environment.strain[week, self._population.region[customer]]
        delivery = deliver(self._rng, placed, channel, strain)
        orders = {"customer": customer, "placed": placed, "channel": channel, "offer": offer, **delivery}
        self._log.add("orders", **orders)
        return orders

    def _fill(self, week: int, counts: np.ndarray, due: np.ndarray) -> Rows:
        owners, again = self._repertoire.take(self._rng, week, due)
        first = np.cumsum(counts) - counts
        order = first[owners] + np.floor(self._rng.random(len(owners)) * counts[owners]).astype(np.int64)
        customer = np.repeat(np.arange(len(counts)), counts)
        finds = np.repeat(np.arange(len(customer)), 1 + self._rng.poisson(0.6, len(customer)))
        season = self._environment.category_season[week]
        new = draw_finds(self._rng, self._population, self._catalogue, season, customer[finds], week)
        item = np.concatenate([again, new])
        order = np.concatenate([order, finds])
        lines = {
            "order": order + self._order_count,
            "item": item,
            "quantity": 1 + self._rng.poisson(0.3, len(item)),
            "is_defective": self._rng.random(len(item)) < self._catalogue.defect_share[item],
            "is_unwanted": self._rng.random(len(item)) < self._catalogue.return_share[item],
        }
        self._log.add("lines", **lines)
        return {**lines, "customer": customer[order]}

    def _follow_up(self, week: int, orders: Rows, lines: Rows, is_active: np.ndarray) -> None:
        late = np.flatnonzero(orders["late_days"] > 0)
        self._mood.note_late(orders["customer"][late], orders["delivered"][late], orders["late_days"][late])
        bad = np.flatnonzero(lines["is_defective"])
        found = handed_over(orders)[lines["order"][bad] - self._order_count] + DAY
        broken = {"customer": lines["customer"][bad], "found": found, "order": lines["order"][bad]}
        self._mood.note_defects(broken["customer"], found)
        who = np.flatnonzero(is_active & (self._rng.random(self._block.size) < _ASKING_A_WEEK))
        asking = {"customer": who, "since": week + self._rng.random(len(who))}
        strain = self._environment.strain[week, self._population.region]
        tickets = draw_tickets(self._rng, orders, broken, asking, strain, self._order_count)
        self._mood.note_tickets(tickets["customer"], tickets["opened"], tickets["closed"])
        self._log.add("tickets", **tickets)
        self._feel_prices(week, lines)

    def _feel_prices(self, week: int, lines: Rows) -> None:
        prices = self._catalogue.prices[lines["item"]]
        rise = np.maximum(np.log(prices[:, week] / prices[:, max(week - 26, 0)]), 0)
        discount = self._catalogue.discounts[self._catalogue.category[lines["item"]], week]
        size = self._block.size
        count = np.bincount(lines["customer"], minlength=size)
        ordered = np.flatnonzero(count)
        means = [np.bincount(lines["customer"], one, size)[ordered] / count[ordered] for one in (rise, discount)]
        self._mood.note_prices(ordered, means[0], means[1])
        paid = prices[:, week] * lines["quantity"] * (1 - discount)
        self._spend = 0.97 * self._spend + np.bincount(lines["customer"], paid, size)
