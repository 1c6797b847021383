"""Why customers leave: a logistic hazard of eight causes with lags, and what nobody can explain."""

from __future__ import annotations

import numpy as np

from training.synthetic.plan import WEEKS
from training.synthetic.population import TYPICAL_ORDERS_A_WEEK, Population

CAUSES = (
    "late_deliveries",
    "unresolved_tickets",
    "low_satisfaction",
    "price_increases",
    "defective_items",
    "lost_discounts",
    "competitor",
    "weak_habit",
)
UNEXPLAINED_SHARE = 0.3
_BASE = -8.0
_SATISFACTION_LAG_WEEKS = 3
# A cause is known some weeks after the last week that is simulated: room for what is noted ahead.
_AHEAD = 40


class Mood:
    """What a block's customers have gone through up to a week; all arrays are by customer, the noted ones by week.

    ``note_*`` write an experience into the week after it happened, so no hazard can depend on what comes later.
    """

    def __init__(self, population: Population) -> None:
        size = len(population)
        self.population = population
        self.satisfaction = np.tile(population.usual_satisfaction, (WEEKS + 1, 1)).astype(np.float32)
        self._late = np.zeros((WEEKS + _AHEAD, size))
        self._defects = np.zeros((WEEKS + _AHEAD, size))
        self._tickets = np.zeros((WEEKS + _AHEAD, size))
        self._open_changes = np.zeros((WEEKS + _AHEAD, size))
        self._late_memory, self._defect_memory, self._ticket_memory, self._open = np.zeros((4, size))
        self._price_pain, self._competition = np.zeros((2, size))
        self._discount_usual, self._discount_recent = np.full((2, size), 0.06)

    def note_late(self, customers: np.ndarray, delivered: np.ndarray, days: np.ndarray) -> None:
        """Orders that came ``days`` after what was promised."""
        np.add.at(self._late, (_week_after(delivered), customers), np.minimum(days, 8) / 3)

    def note_defects(self, customers: np.ndarray, found: np.ndarray) -> None:
        """Items that turned out to be broken."""
        np.add.at(self._defects, (_week_after(found), customers), 1.0)

    def note_tickets(self, customers: np.ndarray, opened: np.ndarray, closed: np.ndarray) -> None:
        """Tickets; one that is open for more than half a week weighs until it is closed."""
        np.add.at(self._tickets, (_week_after(opened), customers), 1.0)
        begins, ends = _week_after(opened + 0.5), _week_after(closed)
        lasts = ends > begins
        np.add.at(self._open_changes, (begins[lasts], customers[lasts]), 1.0)
        np.add.at(self._open_changes, (ends[lasts], customers[lasts]), -1.0)

    def note_prices(self, ordered: np.ndarray, rise: np.ndarray, discount: np.ndarray) -> None:
        """Customers that ordered, the mean rise of what they bought in half a year, and their mean discount."""
        self._price_pain[ordered] = np.maximum(self._price_pain[ordered], rise)
        self._discount_usual[ordered] += 0.1 * (discount - self._discount_usual[ordered])
        self._discount_recent[ordered] += 0.4 * (discount - self._discount_recent[ordered])

    def advance(self, rng: np.random.Generator, week: int, competitor: np.ndarray) -> None:
        """Take in what became known before the week; ``competitor`` is its strength for each customer."""
        self._late_memory = 0.88 * self._late_memory + self._late[week]
        self._defect_memory = 0.9 * self._defect_memory + self._defects[week]
        self._ticket_memory = 0.92 * self._ticket_memory + self._tickets[week]
        self._open += self._open_changes[week]
        self._price_pain *= 0.95
        self._competition = 0.6 * self._competition + 0.4 * competitor
        before = self.satisfaction[max(week - 1, 0)]
        blow = 0.35 * self._late[week] + 0.5 * self._defects[week] + 0.12 * (self._open > 0) + 0.4 * self._price_pain
        drift = 0.08 * (self.population.usual_satisfaction - before) + rng.normal(0, 0.07, len(before))
        self.satisfaction[week] = before + drift - blow * self.population.service_sensitivity

    def contributions(self, week: int) -> np.ndarray:
        """What each cause adds to the logit of leaving in the week: causes x customers."""
        who = self.population
        lagged = self.satisfaction[max(week - _SATISFACTION_LAG_WEEKS, 0)]
        lost = np.maximum(self._discount_usual - self._discount_recent, 0)
        burden = np.minimum(self._open, 2) + 0.6 * np.maximum(self._ticket_memory - 1, 0)
        return np.stack(
            [
                0.8 * np.minimum(self._late_memory, 3.5) * who.service_sensitivity,
                1.5 * np.minimum(burden, 3) * who.service_sensitivity,
                1.1 * np.clip(-lagged, 0, 2.5),
                17.0 * np.minimum(self._price_pain, 0.15) * who.price_sensitivity,
                1.5 * np.minimum(self._defect_memory, 2),
                50.0 * np.minimum(lost, 0.1) * who.price_sensitivity,
                2.2 * np.minimum(self._competition, 1.2) * who.competitor_sensitivity,
                0.5 * np.clip(-np.log(who.activity / TYPICAL_ORDERS_A_WEEK), -2, 2),
            ]
        )


def hazards(contributions: np.ndarray, chance: np.ndarray, is_active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probability of leaving within the week, and the part of its logit that no cause explains.

    ``chance`` is standard normal by customer; it is scaled so that it makes 30 % of the logit's variance over the
    customers that are active.
    """
    explained = contributions.sum(axis=0)
    spread = explained[is_active].std() if is_active.any() else 0.0
    unexplained = chance * spread * np.sqrt(UNEXPLAINED_SHARE / (1 - UNEXPLAINED_SHARE))
    return 1 / (1 + np.exp(-(_BASE + explained + unexplained))), unexplained


def _week_after(times: np.ndarray) -> np.ndarray:
    return np.minimum(np.ceil(times).astype(np.int64), WEEKS + _AHEAD - 1)
