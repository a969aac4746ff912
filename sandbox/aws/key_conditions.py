"""DynamoDB's key condition expressions: one equality of the partition key, and at most one condition on the sort key.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import AwsError

_TOKEN = re.compile(r"\s*(?:([A-Za-z#:][\w.-]*|[#:]\w+)|(<=|>=|[=<>(),]))")
_COMPARISONS = frozenset({"=", "<", "<=", ">", ">="})


@dataclass(frozen=True)
class Condition:
    """One condition: an attribute, an operator, and the names of its values."""

    attribute: str
    operator: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        if self.operator == "begins_with":
            return f"begins_with({self.attribute}, {self.values[0]})"
        if self.operator == "BETWEEN":
            return f"{self.attribute} BETWEEN {self.values[0]} AND {self.values[1]}"
        return f"{self.attribute} {self.operator} {self.values[0]}"


def parse(text: str) -> list[Condition]:
    """The conditions of an expression.

    Raises:
        AwsError: ValidationException.
    """
    tokens = _tokens(text)
    parser = _Parser(tokens)
    conditions = parser.conditions()
    if parser.rest() or not 1 <= len(conditions) <= 2:
        raise _invalid()
    return conditions


def write(conditions: list[Condition]) -> str:
    return " AND ".join(str(condition) for condition in conditions)


def partition_value(conditions: list[Condition], names: Mapping[str, str], values: Mapping[str, Any], key: str) -> Any:
    """The value with which the partition key is compared.

    Raises:
        AwsError: ValidationException, unless exactly one condition is an equality of the partition key.
    """
    on_key = [c for c in conditions if names.get(c.attribute, c.attribute) == key]
    if len(on_key) != 1 or on_key[0].operator != "=" or on_key[0].values[0] not in values:
        raise _invalid("Query condition missed key schema element, or has it more than once")
    return values[on_key[0].values[0]]


def _tokens(text: str) -> list[str]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise _invalid()
        tokens.append(match[1] or match[2])
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._depth = 0

    def rest(self) -> list[str]:
        return self._tokens

    def conditions(self) -> list[Condition]:
        """`condition AND condition`, with parentheses around either or both."""
        self._depth += 1
        if self._depth > 10:
            raise _invalid()
        found = self._term()
        while self._next_is("AND"):
            self._take()
            found += self._term()
        self._depth -= 1
        return found

    def _term(self) -> list[Condition]:
        if self._next_is("("):
            self._take()
            inside = self.conditions()
            self._expect(")")
            return inside
        return [self._condition()]

    def _condition(self) -> Condition:
        name = self._take()
        if name == "begins_with":
            self._expect("(")
            attribute = self._attribute(self._take())
            self._expect(",")
            value = self._value()
            self._expect(")")
            return Condition(attribute, name, (value,))
        attribute, operator = self._attribute(name), self._take()
        if operator.upper() == "BETWEEN":
            low = self._value()
            if self._take().upper() != "AND":
                raise _invalid()
            return Condition(attribute, "BETWEEN", (low, self._value()))
        if operator not in _COMPARISONS:
            raise _invalid()
        return Condition(attribute, operator, (self._value(),))

    def _attribute(self, token: str) -> str:
        if not re.fullmatch(r"#\w+|[A-Za-z][\w-]*", token) or token.upper() in ("AND", "BETWEEN"):
            raise _invalid()
        return token

    def _value(self) -> str:
        token = self._take()
        if not re.fullmatch(r":\w+", token):
            raise _invalid()
        return token

    def _next_is(self, word: str) -> bool:
        return bool(self._tokens) and self._tokens[0].upper() == word

    def _take(self) -> str:
        if not self._tokens:
            raise _invalid()
        return self._tokens.pop(0)

    def _expect(self, word: str) -> None:
        if self._take() != word:
            raise _invalid()


def _invalid(message: str = "Invalid KeyConditionExpression") -> AwsError:
    return AwsError("ValidationException", message, 400)
