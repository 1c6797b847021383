"""What browsing tells about a customer: how much is looked at, how often, and whether it has gone silent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days, event_days, last_by, share
from recommender.touchpoints.browsing import INTERACTIONS

if TYPE_CHECKING:
    import pandas as pd

WINDOWS_DAYS = (7, 28)
COUNTED_KINDS = ("view", "search", "cart_add", "cart_remove", "wishlist")


def browsing_features(interactions: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the known customers with an event; visitors without a customer are left out."""
    import pandas as pd

    events = interactions[interactions["customer_id"].notna()]
    events = events.assign(age=age_days(events["occurred_at"], cutoff))
    return pd.concat([_counts(events), _rhythm(events), _ratings(events)], axis=1)


def _counts(events: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    flags = {
        f"{kind}_{days}d_count": (events["kind"] == kind) & (events["age"] < days)
        for kind in COUNTED_KINDS
        for days in WINDOWS_DAYS
    }
    flags["browsing_event_count"] = events["age"].notna()
    flags["dislike_count"] = events["kind"] == "dislike"
    counts = pd.DataFrame(flags).groupby(events["customer_id"]).sum()
    recent = events.loc[events["age"] < max(WINDOWS_DAYS), ["customer_id", "item_id"]].dropna().drop_duplicates()
    counts["browsed_item_28d_count"] = recent.groupby("customer_id").size().reindex(counts.index, fill_value=0)
    return counts


def _rhythm(events: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    since = events.groupby("customer_id")["age"].min()
    days = event_days(events, "customer_id", "age")
    by_customer = days.groupby("customer_id")
    recent, earlier = ((days["day"] < window).groupby(days["customer_id"]).sum() for window in (28, 56))
    mean = by_customer["interval"].mean()
    return pd.DataFrame(
        {
            "days_since_last_browsing": since,
            "browsing_day_28d_count": recent,
            "browsing_trend_share": share(recent, earlier),
            "browsing_interval_mean_days": mean,
            "browsing_silence_ratio": share(since, mean),
        }
    )


def _ratings(events: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    ratings = events[(events["kind"] == "rating") & events["value"].notna()]
    last = last_by(ratings.assign(recency=-ratings["age"]), "customer_id", ["recency", "value"])
    return pd.DataFrame(
        {
            "rating_mean_score": ratings.groupby("customer_id")["value"].mean(),
            "rating_last_score": last["value"],
        }
    )


def _counted(kind: str, days: int) -> Feature:
    return Feature(f"{kind}_{days}d_count", f"events of kind {kind} in the last {days} days")


BROWSING_BLOCK = FeatureBlock(
    "browsing",
    (INTERACTIONS,),
    browsing_features,
    (
        Feature("browsing_event_count", "events so far"),
        *(_counted(kind, days) for kind in COUNTED_KINDS for days in WINDOWS_DAYS),
        Feature("browsed_item_28d_count", "different items in the events of the last 28 days"),
        Feature("dislike_count", "dislikes so far"),
        Feature("days_since_last_browsing", "days from the last event to the cutoff", UNKNOWN),
        Feature("browsing_day_28d_count", "days with an event in the last 28 days"),
        Feature(
            "browsing_trend_share",
            "days with an event of the last 28 days as a share of those of the last 56; one half is steady",
            UNKNOWN,
        ),
        Feature(
            "browsing_interval_mean_days", "mean days between days with an event; unknown before the second", UNKNOWN
        ),
        Feature(
            "browsing_silence_ratio",
            "days since the last event divided by the usual days between days with an event",
            UNKNOWN,
        ),
        Feature("rating_mean_score", "mean of the ratings given", UNKNOWN),
        Feature("rating_last_score", "last rating given", UNKNOWN),
    ),
)
