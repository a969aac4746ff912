"""The request behind a counterexample: decided again, by the concrete evaluator, before it is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from ..automata.walk import Budget
from ..iam.actions import exists
from ..iam.conditions import Truth
from ..iam.documents import Document, Effect, Statement, Version
from ..iam.evaluator import Applicable, Reading, Request, action_matches, applies, decide
from ..iam.issuers import Shape
from ..inventory.principal import AccessPoint, Principal
from .directory_buckets import bucket_of
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
    budget: Budget,
    listing: bool = False,
    view: View = View.ROLE,
    stop: int | None = None,
    tags: Mapping[str, str] | None = None,
) -> Access | None:
    """The concrete request behind a word, if the evaluator allows it; raises BudgetExceeded.

    Every counterexample passes through here; one that does not replay is never shown as fact. Where `stop` is given, the
    listing's prefix may end after so many letters of the ARN. `tags` are the values of those that the role's session leaves
    open.
    """
    caller = replace(scope.caller(identity, shape, tags).of(principal), anonymous=view is View.ANYBODY)
    resource = arn
    prefixes: list[str | None] = [None]
    if listing:
        bucket, _, key = arn.partition(":::")[2].partition("/")
        resource = f"arn:{shape.partition}:s3:::{bucket}"
        every = [key[:n] for n in range(1, len(key) + 1)]
        here = [] if stop is None else [arn[len(resource) + 1 : stop]]
        prefixes = list(dict.fromkeys([None, "", *(text for text in every if text[-1] == "/"), *here, *every]))
    documents = _documents(principal, caller, view, resource, principal.through, action)
    price = _price(documents)
    for prefix, asked in product(prefixes, _asked(principal.through, resource)):
        budget.spend(price)
        request = caller.request(action, asked, prefix)
        decision = decide(request, documents, Reading.PESSIMISTIC)
        if decision.allowed and decision.document is not None and decision.statement is not None:
            doubtful = _doubtful(documents, request)
            if principal.through is not None:
                of_bucket = _of_bucket(principal, caller, view, decision.document)
                direct = replace(request, resource=resource)
                if not decide(direct, of_bucket, Reading.PESSIMISTIC).allowed:
                    continue
                doubtful += _doubtful(of_bucket, direct)
            return Access(
                identity=identity,
                principal=principal.name,
                role=principal.urn,
                action=action,
                arn=asked,
                listing=listing,
                prefix=prefix,
                document=decision.document,
                statement=decision.statement,
                assumed=decision.assumed,
                exact=decide(request, documents, Reading.PLAIN).allowed and exists(action),
                resource=_matching(decision.statement, request),
                anonymous=caller.anonymous,
                doubtful=doubtful,
                tags=_tags(scope, request),
            )
    return None


def readable(arn: str) -> str:
    """The ARN with names where the shortest one has none, which looks like a mistake in typing."""
    head, slash, key = arn.partition("/")
    return f"{head}{slash}{re.sub(r'(?<=/)(?=/)|^(?=/)|(?<=/)$|^$', 'x', key)}"


def _doubtful(documents: Applicable, request: Request) -> tuple[tuple[str, Statement], ...]:
    """The Denies that may apply to a request that is allowed: those that would allow it if they were Allows; also if only
    their variables were no literal text."""
    every = (*documents.identity, *documents.resource, *(documents.boundary or ()))
    return tuple(
        (name, statement)
        for name, document in every
        for statement in document.statements
        if statement.effect is Effect.DENY
        and applies(replace(statement, effect=Effect.ALLOW, expands=True), request, Reading.PESSIMISTIC)[0]
        is not Truth.NO
    )


def _tags(scope: Scope, request: Request) -> tuple[tuple[str, str], ...]:
    """The values of the principal tags that documents speak of."""
    named = scope.mentions.tags
    values = ((key, value) for key, value in sorted(request.context.items()) if key in named)
    return tuple((named[key], value[0]) for key, value in values if isinstance(value, tuple))


def _price(documents: Applicable) -> int:
    """Steps that a decision costs: the patterns that it may have to match, which cost less than a step of a walk."""
    every = (*documents.identity, *documents.resource, *(documents.boundary or ()))
    statements = [statement for _, document in every for statement in document.statements]
    patterns = sum(len(s.resources) + sum(len(c.values) for c in s.conditions) for s in statements)
    return 1 + (len(statements) + patterns) // _PATTERNS_PER_STEP


_PATTERNS_PER_STEP = 8


def _asked(point: AccessPoint | None, resource: str) -> list[str]:
    """The ARNs by which a bucket or an object is asked for: an access point's own, or its alias in the bucket's place."""
    if point is None or point.arn is None:
        return [resource]
    head, _, path = resource.partition(":::")
    _, slash, key = path.partition("/")
    aliases = [f"{head}:::{point.alias}{slash}{key}"] if point.alias is not None else []
    return [f"{point.arn}/object/{key}" if slash else point.arn, *aliases]


def _of_bucket(principal: Principal, caller: Caller, view: View, granted_by: str) -> Applicable:
    """What the bucket says of a request through its access point: what the point's policy grants, it must allow as well."""
    statements = list(applied(principal, caller, view))
    delegated = any(each.delegated and each.name == granted_by for each in statements)
    documents = [
        (each.name, Document(Version.V2012, (replace(each.statement, principals=None),)))
        for each in statements
        if each.point is None and (each.kind == "deny" or delegated)
    ]
    return Applicable(tuple(documents if delegated else [*documents, ("", _EVERYTHING)]))


_EVERYTHING = Document(Version.V2012, (Statement(0, Effect.ALLOW, ("*",), ("*",)),))


def _documents(
    principal: Principal, caller: Caller, view: View, resource: str, point: AccessPoint | None, action: str
) -> Applicable:
    """What decides a request for an action.

    The principals of bucket policies have been looked at, so their statements have none.
    """
    bucket = bucket_of(resource)
    identity: list[tuple[str, Document]] = []
    granted: list[tuple[str, Document]] = []
    boundary: list[tuple[str, Document]] = []
    for each in applied(principal, caller, view):
        if each.point != point or (each.bucket is not None and each.bucket != bucket):
            continue
        if not action_matches(each.statement, action):
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
