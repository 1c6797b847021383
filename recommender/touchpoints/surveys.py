"""Survey answers: NPS, CSAT and CES, with the touchpoint they are about."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days, last_by, share
from recommender.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

SURVEY_SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
DETRACTOR_SCORE = 6
RECENT_DAYS = 182

SURVEY_RESPONSES = Table(
    "survey_responses",
    (
        Column("response_id", "identifier", "one answer", required=True),
        Column("customer_id", "identifier", "whose", required=True),
        Column("answered_at", "instant", "when", required=True),
        Column("kind", "word", "nps, csat or ces", required=True, choices=tuple(SURVEY_SCALES)),
        Column("score", "decimal", "nps 0-10, csat 1-5, ces 1-7", required=True),
        Column("touchpoint", "text", "what it is about"),
        Column("channel", "text", "where it was asked"),
        Column("comment", "text", "in the customer's words"),
    ),
    key=("response_id",),
    exists_from="answered_at",
    ranges={"score": ("kind", SURVEY_SCALES)},
)


def survey_features(responses: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with an answer; of two answers at one instant the lower counts as the last."""
    import pandas as pd

    rows = responses.assign(age=age_days(responses["answered_at"], cutoff))
    by_customer = rows.groupby("customer_id")
    features = pd.DataFrame({"survey_count": by_customer.size(), "days_since_last_survey": by_customer["age"].min()})
    parts = [_scores(rows[rows["kind"] == kind], kind) for kind in SURVEY_SCALES]
    features = pd.concat([features, *parts], axis=1)
    answer = features["nps_last_score"]
    features["is_nps_detractor"] = (answer <= DETRACTOR_SCORE).astype("float64").where(answer.notna())
    return pd.concat([features, _satisfaction(rows)], axis=1)


def _satisfaction(rows: pd.DataFrame) -> pd.DataFrame:
    """All answers on one scale, from 0 for the worst to 1 for the best: the last, and the mean of the recent ones."""
    import pandas as pd

    low, high = (
        rows["kind"].map({kind: ends[place] for kind, ends in SURVEY_SCALES.items()}).astype("float64")
        for place in (0, 1)
    )
    placed = rows.assign(satisfaction=(rows["score"] - low) / (high - low), order_of_age=-rows["age"])
    placed["order_of_satisfaction"] = -placed["satisfaction"]
    last = last_by(placed, "customer_id", ["order_of_age", "order_of_satisfaction"])["satisfaction"]
    recent = placed[placed["age"] < RECENT_DAYS].groupby("customer_id")["satisfaction"]
    return pd.DataFrame(
        {
            "satisfaction_last_share": last,
            "satisfaction_182d_mean_share": recent.mean(),
            "satisfaction_182d_lowest_share": recent.min(),
        }
    )


def _scores(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Last and mean answer, and the last less the mean of those before it."""
    import pandas as pd

    ordered = rows.assign(order_of_age=-rows["age"], order_of_score=-rows["score"])
    last = last_by(ordered, "customer_id", ["order_of_age", "order_of_score"])["score"]
    by_customer = rows.groupby("customer_id")["score"]
    count, total = by_customer.size(), by_customer.sum()
    return pd.DataFrame(
        {
            f"{kind}_last_score": last,
            f"{kind}_mean_score": total / count,
            f"{kind}_change_score": last - share(total - last, count - 1),
        }
    )


def _score_features(kind: str) -> tuple[Feature, ...]:
    name = kind.upper()
    return (
        Feature(f"{kind}_last_score", f"last {name} answer", UNKNOWN),
        Feature(f"{kind}_mean_score", f"mean {name} answer", UNKNOWN),
        Feature(f"{kind}_change_score", f"last {name} answer less the mean before", UNKNOWN),
    )


SURVEY_BLOCK = FeatureBlock(
    "surveys",
    (SURVEY_RESPONSES,),
    survey_features,
    (
        Feature("survey_count", "answers so far"),
        Feature("days_since_last_survey", "days since the last answer", UNKNOWN),
        *(feature for kind in SURVEY_SCALES for feature in _score_features(kind)),
        Feature("satisfaction_last_share", "last answer of any kind, from 0 for the worst to 1 for the best", UNKNOWN),
        Feature("satisfaction_182d_mean_share", f"mean answer of the last {RECENT_DAYS} days, from 0 to 1", UNKNOWN),
        Feature("satisfaction_182d_lowest_share", f"worst answer of the last {RECENT_DAYS} days, from 0 to 1", UNKNOWN),
        Feature("is_nps_detractor", f"1 if the last NPS answer is at most {DETRACTOR_SCORE}, else 0", UNKNOWN),
    ),
)
