"""Which causes drive churn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apiflask import APIBlueprint

from api.operation import operation
from api.schemas.drivers import DriversOut, DriversQuery
from api.services import advisor

if TYPE_CHECKING:
    from recommender.customer_answers import ChurnDrivers

views = APIBlueprint("drivers", __name__, tag="Churn drivers")


@views.get("/v1/churn-drivers")
@operation(scope="risk:read", query=DriversQuery, returns=DriversOut)
def get_churn_drivers(query: DriversQuery) -> ChurnDrivers:
    """Which causes raise the risk of how many customers, the loss they carry, and what grew within a month."""
    return advisor().churn_drivers(query.definition, **query.group)
