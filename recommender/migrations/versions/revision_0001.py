"""Create all tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TYPES: dict[str, Any] = {"text": _TEXT, "bigint": sa.BigInteger(), "float": sa.Float(53), "boolean": sa.Boolean()}

# name: (columns with their types, ! = not null; key)
_TABLES = {
    "customers": (
        "customer_id:text! signed_up_at:bigint birth_year:bigint region:text channel:text "
        "consent_personalization:boolean consent_marketing:boolean attributes:text sequence:bigint!",
        ("customer_id",),
    ),
    "items": (
        "item_id:text! title:text category:text brand:text price:float cost:float product_group_id:text "
        "is_available:boolean available_from:bigint available_until:bigint is_replenishable:boolean "
        "attributes:text sequence:bigint!",
        ("item_id",),
    ),
    "order_lines": (
        "order_id:text! item_id:text! customer_id:text! ordered_at:bigint! line_number:bigint! "
        "quantity:float amount:float discount:float cost:float channel:text store_id:text "
        "recommendation_id:text promised_at:bigint delivered_at:bigint sequence:bigint!",
        ("order_id", "item_id", "line_number"),
    ),
    "returns": (
        "return_id:text! customer_id:text! item_id:text! returned_at:bigint! order_id:text "
        "quantity:float amount:float reason:text sequence:bigint!",
        ("return_id",),
    ),
    "interactions": (
        "event_id:text! kind:text! occurred_at:bigint! item_id:text customer_id:text session_id:text "
        "value:float query:text channel:text recommendation_id:text sequence:bigint!",
        ("event_id",),
    ),
    "subscriptions": (
        "subscription_id:text! customer_id:text! started_at:bigint! ended_at:bigint end_reason:text "
        "plan:text monthly_amount:float sequence:bigint!",
        ("subscription_id",),
    ),
    "tickets": (
        "ticket_id:text! customer_id:text! opened_at:bigint! first_replied_at:bigint resolved_at:bigint "
        "reopened_at:bigint channel:text topic:text severity:text contact_count:bigint "
        "handle_seconds:float order_id:text text:text sequence:bigint!",
        ("ticket_id",),
    ),
    "survey_responses": (
        "response_id:text! customer_id:text! answered_at:bigint! kind:text! score:float! touchpoint:text "
        "channel:text comment:text sequence:bigint!",
        ("response_id",),
    ),
    "contacts": (
        "contact_id:text! customer_id:text! sent_at:bigint! channel:text! campaign:text offer_id:text "
        "opened_at:bigint clicked_at:bigint sequence:bigint!",
        ("contact_id",),
    ),
    "offers": (
        "offer_id:text! kind:text! name:text value:float unit_cost:float starts_at:bigint ends_at:bigint "
        "channels:text categories:text item_ids:text conditions:text budget:float budget_period:text "
        "cap_per_customer:bigint is_stackable:boolean sequence:bigint!",
        ("offer_id",),
    ),
    "assignments": (
        "assignment_id:text! offer_id:text! customer_id:text! assigned_at:bigint! arm:text! "
        "propensity:float channel:text sequence:bigint!",
        ("assignment_id",),
    ),
    "redemptions": (
        "redemption_id:text! offer_id:text! customer_id:text! redeemed_at:bigint! order_id:text "
        "cost:float sequence:bigint!",
        ("redemption_id",),
    ),
    "impressions": (
        "recommendation_id:text! rank:bigint! shown_at:bigint! customer_id:text session_id:text "
        "item_id:text offer_id:text placement:text channel:text model_version:text propensity:float "
        "variant:text sequence:bigint!",
        ("recommendation_id", "rank"),
    ),
    "referrals": (
        "referral_id:text! referrer_id:text! referred_id:text! referred_at:bigint! reward:float sequence:bigint!",
        ("referral_id",),
    ),
    "scores": (
        "customer_id:text! generation:bigint! model_version:text! as_of:bigint! in_population:boolean! "
        "churn_probability:float horizon_days:bigint! population:text! band:text predicted_value:float "
        "historic_value:float expected_loss:float lever:text! action:text! reasons:text! segment:text "
        "region:text order_count:bigint! last_order_at:bigint",
        ("customer_id", "generation"),
    ),
    "api_keys": (
        "key_id:text! key_hash:text! name:text scopes:text! created_at:bigint! revoked_at:bigint",
        ("key_id",),
    ),
    "erasures": (
        "sequence:bigint! customer_hash:text! erased_at:bigint! reason:text!",
        ("sequence",),
    ),
    "counters": (
        "name:text! value:bigint!",
        ("name",),
    ),
}

_INDEXES = (
    ("order_lines", "customer_id ordered_at"),
    ("returns", "customer_id returned_at"),
    ("interactions", "customer_id occurred_at"),
    ("subscriptions", "customer_id started_at"),
    ("tickets", "customer_id opened_at"),
    ("survey_responses", "customer_id answered_at"),
    ("contacts", "customer_id sent_at"),
    ("assignments", "customer_id assigned_at"),
    ("redemptions", "customer_id redeemed_at"),
    ("impressions", "customer_id shown_at"),
    ("referrals", "referrer_id referred_at"),
    ("referrals", "referred_id referred_at"),
    ("erasures", "customer_hash"),
)


def upgrade() -> None:
    """Create all tables."""
    for name, (columns, key) in _TABLES.items():
        op.create_table(
            name,
            *(_column(spec) for spec in columns.split()),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        )
        if "sequence" in columns and "sequence" not in key:
            op.create_index(f"ix_{name}_sequence", name, ["sequence"])
    for name, columns in _INDEXES:
        op.create_index(f"ix_{name}_{columns.replace(' ', '_')}", name, columns.split())
    _create_score_indexes()
    op.create_index("ix_api_keys_key_hash", "api_keys", ["key_hash"], unique=True)
    withheld = sa.column("consent_personalization").is_(sa.false())
    op.create_index(
        "ix_customers_withheld", "customers", ["customer_id"], sqlite_where=withheld, postgresql_where=withheld
    )
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    names = ("sequence", "score_generation", "next_score_generation")
    op.bulk_insert(counters, [{"name": name, "value": 0} for name in names])


def _create_score_indexes() -> None:
    sorts, groups = ["expected_loss", "churn_probability", "predicted_value"], ["segment", "region", "band"]
    for name in sorts:
        others = [other for other in (*sorts, *groups) if other != name]
        op.create_index(f"ix_scores_{name}", "scores", ["generation", sa.text(f"{name} DESC"), "customer_id", *others])
    for name in groups:
        op.create_index(f"ix_scores_{name}", "scores", [name, "generation"])


def _column(spec: str) -> sa.Column[Any]:
    name, kind = spec.rstrip("!").split(":")
    return sa.Column(name, _TYPES[kind], nullable=not spec.endswith("!"), autoincrement=False)
