"""The columns of the churn list as a table: which there are, in which order, of what kind, and what each means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import AwareDatetime

from api.errors import FieldError, Problem, invalid
from api.schemas.risks import ChurnRiskOut

REASONS = 3
REASON_COLUMNS = tuple(f"reason_{place}" for place in range(1, REASONS + 1))
# A course in time is no cell of a table, and only one customer's answer has it.
LIST_FIELDS = tuple(name for name in ChurnRiskOut.model_fields if name != "history")
# Others rely on these columns and their order; what is added comes after them.
_FIRST_FIELDS = (
    *("customer_id", "customer_known", "in_population", "churn_probability", "horizon_days", "population", "band"),
    *("expected_loss", "predicted_value", "lever", "action", "reasons", "model_version", "as_of"),
)
# A table shows them where they are asked for: a marketer acts on none of them.
_FOR_PROGRAMS = {"churn_curve", "churn_curve_learned_days", "base_log_odds", "other_log_odds", "scored_at"}
TEXT, TRUTH, NUMBER, PROBABILITY, MONEY, INSTANT = "text", "truth", "number", "probability", "money", "instant"
_MONEY_ENDS = ("_loss", "_value", "_amount")


@dataclass(frozen=True)
class RiskColumn:
    """A column: its name, the field of the risk that it shows, its kind, and a sentence about it."""

    name: str
    field: str
    kind: str
    meaning: str


def _kind_of(name: str, annotation: Any) -> str:
    types = {annotation, *get_args(annotation)}
    if bool in types:
        return TRUTH
    if AwareDatetime in types or name == "as_of":
        return INSTANT
    if not types & {int, float}:
        return TEXT
    if name.endswith("_probability"):
        return PROBABILITY
    return MONEY if name.endswith(_MONEY_ENDS) else NUMBER


def _columns() -> dict[str, RiskColumn]:
    columns = {}
    for name in dict.fromkeys((*_FIRST_FIELDS, *LIST_FIELDS)):
        field = ChurnRiskOut.model_fields[name]
        if name != "reasons":
            columns[name] = RiskColumn(name, name, _kind_of(name, field.annotation), field.description or "")
            continue
        for place, column in enumerate(REASON_COLUMNS, 1):
            meaning = f"Why the risk is high or low: the reason that counts as number {place}"
            columns[column] = RiskColumn(column, name, TEXT, meaning)
    return columns


COLUMNS = _columns()
DEFAULT_COLUMNS = tuple(one for one in COLUMNS.values() if one.name not in {*_FOR_PROGRAMS, "previous_band"})


def chosen_columns(names: Sequence[str], *, with_previous: bool) -> tuple[RiskColumn, ...]:
    """The columns of the fields asked for, or all of them; raises the 422 that names an unknown one."""
    if not names:
        return (*DEFAULT_COLUMNS, COLUMNS["previous_band"]) if with_previous else DEFAULT_COLUMNS
    spread = [one for name in names for one in (REASON_COLUMNS if name == "reasons" else (name,))]
    for name in spread:
        if name not in COLUMNS:
            raise _unknown(name, COLUMNS)
    return tuple(COLUMNS[name] for name in dict.fromkeys(spread))


def chosen_fields(names: Sequence[str]) -> tuple[str, ...]:
    """The fields of a risk object asked for, none: all; raises the 422 that names an unknown one."""
    for name in names:
        if name not in LIST_FIELDS:
            raise _unknown(name, LIST_FIELDS)
    return tuple(dict.fromkeys(names))


def _unknown(name: str, known: Any) -> Problem:
    detail = f"{name[:60]!r} is not known; known are {', '.join(known)}"
    return invalid([FieldError("unknown_name", detail, parameter="fields")])
