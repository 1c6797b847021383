"""Contacts: what the company sent, and whether it was opened."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days
from recommender.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

CONTACTS = Table(
    "contacts",
    (
        Column("contact_id", "identifier", "one message", required=True),
        Column("customer_id", "identifier", "to whom", required=True),
        Column("sent_at", "instant", "when", required=True),
        Column("channel", "text", "email, sms, post, ...", required=True),
        Column("campaign", "text", "as part of which campaign"),
        Column("offer_id", "identifier", "with which offer"),
        Column("opened_at", "instant", "opened"),
        Column("clicked_at", "instant", "clicked"),
    ),
    key=("contact_id",),
    exists_from="sent_at",
)


def contact_features(contacts: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with a contact; a click counts as an opening."""
    import pandas as pd

    since_open, since_click = (age_days(contacts[name], cutoff) for name in ("opened_at", "clicked_at"))
    age, is_opened = age_days(contacts["sent_at"], cutoff), since_open.notna() | since_click.notna()
    rows = contacts[["customer_id"]].assign(
        age=age,
        recent=age < 28,
        unopened=(age < 28) & ~is_opened,
        opened=is_opened,
        clicked=since_click.notna(),
        since_open=since_open.fillna(since_click),
        since_click=since_click,
    )
    by_customer = rows.groupby("customer_id")
    return pd.DataFrame(
        {
            "contact_count": by_customer.size(),
            "contact_28d_count": by_customer["recent"].sum(),
            "contact_unopened_28d_count": by_customer["unopened"].sum(),
            "contact_open_share": by_customer["opened"].mean(),
            "contact_click_share": by_customer["clicked"].mean(),
            "days_since_last_contact": by_customer["age"].min(),
            "days_since_last_contact_open": by_customer["since_open"].min(),
            "days_since_last_contact_click": by_customer["since_click"].min(),
        }
    )


CONTACT_BLOCK = FeatureBlock(
    "contacts",
    (CONTACTS,),
    contact_features,
    (
        Feature("contact_count", "messages sent so far"),
        Feature("contact_28d_count", "messages sent in the last 28 days"),
        Feature("contact_unopened_28d_count", "messages of the last 28 days not opened"),
        Feature("contact_open_share", "share of messages opened", UNKNOWN),
        Feature("contact_click_share", "share of messages clicked", UNKNOWN),
        Feature("days_since_last_contact", "days since the last message", UNKNOWN),
        Feature("days_since_last_contact_open", "days since a message was last opened", UNKNOWN),
        Feature("days_since_last_contact_click", "days since a message was last clicked", UNKNOWN),
    ),
)
