"""The command ``regulars``."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import sys
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import Any

import click

from recommender.errors import RecommenderError
from training.config import read_config

# A command is imported when it is asked for: `regulars serve` loads no trainer.
COMMANDS: dict[str, str] = {
    "ingest": "training.data_commands:ingest_command",
    "import": "training.data_commands:import_command",
    "readiness": "training.data_commands:readiness_command",
    "tune": "training.tune_command:tune_command",
    "train": "training.train_commands:train_command",
    "models": "training.train_commands:models_command",
    "promote": "training.train_commands:promote_command",
    "rollback": "training.train_commands:rollback_command",
    "backtest": "training.backtest_command:backtest_command",
    "score": "training.answer_commands:score_command",
    "effects": "training.retention.effects_command:effects_command",
    "segments": "training.retention.segment_command:segments_command",
    "recommend": "training.answer_commands:recommend_command",
    "synthesize": "training.synthetic_command:synthesize_command",
    "demo": "training.demo:demo_command",
}
ENTRY_POINTS = "regulars.commands"
# A full, read-only, forbidden or broken disk.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


class CommandGroup(click.Group):
    """The commands of ``training``, and those that other packages offer as entry points."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, ours first."""
        return [*COMMANDS, *(entry.name for entry in entry_points(group=ENTRY_POINTS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or None."""
        if cmd_name in COMMANDS:
            module, name = COMMANDS[cmd_name].split(":")
            found: click.Command = getattr(importlib.import_module(module), name)
            return found
        return next((entry.load() for entry in entry_points(group=ENTRY_POINTS, name=cmd_name)), None)

    def main(self, *args: Any, **keywords: Any) -> Any:
        """Run a command; an error of ours, or a disk that takes no more, is one line on stderr and exit code 1."""
        try:
            return super().main(*args, **keywords)
        except RecommenderError as problem:
            click.echo(f"regulars: {problem}", err=True)
        except OSError as problem:
            if problem.errno not in DISK_ERRORS:
                raise
            where = f" {problem.filename}" if problem.filename else ""
            told = f"cannot write{where}: {problem.strerror}; make room or choose another folder, and run it again"
            click.echo(f"regulars: {told}", err=True)
        sys.exit(1)


@click.group(cls=CommandGroup)
@click.version_option(package_name="regulars")
@click.option("--verbose", is_flag=True, help="Log what is done, to stderr.")
@click.pass_context
def main(context: click.Context, verbose: bool) -> None:
    """Recommendations, offers and churn risk for every customer, on your own machines."""
    # Idle OpenMP threads sleep instead of spinning: two libraries share the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr)
    # How far long work has come is told where there is no terminal to show a bar on.
    logging.getLogger("training.progress").setLevel(logging.INFO)
    from training.session import Session

    context.obj = Session(read_config(os.environ), lambda: datetime.now(UTC))


if __name__ == "__main__":
    main()
