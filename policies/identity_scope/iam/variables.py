"""Policy variables: from the text of a Resource or a condition value to a glob.

Decides what `*`, `?` and `${…}` in a document stand for. Variables are expanded only under Version 2012-10-17; under the
older version, or none, `${…}` is literal text. A variable's value never brings wildcards with it.

INVARIANT (widening). What is not understood widens an Allow and never narrows it: where a variable may be anything, the
caller says with `widen` whether that makes the pattern match any string there, or the whole pattern match nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from ..automata.globs import Pattern, Text, Wild


class Missing(Enum):
    """Why a context key has no value to compare with."""

    ABSENT = "absent"
    """The request certainly has no such key."""

    UNKNOWN = "unknown"
    """The request may have the key, with any value, or not."""


@dataclass(frozen=True, slots=True)
class Free:
    """The one value of a key, which is not known: any string that a pattern matches, but none of `besides`. `slash` says
    whether it has a `/`, where that is known."""

    pattern: Pattern
    besides: frozenset[str] = frozenset()
    slash: bool | None = None


Values: TypeAlias = "tuple[str, ...] | Free | Missing"
"""What a request's context holds under a key."""

Lookup: TypeAlias = Callable[[str], "Values"]
"""A request's context: a key in lower case to its values."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`. `key` is lower case; an unreadable variable has the empty key."""

    key: str
    default: str | None = None


def may_be_absent(variable: Variable, lookup: Lookup) -> bool:
    """Whether a variable may have no value: its key is absent, unknown or multivalued, and a default does not help."""
    values = lookup(variable.key) if variable.key else Missing.UNKNOWN
    if isinstance(values, tuple):
        return len(values) != 1
    return variable.default is None and not isinstance(values, Free)


Template: TypeAlias = tuple["str | Wild | Variable", ...]
"""Literal characters, wildcards and variables, in order."""

_ESCAPED = {"*", "?", "$"}


@lru_cache(maxsize=8192)
def template(text: str, expands: bool, wildcards: bool = True) -> Template:
    """Read a Resource or a condition value.

    Args:
        text: as it stands in the document.
        expands: whether the document's version expands variables.
        wildcards: whether `*` and `?` are wildcards (Like operators, resources) or characters (Equals operators).
    """
    parts: list[str | Wild | Variable] = []
    index = 0
    while index < len(text):
        letter = text[index]
        if expands and letter == "$" and text.startswith("${", index):
            end = text.find("}", index)
            if end < 0:
                parts.append(Variable(""))
                break
            inner = text[index + 2 : end]
            parts.append(inner if inner in _ESCAPED else _variable(inner))
            index = end + 1
            continue
        if wildcards and letter == "*":
            if not parts or parts[-1] is not Wild.ANY:
                parts.append(Wild.ANY)
        elif wildcards and letter == "?":
            parts.append(Wild.ONE)
        else:
            parts.append(letter)
        index += 1
    return tuple(parts)


def _variable(inner: str) -> Variable:
    key, comma, default = inner.partition(",")
    key = key.strip().lower()
    if not key or any(c.isspace() or c in "{}'*?$" for c in key):
        return Variable("")
    if not comma:
        return Variable(key)
    default = default.strip()
    if len(default) >= 2 and default[0] == default[-1] == "'":
        return Variable(key, default[1:-1])
    return Variable("")


@dataclass(frozen=True, slots=True)
class Concrete:
    """A template under one request: its glob, or None where it matches nothing, and whether that took a widening."""

    pattern: Pattern | None
    exact: bool = True


def concretise(parts: Template, lookup: Lookup, widen: bool) -> Concrete:
    """Put a request's values in the place of the variables."""
    tokens: list[str | Wild | Text] = []
    exact = True
    for part in parts:
        if not isinstance(part, Variable):
            tokens.append(part)
            continue
        found = lookup(part.key) if part.key else Missing.UNKNOWN
        if found is Missing.UNKNOWN or isinstance(found, Free):
            exact = False
            if not widen:
                return Concrete(None, False)
            tokens.extend(found.pattern if isinstance(found, Free) else (Wild.ANY,))
        elif found is Missing.ABSENT:
            if part.default is None:
                return Concrete(None, exact)
            tokens.extend(part.default)
        elif isinstance(found, tuple) and len(found) == 1:
            tokens.extend(found[0])
        else:  # a multivalued key cannot be a variable
            return Concrete(None, exact)
    return Concrete(tuple(tokens), exact)


@lru_cache(maxsize=8192)
def arn_template(text: str, expands: bool) -> Template:
    """Read a Resource or NotResource: fewer than six fields are padded with `*`; a variable before the fifth colon
    cannot be relied on and is unreadable.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    parts = template(text, expands)
    padded: list[str | Wild | Variable] = []
    colons = 0
    for part in parts:
        if colons < 5:
            if part == ":":
                colons += 1
            elif isinstance(part, Variable):
                part = Variable("")
        padded.append(part)
    if not text.startswith("arn:"):
        return tuple(padded)
    while colons < 5:
        padded += [":", Wild.ANY]
        colons += 1
    return tuple(padded)


def within_segments(pattern: Pattern) -> Pattern:
    """The narrow reading of a resource pattern: a `*` that does not end its ARN segment stays inside it.

    AWS does not say whether such a `*` spans `:`. An Allow is read as if it did, a Deny as if it did not.
    """
    narrow: list[str | Wild | Text] = []
    for index, token in enumerate(pattern):
        last = index + 1 == len(pattern) or pattern[index + 1] == ":"
        narrow.append(Wild.WITHIN if token is Wild.ANY and not last else token)
    return tuple(narrow)
