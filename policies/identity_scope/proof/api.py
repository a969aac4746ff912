"""API calls: vended roles call only APIs that are named by a literal ID."""

from __future__ import annotations

from collections.abc import Sequence

from ..automata.globs import Budget, BudgetExceeded, GlobSet, Wild, literal, shortest_word
from ..iam.issuers import fresh
from ..inventory.principal import Principal
from .reach import object_reach
from .replay import replayed
from .results import NotProven, UnnamedApi
from .scope import Scope

INVOKE = ("execute-api:Invoke",)


def unnamed_apis(scope: Scope, apis: tuple[str, ...]) -> list[UnnamedApi | NotProven]:
    """For each role a call of an API that is not among `apis`, or, without any, that its documents do not name."""
    found: list[UnnamedApi | NotProven] = []
    text = scope.text()
    shape = scope.shapes(text)[0]
    caller = scope.caller(fresh(shape.region, text)[0], shape)
    for principal in filter(scope.asks_about, scope.principals):
        for reach in object_reach(principal, caller, (), None, INVOKE):
            head = literal(f"arn:{shape.partition}:execute-api:")
            wanted = apis or _named(principal)
            named = GlobSet([(*head, Wild.ANY, *literal(f":{api}/"), Wild.ANY) for api in wanted])
            every = GlobSet([(*head, Wild.ANY)])
            try:
                word = shortest_word([every, reach, named], _beyond, [True, True, False], Budget(scope.steps))
            except BudgetExceeded as error:
                found.append(NotProven(str(error), principal.urn))
                continue
            if word is None:
                continue
            access = replayed(scope, shape, (caller.identity, principal, reach), word)
            if access is None:
                found.append(NotProven(f"no request to `{word}` could be confirmed", principal.urn))
            else:
                found.append(UnnamedApi(access))
    return found


def _beyond(accepted: Sequence[bool]) -> bool:
    """What two machines accept and the third does not."""
    return accepted[0] and accepted[1] and not accepted[2]


def _named(principal: Principal) -> tuple[str, ...]:
    """API IDs that the role's documents name without wildcards."""
    found: set[str] = set()
    for _, document in principal.documents:
        for statement in document.statements:
            for resource in statement.resources:
                fields = resource.split(":", 5)
                if len(fields) == 6 and fields[2] == "execute-api":
                    api = fields[5].partition("/")[0]
                    if api.isalnum():
                        found.add(api)
    return tuple(sorted(found))
