"""What is done about customers at risk, and what it brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from api.operation import operation
from api.schemas.treatments import EffectsQuery, TreatmentEffectsOut, TreatmentsOut
from api.services import advisor

if TYPE_CHECKING:
    from recommender.retention.treatment_answers import TreatmentLadder

views = APIBlueprint("treatments", __name__, tag="Treatments")


@views.get("/v1/treatments")
@operation(scope="risk:read", returns=TreatmentsOut)
def get_treatments() -> TreatmentLadder:
    """The ladder of treatments in force, the rules that choose from it, and who is held out."""
    return advisor().treatments()


@views.get("/v1/treatments/effects")
@operation(scope="risk:read", query=EffectsQuery, returns=TreatmentEffectsOut)
def get_treatment_effects(query: EffectsQuery) -> dict[str, Any]:
    """What each treatment brought against the customers held out, as `regulars effects` last measured it.

    Nothing is claimed where the interval includes 0, where a group is missing or too small, or where chance does not
    split the groups as they are.
    """
    measured = advisor().treatment_effects(query.definition)
    return {name: value for name, value in vars(measured).items() if name != "effects"} | {"data": measured.effects}
