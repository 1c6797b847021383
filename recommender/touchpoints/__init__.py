"""All tables and feature blocks, each named once."""

from __future__ import annotations

from recommender.errors import UnknownName
from recommender.features import FeatureBlock, FeatureSet
from recommender.tables import Table
from recommender.touchpoints.browsing import INTERACTIONS
from recommender.touchpoints.browsing_features import BROWSING_BLOCK
from recommender.touchpoints.catalogue import ITEMS
from recommender.touchpoints.contacts import CONTACT_BLOCK, CONTACTS
from recommender.touchpoints.customers import CUSTOMER_BLOCK, CUSTOMERS
from recommender.touchpoints.deliveries import DELIVERY_BLOCK
from recommender.touchpoints.impressions import IMPRESSION_BLOCK, IMPRESSIONS
from recommender.touchpoints.offer_features import OFFER_BLOCK
from recommender.touchpoints.offers import ASSIGNMENTS, OFFERS, REDEMPTIONS
from recommender.touchpoints.order_features import ORDER_BLOCK
from recommender.touchpoints.orders import ORDER_LINES, RETURNS
from recommender.touchpoints.prices import PRICE_BLOCK
from recommender.touchpoints.referrals import REFERRAL_BLOCK, REFERRALS
from recommender.touchpoints.return_features import RETURN_BLOCK
from recommender.touchpoints.subscriptions import SUBSCRIPTION_BLOCK, SUBSCRIPTIONS
from recommender.touchpoints.surveys import SURVEY_BLOCK, SURVEY_RESPONSES
from recommender.touchpoints.ticket_features import TICKET_BLOCK
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

BLOCKS: tuple[FeatureBlock, ...] = (
    CUSTOMER_BLOCK,
    ORDER_BLOCK,
    DELIVERY_BLOCK,
    PRICE_BLOCK,
    RETURN_BLOCK,
    BROWSING_BLOCK,
    SUBSCRIPTION_BLOCK,
    TICKET_BLOCK,
    SURVEY_BLOCK,
    CONTACT_BLOCK,
    OFFER_BLOCK,
    IMPRESSION_BLOCK,
    REFERRAL_BLOCK,
)

FEATURES = FeatureSet(BLOCKS)


def table_named(name: str) -> Table:
    """The declaration of a table; raises UnknownName."""
    if name not in TABLES:
        raise UnknownName("table", name, TABLES)
    return TABLES[name]
