"""API calls: vended roles call only APIs that are named by a literal ID, whoever the identity is."""

from __future__ import annotations

from ..automata.globs import Pattern, Wild, literal
from ..automata.walk import Budget, BudgetExceeded
from ..inventory.principal import Principal
from .questions import Reader, Symbolic, track
from .results import NotProven, UnnamedApi
from .scope import Scope
from .tag_values import first_replayed

API_CALLS = ("execute-api:Invoke", "execute-api:InvalidateCache", "execute-api:ManageConnections")
"""The actions on deployed APIs: calls, also those that empty a stage's cache or write to other users' connections.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigateway.html
"""


def unnamed_apis(scope: Scope, apis: tuple[str, ...]) -> list[UnnamedApi | NotProven]:
    """For each role a call of an API that is not among `apis`, or, without any, that its documents do not name."""
    found: list[UnnamedApi | NotProven] = []
    budget = Budget(scope.steps)
    shape = scope.shapes()[0]
    symbolic = Symbolic(scope.strangers(shape), budget)
    reader = Reader(symbolic, scope.stranger(symbolic.strangers, 0), 0)
    head = literal(f"arn:{shape.partition}:execute-api:")
    for principal in filter(scope.asks_about, scope.by_session):
        wanted = apis or _named(principal)
        named: list[Pattern] = [(*head, Wild.ANY, *literal(f":{api}/"), Wild.ANY) for api in wanted]
        try:
            for grant in reader.objects(principal, universe=API_CALLS):
                question = symbolic.alone(grant, track((*head, Wild.ANY)), forbidden=named)
                word = symbolic.find(question)
                if word is None:
                    continue
                arn = symbolic.strangers.written(word.letters, word.digits)
                access = first_replayed(scope, shape, symbolic, grant, word, arn)
                if access is None:
                    found.append(NotProven(f"no request to `{arn}` could be confirmed", principal.urn))
                else:
                    found.append(UnnamedApi(access))
                break
        except BudgetExceeded as error:
            found.append(NotProven(str(error), principal.urn))
    return list({result.cause: result for result in found}.values())


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
