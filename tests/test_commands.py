"""The command line explains itself."""

from collections.abc import Iterator

import click
import pytest

from training.cli import main

pytest.importorskip("api.commands")


def commands_of(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{path} {name}")


def test_every_command_has_a_sentence_of_help():
    missing = [path for path, command in commands_of(main, "regulars") if not (command.help or "").strip()]
    assert missing == []


def test_every_option_has_help():
    missing = [
        f"{path} {option.opts[0]}"
        for path, command in commands_of(main, "regulars")
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert missing == []
