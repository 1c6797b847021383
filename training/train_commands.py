"""Commands that make bundles and choose the one that is served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from recommender.artifact_store import ArtifactStore
from recommender.errors import ArtifactError, SettingError
from recommender.periods import instant
from training.html_report import write_report
from training.pipeline import instant_after_last_event, train
from training.progress import shown
from training.report import report_text
from training.session import Session
from training.settings import read_settings


@click.command("train")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file over the default settings.")
@click.option("--as-of", "as_of_text", help="Train on what was known before this instant; default: all.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything that is random.")
@click.option("--promote/--no-promote", default=True, help="Serve the bundle where the gate lets it pass.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest instead of the report.")
@click.pass_obj
def train_command(
    session: Session, config_file: Path | None, as_of_text: str | None, seed: int, promote: bool, as_json: bool
) -> None:
    """Fit all models, judge them on the past, write a bundle, and serve it if the gate lets it pass."""
    settings = read_settings(config_file, tuned=session.config.tuned)
    artifacts = session.artifacts
    with session.store() as store:
        history = session.history(store)
    as_of = instant(as_of_text) if as_of_text else instant_after_last_event(history)
    training = train(history, settings, as_of=as_of, seed=seed, steps=shown, served=artifacts.served_manifest())
    version = artifacts.save(training.bundle)
    _report(artifacts, version, as_json)
    page = session.config.reports / f"{version}.html"
    write_report(artifacts.manifest(version), page)
    click.echo(f"report: {page}", err=True)
    if promote and training.verdict.passed:
        artifacts.promote(version, at=session.clock())
        click.echo(f"served: {version}", err=True)
    elif promote:
        raise SettingError(f"{version} was kept but is not served: {'; '.join(training.verdict.objections)}")


def _report(artifacts: ArtifactStore, version: str, as_json: bool) -> None:
    manifest = artifacts.manifest(version)
    click.echo(json.dumps(manifest, indent=2, sort_keys=True) if as_json else report_text(manifest))


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="Print the manifests.")
@click.pass_obj
def models_command(session: Session, as_json: bool) -> None:
    """List all bundles with their figures, and mark the one that is served."""
    artifacts = session.artifacts
    current = artifacts.current()
    manifests, problems = _manifests(artifacts)
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)
    if as_json:
        click.echo(json.dumps({"current": current, "versions": manifests}, indent=2, sort_keys=True))
        return
    for manifest in manifests:
        click.echo(f"{'*' if manifest['version'] == current else ' '} {manifest['version']}  {_figures(manifest)}")
    if not manifests and not problems:
        click.echo("there is no bundle yet; run the command train")


def _manifests(artifacts: ArtifactStore) -> tuple[list[dict[str, Any]], list[ArtifactError]]:
    """The manifests of all versions that have one, and what is wrong with the others."""
    manifests, problems = [], []
    for version in artifacts.versions():
        try:
            manifests.append(artifacts.manifest(version))
        except ArtifactError as problem:
            problems.append(problem)
    return manifests, problems


def _figures(manifest: dict[str, Any]) -> str:
    answers = manifest["answers"].items()
    return ", ".join(f"{answer}: {facts['shipped']}" for answer, facts in answers)


@click.command("promote")
@click.argument("version")
@click.pass_obj
def promote_command(session: Session, version: str) -> None:
    """Serve a bundle, whatever the gate says of it."""
    session.artifacts.promote(version, at=session.clock())
    click.echo(f"served: {version}")


@click.command("rollback")
@click.pass_obj
def rollback_command(session: Session) -> None:
    """Serve the bundle that the current one replaced."""
    click.echo(f"served: {session.artifacts.rollback()}")
