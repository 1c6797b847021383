"""From the text of a filter to its terms; the grammar stands in ``recommender.filters``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from recommender.errors import SettingError
from recommender.filter_terms import (
    ORDERS,
    Compares,
    Contains,
    Equals,
    Field,
    Joined,
    Literal,
    Missing,
    Not,
    Term,
    Under,
)
from recommender.periods import instant
from recommender.tables import ATTRIBUTES
from recommender.touchpoints import table_named

LENGTH_AT_MOST = 5_000
TERMS_AT_MOST = 200
DEPTH_AT_MOST = 32
NUMBER_LENGTH_AT_MOST = 40
_LITERALS = frozenset({"text", "number", "instant"})
_KINDS = {"identifier": "text", "text": "text", "decimal": "number", "integer": "number", "boolean": "true or false",
          "instant": "instant"}  # fmt: skip
COLUMNS = {one.name: _KINDS[one.kind_name] for one in table_named("items").columns if one.name != ATTRIBUTES}
# No alternative can begin where another ends, so that no text makes the search go back.
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<instant>\d{4}-\d{2}-\d{2}[T ][0-9:.]+(?:[Zz]|[+-]\d{2}:\d{2})?|\d{4}-\d{2}-\d{2}(?![\d-]))
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign><=|>=|!=|[=<>()\[\],.])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class FilterError(SettingError):
    """A filter that cannot be read; ``position`` counts characters from 1."""

    def __init__(self, position: int, problem: str) -> None:
        super().__init__(f"character {position}: {problem}")
        self.position = position
        self.what = "filter"


@dataclass(frozen=True)
class Token:
    """One word, sign or literal, and where it begins (from 0)."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """What a keyword is compared by."""
        return self.text.lower() if self.kind == "name" else self.text if self.kind == "sign" else ""


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of a filter, an empty one of the kind ``end`` last; raises FilterError."""
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise FilterError(place + 1, _no_token(text[place]))
        if found.lastgroup != "space":
            yield Token(str(found.lastgroup), found.group(), place)
        place = found.end()
    yield Token("end", "", len(text))


def _no_token(character: str) -> str:
    if character == '"':
        return "this text has no end; close it with a double quote"
    if character == "'":
        return 'write texts in double quotes, as in brand = "A"'
    return f"{character!a} is no part of a filter; texts stand in double quotes"


class Parser:
    """Reads one filter; an object serves for one text."""

    def __init__(self, text: str) -> None:
        if len(text) > LENGTH_AT_MOST:
            raise FilterError(LENGTH_AT_MOST + 1, f"a filter has at most {LENGTH_AT_MOST} characters")
        self._tokens = list(tokens_of(text))
        self._place = 0
        self._depth = 0
        self._terms = 0

    def filter(self) -> Term:
        """The term that the whole text says."""
        if self._next.kind == "end":
            raise FilterError(1, "the filter is empty; leave it out or write one, as in price < 10")
        term = self._any()
        if self._next.kind != "end":
            raise self._error('expected "and", "or" or the end')
        return term

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        taken = self._next
        self._place += taken.kind != "end"
        return taken

    def _takes(self, word: str) -> bool:
        is_next = self._next.word == word
        self._place += is_next
        return is_next

    def _expect(self, word: str, why: str) -> None:
        if not self._takes(word):
            raise self._error(why)

    def _error(self, expected: str) -> FilterError:
        found = self._next
        shown = "the end" if found.kind == "end" else ascii(found.text[:40])
        return FilterError(found.start + 1, f"{expected}, found {shown}")

    def _any(self) -> Term:
        return self._joined("or", self._all)

    def _all(self) -> Term:
        return self._joined("and", self._negated)

    def _joined(self, word: str, part: Callable[[], Term]) -> Term:
        terms = [part()]
        while self._takes(word):
            terms.append(part())
        return terms[0] if len(terms) == 1 else Joined(word, tuple(terms))

    def _negated(self) -> Term:
        if self._next.word not in {"not", "("}:
            return self._term()
        self._depth += 1
        if self._depth > DEPTH_AT_MOST:
            raise FilterError(self._next.start + 1, f"more than {DEPTH_AT_MOST} levels; write the filter flatter")
        if self._takes("not"):
            term: Term = Not(self._negated())
        else:
            self._take()
            term = self._any()
            self._expect(")", 'expected "and", "or" or ")"')
        self._depth -= 1
        return term

    def _term(self) -> Term:
        self._terms += 1
        if self._terms > TERMS_AT_MOST:
            raise FilterError(self._next.start + 1, f"more than {TERMS_AT_MOST} terms; join equal fields with in [...]")
        field = self._field()
        if self._takes("is"):
            is_negated = self._takes("not")
            self._expect("missing", 'expected "missing" after "is"')
            return Not(Missing(field)) if is_negated else Missing(field)
        if self._takes("!="):
            return Not(Equals(field, (self._literal(field),)))
        if self._takes("="):
            return Equals(field, (self._literal(field),))
        if self._next.word in ORDERS:
            return Compares(field, self._take().word, self._ordered(field))
        return self._by_word(field)

    def _by_word(self, field: Field) -> Term:
        is_negated = self._next.word == "not" and self._tokens[self._place + 1].word in {"in", "contains", "under"}
        self._place += is_negated
        if self._takes("in"):
            term: Term = Equals(field, self._list(field), is_list=True)
        elif self._takes("contains"):
            term = Contains(field, self._text(field))
        elif self._takes("under"):
            term = Under(field, self._text(field))
        elif field.is_attribute or COLUMNS[field.name] == "true or false":
            term = Equals(field, (True,))
        else:
            raise self._error(f"expected what {field} is compared with, as in {_example(field)}")
        return Not(term) if is_negated else term

    def _field(self) -> Field:
        token = self._next
        if token.kind != "name":
            raise self._error("expected a field")
        if token.text in COLUMNS:
            return Field(self._take().text)
        if token.text != ATTRIBUTES:
            known = ", ".join(COLUMNS)
            raise FilterError(
                token.start + 1, f"there is no field {token.text[:40]!r}; there are {known} and {ATTRIBUTES}.<name>"
            )
        self._take()
        self._expect(".", f'expected "." and a name after "{ATTRIBUTES}"')
        if self._next.kind == "text":
            return Field(self._value(self._take()), is_attribute=True)
        if self._next.kind != "name":
            raise self._error("expected the name of an attribute")
        return Field(self._take().text, is_attribute=True)

    def _list(self, field: Field) -> tuple[Literal, ...]:
        self._expect("[", 'expected "[" after "in"')
        literals = [self._literal(field)]
        while self._takes(","):
            literals.append(self._literal(field))
        self._expect("]", 'expected "," or "]"')
        return tuple(literals)

    def _literal(self, field: Field) -> Literal:
        token = self._next
        is_boolean = token.word in {"true", "false"}
        if token.kind not in _LITERALS and not is_boolean:
            raise self._error("expected a text in double quotes, a number, an instant, true or false")
        found = "true or false" if is_boolean else token.kind
        expected = None if field.is_attribute else COLUMNS[field.name]
        if expected not in {None, found}:
            raise self._error(f"{field} is compared with a value of the kind {expected}")
        self._take()
        return token.word == "true" if is_boolean else self._value(token)

    def _ordered(self, field: Field) -> Literal:
        if self._next.kind not in {"number", "instant"}:
            raise self._error("expected a number or an instant")
        return self._literal(field)

    def _text(self, field: Field) -> str:
        if self._next.kind != "text":
            raise self._error("expected a text in double quotes")
        return str(self._literal(field))

    def _value(self, token: Token) -> Any:
        try:
            return _VALUES[token.kind](token.text)
        except (ValueError, OverflowError, SettingError):
            raise FilterError(token.start + 1, f"{token.text[:40]!a} {_CURES[token.kind]}") from None


def _number(text: str) -> int | float:
    if len(text) > NUMBER_LENGTH_AT_MOST:
        raise ValueError(text)
    value = json.loads(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value  # type: ignore[no-any-return]


_VALUES: dict[str, Callable[[str], Any]] = {
    "text": lambda text: json.loads(text, strict=False),
    "number": _number,
    "instant": instant,
}
_CURES = {
    "text": "is no JSON string; write a backslash as two",
    "number": f"is no JSON number of at most {NUMBER_LENGTH_AT_MOST} characters",
    "instant": "is no instant; write it as 2017-12-04T04:05:00Z",
}


def _example(field: Field) -> str:
    examples = {"text": '= "A"', "number": "< 10", "instant": "> 2024-05-01T00:00:00Z"}
    return f"{field} {examples[COLUMNS[field.name]]}"
