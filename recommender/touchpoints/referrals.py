"""Referrals: customers who brought customers."""

from __future__ import annotations

from recommender.tables import Column, Table

REFERRALS = Table(
    "referrals",
    (
        Column("referral_id", "identifier", "one referral", required=True),
        Column("referrer_id", "identifier", "who referred", required=True),
        Column("referred_id", "identifier", "who came", required=True),
        Column("referred_at", "instant", "when", required=True),
        Column("reward", "decimal", "what the referrer got", minimum=0),
    ),
    key=("referral_id",),
    exists_from="referred_at",
    customer_columns=("referrer_id", "referred_id"),
)
