"""From what the library says of segments and customers to the shapes of the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from api.schemas.segments import MemberOut
from recommender.periods import instant

if TYPE_CHECKING:
    from recommender.customer_answers import CustomerBase
    from recommender.retention.segment_store import SegmentMember

_OF_SCORE = tuple(name for name in MemberOut.model_fields if name != "entered_at")


def member_of(member: SegmentMember) -> dict[str, Any]:
    """A customer of a segment with the scores that help to choose."""
    return {"entered_at": member.entered_at, **{name: getattr(member.score, name) for name in _OF_SCORE}}


def cohorts_of(base: CustomerBase) -> dict[str, Any]:
    """Cohorts with shares, and repurchase curves point by point."""
    return {
        **_origin(base),
        "cohorts": tuple(map(_cohort, base.facts.get("cohorts", ()))),
        "repurchase": tuple(map(_curve, base.facts.get("repurchase", ()))),
    }


def lifecycle_of(base: CustomerBase) -> dict[str, Any]:
    """States by month, and the moves that anybody made with their shares."""
    facts = base.facts.get("lifecycle", {})
    return {
        **_origin(base),
        "told_by": facts.get("told_by"),
        "activity_days": facts.get("activity_days"),
        "states": tuple({**one, "at": instant(one["at"])} for one in facts.get("states", ())),
        "transitions": tuple(
            {
                "from_at": instant(one["from_at"]),
                "to_at": instant(one["to_at"]),
                "moves": tuple(_moves(one["customers"])),
            }
            for one in facts.get("transitions", ())
        ),
    }


def _origin(base: CustomerBase) -> dict[str, Any]:
    return {"model_version": base.model_version, "as_of": base.as_of}


def _cohort(facts: Mapping[str, Any]) -> dict[str, Any]:
    months = [
        {"month": month, "customers": ordered, "share": ordered / facts["customers"], "amount": amount}
        for month, (ordered, amount) in enumerate(zip(facts["ordered"], facts["amount"], strict=True))
    ]
    return {"cohort": facts["cohort"], "customers": facts["customers"], "months": tuple(months)}


def _curve(facts: Mapping[str, Any]) -> dict[str, Any]:
    columns = (facts[name] for name in ("days", "share", "low", "high"))
    points = [dict(zip(("days", "share", "low", "high"), point, strict=True)) for point in zip(*columns, strict=True)]
    return {**{name: facts[name] for name in ("order", "customers", "median_days")}, "points": tuple(points)}


def _moves(matrix: Mapping[str, Mapping[str, int]]) -> Iterator[dict[str, Any]]:
    for origin, states in matrix.items():
        everybody = sum(states.values())
        for state, customers in states.items():
            if customers:
                yield {"origin": origin, "state": state, "customers": customers, "share": customers / everybody}
