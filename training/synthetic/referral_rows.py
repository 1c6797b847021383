"""Rows of referrals: happy customers bring customers."""

from __future__ import annotations

import numpy as np

from training.synthetic.columns import Columns
from training.synthetic.order_rows import Rendering
from training.synthetic.plan import WEEKS
from training.synthetic.population import REFERRED
from training.synthetic.service import DAY

_HAPPY = 0.5
_TRIES = 8
_REWARD = 10.0


def referrals(rendering: Rendering) -> Columns:
    """The rows of ``referrals``: for each customer who came by one, a happy customer of that week.

    Where several draws find no happy customer, nobody is named.
    """
    rng, journeys = rendering.rng("referrals"), rendering.journeys
    who = journeys.population
    referred = np.flatnonzero(who.channel == REFERRED)
    referred_at = who.signed_up[referred] - DAY * 0.01
    week = np.clip(np.floor(referred_at).astype(np.int64), 0, WEEKS - 1)
    referrer = np.full(len(referred), -1)
    last = journeys.last_week(np.inf)
    for _ in range(_TRIES):
        candidate = rng.integers(len(who), size=len(referred))
        is_here = (who.first_week[candidate] < week) & (referred_at < last[candidate])
        is_happy = journeys.satisfaction[week, candidate] > _HAPPY
        referrer = np.where((referrer < 0) & is_here & is_happy, candidate, referrer)
    found = np.flatnonzero(referrer >= 0)
    return {
        "referral_id": rendering.ids("l", len(found)),
        "referrer_id": rendering.customers(referrer[found]),
        "referred_id": rendering.customers(referred[found]),
        "referred_at": rendering.plan.instants(who.signed_up[referred[found]]),
        "reward": np.full(len(found), _REWARD),
    }
