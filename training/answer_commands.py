"""Commands that answer for many customers at once: scores for the lists, slates for mailings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click

from recommender.advisor import Advisor
from recommender.answers import Recommendations
from recommender.errors import SettingError
from recommender.periods import instant
from recommender.retention.risk_reasons import REASONS_AT_MOST
from recommender.score_rows import ScoreRow
from training.pipeline import instant_after_last_event
from training.progress import shown
from training.retention.scoring import keep_scores, scored_customers
from training.row_files import write_rows
from training.session import Session

SLATE_COLUMNS = ("customer_id", "rank", "item_id", "score", "strategy", "fallback", "reason", "recommendation_id")

# Whoever reads the file must not treat those who are held out.
_NOT_WRITTEN = ("reasons", "suggested_treatment")
SCORE_COLUMNS = (
    *(field.name for field in fields(ScoreRow) if field.name not in _NOT_WRITTEN),
    *(f"reason_{place}" for place in range(1, REASONS_AT_MOST + 1)),
)


@click.command("score")
@click.option("--as-of", "as_of_text", help="Score as of this instant; default: after the last event.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the scores to this CSV or Parquet file.")
@click.pass_obj
def score_command(session: Session, as_of_text: str | None, out: Path | None) -> None:
    """Score all customers with the served bundle and fill the lists that the API reads."""
    bundle = session.artifacts.load()
    with session.store() as store:
        history = session.history(store)
        as_of = instant(as_of_text) if as_of_text else max(instant_after_last_event(history), bundle.as_of)
        if as_of < bundle.as_of:
            raise SettingError(f"the served bundle knows what happened up to {bundle.as_of}; score as of then or later")
        rows = scored_customers(history, bundle, as_of=as_of, steps=shown)
        kept: list[dict[str, Any]] = []
        count = keep_scores(store.engine, _noted(rows, kept) if out else rows, bundle)
    if out:
        write_rows(kept, SCORE_COLUMNS, out)
    click.echo(json.dumps({"scored": count, "model_version": bundle.version, "as_of": as_of.isoformat()}))


def _noted(rows: Iterable[ScoreRow], kept: list[dict[str, Any]]) -> Iterator[ScoreRow]:
    for row in rows:
        sentences = {f"reason_{place}": reason.text for place, reason in enumerate(row.reasons, start=1)}
        kept.append(dict.fromkeys(SCORE_COLUMNS) | asdict(row) | sentences)
        yield row


@click.command("recommend")
@click.option("--placement", required=True, help="Where the lists are shown.")
@click.option("--customers", "customers_file", type=click.Path(path_type=Path), help="Text file, one id per line.")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="Items per customer.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="CSV or Parquet file to write.")
@click.pass_obj
def recommend_command(session: Session, placement: str, customers_file: Path | None, limit: int, out: Path) -> None:
    """Write what to show to many customers at a placement, with reasons: for mailings."""
    with session.store() as store:
        advisor = Advisor(store, session.artifacts, clock=session.clock)
        if advisor.bundle is None:
            raise SettingError(str(advisor.status()["problem"]))
        customers = read_ids(customers_file) if customers_file else advisor.bundle.customers.ids()
        rows = [
            row
            for customer_id in shown("recommend", customers)
            for row in slate_rows(advisor.recommend(customer_id, placement=placement, limit=limit))
        ]
    write_rows(rows, SLATE_COLUMNS, out)
    click.echo(json.dumps({"customers": len(customers), "rows": len(rows), "out": str(out)}))


def slate_rows(answer: Recommendations) -> Iterator[dict[str, Any]]:
    """One row per item of a list."""
    for item in answer.items:
        yield {
            "customer_id": answer.customer_id,
            "rank": item.rank,
            "item_id": item.item_id,
            "score": item.score,
            "strategy": item.strategy,
            "fallback": answer.fallback,
            "reason": item.reasons[0].text,
            "recommendation_id": answer.recommendation_id,
        }


def read_ids(path: Path) -> list[str]:
    """The ids of a text file, one per line; empty lines are left out."""
    try:
        return [line for line in path.read_text().splitlines() if line]
    except OSError as problem:
        raise SettingError(f"the list of customers {path} cannot be read: {problem.strerror}") from None
