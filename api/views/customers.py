"""Customers: what is known of them, what they are worth, and their removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from api.identifiers import checked_for_writing
from api.operation import operation
from api.row_writing import put_row
from api.schemas.customers import CustomerOut, CustomerValueOut, ErasureOut, ValueQuery
from api.schemas.entities import CustomerIn
from api.services import advisor

if TYPE_CHECKING:
    from recommender.customer_answers import CustomerSummary, CustomerValue

views = APIBlueprint("customers", __name__, tag="Customers")


@views.get("/v1/customers/<identifier:customer_id>/value")
@operation(scope="risk:read", query=ValueQuery, returns=CustomerValueOut)
def get_value(customer_id: str, query: ValueQuery) -> CustomerValue:
    """What the customer was worth, and is expected to be worth within the horizon."""
    return advisor().value(customer_id, horizon_days=query.horizon_days)


@views.get("/v1/customers/<identifier:customer_id>")
@operation(scope="risk:read", returns=CustomerOut)
def get_customer(customer_id: str) -> CustomerSummary:
    """Profile, consents and the figures of the last scoring."""
    return advisor().customer(customer_id)


@views.put("/v1/customers/<identifier:customer_id>")
@operation(scope="catalog:write", body=CustomerIn, status=204)
def put_customer(customer_id: str, body: CustomerIn) -> None:
    """Store the row of a customer, in place of the one before."""
    put_row("customers", "customer_id", customer_id, body.root)


@views.delete("/v1/customers/<identifier:customer_id>")
@operation(scope="privacy:write", returns=ErasureOut)
def delete_customer(customer_id: str) -> dict[str, Any]:
    """Delete everything that is stored of a customer.

    The answer names the versions on disk that were trained while the customer was known.
    """
    return {"customer_id": customer_id, **vars(advisor().forget(checked_for_writing("customer_id", customer_id)))}
