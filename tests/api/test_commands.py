"""``regulars keys`` and ``regulars serve``."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from training.cli import main


@pytest.fixture
def regulars(tmp_path, monkeypatch):
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REGULARS_STORE", raising=False)

    def run(*arguments):
        return CliRunner().invoke(main, arguments)

    return run


def test_a_key_is_printed_once_and_listed_without_it(regulars):
    made = json.loads(
        regulars("keys", "create", "--scope", "recs:read", "--scope", "admin", "--name", "shop", "--json").stdout
    )
    assert made["scopes"] == ["recs:read", "admin"]
    listed = regulars("keys", "list", "--json").stdout
    assert made["key"] not in listed
    assert [(key["key_id"], key["name"], key["revoked_at"]) for key in json.loads(listed)] == [
        (made["key_id"], "shop", None)
    ]
    plain = regulars("keys", "create", "--scope", "recs:read").stdout
    assert plain.startswith("rg_")
    assert len(plain.splitlines()) == 1


def test_a_revoked_key_is_listed_as_such(regulars):
    made = json.loads(regulars("keys", "create", "--scope", "recs:read", "--json").stdout)
    assert regulars("keys", "revoke", made["key_id"]).exit_code == 0
    (line,) = regulars("keys", "list").stdout.splitlines()
    assert line.startswith(f"{made['key_id']}\trevoked 20")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["keys", "create", "--scope", "everything"], "there is no scope 'everything'; there are: admin, "),
        (["keys", "revoke", "k1"], "there is no key 'k1'"),
        (["serve", "--port", "99999"], "REGULARS_PORT is 99999; it must be 0 to 65535"),
        (["serve", "--host", "0.0.0.0"], "bind 127.0.0.1 or require keys"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_in_one_line(regulars, monkeypatch, arguments, message):
    monkeypatch.setenv("REGULARS_API_KEYS_REQUIRED", "false")
    done = regulars(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_key_needs_a_scope(regulars):
    assert regulars("keys", "create").exit_code == 2


def test_a_server_whose_store_cannot_be_opened_ends_with_one_line(tmp_path):
    environment = {"REGULARS_HOME": str(tmp_path), "REGULARS_STORE": f"sqlite:///{tmp_path / 'no' / 'store.sqlite'}"}
    command = [sys.executable, "-m", "api.server"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"regulars: the store {tmp_path}")
    assert len(done.stderr.splitlines()) == 1
