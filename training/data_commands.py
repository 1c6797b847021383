"""The commands ``ingest``, ``import`` and ``readiness``: data in, and what can be made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from recommender.errors import RecommenderError
from recommender.periods import rfc3339
from training.importers import IMPORTERS, importer_named, run_import
from training.ingest import IngestReport, TableReport, check, ingest
from training.out_folder import prepare_out
from training.progress import shown
from training.readiness import Readiness, judge
from training.session import Session

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command("ingest")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check; store nothing.")
@click.option("--strict", is_flag=True, help="End with 1 where rows were refused.")
@click.option("--quarantine", type=click.Path(path_type=Path), help="Folder for rows refused, not that of the home.")
@as_json
@click.pass_obj
def ingest_command(
    session: Session, folder: Path, dry_run: bool, strict: bool, quarantine: Path | None, as_json: bool
) -> None:
    """Check the tables of FOLDER and store them; rows refused go into quarantine."""
    kept = quarantine
    if dry_run:
        report = check(folder, session.clock(), kept, shown)
    else:
        kept = quarantine or session.config.quarantine
        with session.store() as store:
            report = ingest(folder, store, kept, shown)
    _print(_ingest_json(report, kept) if as_json else _ingest_lines(report, kept))
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
    _fail_where_needed(report, strict, kept)


def _fail_where_needed(report: IngestReport, strict: bool, kept: Path | None) -> None:
    if report.stopped:
        done = ", ".join(one.table for one in report.tables) or "none"
        raise RecommenderError(f"{'; '.join(report.stopped.values())} (tables done: {done})")
    if strict and report.quarantined_count:
        where = f"see {kept}" if kept else "name a folder with --quarantine to see them"
        raise RecommenderError(f"{report.quarantined_count:,} rows were refused; {where}")


def _ingest_json(report: IngestReport, kept: Path | None) -> dict[str, Any]:
    return {
        "tables": [asdict(one) for one in report.tables],
        "stopped": dict(report.stopped),
        "warnings": list(report.warnings),
        "quarantine": None if kept is None else str(kept),
    }


def _ingest_lines(report: IngestReport, kept: Path | None) -> list[str]:
    lines = []
    for one in report.tables:
        lines.append(_counts_line(one))
        for code, count in one.quarantined.items():
            lines.append(f"  {code}: {count:,}" + (f" in {kept / one.table}.csv" if kept else ""))
    return lines


def _counts_line(one: TableReport) -> str:
    refused = sum(one.quarantined.values())
    return (
        f"{one.table}: {one.read:,} rows read, {one.accepted:,} accepted, {one.duplicates:,} duplicates, "
        f"{one.completed:,} completed, {refused:,} quarantined"
    )


@click.command("import")
@click.argument("name", type=click.Choice(list(IMPORTERS)))
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the tables.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@as_json
@click.pass_obj
def import_command(session: Session, name: str, path: Path | None, out: Path, force: bool, as_json: bool) -> None:
    """Turn the public files of NAME, found in PATH, into tables that ingest takes."""
    prepare_out(out, force=force)
    report = run_import(importer_named(name), path, out, now=session.clock(), steps=shown)
    if as_json:
        _print({"rows": report.rows, "left_out": report.left_out, "notes": report.notes, "out": str(out)})
        return
    counted = [f"{table}: {count:,} rows" for table, count in report.rows.items()]
    left_out = [f"left out, {reason}: {count:,}" for reason, count in report.left_out.items()]
    _print([*counted, *left_out, *(f"{note}: {count:,}" for note, count in report.notes.items())])


@click.command("readiness")
@as_json
@click.pass_obj
def readiness_command(session: Session, as_json: bool) -> None:
    """Say which answers the data held can support, and what is missing for the others."""
    with session.store() as store:
        verdict = judge(store)
    _print(_readiness_json(verdict) if as_json else _readiness_lines(verdict))


def _readiness_json(verdict: Readiness) -> dict[str, Any]:
    spans = {table: {"first": rfc3339(span.first), "last": rfc3339(span.last)} for table, span in verdict.spans.items()}
    return {"counts": verdict.counts, "spans": spans, "answers": [asdict(one) for one in verdict.answers]}


def _readiness_lines(verdict: Readiness) -> list[str]:
    held = [f"{table}: {count:,} rows{_between(verdict, table)}" for table, count in verdict.counts.items()]
    judged = [
        f"{'ready    ' if one.ready else 'not ready'}  {one.answer}" + (f": {one.missing}" if one.missing else "")
        for one in verdict.answers
    ]
    return [*(held or ["the store is empty; run the command ingest first"]), "", *judged]


def _between(verdict: Readiness, table: str) -> str:
    span = verdict.spans.get(table)
    return "" if span is None else f", {span.first:%Y-%m-%d} to {span.last:%Y-%m-%d}"


def _print(result: Mapping[str, Any] | list[str]) -> None:
    click.echo(json.dumps(result, ensure_ascii=False) if isinstance(result, Mapping) else "\n".join(result))
