"""The request behind a counterexample: decided again, by the concrete evaluator, before it is shown."""

from __future__ import annotations

from dataclasses import replace

from ..iam.actions import exists
from ..iam.conditions import Truth
from ..iam.documents import Document, Statement, Version
from ..iam.evaluator import Applicable, Reading, Request, applies, decide
from ..iam.issuers import Shape
from ..inventory.principal import Principal
from .reach import Caller, View, applied
from .results import Access
from .scope import Scope


def replayed(
    scope: Scope,
    shape: Shape,
    identity: str,
    principal: Principal,
    action: str,
    arn: str,
    listing: bool = False,
    view: View = View.ROLE,
) -> Access | None:
    """The concrete request behind a word, if the evaluator allows it.

    Every counterexample passes through here; one that does not replay is never shown as fact.
    """
    caller = replace(scope.caller(identity, shape), anonymous=view is View.ANYBODY)
    resource = arn
    prefixes: list[str | None] = [None]
    if listing:
        bucket, _, key = arn.partition(":::")[2].partition("/")
        resource = f"arn:{shape.partition}:s3:::{bucket}"
        prefixes = [None, *(key[:n] for n in range(len(key) + 1))]
    documents = _documents(principal, caller, view, resource)
    for prefix in prefixes:
        request = caller.request(action, resource, prefix)
        decision = decide(request, documents, Reading.PESSIMISTIC)
        if decision.allowed and decision.document is not None and decision.statement is not None:
            return Access(
                identity=identity,
                principal=principal.name,
                role=principal.urn,
                action=action,
                arn=resource,
                listing=listing,
                prefix=prefix,
                document=decision.document,
                statement=decision.statement,
                assumed=decision.assumed,
                exact=decide(request, documents, Reading.PLAIN).allowed and exists(action),
                resource=_matching(decision.statement, request),
            )
    return None


def _documents(principal: Principal, caller: Caller, view: View, resource: str) -> Applicable:
    """What decides a request. The principals of bucket policies have been looked at, so their statements have none."""
    bucket = resource.partition(":::")[2].partition("/")[0]
    identity: list[tuple[str, Document]] = []
    granted: list[tuple[str, Document]] = []
    boundary: list[tuple[str, Document]] = []
    for each in applied(principal, caller, view):
        if each.bucket is not None and each.bucket != bucket:
            continue
        statement = each.statement if each.statement.principals is None else replace(each.statement, principals=None)
        document = each.name, Document(Version.V2012, (statement,))
        if each.kind == "boundary":
            boundary.append(document)
        else:
            # A grant to the role's ARN is limited by the boundary, as what the role itself is granted.
            (identity if each.limited else granted).append(document)
    return Applicable(tuple(identity), None if principal.boundary is None else tuple(boundary), tuple(granted))


def _matching(statement: Statement, request: Request) -> str:
    if not statement.not_resource:
        for resource in statement.resources:
            if applies(replace(statement, resources=(resource,)), request, Reading.PESSIMISTIC)[0] is not Truth.NO:
                return resource
    return ""
