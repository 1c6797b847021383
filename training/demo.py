"""The command ``demo``: everything on the real data of a grocery chain, from the public files to requests answered."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from recommender.artifact_store import ArtifactStore
from recommender.errors import RecommenderError
from training.session import Session

SCOPES = ("recs:read", "risk:read", "events:write")


class DemoFailed(RecommenderError):
    """A step of the demo failed; the step itself has said why."""


@dataclass(frozen=True)
class Request:
    """A request to try; with a body it is a POST."""

    meaning: str
    url: str
    body: Mapping[str, Any] | None = field(default=None)

    def as_curl(self) -> str:
        """The request as a line for a shell that knows ``$KEY``."""
        sent = f" --json {shlex.quote(json.dumps(self.body))}" if self.body else ""
        return f'curl -s -H "Authorization: Bearer $KEY" {shlex.quote(self.url)}{sent}'

    def answer(self, key: str) -> Any:
        """Make the request; raises OSError where it is refused."""
        data = json.dumps(self.body).encode() if self.body else None
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url, data, headers), timeout=30) as response:
            return json.load(response)


@click.command("demo")
@click.option("--once", is_flag=True, help="Make the requests, print the answers, stop the server and end.")
@click.option("--port", default=8000, show_default=True, help="Port of the server; 0 takes a free one.")
@click.pass_obj
def demo_command(session: Session, once: bool, port: int) -> None:
    """Import the Complete Journey data, train, score, serve on loopback, and show requests to try."""
    # A home of its own: the demo never mixes with a shop's data.
    home = session.config.home / "demo"
    environment = {name: value for name, value in os.environ.items() if name != "REGULARS_STORE"}
    environment["REGULARS_HOME"] = str(home)
    prepare(home, environment)
    key = json.loads(_output(["keys", "create", *_scope_options(), "--name", "demo", "--json"], environment))["key"]
    with served(port, environment) as url:
        requests = requests_to_try(ArtifactStore(home / "artifacts"), url)
        click.echo(f"\nKEY={key}")
        for request in requests:
            click.echo(f"\n# {request.meaning}\n{request.as_curl()}")
            if once:
                click.echo(json.dumps(request.answer(key), indent=2, ensure_ascii=False))
        if not once:
            click.echo(f"\nThe API runs at {url} (documentation: {url}/docs) until you press Ctrl-C.")
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


def prepare(home: Path, environment: Mapping[str, str]) -> None:
    """From the public files to a served bundle and scores; steps that change nothing are quick the second time."""
    tables = home / "tables"
    _run(["import", "completejourney", "--out", str(tables), "--force"], environment)
    _run(["ingest", str(tables)], environment)
    _run(["train"], environment)
    _run(["score"], environment)


def requests_to_try(artifacts: ArtifactStore, url: str) -> list[Request]:
    """Five requests about a household of the data and what it buys."""
    bundle = artifacts.load()
    customer_id = bundle.customers[0]
    item_id = bundle.items[int(bundle.slates["all"].positions[0][0])]
    customer = f"{url}/v1/customers/{quote(customer_id, safe='')}"
    event = {"event_id": "demo-1", "kind": "view", "customer_id": customer_id, "item_id": item_id}
    happened = {"occurred_at": bundle.facts["as_of"]}
    return [
        Request(f"What to show household {customer_id}", f"{customer}/recommendations?limit=5&include=properties"),
        Request(f"How likely household {customer_id} is to leave, and why", f"{customer}/churn-risk"),
        Request("Whom the company is about to lose, costliest first", f"{url}/v1/churn-risks?limit=3"),
        Request(f"What goes with item {item_id}", f"{url}/v1/items/{quote(item_id, safe='')}/similar?limit=3"),
        Request(f"Household {customer_id} looks at item {item_id}", f"{url}/v1/events", {**event, **happened}),
    ]


@contextmanager
def served(port: int, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of a server on loopback, which is stopped at the end."""
    command = [sys.executable, "-m", "training.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    click.echo(f"\n$ {_shown(command[3:])}", err=True)
    # A session of its own: Ctrl-C reaches the demo, which then stops the server.
    with subprocess.Popen(
        command, env=dict(environment), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            if not address:
                raise DemoFailed("the server did not start; see the lines above")
            yield address
        finally:
            server.terminate()


def _scope_options() -> list[str]:
    return [part for scope in SCOPES for part in ("--scope", scope)]


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command of ours; what it prints is shown as it comes."""
    click.echo(f"\n$ {_shown(arguments)}", err=True)
    _checked(arguments, environment, stdout=None)


def _output(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a command of ours and return what it prints."""
    return str(_checked(arguments, environment, stdout=subprocess.PIPE).stdout)


def _checked(
    arguments: Sequence[str], environment: Mapping[str, str], *, stdout: int | None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.cli", *arguments]
    done = subprocess.run(command, env=dict(environment), check=False, stdout=stdout, text=True)
    if done.returncode:
        raise DemoFailed(f"`{_shown(arguments)}` ended with exit code {done.returncode}; see the lines above")
    return done


def _shown(arguments: Sequence[str]) -> str:
    return shlex.join(["regulars", *arguments])
