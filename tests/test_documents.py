"""The documents say what the code does."""

import configparser
import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from apiflask import APIFlask

from api.config import MEANINGS, Settings, variable_of
from api.documentation import BEARER, install_documentation
from api.identifiers import IdentifierConverter
from api.views import VIEWS
from recommender.tables import ATTRIBUTES
from recommender.touchpoints import TABLES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "tests").rglob("*.md")])
IN_TEXT = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def table_under(text: str) -> list[list[str]]:
    """Cells of the first table of README after a text, without its two head lines."""
    section = README.split(text, 1)[1]
    rows = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def anchors_of(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> list[str]:
    text = IN_TEXT.sub("", document.read_text())
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    return [target for target in targets if not leads_somewhere(document, target)]


def leads_somewhere(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = document.parent / path if path else document
    return file.exists() and (not anchor or anchor in anchors_of(file))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_inside_the_project_leads_somewhere(document):
    assert broken_links(document) == []


def test_the_newest_entry_of_the_changelog_is_the_version():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert newest == setup["metadata"]["version"]


def test_readme_begins_with_the_two_commands():
    assert "make demo" in README
    assert "make test" in README
    assert README.index("make demo") < README.index("## Your own data")


def test_every_make_target_in_a_document_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        spans = IN_TEXT.findall(document.read_text())
        named = {name for span in spans for name in re.findall(r"\bmake ([a-z][a-z-]*)", span)}
        assert named <= targets, document.name


def test_readme_lists_every_table_with_its_columns_in_order():
    listed = {names_in(name)[0]: names_in(columns) for name, columns in table_under("## Your own data")}
    declared = {
        name: [column for column in table.column_names if column != ATTRIBUTES] for name, table in TABLES.items()
    }
    assert listed == declared


def test_readme_marks_the_columns_that_every_row_must_fill():
    listed = {
        names_in(name)[0]: re.findall(r"\*\*`([^`]+)`\*\*", columns)
        for name, columns in table_under("## Your own data")
    }
    assert listed == {name: list(table.required_names) for name, table in TABLES.items()}


def shown(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_readme_lists_every_variable_with_its_default_and_meaning():
    listed = [
        [*names_in(name), *(names_in(default) or [""]), meaning]
        for name, default, meaning in table_under("## Settings")
    ]
    declared = [[variable_of(one.name), shown(one.default), MEANINGS[one.name]] for one in fields(Settings)]
    assert listed == declared


SHOWN_APART = ("recommenders", "generators", "placements", "treatments", "churn", "churn_also")


def test_readme_lists_every_key_of_a_training_with_its_default():
    settings = pytest.importorskip("training.settings")
    defaults = tomllib.loads(settings.DEFAULT_CONFIG.read_text())
    plain = {one.name for one in fields(settings.TrainingSettings)} - set(SHOWN_APART)
    expected = {"generators": ""} | {name: str(defaults[name]) for name in plain}
    rows = table_under("What a training does comes from")
    listed = {names_in(key)[0]: "".join(names_in(default)) for key, default, _ in rows}
    named = ("[recommenders.<name>]", "[placements.<name>]", "[churn]", "[churn_also.<name>]", "[treatments]")
    assert listed == expected | dict.fromkeys(named, "")


def test_readme_lists_every_key_of_a_definition_of_churn_with_its_default():
    settings = pytest.importorskip("training.retention.churn_settings")
    defaults = {one.name: one.default for one in fields(settings.ChurnDefinition)}
    required = {"outcome", "horizon_days", "activity_days"}
    expected = {name: "" if name in required else shown_as_toml(defaults[name]) for name in settings.KEYS}
    rows = table_under("### What leaving means")
    assert {names_in(key)[0]: "".join(names_in(default)) for key, default, _ in rows} == expected


def shown_as_toml(value) -> str:
    return json.dumps(value) if isinstance(value, str | tuple) else str(value)


@pytest.fixture
def app():
    app = APIFlask("api", docs_oauth2_redirect_path=None)
    app.url_map.converters["identifier"] = IdentifierConverter
    install_documentation(app)
    for views in VIEWS:
        app.register_blueprint(views)
    return app


def endpoint_of(rule) -> str:
    method = next(iter(rule.methods - {"HEAD", "OPTIONS"}))
    path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
    return f"{method} {path}"


def scopes_of(specification) -> dict[str, str]:
    return {
        f"{method.upper()} {path}": next((scope for one in operation.get("security", []) for scope in one[BEARER]), "")
        for path, methods in specification["paths"].items()
        for method, operation in methods.items()
    }


def test_readme_lists_every_endpoint(app):
    listed = {names_in(endpoint)[0] for endpoint, _, _ in table_under("## Endpoints")}
    assert listed == {endpoint_of(rule) for rule in app.url_map.iter_rules() if "static" not in rule.endpoint}


def test_readme_gives_the_scope_of_every_endpoint(app):
    listed = {names_in(endpoint)[0]: "".join(names_in(scope)) for endpoint, scope, _ in table_under("## Endpoints")}
    declared = scopes_of(app.spec)
    assert {endpoint: scope for endpoint, scope in listed.items() if endpoint in declared} == declared
