"""Isolation: no two identities reach the same object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from ..automata.globs import Budget, BudgetExceeded, GlobSet, Wild, literal, shortest_word
from ..iam.actions import LIST_ACTIONS, OBJECT_ACTIONS, mask
from ..iam.documents import Effect
from ..iam.issuers import Shape, fresh, named_in
from ..inventory.principal import Principal
from .identities import symbolic
from .reach import AllObjects, Caller, Reach, Shared, list_reach, object_reach, opened
from .replay import Side, replayed
from .results import Cause, NotProven, Violation
from .scope import Scope


def isolation(scope: Scope) -> list[Violation | NotProven]:
    """INVARIANT (isolation): no key in the reach of one identity, or opened to it, is in the reach of another."""
    text = scope.text()
    # One for the proof, one for examples: where there is something to show, it is worth as much again.
    budget = (Budget(scope.steps), Budget(scope.steps))
    found: dict[frozenset[Cause], Violation | NotProven] = {}
    try:
        for shape in scope.shapes(text):
            if shape.issuer is None and shape.partition != "aws":
                return [NotProven(f"the identity issuer of {shape.region} is not known")]
            for result in _isolation(scope, shape, text, budget):
                statements = frozenset(result.statements)
                if not any(known <= statements for known in found):
                    found = {k: v for k, v in found.items() if not statements <= k or k == statements}
                    found.setdefault(statements, result)
            if found:
                break
    except BudgetExceeded as error:
        return [*found.values(), NotProven(str(error))]
    return [*found.values(), *_access_points(scope, text)]


def _isolation(scope: Scope, shape: Shape, text: str, budget: tuple[Budget, Budget]) -> Iterator[Violation | NotProven]:
    one, other = symbolic(shape.region)
    yield from _prove_pair(scope, shape, (one, other), text, budget)
    named = [identity for identity in named_in(text) if identity.startswith(f"{shape.region}:")]
    for identity in named:
        # Each identity that a document names, against one that none names; renaming gives the rest.
        yield from _prove_pair(scope, shape, (identity, other), text, budget)
    for pair in combinations(named, 2):
        yield from _prove_pair(scope, shape, pair, text, budget)


_Pair = tuple[str, str]


def _prove_pair(
    scope: Scope, shape: Shape, both: _Pair, text: str, budget: tuple[Budget, Budget]
) -> Iterator[Violation | NotProven]:
    """What two identities share. Where they stand for any two, the example shows it, or else it is not proven."""
    undecided: BudgetExceeded | None = None
    try:
        if all(
            _shared_word(shape, mine, theirs, budget[0]) is None for mine, theirs in _reach_pairs(scope, shape, both)
        ):
            return
    except BudgetExceeded as error:
        # An example may still be found, and says more than that nothing was decided; but not at any price.
        undecided, budget = error, (budget[0], Budget(min(budget[1].left, scope.steps // 4)))
    shown = False
    try:
        for mine, theirs in _reach_pairs(scope, shape, _example(both, shape, text)):
            for result in _counterexample(scope, shape, mine, theirs, budget[1]):
                shown = True
                yield result
    except BudgetExceeded as error:
        raise undecided or error from None
    if undecided is not None and not shown:
        raise undecided
    if not shown:
        yield NotProven(
            "a document names a part of identity ids, so what holds for some identities need not hold for all",
        )


def _example(both: _Pair, shape: Shape, text: str) -> _Pair:
    """The two with an id of their own that no document names in the place of a symbolic one."""
    named = dict(zip(symbolic(shape.region), fresh(shape.region, text), strict=True))
    return named.get(both[0], both[0]), named.get(both[1], both[1])


def _reach_pairs(scope: Scope, shape: Shape, both: _Pair) -> Iterator[tuple[Side, Side]]:
    """What may have something in common: every pair of reaches, and what bucket policies open with the other's reach."""
    callers = [scope.caller(identity, shape) for identity in both]
    mine, theirs = (reaches(scope, caller) for caller in callers)
    # Each reach with its own first: the two need not have the same machines in the same order.
    for my, their in sorted(product(mine, theirs), key=lambda pair: pair[0][1].action != pair[1][1].action):
        if scope.asks_about(my[0]) or scope.asks_about(their[0]):
            yield (both[0], *my), (both[1], *their)
    for opener, reached, identities in ((callers[0], theirs, both), (callers[1], mine, both[::-1])):
        for principal in filter(_may_be_opened, scope.principals):
            for opening in _reaches_of(opened(principal), opener, ()):
                for their in reached:
                    yield (identities[0], *opening), (identities[1], *their)


def _may_be_opened(principal: Principal) -> bool:
    """Whether a bucket policy could grant the role anything."""
    return any(s.effect is Effect.ALLOW for policy in principal.resource for s in policy.document.statements)


def reaches(scope: Scope, caller: Caller) -> list[tuple[Principal, Reach]]:
    return [found for principal in scope.principals for found in _reaches_of(principal, caller, scope.shared)]


def _reaches_of(principal: Principal, caller: Caller, shared: Sequence[Shared]) -> list[tuple[Principal, Reach]]:
    return [
        *((principal, reach) for reach in object_reach(principal, caller, shared)),
        *((principal, reach) for reach in list_reach(principal, caller, shared)),
    ]


def _counterexample(
    scope: Scope, shape: Shape, mine: Side, theirs: Side, budget: Budget
) -> Iterator[Violation | NotProven]:
    """An object that both sides reach, replayed."""
    word = _shared_word(shape, mine, theirs, budget)
    if word is None:
        return
    machines = [AllObjects(shape.partition), mine[2], theirs[2]]
    # The same, but in a place that is visibly the other's, where there is one: easier to see what is wrong.
    visible = GlobSet([(Wild.ANY, *literal(theirs[0]), Wild.ANY)])
    try:
        better = shortest_word([*machines, visible], all, [True] * 4, Budget(scope.steps // 10))
    except BudgetExceeded:
        better = None
    word = better or word
    my, their = replayed(scope, shape, mine, word), replayed(scope, shape, theirs, word)
    if my is None or their is None:
        yield NotProven(f"no request that reaches `{word}` could be confirmed")
    else:
        yield Violation(my, their, word)


def _shared_word(shape: Shape, mine: Side, theirs: Side, budget: Budget) -> str | None:
    """A shortest word of both sides' languages."""
    if _prefixes_disjoint(mine[2].prefixes, theirs[2].prefixes):
        return None
    return shortest_word([AllObjects(shape.partition), mine[2], theirs[2]], all, [True] * 3, budget)


def _prefixes_disjoint(one: Sequence[str], other: Sequence[str]) -> bool:
    """No word has a beginning of both: decided on literal beginnings alone, which settles most documents."""
    return not any(a.startswith(b) or b.startswith(a) for a in one for b in other)


def _access_points(scope: Scope, text: str) -> Iterator[NotProven]:
    """Grants on access points: their objects are a bucket's under another name, which no document tells."""
    if "accesspoint" not in text:
        return
    for principal in filter(scope.asks_about, scope.principals):
        for name, document in principal.documents:
            for statement in document.statements:
                if (
                    statement.effect is Effect.ALLOW
                    and not statement.not_resource
                    and mask(statement, (*OBJECT_ACTIONS, *LIST_ACTIONS))
                    and any("accesspoint" in resource for resource in statement.resources)
                ):
                    yield NotProven(
                        "an access point shows a bucket's objects under another name, and no document says which bucket",
                        document=name,
                        statement=statement,
                        role=principal.urn,
                    )
