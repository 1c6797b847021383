"""Waves of offers: who is drawn, who is treated, how it changes buying, and who redeems."""

from __future__ import annotations

import numpy as np

from training.synthetic.environment import EFFECT_WEEKS, NEGATIVE, OFFERS, PERSUADABLE
from training.synthetic.journeys import Rows
from training.synthetic.population import Population

PARTICIPANT_SHARE = 0.45
# by response class: none, persuadable, negative, sure thing
_REDEEMING = np.array([0.3, 0.9, 0.1, 0.6])


class Campaigns:
    """The offers that a block's customers were drawn for, and which of them they still hold."""

    def __init__(self, population: Population) -> None:
        size = len(population)
        self._population = population
        self._treated = np.full(size, -1)
        self._unused = np.full(size, -1)
        self._until = np.zeros(size)
        self._uplift_sum, self._uplift_count = np.zeros((2, size, len(OFFERS)))

    @property
    def uplift(self) -> np.ndarray:
        """Customers x offers: mean over the waves in which the customer could buy, NaN where there was none."""
        counted = self._uplift_count > 0
        return np.where(counted, self._uplift_sum / np.maximum(self._uplift_count, 1), np.nan)

    def draw(
        self, rng: np.random.Generator, week: int, offer: int, can_buy: np.ndarray, spend: np.ndarray, rate: np.ndarray
    ) -> Rows:
        """Draw a wave among customers that agreed to marketing; ``rate`` is their rate of ordering without it.

        Where the offer has no share of treatment, past spend decides, and nobody knows the probability.
        """
        self._note_uplift(offer, can_buy, rate)
        reachable = can_buy & self._population.allows_marketing & (self._population.first_week < week)
        customers = np.flatnonzero(reachable & (rng.random(len(can_buy)) < PARTICIPANT_SHARE))
        share = OFFERS[offer].treatment_share
        chance = np.full(len(customers), share) if share is not None else _by_spend(spend[customers])
        is_treated = rng.random(len(customers)) < chance
        self._treated[:] = -1
        self._treated[customers[is_treated]] = offer
        self._unused[:] = self._treated
        self._until[customers] = week + EFFECT_WEEKS
        known = np.where(is_treated, chance, 1 - chance)
        return {
            "customer": customers,
            "offer": np.full(len(customers), offer),
            "week": np.full(len(customers), week),
            "assigned": week - rng.uniform(0.001, 0.03, len(customers)),
            "is_treated": is_treated,
            "propensity": known if share is not None else np.full(len(customers), np.nan),
        }

    def treated_rate(self, week: int, rate: np.ndarray) -> np.ndarray:
        """The rate of ordering in the week as treatments change it."""
        customers = np.flatnonzero((self._treated >= 0) & (week < self._until))
        changed = rate.copy()
        response = self._population.responses[customers, self._treated[customers]]
        changed[customers] = _with_response(rate[customers], response)
        return changed

    def redeem(self, rng: np.random.Generator, week: int, ordering: np.ndarray) -> np.ndarray:
        """By customer that orders in the week: the offer redeemed with the first order, or -1."""
        offers = np.where(week < self._until[ordering], self._unused[ordering], -1)
        response = self._population.responses[ordering, np.maximum(offers, 0)]
        uses = (offers >= 0) & (rng.random(len(ordering)) < _REDEEMING[response])
        self._unused[ordering[uses]] = -1
        return np.where(uses, offers, -1)

    def _note_uplift(self, offer: int, can_buy: np.ndarray, rate: np.ndarray) -> None:
        response = self._population.responses[:, offer]
        difference = np.exp(-EFFECT_WEEKS * rate) - np.exp(-EFFECT_WEEKS * _with_response(rate, response))
        self._uplift_sum[can_buy, offer] += difference[can_buy]
        self._uplift_count[can_buy, offer] += 1


def _with_response(rate: np.ndarray, response: np.ndarray) -> np.ndarray:
    # Who has left has a rate of 0 and is not brought back.
    raised = np.where((response == PERSUADABLE) & (rate > 0), rate + 0.3, rate)
    return np.where(response == NEGATIVE, 0.15 * rate, raised)


def _by_spend(spend: np.ndarray) -> np.ndarray:
    place = np.argsort(np.argsort(spend, kind="stable"), kind="stable") / max(len(spend), 1)
    return 0.1 + 0.8 * place
