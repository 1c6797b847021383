"""How much more or less customers leave in the season that is asked about than in the latest complete window.

The level of a churn model is that of the latest window that has ended; where the season turns it is wrong until the
next windows end. With more than a year of orders it is moved as it moved a year before: by the difference between the
same season of last year and the season of the latest window of last year. Data that were young then know little of
old customers; so the difference is taken among those who ordered lately, from features that need no long history.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from scipy.special import logit

from recommender.models import create
from recommender.models.logistic import fit_offset
from recommender.retention.definitions import NO_ORDER, SPEND_DROP, ChurnDefinition
from recommender.retention.panel import gather_panel
from training.examples import Examples

# Whole weeks: people order by the day of the week.
YEAR = timedelta(days=364)
RECENT_DAYS = 91
_RECENCY = "days_since_last_order"
_FEATURES = (
    _RECENCY,
    "order_days_28d_count",
    "order_days_56d_count",
    "spend_28d_amount",
    "spend_56d_amount",
)
_LEAVERS_AT_LEAST = 30


def season_cutoffs(definition: ChurnDefinition, as_of: datetime, first_event: datetime) -> list[datetime]:
    """A year before the answer and a year before the latest window; none where the data do not reach so far back."""
    last_year = as_of - YEAR
    earlier = last_year - timedelta(days=definition.horizon_days)
    # A window of last year must have ended by now, and what was bought lately must be known before it.
    reaches = definition.horizon_days <= YEAR.days and earlier - timedelta(days=RECENT_DAYS) >= first_event
    return [last_year, earlier] if reaches and definition.outcome in (NO_ORDER, SPEND_DROP) else []


def seasonal_shift(panel: Sequence[Examples], same: Examples, earlier: Examples, *, seed: int) -> float:
    """What to add to the log-odds of leaving because the season turns; 0 where it is lost in chance.

    ``panel`` has recent windows, ``same`` lies a year before the answer, ``earlier`` a year before the latest window.
    The change is drawn to 0 by its sampling variance, as in the estimator of James and Stein.
    """
    recent = [_recent(one) for one in (*panel, same, earlier)]
    if any(min(one.churned.sum(), (~one.churned).sum()) < _LEAVERS_AT_LEAST for one in (recent[0], *recent[-2:])):
        return 0.0
    by_cutoff = {one.cutoff: (one.features, one.churned) for one in recent[:-2]}
    gathered = gather_panel(sorted(by_cutoff), by_cutoff.__getitem__)
    model = create("churn", seed, boosting_share=0.0)
    model.fit(gathered.features, gathered.churned, cutoffs=gathered.cutoffs)
    offsets, variance = [], 0.0
    for one in recent[-2:]:
        probabilities = model.predict_proba(one.features).to_numpy()
        outcomes = one.churned.to_numpy(dtype="float64")
        offsets.append(fit_offset(logit(probabilities), outcomes))
        variance += 1.0 / (len(outcomes) * outcomes.mean() * (1.0 - outcomes.mean()))
    change = offsets[0] - offsets[1]
    return float(change * max(0.0, 1.0 - variance / max(np.square(change), 1e-12)))


def _recent(examples: Examples) -> Examples:
    lately = (examples.features[_RECENCY] <= RECENT_DAYS).to_numpy()
    return Examples(examples.cutoff, examples.features.loc[lately, list(_FEATURES)], examples.churned[lately])
