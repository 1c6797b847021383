"""The command ``effects``: what the treatments brought, measured against those held out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from recommender.customer_answers import MAIN_DEFINITION
from recommender.errors import UnknownName
from recommender.periods import instant
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.effect_answers import MeasuredEffects
from recommender.retention.effect_store import keep_effects
from recommender.retention.suggestion_store import first_suggestions
from recommender.retention.treatment_settings import policy_of
from training.out_folder import prepare_out
from training.pipeline import instant_after_last_event
from training.progress import shown
from training.retention.effect_measuring import measure_effects
from training.retention.effect_report import effects_text, write_effects_page
from training.session import Session

PAGE = "effects.html"


@click.command("effects")
@click.option("--as-of", "as_of_text", help="Measure what was known before this instant; default: all.")
@click.option("--definition", default=MAIN_DEFINITION, show_default=True, help="The definition of churn.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON instead of the text.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write a page with plots into this folder.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@click.pass_obj
def effects_command(
    session: Session, as_of_text: str | None, definition: str, as_json: bool, out: Path | None, force: bool
) -> None:
    """Measure what each treatment brought against the customers held out, and keep it for the API."""
    if out is not None:
        prepare_out(out, force=force)
    measured = _measured(session, as_of_text, definition)
    if out is not None:
        write_effects_page(measured, out / PAGE)
        click.echo(f"report: {out / PAGE}", err=True)
    click.echo(measured.to_json() if as_json else effects_text(measured), nl=not as_json)


def _measured(session: Session, as_of_text: str | None, name: str) -> MeasuredEffects:
    facts = session.artifacts.manifest()
    definition = _definition(facts, name)
    policy = policy_of(facts)
    with session.store() as store:
        history = session.history(store)
        as_of = instant(as_of_text) if as_of_text else instant_after_last_event(history)
        suggestions = first_suggestions(store.engine, name, policy.experiment, before=as_of)
        measured = measure_effects(history, suggestions, policy, definition, as_of=as_of, steps=shown)
        keep_effects(store.engine, measured, as_of=as_of)
    return measured


def _definition(facts: dict[str, Any], name: str) -> ChurnDefinition:
    told = (facts["churn"], *facts.get("churn_also", {}).values())
    trained = {one["definition"]["name"]: one["definition"] for one in told}
    if name not in trained:
        raise UnknownName("definition of churn", name, trained)
    return ChurnDefinition(**trained[name])
