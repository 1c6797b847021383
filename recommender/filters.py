"""A small language that says which items a list may show, and in ``segment_rules`` which customers belong together.

    category under "GROCERY > DAIRY" and price < 10 and not brand in ["A", "B"] and attributes.colour = "red"
    attributes.size = customer.attributes.size

Grammar (EBNF); words may be written in any case of letters::

    filter  = both { "or" both }
    both    = negated { "and" negated }
    negated = "not" negated | "(" filter ")" | term
    term    = field ( "=" | "!=" ) operand
            | field ( "<" | "<=" | ">" | ">=" ) ( number | instant | theirs )
            | field [ "not" ] "in" "[" operand { "," operand } "]"
            | field [ "not" ] "contains" ( text | theirs )   (* whatever the case of letters *)
            | field [ "not" ] "under" ( text | theirs )      (* a path or one below it *)
            | field "is" [ "not" ] "missing"
            | field                                          (* true or false alone: is_available *)
    field   = column of the items | attribute | theirs
    theirs  = "customer" "." ( column of the customers, no consent | attribute )
    attribute = "attributes" "." ( name | text )
    operand = text | number | instant | "true" | "false" | theirs
    text    = a JSON string          number = a JSON number
    instant = RFC 3339 with an offset, without quotes: 2024-05-01T00:00:00Z

A term about a missing value is false; see ``recommender.filter_terms``. The text has at most 5,000 characters, 200
terms, and 32 levels of ``not`` and parentheses.

The parser is a plain recursive descent: the language is smaller than what a parser library would ask to be told, it
loads nothing at the start of the server, and each error can name its place and its cure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from recommender.filter_parsing import ITEMS, Parser, Vocabulary
from recommender.filter_terms import Owner, Pair, Term


@dataclass(frozen=True)
class Filter:
    """A parsed filter; its text is the filter in the language, written plainly."""

    term: Term

    def __str__(self) -> str:
        return str(self.term)

    def for_customer(self, customer: Mapping[str, Any] | None) -> Callable[[str, Mapping[str, Any] | None], bool]:
        """Whether the filter lets an item pass, by its id and row, for a customers row; None where nobody is known."""
        who = Owner(customer or {})

        def allows(item_id: str, row: Mapping[str, Any] | None) -> bool:
            return self.term.holds(Pair(Owner(row if row is not None else {"item_id": item_id}), who))

        return allows

    def allows(self, row: Mapping[str, Any]) -> bool:
        """Whether the filter lets a row pass where nobody asks."""
        return self.term.holds(Pair(Owner(row), Owner({})))


def parse_filter(text: str, vocabulary: Vocabulary = ITEMS) -> Filter:
    """The filter that a text says; raises FilterError, a SettingError that names the place and the cure."""
    return Filter(Parser(text, vocabulary).filter())
