"""What each statement lets a vended role do, once every Deny and the boundary have taken away what they take away.

It proves nothing: it lists the access of a role for people to read. A grant is left out only where no request can use it;
what was not decided within the budget is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from ..automata.globs import Wild, literal
from ..automata.symbolic import Track
from ..automata.walk import Budget, BudgetExceeded
from ..iam.actions import OBJECT_ACTIONS, exists
from ..iam.documents import Document, Effect, Statement
from ..inventory.principal import Principal
from .api import API_CALLS
from .other_access import NEEDS_NO_PERMISSION, PROVEN_SERVICES, other_access
from .questions import Grant, Reader, Symbolic, objects, track
from .scope import Scope

_STEPS = 2_000
"""Steps within which a request that uses a grant is looked for."""


class Subject(Enum):
    """What access is about."""

    OBJECTS = "objects"
    NAMES = "names of objects"
    API = "API"
    OTHER = "another service"


@dataclass(frozen=True)
class Effective:
    """What one entry of a statement's Resource lets a role do.

    Attributes:
        role: the role's URN.
        resource: the entry of Resource; empty for NotResource.
        actions: S3's actions by name; of other services the entries of Action.
        own: whether each identity gets something of its own by it.
        alone: the role as it would be with this entry alone, and every Deny.
        limited: whether a Deny, or the permissions boundary, takes a part away.
    """

    role: str
    document: str
    statement: Statement
    subject: Subject
    resource: str
    actions: tuple[str, ...]
    own: bool
    alone: Principal
    limited: bool = False


def effective(scope: Scope) -> Iterator[Effective]:
    """The access of each role, in the order of its documents; bucket policies' grants after its own."""
    shape = scope.shapes()[0]
    if shape.issuer is None:
        return
    symbolic = Symbolic(scope.strangers(shape), Budget(scope.steps))
    caller = scope.stranger(symbolic.strangers, 0)
    variable = f"${{{shape.issuer}:sub}}".lower()
    apis = track((*literal(f"arn:{shape.partition}:execute-api:"), Wild.ANY))
    untied = {(r.role, r.document, r.statement.index): r.resources for r in other_access(scope, ())}
    for principal in filter(scope.asks_about, scope.principals):
        for entry in _entries(principal):
            reader = Reader(symbolic, caller, 0)
            whose = entry.document, entry.statement
            own = entry.statement.expands and variable in entry.resource.lower()
            for subject, read, where in (
                (Subject.OBJECTS, reader.objects, objects(shape)),
                (Subject.NAMES, reader.listings, None),
                (Subject.API, partial(reader.objects, universe=API_CALLS), apis),
            ):
                try:
                    grants = read(entry.principal)
                except BudgetExceeded:
                    yield Effective(
                        principal.urn,
                        *whose,
                        subject,
                        entry.resource,
                        entry.statement.actions,
                        own,
                        entry.principal,
                        True,
                    )
                    continue
                live = [grant for grant in grants if _live(symbolic, grant, where)]
                if live:
                    actions = tuple(dict.fromkeys(action for grant in live for action in _actions(grant)))
                    limited = any(grant.forbidden or len(grant.tracks) > 1 for grant in live)
                    yield Effective(
                        principal.urn, *whose, subject, entry.resource, actions, own, entry.principal, limited
                    )
            others = tuple(filter(_is_other, ("*",) if entry.statement.not_action else entry.statement.actions))
            if others and _is_other_resource(entry.resource):
                everybodys = untied.get((principal.urn, entry.document, entry.statement.index), ())
                own = entry.resource not in everybodys and (bool(entry.resource) or not everybodys)
                yield Effective(principal.urn, *whose, Subject.OTHER, entry.resource, others, own, entry.principal)


@dataclass(frozen=True)
class _Entry:
    """One entry of a statement's Resource, and a principal that has no other Allow, and every Deny."""

    document: str
    statement: Statement
    resource: str
    principal: Principal


def _entries(principal: Principal) -> Iterator[_Entry]:
    documents = tuple((name, _denies(document)) for name, document in principal.documents)
    policies = tuple(replace(policy, document=_denies(policy.document)) for policy in principal.resource)
    for index, (name, document) in enumerate(principal.documents):
        for statement, only in _allows(document):
            mine = (name, _with(documents[index][1], only))
            alone = replace(principal, documents=(*documents[:index], mine, *documents[index + 1 :]), resource=policies)
            yield _Entry(name, statement, _resource(only), alone)
    for index, policy in enumerate(principal.resource):
        for statement, only in _allows(policy.document) if policy.by_name else ():
            granting = replace(policy, document=_with(policies[index].document, only))
            alone = replace(
                principal, documents=documents, resource=(*policies[:index], granting, *policies[index + 1 :])
            )
            yield _Entry(policy.name, statement, _resource(only), alone)


def _allows(document: Document) -> Iterator[tuple[Statement, Statement]]:
    """Each Allow, with itself once for each entry of Resource."""
    for statement in document.statements:
        if statement.effect is Effect.ALLOW:
            for resource in (None,) if statement.not_resource else dict.fromkeys(statement.resources):
                yield statement, statement if resource is None else replace(statement, resources=(resource,))


def _resource(statement: Statement) -> str:
    return "" if statement.not_resource else statement.resources[0]


def _denies(document: Document) -> Document:
    return replace(document, statements=tuple(s for s in document.statements if s.effect is Effect.DENY))


def _with(document: Document, statement: Statement) -> Document:
    return replace(document, statements=(*document.statements, statement))


def _live(symbolic: Symbolic, grant: Grant, where: Track | None) -> bool:
    """Whether some request uses a grant; also where that was not decided."""
    question = symbolic.alone(grant) if where is None else symbolic.alone(grant, where)
    try:
        return symbolic.find(question, Budget(_STEPS)) is not None
    except BudgetExceeded:
        return True


def _actions(grant: Grant) -> Sequence[str]:
    if grant.listing or grant.action in API_CALLS:
        return (grant.action,)
    return [action for i, action in enumerate(OBJECT_ACTIONS) if grant.actions >> i & 1 and exists(action)]


def _is_other(entry: str) -> bool:
    return entry.partition(":")[0].lower() not in PROVEN_SERVICES and entry.lower() not in NEEDS_NO_PERMISSION


def _is_other_resource(resource: str) -> bool:
    fields = resource.split(":", 5)
    return len(fields) < 3 or fields[2] not in PROVEN_SERVICES
