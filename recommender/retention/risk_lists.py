"""The churn list from the last scoring: page by page, as a whole, and how customers moved between its bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from recommender.customer_answers import ChurnRisk, RiskFilter, RiskPage
from recommender.retention.told_curves import told
from recommender.score_history import ScoreHistory
from recommender.score_rows import ScoreRow, stored_columns
from recommender.score_store import STREAM_ROWS, ScoreStore


def page(
    scores: ScoreStore, history: ScoreHistory, wanted: RiskFilter, *, sort: str, cursor: str | None, limit: int
) -> RiskPage:
    """One page of the list."""
    at_scoring = _at_scoring(history, wanted)
    rows, next_cursor = scores.page(at_scoring, sort=sort, cursor=cursor, limit=limit)
    return RiskPage(tuple(_risks_of(rows, history, at_scoring)), next_cursor)


def stream(scores: ScoreStore, history: ScoreHistory, wanted: RiskFilter, *, sort: str) -> Iterator[ChurnRisk]:
    """The whole list."""
    at_scoring = _at_scoring(history, wanted)
    return _all_risks(scores.stream(at_scoring, sort=sort), history, at_scoring)


def stream_stored(
    scores: ScoreStore, wanted: RiskFilter, names: Sequence[str], *, sort: str
) -> Iterator[Sequence[Sequence[Any]]]:
    """Chosen columns of the whole list as they are stored, many rows at a time; for ``wanted`` without ``since``."""
    return scores.stream_stored(wanted, stored_columns(names), sort=sort)


def count(scores: ScoreStore, history: ScoreHistory, wanted: RiskFilter, *, at_most: int) -> int:
    """How many customers are on the list, counted up to a bound."""
    return scores.count(_at_scoring(history, wanted), at_most=at_most)


def _at_scoring(history: ScoreHistory, wanted: RiskFilter) -> RiskFilter:
    """The filter with the instant of a scoring in place of the one that was asked about."""
    if wanted.since is None:
        return wanted
    return replace(wanted, since=history.scoring_at(wanted.since, wanted.definition))


def _all_risks(rows: Iterator[ScoreRow], history: ScoreHistory, wanted: RiskFilter) -> Iterator[ChurnRisk]:
    while some := list(islice(rows, STREAM_ROWS)):
        yield from _risks_of(some, history, wanted)


def _risks_of(rows: Sequence[ScoreRow], history: ScoreHistory, wanted: RiskFilter) -> Iterator[ChurnRisk]:
    if wanted.since is None:
        return map(risk_of, rows)
    bands = history.bands_at(wanted.since, [row.customer_id for row in rows], wanted.definition)
    return (replace(risk_of(row), previous_band=bands.get(row.customer_id)) for row in rows)


def risk_of(row: ScoreRow) -> ChurnRisk:
    """What a row of scores answers."""
    return ChurnRisk(
        customer_id=row.customer_id,
        customer_known=True,
        in_population=row.in_population,
        churn_probability=row.churn_probability,
        horizon_days=row.horizon_days,
        population=row.population,
        band=row.band,
        expected_loss=row.expected_loss,
        predicted_value=row.predicted_value,
        lever=row.lever,
        action=row.action,
        reasons=tuple(row.reasons),
        model_version=row.model_version,
        as_of=row.as_of,
        definition=row.definition,
        segment=row.segment,
        region=row.region,
        treatment=row.treatment,
        is_holdout=row.is_holdout,
        consent_marketing=row.consent_marketing,
        last_order_at=row.last_order_at,
        expected_next_order_at=row.expected_next_order_at,
        next_order_earliest_at=row.next_order_earliest_at,
        next_order_latest_at=row.next_order_latest_at,
        order_interval_days=row.order_interval_days,
        churn_curve=None if row.churn_curve is None else told(row.churn_curve, row.horizon_days),
        churn_curve_learned_days=row.churn_curve_learned_days,
        scored_at=row.as_of,
        base_log_odds=row.base_log_odds,
        other_log_odds=row.other_log_odds,
    )
