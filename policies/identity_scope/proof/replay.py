"""The request behind a counterexample: decided again, by the concrete evaluator, before it is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from ..iam.actions import exists
from ..iam.conditions import Truth
from ..iam.documents import Effect, Statement
from ..iam.evaluator import Applicable, Reading, Request, applies, decide
from ..iam.issuers import Shape
from ..inventory.principal import Principal
from .reach import ListingReach, Reach, names_role
from .results import Access
from .scope import Scope

Side: TypeAlias = tuple[str, Principal, Reach]
"""An identity, a role, and what the one reaches through the other."""


def replayed(scope: Scope, shape: Shape, side: Side, arn: str) -> Access | None:
    """The concrete request behind a word, if the evaluator allows it.

    Every counterexample passes through here; one that does not replay is never shown as fact.
    """
    identity, principal, reach = side
    caller = scope.caller(identity, shape)
    documents = Applicable(principal.documents, principal.boundary, ())
    if isinstance(reach, ListingReach):
        bucket, _, key = arn.partition(":::")[2].partition("/")
        resource = f"arn:{shape.partition}:s3:::{bucket}"
        prefixes: list[str | None] = [None, *(key[:n] for n in range(len(key) + 1))]
    else:
        resource, prefixes = arn, [None]
    for prefix in prefixes:
        request = caller.request(reach.action, resource, prefix)
        decision = decide(request, documents, Reading.PESSIMISTIC)
        if decision.allowed and not _denied(principal, request):
            assert decision.document is not None
            assert decision.statement is not None
            plain = decide(request, documents, Reading.PLAIN)
            return Access(
                identity=identity,
                principal=principal.name,
                role=principal.urn,
                action=reach.action,
                arn=resource,
                listing=isinstance(reach, ListingReach),
                prefix=prefix,
                document=decision.document,
                statement=decision.statement,
                assumed=decision.assumed,
                exact=plain.allowed and exists(reach.action),
                resource=_matching(decision.statement, request),
            )
    return None


def _matching(statement: Statement, request: Request) -> str:
    if not statement.not_resource:
        for resource in statement.resources:
            if applies(replace(statement, resources=(resource,)), request, Reading.PESSIMISTIC)[0] is not Truth.NO:
                return resource
    return ""


def _denied(principal: Principal, request: Request) -> bool:
    """Whether a bucket policy's Deny takes the request away after all."""
    bucket = request.resource.partition(":::")[2].partition("/")[0]
    for policy in principal.resource:
        for statement in policy.document.statements if policy.bucket == bucket else ():
            if statement.effect is Effect.DENY and names_role(statement, principal.arns):
                truth, _ = applies(statement, request, Reading.PESSIMISTIC)
                if truth is Truth.YES:
                    return True
    return False
