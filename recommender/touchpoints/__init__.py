"""All tables and feature blocks, each named once."""

from __future__ import annotations

from recommender.errors import UnknownName
from recommender.features import FeatureBlock
from recommender.tables import Table
from recommender.touchpoints.browsing import INTERACTIONS
from recommender.touchpoints.catalogue import ITEMS
from recommender.touchpoints.contacts import CONTACTS
from recommender.touchpoints.customers import CUSTOMERS
from recommender.touchpoints.deliveries import DELIVERIES
from recommender.touchpoints.impressions import IMPRESSIONS
from recommender.touchpoints.offers import ASSIGNMENTS, OFFERS, REDEMPTIONS
from recommender.touchpoints.order_features import ORDERS
from recommender.touchpoints.orders import ORDER_LINES, RETURNS
from recommender.touchpoints.referrals import REFERRALS
from recommender.touchpoints.subscriptions import SUBSCRIPTIONS
from recommender.touchpoints.surveys import SURVEY_RESPONSES
from recommender.touchpoints.tickets import TICKETS

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CUSTOMERS,
        ITEMS,
        ORDER_LINES,
        RETURNS,
        INTERACTIONS,
        SUBSCRIPTIONS,
        TICKETS,
        SURVEY_RESPONSES,
        CONTACTS,
        OFFERS,
        ASSIGNMENTS,
        REDEMPTIONS,
        IMPRESSIONS,
        REFERRALS,
    )
}

BLOCKS: tuple[FeatureBlock, ...] = (ORDERS, DELIVERIES)


def table_named(name: str) -> Table:
    """The declaration of a table; raises UnknownName."""
    if name not in TABLES:
        raise UnknownName("table", name, TABLES)
    return TABLES[name]
