"""The truth behind a block, which nothing but tests and benchmarks may read."""

from __future__ import annotations

import numpy as np

from training.synthetic.columns import Columns, chosen
from training.synthetic.environment import OFFERS, RESPONSE_CLASSES
from training.synthetic.leaving import CAUSES
from training.synthetic.order_rows import Rendering

_CAUSES = (*CAUSES, "unexplained")


def true_customers(rendering: Rendering) -> Columns:
    """When and why each customer left (empty for who stays), and the traits that no table shows."""
    journeys = rendering.journeys
    who = journeys.population
    return {
        "customer_id": rendering.customers(np.arange(len(who))),
        "left_at": rendering.plan.instants(journeys.left),
        "cause": chosen(_CAUSES, np.maximum(journeys.cause, 0), journeys.cause < 0),
        "orders_a_week": who.activity,
        "price_sensitivity": who.price_sensitivity,
        "service_sensitivity": who.service_sensitivity,
        "competitor_sensitivity": who.competitor_sensitivity,
    }


def true_hazards(rendering: Rendering) -> Columns:
    """Every four weeks: the probability of leaving in the week that begins, and what each cause adds to its logit."""
    rows = rendering.journeys.hazards
    numbers = {name: rows[name] for name in ("hazard", *CAUSES, "unexplained")}
    return {
        "customer_id": rendering.customers(rows["customer"]),
        "at": rendering.plan.instants(rows["week"]),
        **numbers,
    }


def true_uplifts(rendering: Rendering) -> Columns:
    """For each customer and offer: the class of response, and how much treatment adds to P(order within 28 days).

    The uplift is the mean over the waves of the offer in which the customer could buy, empty where there was none.
    """
    journeys = rendering.journeys
    size, count = journeys.uplift.shape
    return {
        "customer_id": rendering.customers(np.repeat(np.arange(size), count)),
        "offer_id": chosen([offer.offer_id for offer in OFFERS], np.tile(np.arange(count), size)),
        "response": chosen(RESPONSE_CLASSES, journeys.population.responses.ravel()),
        "uplift": journeys.uplift.ravel(),
    }
