"""One row of scores, and its form in the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa

from recommender.customer_answers import MAIN_DEFINITION, RiskReason
from recommender.periods import from_microseconds, to_microseconds
from recommender.store_schema import SCORES


@dataclass(frozen=True)
class ScoreRow:
    """The scores of one customer; see ``answers.ChurnRisk`` and ``answers.CustomerValue`` for the meaning.

    ``suggested_treatment`` is also told of who is held out, whose ``treatment`` is None: the treated are compared with
    them.
    """

    customer_id: str
    model_version: str
    as_of: datetime
    in_population: bool
    churn_probability: float | None
    horizon_days: int
    population: str
    band: str | None
    predicted_value: float | None
    historic_value: float | None
    expected_loss: float | None
    lever: str
    action: str
    reasons: tuple[RiskReason, ...]
    segment: str | None
    region: str | None
    order_count: int
    last_order_at: datetime | None
    definition: str = MAIN_DEFINITION
    treatment: str | None = None
    suggested_treatment: str | None = None
    is_holdout: bool = False
    consent_marketing: bool = True
    rfm: str | None = None
    churn_curve: tuple[tuple[int, float], ...] | None = None
    churn_curve_learned_days: int | None = None
    predicted_value_low: float | None = None
    predicted_value_high: float | None = None
    predicted_orders: float | None = None
    predicted_order_amount: float | None = None
    order_interval_days: float | None = None
    expected_next_order_at: datetime | None = None
    next_order_earliest_at: datetime | None = None
    next_order_latest_at: datetime | None = None
    base_log_odds: float | None = None
    other_log_odds: float | None = None


_NAMES = tuple(field.name for field in fields(ScoreRow))
_REASON_NAMES = tuple(field.name for field in fields(RiskReason))
_REASONS, _CURVE, _AS_OF = (_NAMES.index(name) for name in ("reasons", "churn_curve", "as_of"))
_INSTANTS = tuple(place for place, name in enumerate(_NAMES) if name.endswith("_at"))
SCORE_COLUMNS = [SCORES.c[name] for name in _NAMES]
_STORED = tuple(column.name for column in SCORES.columns)


def to_sql(row: ScoreRow, generation: int, facet: int) -> tuple[Any, ...]:
    """The values of a row of a scoring in the order of the columns of the table."""
    values = {name: getattr(row, name) for name in _NAMES}
    values["generation"], values["facet"] = generation, facet
    values["as_of"] = to_microseconds(row.as_of)
    for name in (_NAMES[place] for place in _INSTANTS):
        values[name] = None if values[name] is None else to_microseconds(values[name])
    values["reasons"] = json.dumps([[getattr(one, name) for name in _REASON_NAMES] for one in row.reasons])
    values["churn_curve"] = None if row.churn_curve is None else json.dumps(row.churn_curve)
    return tuple(values[name] for name in _STORED)


def from_sql(stored: Sequence[Any]) -> ScoreRow:
    """The row whose values were selected by ``SCORE_COLUMNS``."""
    values = list(stored)
    values[_AS_OF] = _moment(values[_AS_OF])
    values[_REASONS] = tuple(RiskReason(*one) for one in orjson.loads(values[_REASONS]))
    if values[_CURVE] is not None:
        values[_CURVE] = tuple(map(tuple, orjson.loads(values[_CURVE])))
    for place in _INSTANTS:
        if values[place] is not None:
            values[place] = from_microseconds(values[place])
    return ScoreRow(*values)


@lru_cache(maxsize=8)
def _moment(microseconds: int) -> datetime:
    # One scoring has one as_of.
    return from_microseconds(microseconds)


def stored_columns(names: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    """The columns of the names: instants are in microseconds, reasons as ``sentences_of`` reads them."""
    return [SCORES.c[name] for name in names]


def sentences_of(stored_reasons: str) -> list[str]:
    """The sentences of the reasons of a row, the strongest first."""
    return [one[1] for one in orjson.loads(stored_reasons)]
