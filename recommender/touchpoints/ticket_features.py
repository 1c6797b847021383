"""What tickets tell about a customer: what is open, how it went, whether it came back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days, gap_days, last_by
from recommender.touchpoints.tickets import TICKETS

if TYPE_CHECKING:
    import pandas as pd

SEVERE = ("severe", "high", "urgent", "critical")
REPEAT_DAYS = 30
RECENT_DAYS = 90


def ticket_features(tickets: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with a ticket.

    A ticket is open until a resolution is known, and again once it was reopened after that. It repeats an earlier
    one if it was opened within 30 days of the customer's last ticket of the same topic. It was solved at first
    contact if it is resolved, was never reopened and took one contact.
    """
    import pandas as pd

    rows = _described(tickets, cutoff)
    by_customer = rows.groupby("customer_id")
    counts = by_customer[["recent", "open", "open_severe", "unanswered", "repeat", "reopened"]].sum()
    solved = rows[rows["resolution"].notna()]
    last = last_by(solved, "customer_id", ["resolved_at", "resolution"])
    return pd.DataFrame(
        {
            "ticket_count": by_customer.size(),
            "ticket_90d_count": counts["recent"],
            "ticket_open_count": counts["open"],
            "ticket_open_severe_count": counts["open_severe"],
            "ticket_unanswered_count": counts["unanswered"],
            "ticket_open_oldest_days": by_customer["open_age"].max(),
            "ticket_repeat_count": counts["repeat"],
            "ticket_reopened_count": counts["reopened"],
            "ticket_first_contact_share": by_customer["first_contact"].mean(),
            "ticket_resolution_mean_days": by_customer["resolution"].mean(),
            "ticket_resolution_last_days": last["resolution"],
            "ticket_first_reply_mean_days": by_customer["reply"].mean(),
            "ticket_handle_mean_seconds": by_customer["handle_seconds"].mean(),
            "days_since_last_ticket": by_customer["age"].min(),
        }
    )


def _described(tickets: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """The tickets with what is derived from their times."""
    age, resolution = age_days(tickets["opened_at"], cutoff), gap_days(tickets["opened_at"], tickets["resolved_at"])
    is_open = tickets["resolved_at"].isna() | (tickets["reopened_at"] > tickets["resolved_at"])
    is_reopened = tickets["reopened_at"].notna()
    contacts = tickets["contact_count"].astype("Float64").to_numpy(dtype="float64", na_value=UNKNOWN)
    is_severe = tickets["severity"].str.lower().isin(SEVERE).astype(bool)
    rows = tickets[["customer_id", "topic", "handle_seconds", "resolved_at"]]
    rows = rows.assign(age=age, open=is_open, reopened=is_reopened, recent=age < RECENT_DAYS, contacts=contacts)
    return rows.assign(
        open_severe=is_open & is_severe,
        unanswered=is_open & tickets["first_replied_at"].isna(),
        open_age=age.where(is_open),
        resolution=resolution.where(~is_open),
        reply=gap_days(tickets["opened_at"], tickets["first_replied_at"]),
        repeat=_is_repeat(rows),
        first_contact=((rows["contacts"] == 1) & ~is_reopened).astype("float64").where(rows["contacts"].notna()),
    )


def _is_repeat(rows: pd.DataFrame) -> pd.Series:
    ordered = rows.sort_values("age", ascending=False)
    gap = -ordered.groupby(["customer_id", "topic"], dropna=False)["age"].diff()
    return (gap <= REPEAT_DAYS).reindex(rows.index)


TICKET_BLOCK = FeatureBlock(
    "tickets",
    (TICKETS,),
    ticket_features,
    (
        Feature("ticket_count", "tickets so far"),
        Feature("ticket_90d_count", "tickets opened in the last 90 days"),
        Feature("ticket_open_count", "tickets open"),
        Feature("ticket_open_severe_count", "severe tickets open"),
        Feature("ticket_unanswered_count", "open tickets without a first reply"),
        Feature("ticket_open_oldest_days", "age of the oldest open ticket", UNKNOWN),
        Feature("ticket_repeat_count", "tickets that repeat an earlier one"),
        Feature("ticket_reopened_count", "tickets ever reopened"),
        Feature(
            "ticket_first_contact_share",
            "share of the resolved tickets that took one contact and were not reopened",
            UNKNOWN,
        ),
        Feature("ticket_resolution_mean_days", "mean days to resolution", UNKNOWN),
        Feature("ticket_resolution_last_days", "days to the last resolution", UNKNOWN),
        Feature("ticket_first_reply_mean_days", "mean days to the first reply", UNKNOWN),
        Feature("ticket_handle_mean_seconds", "mean time spent by agents on a resolved ticket", UNKNOWN),
        Feature("days_since_last_ticket", "days since the last ticket was opened", UNKNOWN),
    ),
)
