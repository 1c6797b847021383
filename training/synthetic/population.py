"""Who the customers of a block are: what they like, how often they buy, what they agreed to, what sways them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from training.synthetic.columns import Columns, chosen, numbered
from training.synthetic.environment import NEGATIVE, NONE, OFFERS, PERSUADABLE, REGIONS, SURE_THING
from training.synthetic.plan import WEEKS, Block, Plan

CHANNELS = ("search", "social", "comparison_site", "store", "referral")
REFERRED = CHANNELS.index("referral")
HOUSEHOLDS = ('{"household": "single"}', '{"household": "couple"}', '{"household": "family"}')
FAVOURITES = 3
_EXISTING_SHARE = 0.45
TYPICAL_ORDERS_A_WEEK = 0.195
_FAVOURITE_SHARES = np.array([0.55, 0.85, 1.0])


@dataclass(frozen=True)
class Population:
    """Traits by customer; ``first_week`` is the first full week after ``signed_up`` (weeks since the start)."""

    signed_up: np.ndarray
    first_week: np.ndarray
    activity: np.ndarray
    favourites: np.ndarray
    region: np.ndarray
    channel: np.ndarray
    household: np.ndarray
    birth_year: np.ndarray
    price_sensitivity: np.ndarray
    service_sensitivity: np.ndarray
    competitor_sensitivity: np.ndarray
    usual_satisfaction: np.ndarray
    allows_personalization: np.ndarray
    allows_marketing: np.ndarray
    responses: np.ndarray

    def __len__(self) -> int:
        return len(self.activity)

    def favourite_of(self, rng: np.random.Generator, customers: np.ndarray) -> np.ndarray:
        """One favourite category for each customer given."""
        place = np.searchsorted(_FAVOURITE_SHARES, rng.random(len(customers)), side="right")
        return self.favourites[customers, np.minimum(place, FAVOURITES - 1)]

    def table(self, plan: Plan, block: Block) -> Columns:
        """The rows of ``customers``."""
        return {
            "customer_id": customer_ids(block),
            "signed_up_at": plan.instants(self.signed_up),
            "birth_year": self.birth_year,
            "region": chosen(REGIONS, self.region),
            "channel": chosen(CHANNELS, self.channel),
            "consent_personalization": self.allows_personalization,
            "consent_marketing": self.allows_marketing,
            "attributes": chosen(HOUSEHOLDS, self.household),
        }


def customer_ids(block: Block) -> pa.Array:
    """Identifiers of the customers of a block, in order."""
    return numbered("c", block.first + np.arange(block.size), 8)


def make_population(plan: Plan, block: Block, categories: int) -> Population:
    """Draw the customers of a block."""
    rng = plan.rng(f"population of block {block.number}")
    size = block.size
    signed_up, first_week = _sign_ups(rng, size)
    price_sensitivity = rng.random(size)
    activity = rng.lognormal(np.log(TYPICAL_ORDERS_A_WEEK), 1.0, size)
    favourites = rng.integers(categories, size=(size, FAVOURITES))
    birth_year = np.clip(np.round(rng.normal(1982, 14, size)), 1935, 2006).astype(np.int64)
    return Population(
        signed_up=signed_up,
        first_week=first_week,
        activity=activity,
        favourites=favourites,
        region=rng.integers(len(REGIONS), size=size),
        channel=_channels(rng, price_sensitivity, first_week),
        household=rng.choice(3, size, p=[0.35, 0.35, 0.3]),
        birth_year=birth_year,
        price_sensitivity=price_sensitivity,
        service_sensitivity=rng.lognormal(-0.08, 0.4, size),
        competitor_sensitivity=rng.random(size),
        usual_satisfaction=rng.normal(0.3, 0.5, size),
        allows_personalization=rng.random(size) > 0.06,
        allows_marketing=rng.random(size) > 0.25,
        responses=_responses(rng, activity, price_sensitivity, favourites, birth_year),
    )


def _sign_ups(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    is_existing = rng.random(size) < _EXISTING_SHARE
    # More arrive in each year than in the year before.
    arrives = 1 + np.floor((WEEKS - 2) * rng.random(size) ** 0.85)
    first_week = np.where(is_existing, 0, arrives).astype(np.int64)
    lead = np.where(is_existing, rng.uniform(0.05, 104.0, size), rng.uniform(0.05, 1.0, size))
    return first_week - lead, first_week


def _channels(rng: np.random.Generator, price_sensitivity: np.ndarray, first_week: np.ndarray) -> np.ndarray:
    channel = rng.choice(4, len(first_week), p=[0.45, 0.25, 0.1, 0.2])
    compares = rng.random(len(first_week)) < 0.5 * price_sensitivity**2
    channel = np.where(compares, CHANNELS.index("comparison_site"), channel)
    return np.where((first_week > 4) & (rng.random(len(first_week)) < 0.12), REFERRED, channel)


def _responses(
    rng: np.random.Generator,
    activity: np.ndarray,
    price_sensitivity: np.ndarray,
    favourites: np.ndarray,
    birth_year: np.ndarray,
) -> np.ndarray:
    """How each customer answers each offer: shares are exact in a block, who it is can be learned in part.

    Frequent buyers buy anyway; of the others those who watch prices and like what the offer covers are persuadable,
    and offers annoy some of the older ones.
    """
    size = len(activity)
    responses = np.full((size, len(OFFERS)), NONE)
    age = (2000 - birth_year) / 20
    for place, offer in enumerate(OFFERS):
        likes = (favourites == offer.category).any(axis=1)
        habit = np.argsort(-(np.log(activity) + rng.normal(0, 0.3, size)))
        sure, others = habit[: round(0.3 * size)], habit[round(0.3 * size) :]
        sway = 3 * price_sensitivity + 2 * likes + rng.normal(0, 0.5, size)
        others = others[np.argsort(-sway[others])]
        swayed, rest = others[: round(0.15 * size)], others[round(0.15 * size) :]
        annoyance = age + rng.normal(0, 0.5, size)
        annoyed = rest[np.argsort(-annoyance[rest])][: round(0.05 * size)]
        responses[sure, place] = SURE_THING
        responses[swayed, place] = PERSUADABLE
        responses[annoyed, place] = NEGATIVE
    return responses
