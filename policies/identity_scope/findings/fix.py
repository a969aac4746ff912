"""A finding's fix as data: what is replaced by what, and where. Its words are made from it, and so is its JSON.

A fix of a policy document is a list of edits, each of one element of one statement. It can be applied to documents as they
were parsed, so that the pack judges the outcome before it suggests it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..iam.documents import Condition, Document, DocumentKind, Statement, Version, parse

Json: TypeAlias = Any
"""A JSON value; None stands for an element that is not there."""
StatementJson: TypeAlias = "dict[str, Json]"

ELEMENTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
TRUST = "trust policy"
"""The document of an edit that is about a role's trust policy."""
EACH = "*"
"""In a setting's path: each item of a list."""


@dataclass(frozen=True)
class Edit:
    """One change of a policy document.

    Attributes:
        urn: the resource that holds the document.
        document: the document's name in messages.
        statement: which statement, counted from 0; a number beyond the last one adds one; None: the document itself.
        element: the path of the element that changes, such as `Resource`, or `Condition`, `StringLike`, `s3:prefix`; empty:
            the whole statement, or the whole document.
        old: its value; None where the edit adds it.
        new: what replaces it; None where the edit removes it.
    """

    urn: str
    document: str
    statement: int | None
    element: tuple[str, ...]
    old: Json
    new: Json

    def as_json(self) -> StatementJson:
        return {
            "resource": self.urn,
            "document": self.document,
            "statement": None if self.statement is None else self.statement + 1,
            "element": list(self.element),
            "old": self.old,
            "new": self.new,
        }


@dataclass(frozen=True)
class Setting:
    """One change of a resource's own property, at a path of names; `EACH` stands for each item of a list."""

    urn: str
    path: tuple[str, ...]
    new: Json

    def as_json(self) -> StatementJson:
        return {"resource": self.urn, "property": list(self.path), "new": self.new}


@dataclass(frozen=True)
class Declaration:
    """What is added to the configuration of rules: items of a list setting, or entries of an object setting."""

    rules: tuple[str, ...]
    setting: str
    value: Json

    @property
    def configuration(self) -> dict[str, Json]:
        """As it stands in the pack's configuration file."""
        return {rule: {self.setting: self.value} for rule in self.rules}

    @property
    def line(self) -> str:
        """The configuration as one line to paste."""
        return json.dumps(self.configuration, ensure_ascii=False)


@dataclass(frozen=True)
class Placeholder:
    """A name that stands in a fix for one that only the author knows."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Fix:
    """The smallest change that fixes what a finding reports.

    Attributes:
        edits: changes of documents.
        settings: changes of resources' properties.
        declare: what has to be added to the configuration.
        instead: the configuration that declares what is reported as meant, which makes the changes unnecessary.
        placeholders: the names in it that the author has to fill in.
        advice: what to do where no change can be written down.
    """

    edits: tuple[Edit, ...] = ()
    settings: tuple[Setting, ...] = ()
    declare: Declaration | None = None
    instead: Declaration | None = None
    placeholders: tuple[Placeholder, ...] = ()
    advice: str = ""

    def as_json(self) -> dict[str, Json]:
        """The fix for machines."""
        return {
            "edits": [edit.as_json() for edit in self.edits],
            "settings": [setting.as_json() for setting in self.settings],
            "configuration": self.declare.configuration if self.declare is not None else None,
            "instead": self.instead.configuration if self.instead is not None else None,
            "placeholders": {each.name: each.meaning for each in self.placeholders},
            "advice": self.advice,
        }


def statement_json(statement: Statement) -> StatementJson:
    """A statement as its author wrote it, but for lists of one."""
    found: StatementJson = {}
    if statement.sid is not None:
        found["Sid"] = statement.sid
    found["Effect"] = statement.effect.value
    if statement.principals is not None:
        by_kind: dict[str, list[str]] = {}
        for kind, value in statement.principals.entries:
            by_kind.setdefault(kind, []).append(value)
        everyone = by_kind == {"AWS": ["*"]}
        principal = "*" if everyone else {kind: short(values) for kind, values in by_kind.items()}
        found["NotPrincipal" if statement.principals.negated else "Principal"] = principal
    found["NotAction" if statement.not_action else "Action"] = short(statement.actions)
    if statement.resources:
        found["NotResource" if statement.not_resource else "Resource"] = short(statement.resources)
    if statement.conditions:
        found["Condition"] = condition_json(statement.conditions)
    return found


def condition_json(conditions: Sequence[Condition]) -> dict[str, Json]:
    found: dict[str, dict[str, Json]] = {}
    for test in conditions:
        found.setdefault(test.label, {})[test.written or test.key] = short(test.values)
    return found


def short(values: Sequence[str]) -> Json:
    """A list as JSON has it; one value stands alone."""
    return values[0] if len(values) == 1 else list(values)


def listed(value: Json) -> list[Json]:
    """The values of an element that is a list or one value."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


Rewritten: TypeAlias = "Mapping[int, Sequence[StatementJson]]"
"""Statements by their index, each with the statements that take its place; none where it is removed."""


def edits_of(urn: str, label: str, document: Document, rewritten: Rewritten) -> tuple[Edit, ...]:
    """The edits that turn a document's statements into others; with the Version that their variables need."""
    edits: list[Edit] = []
    added: list[StatementJson] = []
    by_index = {statement.index: statement for statement in document.statements}
    kept = len(by_index) - sum(not statements for statements in rewritten.values())
    if kept <= 0 and not any(rewritten.values()):
        return (Edit(urn, label, None, (), {}, None),)
    variables = "${" in json.dumps([list(statements) for statements in rewritten.values()])
    if document.version is Version.V2008 and variables and document.kind is not DocumentKind.TRUST:
        edits.append(version_edit(urn, label, document))
    for index, statements in rewritten.items():
        old = statement_json(by_index[index])
        if not statements:
            edits.append(Edit(urn, label, index, (), old, None))
            continue
        new = statements[0]
        edits += (Edit(urn, label, index, path, *values) for path, *values in _differences(old, new))
        added += statements[1:]
    last = max(by_index, default=-1)
    edits += [Edit(urn, label, last + 1 + number, (), None, each) for number, each in enumerate(added)]
    return tuple(edits)


def _differences(old: StatementJson, new: StatementJson) -> Iterator[tuple[tuple[str, ...], Json, Json]]:
    """The paths at which two objects differ, with the values there, in the order of a statement's elements."""
    order = [*(key for key in ELEMENTS if key in old or key in new), *old, *new]
    for key in dict.fromkeys(order):
        one, other = old.get(key), new.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from (((key, *path), *values) for path, *values in _differences(one, other))
        elif listed(one) != listed(other):
            yield (key,), one, other


def version_edit(urn: str, label: str, document: Document) -> Edit:
    old = document.version.value if document.has_version else None
    return Edit(urn, label, None, ("Version",), old, Version.V2012.value)


def edited(document: Document, edits: Sequence[Edit]) -> Document | None:
    """A document after edits, with the statements' indices as they were; None where the document itself is removed."""
    version = document.version
    statements = {statement.index: statement_json(statement) for statement in document.statements}
    for edit in edits:
        if edit.statement is None:
            if not edit.element:
                return None
            version = Version(edit.new)
        elif not edit.element:
            statements.pop(edit.statement, None)
            if edit.new is not None:
                statements[edit.statement] = dict(edit.new)
        elif edit.statement in statements:
            statements[edit.statement] = changed(statements[edit.statement], edit.element, edit.new)
    if not statements:
        return None
    parsed = parse({"Version": version.value, "Statement": list(statements.values())}, document.kind)
    numbered = (replace(each, index=index) for index, each in zip(statements, parsed.statements, strict=True))
    return replace(document, version=version, statements=tuple(numbered))


def changed(value: StatementJson, path: Sequence[str], new: Json) -> StatementJson:
    """An object with another value at a path; None removes what is there, and objects that are empty without it."""
    found = dict(value)
    head, rest = path[0], path[1:]
    if rest:
        inner = found.get(head)
        new = changed(inner if isinstance(inner, dict) else {}, rest, new) or None
    if new is None:
        found.pop(head, None)
    else:
        found[head] = new
    return found
