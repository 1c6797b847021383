"""The words, signs and literals that the text of a filter consists of."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from recommender.errors import SettingError
from recommender.periods import instant

NUMBER_LENGTH_AT_MOST = 40
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


def value_of(token: Token) -> Any:
    """The value of a literal; raises FilterError."""
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
