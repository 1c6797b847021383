"""The command ``synthesize``: a company whose truth is known, in any size."""

from __future__ import annotations

from pathlib import Path

import click

from recommender.errors import SettingError
from recommender.periods import instant, rfc3339
from recommender.touchpoints import TABLES
from training.progress import shown
from training.synthetic import DEFAULT_UNTIL, Plan, synthesize


@click.command("synthesize")
@click.option("--customers", type=click.IntRange(min=1), required=True, help="How many customers sign up.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed, the same files.")
@click.option("--until", default=rfc3339(DEFAULT_UNTIL), show_default=True, help="End of the two years that are made.")
@click.option("--items", type=click.IntRange(min=1), default=2_000, show_default=True, help="Size of the catalogue.")
@click.option(
    "--out", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write into."
)
@click.option("--force", is_flag=True, help="Replace the company that is in the folder.")
def synthesize_command(customers: int, seed: int, until: str, items: int, folder: Path, force: bool) -> None:
    """Write the tables of a company that never was, about 50 order lines per customer, and the truth behind them."""
    plan = Plan(customers, seed, until=instant(until), items=items)
    _make_room(folder, force)
    counts = synthesize(plan, folder, shown)
    for name in TABLES:
        click.echo(f"{name}: {counts[name]:,} rows")


def _make_room(folder: Path, force: bool) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not force:
        raise SettingError(f"{folder} is not empty; choose another folder or add --force")
    # Only what an earlier run of this command wrote: parts of a larger company would mix with the new ones.
    for name in TABLES:
        for part in sorted((folder / name).glob("part-*.parquet")):
            part.unlink()
    for truth in sorted((folder / "truth").glob("*.parquet")):
        truth.unlink()
