"""No escalation: no vended role can widen its own reach."""

from __future__ import annotations

from collections.abc import Iterator

from ..automata.globs import Budget, BudgetExceeded, GlobSet, Wild, literal, shortest_word
from ..iam.actions import BUCKET_PIVOTS, OTHER_PIVOTS
from ..iam.issuers import fresh
from ..inventory.principal import Principal
from .reach import AllObjects, Caller, Reach, object_reach
from .replay import replayed
from .results import Cause, Escalation, NotProven
from .scope import Scope


def escalations(scope: Scope) -> list[Escalation | NotProven]:
    """INVARIANT (no way round): no vended role can widen its own reach."""
    found: dict[Cause, Escalation | NotProven] = {}
    text = scope.text()
    shape = scope.shapes(text)[0]
    caller = scope.caller(fresh(shape.region, text)[0], shape)
    budget = Budget(scope.steps)
    try:
        for principal in filter(scope.asks_about, scope.principals):
            for result in _escalations(scope, principal, caller, budget):
                found.setdefault(result.cause, result)
    except BudgetExceeded as error:
        return [*found.values(), NotProven(str(error))]
    return list(found.values())


def _escalations(
    scope: Scope, principal: Principal, caller: Caller, budget: Budget
) -> Iterator[Escalation | NotProven]:
    shape = caller.shape
    for reach in object_reach(principal, caller, (), None, BUCKET_PIVOTS):
        word = shortest_word([AllObjects(shape.partition, keys=False), reach], all, [True, True], budget)
        if word is not None:
            yield from _pivot(scope, caller, principal, reach, word)
    for reach in object_reach(principal, caller, (), None, OTHER_PIVOTS):
        service = reach.action.partition(":")[0]
        scheme = _arns_for(service, shape.partition)
        for word in ("*", shortest_word([scheme, reach], all, [True, True], budget)):
            results = list(_pivot(scope, caller, principal, reach, word)) if word is not None else []
            if results:
                yield from results
                break


def _arns_for(service: str, partition: str) -> GlobSet:
    """ARNs that a service's ways round are asked for; S3's are never a bucket or an object."""
    # Taking on a role is asked for by the role's ARN, which is IAM's.
    head = literal(f"arn:{partition}:{'iam' if service == 'sts' else service}:")
    if service != "s3":
        return GlobSet([(*head, Wild.ANY)])
    kinds = ("accesspoint/", "access-grants/", "job/")
    return GlobSet([(*head, Wild.WITHIN, ":", Wild.WITHIN, *literal(f":{kind}"), Wild.ANY) for kind in kinds])


def _pivot(
    scope: Scope, caller: Caller, principal: Principal, reach: Reach, arn: str
) -> Iterator[Escalation | NotProven]:
    access = replayed(scope, caller.shape, (caller.identity, principal, reach), arn)
    if access is not None:
        yield Escalation(access)
    elif arn != "*":
        yield NotProven(f"no request to `{arn}` could be confirmed", role=principal.urn)
