"""Who has something open that comes before any upsell: a severe ticket, a late order, a fresh bad answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recommender.touchpoints.surveys import survey_features

if TYPE_CHECKING:
    import pandas as pd

# A bad answer is fresh for so long.
FRESH_DAYS = 30
# A CSAT answer so low says of one contact what a detractor's NPS says of the company.
DISSATISFIED_SCORE = 2


def open_problems(features: pd.DataFrame, responses: pd.DataFrame, as_of: datetime) -> frozenset[str]:
    """The customers with an open severe ticket, an order that is late right now, or a fresh bad answer.

    ``features`` are those of the customers asked about, ``responses`` survey answers as of ``as_of``. A bad answer is
    a last NPS of at most 6 or a last CSAT of at most 2 among the answers of the last FRESH_DAYS days.
    """
    is_open = (features["ticket_open_severe_count"] > 0) | (features["late_open_order_count"] > 0)
    fresh = responses[responses["answered_at"] > as_of - timedelta(days=FRESH_DAYS)]
    answers = survey_features(fresh, as_of)
    is_bad = (answers["is_nps_detractor"] == 1) | (answers["csat_last_score"] <= DISSATISFIED_SCORE)
    return frozenset(features.index[is_open]) | frozenset(features.index.intersection(answers.index[is_bad]))
