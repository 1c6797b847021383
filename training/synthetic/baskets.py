"""What is put into baskets: items that are due again on their own rhythm, and finds of the week."""

from __future__ import annotations

import numpy as np

from training.synthetic.catalogue import Catalogue
from training.synthetic.population import FAVOURITES, Population

SLOTS = 6
_SEASONAL_SHARE = 0.15
_ANY_SHARE = 0.1


class Repertoire:
    """The items each customer buys again and again, with the week in which each is due; infinite where unused."""

    def __init__(self, rng: np.random.Generator, population: Population, catalogue: Catalogue) -> None:
        size = len(population)
        categories = population.favourites[:, np.arange(SLOTS) % FAVOURITES]
        self.items = catalogue.draw(rng, categories.ravel(), 0).reshape(size, SLOTS)
        wanted = np.arange(SLOTS) < 1 + rng.poisson(2.5, size)[:, None]
        typical = catalogue.interval_weeks[self.items]
        self.intervals = typical * rng.lognormal(0, 0.2, (size, SLOTS))
        first = population.first_week[:, None] + rng.random((size, SLOTS)) * self.intervals
        self.due_at = np.where(wanted & (typical > 0), first, np.inf)
        self._catalogue = catalogue

    def is_due(self, week: int) -> np.ndarray:
        """Customers x slots: what is used up by the end of the week and can be bought."""
        return (self.due_at < week + 1) & self._catalogue.is_available(self.items, week)

    def take(self, rng: np.random.Generator, week: int, due: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Customers and items of what is bought of the due slots given; most of it, and it is due again later."""
        customers, slots = np.nonzero(due)
        bought = rng.random(len(customers)) < 0.8
        customers, slots = customers[bought], slots[bought]
        rhythm = self.intervals[customers, slots] * rng.lognormal(0, 0.15, len(customers))
        self.due_at[customers, slots] = week + rhythm
        return customers, self.items[customers, slots]


def draw_finds(
    rng: np.random.Generator,
    population: Population,
    catalogue: Catalogue,
    category_season: np.ndarray,
    customers: np.ndarray,
    week: int,
) -> np.ndarray:
    """One item for each customer given: mostly of a favourite category, some of the season, some of any.

    Who watches prices looks for a discount: if the first choice has none, a second is drawn.
    """
    first = _draw_categories(rng, population, category_season, customers)
    second = _draw_categories(rng, population, category_season, customers)
    discounts = catalogue.discounts[:, week]
    looks_on = rng.random(len(customers)) < population.price_sensitivity[customers]
    categories = np.where(looks_on & (discounts[second] > discounts[first]), second, first)
    return catalogue.draw(rng, categories, week)


def _draw_categories(
    rng: np.random.Generator, population: Population, category_season: np.ndarray, customers: np.ndarray
) -> np.ndarray:
    count = len(category_season)
    favourites = population.favourite_of(rng, customers)
    of_season = np.minimum(np.searchsorted(category_season, rng.random(len(customers)), side="right"), count - 1)
    kind = rng.random(len(customers))
    others = np.where(kind < _ANY_SHARE, rng.integers(count, size=len(customers)), of_season)
    return np.where(kind < _ANY_SHARE + _SEASONAL_SHARE, others, favourites)
