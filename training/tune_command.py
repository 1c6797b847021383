"""The command ``tune``: search settings on past windows and write them to the configuration."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click

from recommender.periods import instant
from training.pipeline import instant_after_last_event
from training.progress import shown
from training.session import Session
from training.settings import read_settings
from training.tuning import DEFAULT_GRID, Tried, best_of, read_grid, to_toml, tune, within


@click.command("tune")
@click.option("--cells", type=click.IntRange(1), help="Try at most so many settings.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Begin no further setting after so long.")
@click.option("--grid", type=click.Path(path_type=Path), default=DEFAULT_GRID, help="TOML file of what to try.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file over the default settings.")
@click.option("--as-of", "as_of_text", help="Look only at what was known before this instant; default: all.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything that is random.")
@click.pass_obj
def tune_command(
    session: Session,
    cells: int | None,
    minutes: float | None,
    grid: Path,
    config_file: Path | None,
    as_of_text: str | None,
    seed: int,
) -> None:
    """Search settings of the recommenders on past windows; `train` uses what was found from then on.

    Give --cells or --minutes as the budget; without either everything of the grid is tried.
    """
    settings, wanted = read_settings(config_file), read_grid(grid)
    with session.store() as store:
        history = session.history(store)
    as_of = instant(as_of_text) if as_of_text else instant_after_last_event(history)
    budget = partial(within, at_most=cells, minutes=minutes)
    tried = tune(history, settings, wanted, as_of=as_of, budget=budget, seed=seed, steps=shown)
    best = best_of(tried)
    for one in tried:
        click.echo(f"{'*' if one is best.get(one.cell.recommender) else ' '} {_line(one)}")
    session.config.tuned.write_text(to_toml(settings, best))
    click.echo(f"written: {session.config.tuned}", err=True)


def _line(tried: Tried) -> str:
    cell = tried.cell
    result = f"NDCG@10 {tried.ndcg:.4f}" if tried.ndcg is not None else f"left out: {tried.problem}"
    return f"{cell.recommender:<20} {cell.slate:<4} {result}  {json.dumps(dict(cell.keywords))}"
