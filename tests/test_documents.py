"""The documents say what the code does."""

import configparser
import re
from pathlib import Path

import pytest

from recommender.tables import ATTRIBUTES
from recommender.touchpoints import TABLES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "tests").rglob("*.md")])
IN_TEXT = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def table_under(heading: str) -> list[list[str]]:
    """Cells of the first table below a heading of README, without its two head lines."""
    section = README.split(f"\n{heading}\n", 1)[1]
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
