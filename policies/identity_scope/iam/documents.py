"""Read an IAM policy document strictly.

Decides whether a text is a policy document as IAM's grammar defines it, and turns it into immutable statements. Refuses
whatever IAM refuses or this pack does not know: repeated keys, unknown elements, wrong types, both or neither of a pair
such as Action and NotAction. A refusal carries the place, so that nothing is ever read "as good as possible".

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any

from .variables import Variable, template

MAX_DOCUMENT_CHARACTERS = 131_072
"""Longest text that is read; IAM's own largest quota, a role's documents together, is below it."""

MAX_DEPTH = 12
"""Deepest JSON nesting that is read; a policy document needs five levels."""

_TOO_DEEP = "the document is nested too deeply"


class Effect(Enum):
    ALLOW = "Allow"
    DENY = "Deny"


class Version(Enum):
    """The policy language's version. Only the newer one expands policy variables."""

    V2008 = "2008-10-17"
    V2012 = "2012-10-17"


class DocumentKind(Enum):
    """Where a document stands, which decides the elements it must and must not have."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    TRUST = "trust policy"


class DocumentError(ValueError):
    """A text that is not a policy document. `place` is a path such as `Statement[1].Action`, or line and column."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of a Condition block: one operator, one key, and the values it is compared with.

    `operator` is the base name (`StringLike`), without set qualifier and without `IfExists`; `key` is lower case, and
    `written` the same as its author wrote it.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    qualifier: str = ""
    if_exists: bool = False
    written: str = ""

    @property
    def label(self) -> str:
        """The operator as it is written in a document."""
        prefix = f"{self.qualifier}:" if self.qualifier else ""
        return f"{prefix}{self.operator}{'IfExists' if self.if_exists else ''}"


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal or NotPrincipal element: (kind, value) pairs, such as ("AWS", "*")."""

    entries: tuple[tuple[str, str], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `index` counts from 0 in the document; messages count from 1."""

    index: int
    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    sid: str | None = None
    not_action: bool = False
    not_resource: bool = False
    conditions: tuple[Condition, ...] = ()
    principals: Principals | None = None
    expands: bool = True

    @property
    def label(self) -> str:
        return f"statement {self.index + 1}" + (f" (`{self.sid}`)" if self.sid else "")


@dataclass(frozen=True)
class Document:
    """A parsed policy document."""

    version: Version
    statements: tuple[Statement, ...]
    kind: DocumentKind = DocumentKind.IDENTITY
    has_version: bool = field(default=True)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys, in lower case, that its conditions test or its variables stand for."""
        found: set[str] = set()
        for statement in self.statements:
            texts = list(statement.resources)
            for condition in statement.conditions:
                texts += condition.values
                found.add(condition.key)
            found |= {p.key for text in texts if "${" in text for p in template(text, True) if isinstance(p, Variable)}
        return frozenset(found)


_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_PRINCIPAL_KINDS = frozenset({"AWS", "Federated", "Service", "CanonicalUser"})
_QUALIFIERS = ("ForAllValues", "ForAnyValue")
OPERATORS = frozenset(
    {
        *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        *("StringLike", "StringNotLike"),
        *("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"),
        *("NumericGreaterThan", "NumericGreaterThanEquals"),
        *("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals"),
        *("DateGreaterThan", "DateGreaterThanEquals"),
        *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress"),
        *("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null"),
    }
)
"""Condition operators IAM knows.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""


def parse(source: object, kind: DocumentKind = DocumentKind.IDENTITY) -> Document:
    """Parse a policy document.

    Args:
        source: JSON text, or the mapping that it stands for.
        kind: where the document stands; decides about Principal and Resource.

    Raises:
        DocumentError: the source is not a policy document; names the place and what would be right.
    """
    if isinstance(source, str):
        return _parse_text(source, kind)
    if isinstance(source, Mapping):
        try:
            text = json.dumps(_plain(source))
        except RecursionError:
            raise DocumentError("", _TOO_DEEP) from None
        except DocumentError:
            raise
        except (TypeError, ValueError) as error:
            raise DocumentError("", f"the document is not JSON: {error}") from None
        return _parse_text(text, kind)
    raise DocumentError("", f"the document is {_name(source)}, not a JSON object")


@lru_cache(maxsize=4096)
def _parse_text(text: str, kind: DocumentKind) -> Document:
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        raise DocumentError("", f"the document has {len(text)} characters; more than IAM accepts anywhere")
    try:
        raw = json.loads(text, object_pairs_hook=_reject_repeats, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}") from None
    except RecursionError:
        raise DocumentError("", _TOO_DEEP) from None
    except ValueError as error:  # Python refuses integers of thousands of digits
        if isinstance(error, DocumentError):
            raise
        raise DocumentError("", f"not JSON that IAM accepts: {error}") from None
    if not isinstance(raw, dict):
        raise DocumentError("", f"the document is {_name(raw)}, not a JSON object")
    _check_depth(raw)
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DocumentError("", "the document holds half of a surrogate pair, which is not a character") from None
    return _document(raw, kind)


def _plain(value: object) -> object:
    """Mappings and sequences of any make as JSON's own, so that proxies of an SDK serialise."""
    if isinstance(value, Mapping):
        return {str(k): _plain(value[k]) for k in value}
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return [_plain(value[i]) for i in range(len(value))]
    raise DocumentError("", "the document contains a value that is not JSON")


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        following: list[object] = []
        for item in level:
            if isinstance(item, dict):
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
        if not following:
            return
        level = following
    raise DocumentError("", _TOO_DEEP)


def _reject_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """IAM refuses repeated keys; a reader that lets the last one win would judge another document than AWS does."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DocumentError(f"key `{_shorten(key)}`", "is repeated in one object; IAM rejects repeated keys")
            seen.add(key)
    return found


def _reject_constant(name: str) -> Any:
    raise DocumentError("", f"`{name}` is not JSON")


def _document(raw: dict[str, Any], kind: DocumentKind) -> Document:
    for key in raw:
        if key not in _ELEMENTS:
            raise DocumentError(_shorten(key), "unknown element; a document has Version, Id and Statement")
    version = Version.V2008
    if "Version" in raw:
        try:
            version = Version(raw["Version"])
        except ValueError:
            raise DocumentError("Version", 'must be "2012-10-17" (or "2008-10-17")') from None
    if "Id" in raw and not isinstance(raw["Id"], str):
        raise DocumentError("Id", f"must be a string, not {_name(raw['Id'])}")
    if "Statement" not in raw:
        raise DocumentError("", "the document has no Statement")
    statements = raw["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        raise DocumentError("Statement", f"must be an object or a list of objects, not {_name(statements)}")
    return Document(
        version,
        tuple(_statement(index, item, kind, version is Version.V2012) for index, item in enumerate(statements)),
        kind,
        "Version" in raw,
    )


def _statement(index: int, raw: object, kind: DocumentKind, expands: bool) -> Statement:
    at = f"Statement[{index}]"
    if not isinstance(raw, dict):
        raise DocumentError(at, f"must be an object, not {_name(raw)}")
    for key in raw:
        if key not in _STATEMENT_ELEMENTS:
            raise DocumentError(f"{at}.{_shorten(key)}", "unknown element of a statement")
    sid = raw.get("Sid")
    if sid is not None and not isinstance(sid, str):
        raise DocumentError(f"{at}.Sid", f"must be a string, not {_name(sid)}")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise DocumentError(f"{at}.Effect", 'must be "Allow" or "Deny"; IAM distinguishes case')
    actions, not_action = _either(raw, "Action", at)
    for action in actions:
        if action != "*" and ":" not in action:
            raise DocumentError(f"{at}.Action", f"`{_shorten(action)}` is not SERVICE:ACTION")
    resources: tuple[str, ...] = ()
    not_resource = False
    if kind is DocumentKind.TRUST:
        if "Resource" in raw or "NotResource" in raw:
            raise DocumentError(f"{at}.Resource", "a trust policy has no Resource")
    else:
        resources, not_resource = _either(raw, "Resource", at)
    return Statement(
        index=index,
        effect=Effect(raw["Effect"]),
        actions=actions,
        resources=resources,
        sid=sid or None,
        not_action=not_action,
        not_resource=not_resource,
        conditions=_conditions(raw["Condition"], f"{at}.Condition") if "Condition" in raw else (),
        principals=_principals(raw, kind, at),
        expands=expands,
    )


def _either(raw: dict[str, Any], name: str, at: str) -> tuple[tuple[str, ...], bool]:
    """Exactly one of NAME and NotNAME, as strings."""
    negated = f"Not{name}"
    if (name in raw) == (negated in raw):
        problem = "are both present" if name in raw else "are both missing"
        raise DocumentError(at, f"{name} and {negated} {problem}; a statement has exactly one of them")
    key = negated if negated in raw else name
    values = _strings(raw[key], f"{at}.{key}")
    if not values:
        raise DocumentError(f"{at}.{key}", "must not be an empty list")
    return values, key == negated


def _strings(value: object, at: str) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    for item in items:
        if not isinstance(item, str):
            raise DocumentError(at, f"must be a string or a list of strings, not {_name(item)}")
    return tuple(items)


def _conditions(raw: object, at: str) -> tuple[Condition, ...]:
    if not isinstance(raw, dict):
        raise DocumentError(at, f"must be an object, not {_name(raw)}")
    found: list[Condition] = []
    for written, block in raw.items():
        qualifier, _, rest = written.rpartition(":")
        base = rest.removesuffix("IfExists")
        if base not in OPERATORS or (qualifier and qualifier not in _QUALIFIERS) or (base == "Null" and base != rest):
            raise DocumentError(f"{at}.{_shorten(written)}", "is not a condition operator")
        if not isinstance(block, dict):
            raise DocumentError(f"{at}.{written}", f"must be an object, not {_name(block)}")
        seen: set[str] = set()
        for key, value in block.items():
            if key.lower() in seen:
                raise DocumentError(f"{at}.{written}.{_shorten(key)}", "is repeated; condition keys ignore case")
            seen.add(key.lower())
            items = value if isinstance(value, list) else [value]
            values = tuple(_scalar(item, f"{at}.{written}.{_shorten(key)}") for item in items)
            found.append(Condition(base, key.lower(), values, qualifier, base != rest, key))
    return tuple(found)


def _scalar(value: object, at: str) -> str:
    """Condition values may be strings, numbers or booleans; IAM compares their text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise DocumentError(at, f"must be a string, a number or a boolean, not {_name(value)}")


def _principals(raw: dict[str, Any], kind: DocumentKind, at: str) -> Principals | None:
    given = [name for name in ("Principal", "NotPrincipal") if name in raw]
    if kind is DocumentKind.IDENTITY:
        if given:
            raise DocumentError(f"{at}.{given[0]}", "an identity-based policy has no principal")
        return None
    if len(given) != 1:
        raise DocumentError(at, "needs exactly one of Principal and NotPrincipal")
    name = given[0]
    value = raw[name]
    if value == "*":
        return Principals((("AWS", "*"),), name == "NotPrincipal")
    if not isinstance(value, dict) or not value:
        raise DocumentError(f"{at}.{name}", 'must be "*" or an object such as {"AWS": "arn:…"}')
    entries: list[tuple[str, str]] = []
    for principal, who in value.items():
        if principal not in _PRINCIPAL_KINDS:
            raise DocumentError(f"{at}.{name}.{_shorten(principal)}", "is not AWS, Federated, Service or CanonicalUser")
        entries.extend((principal, item) for item in _strings(who, f"{at}.{name}.{principal}"))
    return Principals(tuple(entries), name == "NotPrincipal")


def _name(value: object) -> str:
    """A JSON value's kind in the user's words, never a Python type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return "something else"


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
