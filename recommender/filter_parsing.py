"""From the text of a filter to its terms; the grammar stands in ``recommender.filters``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recommender.filter_terms import (
    CUSTOMER,
    ORDERS,
    Compares,
    Contains,
    Equals,
    Field,
    Joined,
    Missing,
    Not,
    Operand,
    Term,
    Under,
)
from recommender.filter_tokens import FilterError, Token, tokens_of, value_of
from recommender.tables import ATTRIBUTES
from recommender.touchpoints import table_named

LENGTH_AT_MOST = 5_000
TERMS_AT_MOST = 200
DEPTH_AT_MOST = 32
_TEXT, _ORDERED = frozenset({"text"}), frozenset({"number", "instant"})
_LITERALS = frozenset({"text", "number", "instant", "true or false"})
_ANY = "a text in double quotes, a number, an instant, true, false"
KIND_NAMES = {"identifier": "text", "text": "text", "decimal": "number", "integer": "number", "instant": "instant",
              "boolean": "true or false"}  # fmt: skip
# What a customer agreed to decides whether a list is personal at all, and never which items are on it.
_NO_FIELDS = frozenset({ATTRIBUTES, "consent_personalization", "consent_marketing"})


def _columns(table: str) -> dict[str, str]:
    return {one.name: KIND_NAMES[one.kind_name] for one in table_named(table).columns if one.name not in _NO_FIELDS}


COLUMNS, CUSTOMER_COLUMNS = _columns("items"), _columns("customers")


@dataclass(frozen=True)
class Vocabulary:
    """The fields that a filter may name, each with its kind: of the rows that it lets pass, and of who asks.

    Without ``customer_columns`` nobody asks, and fields are compared with literals alone.
    """

    columns: Mapping[str, str]
    customer_columns: Mapping[str, str] | None = None


ITEMS = Vocabulary(COLUMNS, CUSTOMER_COLUMNS)


class Parser:
    """Reads one filter; an object serves for one text."""

    def __init__(self, text: str, vocabulary: Vocabulary = ITEMS) -> None:
        self._vocabulary = vocabulary
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
            return Not(Equals(field, (self._operand(field),)))
        if self._takes("="):
            return Equals(field, (self._operand(field),))
        if self._next.word in ORDERS:
            return Compares(field, self._take().word, self._operand(field, _ORDERED, "a number or an instant"))
        return self._by_word(field)

    def _by_word(self, field: Field) -> Term:
        is_negated = self._next.word == "not" and self._tokens[self._place + 1].word in {"in", "contains", "under"}
        self._place += is_negated
        if self._takes("in"):
            term: Term = Equals(field, self._list(field), is_list=True)
        elif self._takes("contains"):
            term = Contains(field, self._operand(field, _TEXT, "a text in double quotes"))
        elif self._takes("under"):
            term = Under(field, self._operand(field, _TEXT, "a text in double quotes"))
        elif self._kind_of(field) in {None, "true or false"}:
            term = Equals(field, (True,))
        else:
            raise self._error(f"expected what {field} is compared with, as in {self._example(field)}")
        return Not(term) if is_negated else term

    def _field(self) -> Field:
        return self._customer_field() if self._is_customer_next else self._named(self._vocabulary.columns)

    @property
    def _is_customer_next(self) -> bool:
        is_said = self._next.kind == "name" and self._next.text == CUSTOMER
        return is_said and self._vocabulary.customer_columns is not None

    def _customer_field(self) -> Field:
        self._take()
        self._expect(".", f'expected "." and a field after "{CUSTOMER}"')
        return self._named(self._vocabulary.customer_columns or {}, is_customers=True)

    def _named(self, columns: Mapping[str, str], *, is_customers: bool = False) -> Field:
        token = self._next
        if token.kind != "name":
            raise self._error("expected a field")
        if token.text in columns:
            return Field(self._take().text, is_customers=is_customers)
        if token.text != ATTRIBUTES:
            whose, known = f" of the {CUSTOMER}" if is_customers else "", ", ".join(columns)
            problem = f"there is no field {token.text[:40]!r}{whose}; there are {known} and {ATTRIBUTES}.<name>"
            raise FilterError(token.start + 1, problem)
        self._take()
        self._expect(".", f'expected "." and a name after "{ATTRIBUTES}"')
        if self._next.kind not in {"text", "name"}:
            raise self._error("expected the name of an attribute")
        name = self._take()
        return Field(value_of(name) if name.kind == "text" else name.text, True, is_customers)

    def _list(self, field: Field) -> tuple[Operand, ...]:
        self._expect("[", 'expected "[" after "in"')
        operands = [self._operand(field)]
        while self._takes(","):
            operands.append(self._operand(field))
        self._expect("]", 'expected "," or "]"')
        return tuple(operands)

    def _operand(self, field: Field, kinds: frozenset[str] = _LITERALS, said: str = _ANY) -> Operand:
        """What a field is compared with: a literal of one of the kinds, or a field of the customer."""
        token = self._next
        operand, found = self._customer_operand() if self._is_customer_next else self._literal(kinds, said)
        expected = self._kind_of(field)
        if None not in {expected, found} and expected != found:
            raise FilterError(token.start + 1, f"{field} is compared with a value of the kind {expected}")
        if found is not None and found not in kinds:
            raise FilterError(token.start + 1, f"expected {said}, and {operand} is of the kind {found}")
        return operand

    def _customer_operand(self) -> tuple[Operand, str | None]:
        field = self._customer_field()
        return field, self._kind_of(field)

    def _literal(self, kinds: frozenset[str], said: str) -> tuple[Operand, str]:
        is_boolean = self._next.word in {"true", "false"}
        kind = "true or false" if is_boolean else self._next.kind
        if kind not in kinds:
            theirs = f" or a field of the {CUSTOMER}" if self._vocabulary.customer_columns is not None else ""
            raise self._error(f"expected {said}{theirs}")
        token = self._take()
        return (token.word == "true" if is_boolean else value_of(token)), kind

    def _kind_of(self, field: Field) -> str | None:
        """What a column holds; None for an attribute, which may hold anything."""
        columns = self._vocabulary.customer_columns if field.is_customers else self._vocabulary.columns
        return None if field.is_attribute or columns is None else columns[field.name]

    def _example(self, field: Field) -> str:
        examples = {"text": '= "A"', "number": "< 10", "instant": "> 2024-05-01T00:00:00Z"}
        return f"{field} {examples[self._kind_of(field) or 'text']}"
