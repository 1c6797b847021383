"""Survey answers: NPS, CSAT and CES, with the touchpoint they are about."""

from __future__ import annotations

from recommender.tables import Column, Table

SURVEY_SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}

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
