"""A report as one page that opens from disk: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from training.report_parts import Block, Heading, Section, Table

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(title: str, summary: Sequence[tuple[str, str]], sections: Sequence[Section]) -> str:
    """The page under a title, with a summary of names and values and then the sections."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests |= {name: partial(_is, kind) for name, kind in (("table", Table), ("heading", Heading))}
    return environment.get_template("report.html").render(title=title, summary=summary, sections=sections)


def _is(kind: type, block: Block) -> bool:
    return isinstance(block, kind)
