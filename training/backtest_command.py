"""The command ``backtest``: what would have been answered at a cutoff, straight from a folder of tables."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from recommender.periods import instant
from training.backtest import backtest, history_of, write_metrics
from training.evaluate import evaluate
from training.html_report import write_report
from training.out_folder import prepare_out
from training.progress import shown
from training.session import Session
from training.settings import read_settings


@click.command("backtest")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--cutoff", "cutoff_text", required=True, help="Only rows before this instant are learned from.")
@click.option("--horizon-days", type=click.IntRange(1), required=True, help="How far all answers look.")
@click.option("--activity-days", type=click.IntRange(1), default=56, show_default=True, help="Who counts as active.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the answers.")
@click.option("--k", type=click.IntRange(1), default=10, show_default=True, help="Items per slate.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything that is random.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file over the default settings.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@click.pass_obj
def backtest_command(
    session: Session,
    folder: Path,
    cutoff_text: str,
    horizon_days: int,
    activity_days: int,
    out: Path,
    k: int,
    seed: int,
    config_file: Path | None,
    force: bool,
) -> None:
    """Train before a cutoff, write what is answered for every customer, and judge it on what came after."""
    settings = read_settings(config_file, horizon_days=horizon_days, activity_days=activity_days)
    cutoff = instant(cutoff_text)
    prepare_out(out, force=force)
    with tempfile.TemporaryDirectory(prefix="regulars-backtest-") as scratch:
        history = history_of(folder, Path(scratch), now=session.clock(), steps=shown)
        training, answers = backtest(history, settings, cutoff=cutoff, k=k, seed=seed, steps=shown)
        answers.write(out)
        metrics = evaluate(history, training, answers, settings, k=k, seed=seed)
    write_metrics(metrics, out)
    write_report(metrics, out / "report.html")
    click.echo(json.dumps({"judged": metrics["judged"], "shipped": metrics["shipped"], "out": str(out)}))
