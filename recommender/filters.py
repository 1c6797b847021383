"""A small language that says which items a list may show.

    category under "GROCERY > DAIRY" and price < 10 and not brand in ["A", "B"] and attributes.colour = "red"

Grammar (EBNF); words may be written in any case of letters::

    filter  = both { "or" both }
    both    = negated { "and" negated }
    negated = "not" negated | "(" filter ")" | term
    term    = field ( "=" | "!=" ) literal
            | field ( "<" | "<=" | ">" | ">=" ) ( number | instant )
            | field [ "not" ] "in" "[" literal { "," literal } "]"
            | field [ "not" ] "contains" text             (* whatever the case of letters *)
            | field [ "not" ] "under" text                (* a path or one below it *)
            | field "is" [ "not" ] "missing"
            | field                                       (* true or false alone: is_available *)
    field   = column of the items | "attributes" "." ( name | text )
    literal = text | number | instant | "true" | "false"
    text    = a JSON string          number = a JSON number
    instant = RFC 3339 with an offset, without quotes: 2024-05-01T00:00:00Z

A term about a missing value is false; see ``recommender.filter_terms``. The text has at most 5,000 characters, 200
terms, and 32 levels of ``not`` and parentheses.

The parser is a plain recursive descent: the language is smaller than what a parser library would ask to be told, it
loads nothing at the start of the server, and each error can name its place and its cure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommender.filter_parsing import Parser
from recommender.filter_terms import Item, Term


@dataclass(frozen=True)
class Filter:
    """A parsed filter; its text is the filter in the language, written plainly."""

    term: Term

    def __str__(self) -> str:
        return str(self.term)

    def allows(self, item_id: str, row: Mapping[str, Any] | None) -> bool:
        """Whether the filter lets an item pass; an item without a row has only its id."""
        return self.term.holds(Item(row if row is not None else {"item_id": item_id}))


def parse_filter(text: str) -> Filter:
    """The filter that a text says; raises FilterError, a SettingError that names the place and the cure."""
    return Filter(Parser(text).filter())
