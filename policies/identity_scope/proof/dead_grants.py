"""Grants that no request can ever use, so that users cannot do what the author meant.

A statement is dead if its conditions never hold for its actions (a key that they do not have, another partition's issuer,
conditions that contradict each other), or if every one of its resources has a variable without a value. It is dead in
part if that is so of the actions on objects that it names beside listings. An issuer that
looks like one of identity pools and is none is reported as well, although what it stands for is read as anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..automata.walk import Budget, BudgetExceeded
from ..iam.actions import LIST_ACTIONS, OBJECT_ACTIONS, mask
from ..iam.callers import made_by
from ..iam.documents import Effect, Statement
from ..iam.issuers import Shape
from ..iam.variables import Missing, Variable, arn_template
from ..inventory.principal import Principal
from .questions import Reader, Symbolic
from .reach import Applied, Caller, applied, mask_of
from .results import Cause, DeadGrant
from .scope import Scope

_ISSUER = re.compile(r"cognito-identity[^:]*")
_KEYS = ("sub", "aud", "amr")


def dead_grants(scope: Scope) -> list[DeadGrant]:
    """Each Allow of S3 that can never apply, in any region that the pools may have."""
    found: dict[Cause, DeadGrant] | None = None
    budget = Budget(scope.steps)
    try:
        for shape in scope.shapes():
            dead = {grant.cause: grant for grant in _of_shape(scope, shape, budget)}
            found = dead if found is None else {cause: found[cause] for cause in found if cause in dead}
    except BudgetExceeded:
        return []  # what can be used is for the other questions to say
    return list((found or {}).values())


def _of_shape(scope: Scope, shape: Shape, budget: Budget) -> Iterator[DeadGrant]:
    symbolic = Symbolic(scope.strangers(shape), budget)
    stranger = scope.stranger(symbolic.strangers, 0)
    for principal in filter(scope.asks_about, scope.principals):
        yield from _of_others(principal)
        callers = [stranger.of(each) for each in scope.sessions_of(principal)]
        for each in applied(principal, stranger):
            if each.kind == "allow" and mask(each.statement, (*OBJECT_ACTIONS, *LIST_ACTIONS)):
                # Dead in every kind of sessions that there is.
                dead = [list(_dead(principal, each, caller, Reader(symbolic, caller, 0)))[:1] for caller in callers]
                if dead and all(dead):
                    yield dead[0][0]


def _of_others(principal: Principal) -> Iterator[DeadGrant]:
    """Allows whose conditions on the caller are never met by the role."""
    for name, document in principal.documents:
        for statement in document.statements:
            if statement.effect is Effect.ALLOW and mask(statement, (*OBJECT_ACTIONS, *LIST_ACTIONS)):
                for condition in statement.conditions:
                    if made_by(replace(statement, conditions=(condition,)), principal.arns, False) is None:
                        yield DeadGrant(principal.urn, name, statement, condition)


def _dead(principal: Principal, each: Applied, caller: Caller, reader: Reader) -> Iterator[DeadGrant]:
    statement = each.statement
    for condition in statement.conditions:
        if _is_foreign(condition.key, caller) and not condition.if_exists and "Not" not in condition.operator:
            yield DeadGrant(principal.urn, each.name, statement, condition)
    if statement.conditions and (unmet := reader.never_holds(each)) is not None:
        yield DeadGrant(principal.urn, each.name, statement, unmet)
    elif statement.conditions and (files := _on_files(statement)) and mask(statement, LIST_ACTIONS):
        unmet = reader.never_holds(replace(each, statement=replace(statement, actions=files)))
        if unmet is not None:
            yield DeadGrant(principal.urn, each.name, statement, unmet, actions=files)
    lookup = caller.request(OBJECT_ACTIONS[0], "*").lookup
    absent: list[str] = []
    for resource in () if statement.not_resource else statement.resources:
        keys = [
            p.key for p in arn_template(resource, statement.expands) if isinstance(p, Variable) and p.default is None
        ]
        missing = [key for key in keys if lookup(key) is Missing.ABSENT or _is_foreign(key, caller)]
        absent += missing[:1]
        if not missing:
            return
    if absent:
        yield DeadGrant(principal.urn, each.name, statement, variable=absent[0])


def _on_files(statement: Statement) -> tuple[str, ...]:
    """The actions on objects that a statement names one by one, where its resources may be objects."""
    if statement.not_action or not (
        statement.not_resource or any(r[-1:] == "*" or "/" in r for r in statement.resources)
    ):
        return ()
    named = (action for action in statement.actions if not set(action) & {"*", "?"})
    return tuple(action for action in named if mask_of((action,), OBJECT_ACTIONS))


def _is_foreign(key: str, caller: Caller) -> bool:
    """Whether a condition key has an issuer of identity pools' form that is none."""
    issuer, _, name = key.rpartition(":")
    return name in _KEYS and _ISSUER.fullmatch(issuer) is not None and issuer not in caller.issuers
