"""Facts with the places in files where they are stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..inventory.facts import (
    AccessPointPolicyFact,
    BucketPolicyFact,
    Fact,
    GrantFact,
    PolicyFact,
    RoleFact,
    Source,
)
from .files import Place, ValuePath


@dataclass(frozen=True)
class DocumentPlaces:
    """Where a document stands, and each of its statements, as far as they are told apart."""

    place: Place
    statements: tuple[Place, ...] = ()

    def statement(self, index: int | None) -> Place:
        """Where a statement stands; the document's place if it stands in a text."""
        if index is None or not 0 <= index < len(self.statements):
            return self.place
        return self.statements[index]


@dataclass(frozen=True)
class LocatedFacts:
    """What a file states of one resource.

    Attributes:
        urn: tells the resource from all others that are judged with it.
        type_: its type, as its file writes it.
        name: its name, as its file writes it.
        documents: the places of its policy documents, by the label that messages use.
        widened: what its documents leave out because it is not known, so that they allow more or deny less.
        unsettled: whether it is to be deleted, or what an interrupted update began and may not have made; if a settled
            resource has its URN, it is that one changed.
    """

    urn: str
    type_: str
    name: str
    facts: tuple[Fact, ...]
    place: Place
    documents: Mapping[str, DocumentPlaces] = field(default_factory=dict)
    widened: tuple[str, ...] = ()
    unsettled: bool = False


@dataclass(frozen=True)
class Note:
    """What was assumed, or left out, when a file was read."""

    place: Place
    text: str


def document_sources(facts: Sequence[Fact]) -> Iterator[Source]:
    """The documents that facts hold."""
    for fact in facts:
        if isinstance(fact, RoleFact):
            yield fact.trust
            yield from (policy.source for policy in fact.inline)
        elif isinstance(fact, GrantFact):
            yield fact.policy.source
        elif isinstance(fact, PolicyFact | BucketPolicyFact | AccessPointPolicyFact):
            yield fact.source


def path_to(value: object, within: Any, depth: int = 12) -> ValuePath | None:
    """The keys and indexes that lead to a value itself, not to an equal one."""
    if within is value:
        return ()
    if depth == 0:
        return None
    members: Iterator[tuple[str | int, Any]]
    if isinstance(within, Mapping):
        members = iter(within.items())
    elif isinstance(within, list):
        members = enumerate(within)
    else:
        return None
    for key, member in members:
        if member is value or isinstance(member, Mapping | list):
            rest = path_to(value, member, depth - 1)
            if rest is not None:
                return (key, *rest)
    return None


def statement_count(document: object) -> int | None:
    """How many statements a document has as a list; None where it has one that is no list, or is a text."""
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    return len(statements) if isinstance(statements, list) else None
