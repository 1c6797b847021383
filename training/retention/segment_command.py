"""The command that shows who the customers of a shop are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from recommender.json_text import json_text
from recommender.periods import instant, rfc3339
from training.out_folder import prepare_out
from training.pipeline import instant_after_last_event
from training.progress import shown
from training.retention.churn_training import definition_of
from training.retention.customer_base import customer_base_facts
from training.retention.segment_report import segment_page
from training.row_files import write_rows
from training.session import Session
from training.settings import read_settings

PAGE, DATA = "segments.html", "segments.json"


@click.command("segments")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write into.")
@click.option("--as-of", "as_of_text", help="Look at what was known before this instant; default: all.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file over the default settings.")
@click.option("--force", is_flag=True, help="Write also into a folder that holds something.")
@click.pass_obj
def segments_command(
    session: Session, out: Path, as_of_text: str | None, config_file: Path | None, force: bool
) -> None:
    """Write a page with cohorts, repurchase curves, lifecycle states and RFM, and the same as JSON and CSV."""
    settings = read_settings(config_file, tuned=session.config.tuned)
    with session.store() as store:
        history = session.history(store)
    as_of = instant(as_of_text) if as_of_text else instant_after_last_event(history)
    definition = definition_of(history, settings, as_of)
    prepare_out(out, force=force)
    facts = customer_base_facts(history, definition, as_of=as_of, steps=shown)
    write_segments(facts, out, as_of=rfc3339(as_of))
    click.echo(
        json.dumps({"as_of": rfc3339(as_of), "out": str(out), "files": sorted(one.name for one in out.iterdir())})
    )


def write_segments(facts: Mapping[str, Any], out: Path, *, as_of: str) -> None:
    """The page, the facts as JSON, and a CSV file of each of their parts."""
    (out / PAGE).write_text(segment_page(facts, as_of=as_of), encoding="utf-8")
    (out / DATA).write_text(json_text({"as_of": as_of, **facts}), encoding="utf-8")
    for name, (columns, rows) in _FILES.items():
        write_rows([{"as_of": as_of, **row} for row in rows(facts)], ("as_of", *columns), out / f"{name}.csv")


Rows = Iterator[dict[str, Any]]


def _cohort_rows(facts: Mapping[str, Any]) -> Rows:
    for one in facts["cohorts"]:
        for month, (ordered, amount) in enumerate(zip(one["ordered"], one["amount"], strict=True)):
            share = ordered / one["customers"]
            yield {**one, "month": month, "ordered": ordered, "share": round(share, 4), "amount": amount}


def _repurchase_rows(facts: Mapping[str, Any]) -> Rows:
    names = ("days", "share", "low", "high")
    for one in facts["repurchase"]:
        for point in zip(*(one[name] for name in names), strict=True):
            yield {**one, **dict(zip(names, point, strict=True))}


def _transition_rows(facts: Mapping[str, Any]) -> Rows:
    for one in facts["lifecycle"]["transitions"]:
        for origin, states in one["customers"].items():
            for state, customers in states.items():
                share = round(customers / (sum(states.values()) or 1), 4)
                yield {**one, "origin": origin, "state": state, "customers": customers, "share": share}


def _state_rows(facts: Mapping[str, Any]) -> Rows:
    for one in facts["lifecycle"]["states"]:
        for state, customers in one["customers"].items():
            yield {"at": one["at"], "state": state, "customers": customers}


def _group_rows(facts: Mapping[str, Any]) -> Rows:
    for name, one in facts["rfm"]["groups"].items():
        yield {"rfm_group": name, **one}


_FILES: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Rows]]] = {
    "cohorts": (("cohort", "customers", "month", "ordered", "share", "amount"), _cohort_rows),
    "repurchase": (("order", "customers", "days", "share", "low", "high"), _repurchase_rows),
    "transitions": (("from_at", "to_at", "origin", "state", "customers", "share"), _transition_rows),
    "states": (("at", "state", "customers"), _state_rows),
    "rfm_groups": (("rfm_group", "customers", "net_amount"), _group_rows),
}
