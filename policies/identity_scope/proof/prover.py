"""Decide the invariants about S3 for the roles that one identity pool, or one stack, vends.

Isolation, own folder and no way round, as the contract states them, each over all requests: the languages of `reach` are
intersected by a breadth-first walk. A violation comes with the shortest request that shows it, and that request has been
replayed by the evaluator; what could not be decided within the budget is "not proven", never "holds".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import combinations, product

from ..automata.globs import Budget, BudgetExceeded, GlobSet, Wild, literal, shortest_word
from ..iam.actions import BUCKET_PIVOTS, LIST_ACTIONS, OBJECT_ACTIONS, OTHER_PIVOTS, exists, mask
from ..iam.conditions import Truth
from ..iam.documents import Condition, Effect, Statement
from ..iam.evaluator import Applicable, Reading, Request, applies, decide
from ..iam.issuers import Shape, fresh, known_issuers, named_in, shape_of, shapes
from ..inventory.principal import Principal
from .identities import anybody, symbolic
from .reach import (
    Assumptions,
    Caller,
    ListingReach,
    Reach,
    Shared,
    list_reach,
    names_role,
    object_reach,
    opened,
)

STEPS = 40_000
"""Steps of the walk that one question may cost; a canonical role needs none, a hostile one is stopped in under a second."""


class Proof(Enum):
    VIOLATED = "violated"
    UNPROVEN = "not proven"
    DEAD = "dead grant"


@dataclass(frozen=True)
class Access:
    """One allowed request: who does what to which object, by which statement, and what had to be assumed for it.

    `prefix` is the `s3:prefix` of a listing; None where the request names none. `exact` says that the request is allowed
    whatever AWS means where its documentation leaves something open.
    """

    identity: str
    principal: str
    role: str
    action: str
    arn: str
    listing: bool
    prefix: str | None
    document: str
    statement: Statement
    assumed: tuple[Condition, ...]
    exact: bool
    resource: str = ""
    """The entry of Resource that matched; empty for NotResource."""


@dataclass(frozen=True)
class Result:
    """One thing that is wrong, or could not be decided. `mine` and `theirs` reach the same object."""

    proof: Proof
    reason: str = ""
    mine: Access | None = None
    theirs: Access | None = None
    arn: str = ""
    folder: str = ""
    document: str = ""
    statement: Statement | None = None
    condition: Condition | None = None
    role: str = ""


@dataclass(frozen=True)
class Scope:
    """What the question is asked about.

    Attributes:
        principals: the vended roles.
        regions: the pools' regions; none where they are not known.
        focus: URNs of the roles that the question is about; None: all. Pairs without any of them are left out.
        shared: spaces that the configuration declares as shared.
        issuers: issuers by region, beside the known ones.
        folders: the only folders that an organisation allows, as `BUCKET/PREFIX`; empty: any one folder will do.
        steps: budget of the walk.
    """

    principals: tuple[Principal, ...]
    regions: tuple[str, ...] = ()
    shared: tuple[Shared, ...] = ()
    issuers: tuple[tuple[str, str], ...] = ()
    folders: tuple[str, ...] = ()
    steps: int = STEPS
    focus: frozenset[str] | None = None

    def text(self) -> str:
        """Everything that the documents say about resources and values, to see whom and what they name."""
        parts: list[str] = []
        for principal in self.principals:
            resource = [(policy.name, policy.document) for policy in principal.resource]
            for _, document in (*principal.documents, *(principal.boundary or ()), *resource):
                for statement in document.statements:
                    parts.extend(statement.resources)
                    for condition in statement.conditions:
                        parts.extend(condition.values)
        parts.extend(space.pattern for space in self.shared)
        return "\n".join(parts)

    def shapes(self, text: str) -> list[Shape]:
        if self.regions:
            return [shape_of(region, dict(self.issuers)) for region in self.regions]
        return shapes(None, text, dict(self.issuers))

    def asks_about(self, principal: Principal) -> bool:
        return self.focus is None or principal.urn in self.focus

    def caller(self, identity: str, shape: Shape) -> Caller:
        return Caller(identity, shape, known_issuers(dict(self.issuers)))


class AllObjects:
    """All object ARNs of a partition; with `keys` off, all bucket ARNs."""

    _BUCKET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")

    def __init__(self, partition: str, keys: bool = True) -> None:
        self._head = f"arn:{partition}:s3:::"
        self._keys = keys
        self.start = 0
        self.weight = 1
        # Characters of bucket names are alike here; those that a document tells apart are letters of its own machines.
        self.letters = frozenset(self._head) | {"/"}

    def step(self, state: int, letter: str) -> int:
        """States: characters of the head; then 1 to 3 of the bucket's name; then the key. -1 is dead."""
        head = len(self._head)
        if state < 0:
            return -1
        if state < head:
            return state + 1 if letter == self._head[state] else -1
        if state < head + 4:
            if letter in self._BUCKET:
                return min(state + 1, head + 3)
            return head + 4 if letter == "/" and state == head + 3 and self._keys else -1
        return head + 5

    def accepts(self, state: int) -> bool:
        return state == len(self._head) + (5 if self._keys else 3)

    def dead(self, state: int) -> bool:
        return state < 0

    def viable(self, state: int) -> frozenset[str] | None:
        if state < len(self._head):
            return frozenset(self._head[state]) if state >= 0 else frozenset()
        return None if state >= len(self._head) + 4 else self._BUCKET | {"/"}


def isolation(scope: Scope) -> list[Result]:
    """INVARIANT (isolation): no key in the reach of one identity, or opened to it, is in the reach of another."""
    text = scope.text()
    # One for the proof, one for examples: where there is something to show, it is worth as much again.
    budget = (Budget(scope.steps), Budget(scope.steps))
    found: dict[frozenset[tuple[str, str, int]], Result] = {}
    try:
        for shape in scope.shapes(text):
            if shape.issuer is None and shape.partition != "aws":
                return [Result(Proof.UNPROVEN, f"the identity issuer of {shape.region} is not known")]
            for result in _isolation(scope, shape, text, budget):
                statements = {
                    (a.role, a.document, a.statement.index) for a in (result.mine, result.theirs) if a is not None
                }
                if not any(known <= statements for known in found):
                    found = {k: v for k, v in found.items() if not statements <= k or k == statements}
                    found.setdefault(frozenset(statements), result)
            if found:
                break
    except BudgetExceeded as error:
        return [*found.values(), Result(Proof.UNPROVEN, str(error))]
    return [*found.values(), *_access_points(scope, text)]


def _isolation(scope: Scope, shape: Shape, text: str, budget: tuple[Budget, Budget]) -> Iterator[Result]:
    one, other = symbolic(shape.region)
    yield from _prove_pair(scope, shape, (one, other), text, budget)
    named = [identity for identity in named_in(text) if identity.startswith(f"{shape.region}:")]
    for identity in named:
        # Each identity that a document names, against one that none names; renaming gives the rest.
        yield from _prove_pair(scope, shape, (identity, other), text, budget)
    for pair in combinations(named, 2):
        yield from _prove_pair(scope, shape, pair, text, budget)


_Pair = tuple[str, str]


def _prove_pair(scope: Scope, shape: Shape, both: _Pair, text: str, budget: tuple[Budget, Budget]) -> Iterator[Result]:
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
        yield Result(
            Proof.UNPROVEN,
            "a document names a part of identity ids, so what holds for some identities need not hold for all",
        )


def _example(both: _Pair, shape: Shape, text: str) -> _Pair:
    """The two with an id of their own that no document names in the place of a symbolic one."""
    named = dict(zip(symbolic(shape.region), fresh(shape.region, text), strict=True))
    return named.get(both[0], both[0]), named.get(both[1], both[1])


def _reach_pairs(scope: Scope, shape: Shape, both: _Pair) -> Iterator[tuple[_Side, _Side]]:
    """What may have something in common: every pair of reaches, and what bucket policies open with the other's reach."""
    callers = [scope.caller(identity, shape) for identity in both]
    mine, theirs = (_reaches(scope, caller) for caller in callers)
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


def _reaches(scope: Scope, caller: Caller) -> list[tuple[Principal, Reach]]:
    return [found for principal in scope.principals for found in _reaches_of(principal, caller, scope.shared)]


def _reaches_of(principal: Principal, caller: Caller, shared: Sequence[Shared]) -> list[tuple[Principal, Reach]]:
    return [
        *((principal, reach) for reach in object_reach(principal, caller, shared)),
        *((principal, reach) for reach in list_reach(principal, caller, shared)),
    ]


_Side = tuple[str, Principal, Reach]


def _counterexample(scope: Scope, shape: Shape, mine: _Side, theirs: _Side, budget: Budget) -> Iterator[Result]:
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
        yield Result(Proof.UNPROVEN, f"no request that reaches `{word}` could be confirmed", arn=word)
    else:
        yield Result(Proof.VIOLATED, "", my, their, word)


def _shared_word(shape: Shape, mine: _Side, theirs: _Side, budget: Budget) -> str | None:
    """A shortest word of both sides' languages."""
    if _prefixes_disjoint(mine[2].prefixes, theirs[2].prefixes):
        return None
    return shortest_word([AllObjects(shape.partition), mine[2], theirs[2]], all, [True] * 3, budget)


def _prefixes_disjoint(one: Sequence[str], other: Sequence[str]) -> bool:
    """No word has a beginning of both: decided on literal beginnings alone, which settles most documents."""
    return not any(a.startswith(b) or b.startswith(a) for a in one for b in other)


def replayed(scope: Scope, shape: Shape, side: _Side, arn: str) -> Access | None:
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


def own_folder(scope: Scope) -> list[Result]:
    """INVARIANT (own folder): everything in reach lies in one folder, `BUCKET/PREFIX` + own id + `/`."""
    text = scope.text()
    budget = Budget(scope.steps)
    try:
        for shape in scope.shapes(text):
            if next(_own_folder(scope, shape, anybody(shape.region), budget), None) is None:
                continue
            results = list(_own_folder(scope, shape, fresh(shape.region, text)[0], budget))
            return results or [Result(Proof.UNPROVEN, "a document names a part of identity ids")]
    except BudgetExceeded as error:
        return [Result(Proof.UNPROVEN, str(error))]
    return []


def _own_folder(scope: Scope, shape: Shape, identity: str, budget: Budget) -> Iterator[Result]:
    """For each role what lies outside; nothing if all lies in one folder."""
    reaches = _reaches(scope, scope.caller(identity, shape))
    if not reaches:
        return
    head = f"arn:{shape.partition}:s3:::"
    if scope.folders:
        allowed = [f"{head}{folder}{identity}/" for folder in scope.folders]
        yield from _escapes(scope, shape, identity, reaches, allowed, budget)
        return
    beginnings = [prefix for _, reach in reaches for prefix in reach.prefixes]
    mark = beginnings[0].find(f"/{identity}/") if beginnings else -1
    if mark > len(head) and all(each.startswith(beginnings[0][: mark + len(identity) + 2]) for each in beginnings):
        return  # settled on literal beginnings alone
    folders = _candidates(shape, identity, reaches, budget)
    tried = [
        _escapes(scope, shape, identity, reaches, allowed, budget)
        for allowed in ([[folder] for folder in folders] if folders else [[]])
    ]
    first = [next(escapes, None) for escapes in tried]
    if first[0] is not None and None not in first:
        yield first[0]
        yield from tried[0]


def _candidates(shape: Shape, identity: str, reaches: Sequence[tuple[Principal, Reach]], budget: Budget) -> list[str]:
    """Folders that could be the one: read off a shortest reached key that has the own id as a folder's name."""
    inside = GlobSet([(Wild.ANY, *literal(identity), "/", Wild.ANY)])
    for _, reach in reaches:
        word = shortest_word([AllObjects(shape.partition), reach, inside], all, [True] * 3, budget)
        if word is not None:
            mark = f"{identity}/"
            starts = [i for i in range(len(word)) if word.startswith(mark, i)]
            return [word[: i + len(mark)] for i in starts if "/" in word[:i]]
    return []


def _escapes(
    scope: Scope,
    shape: Shape,
    identity: str,
    reaches: Sequence[tuple[Principal, Reach]],
    folders: Sequence[str],
    budget: Budget,
) -> Iterator[Result]:
    """For each role, as far as the budget goes, a shortest reached object outside the folders, replayed."""
    allowed = GlobSet([(*literal(folder), Wild.ANY) for folder in folders])
    told: set[str] = set()
    for principal, reach in reaches:
        if principal.urn in told:
            continue
        try:
            word = shortest_word(
                [AllObjects(shape.partition), reach, allowed],
                lambda yes: yes[0] and yes[1] and not yes[2],
                [True, True, False],
                budget,
            )
        except BudgetExceeded:
            if told:
                return
            raise
        if word is not None:
            told.add(principal.urn)
            access = replayed(scope, shape, (identity, principal, reach), word)
            folder = folders[0].partition(":::")[2] if folders else ""
            if access is None:
                said = f"no request that reaches `{word}` could be confirmed"
                yield Result(Proof.UNPROVEN, said, arn=word, role=principal.urn)
            else:
                yield Result(Proof.VIOLATED, "", access, None, word, folder)


def dead_grants(scope: Scope) -> list[Result]:
    """Grants that no request can ever use, because a condition asks for a key that their actions do not have."""
    found: dict[tuple[str, str, int], Result] = {}
    shape = scope.shapes("")[0]
    caller = scope.caller(fresh(shape.region, "")[0], shape)
    for principal in filter(scope.asks_about, scope.principals):
        assumed = Assumptions()
        object_reach(principal, caller, (), assumed)
        for name, statement, condition in assumed.dead:
            if not mask(statement, LIST_ACTIONS):
                found.setdefault(
                    (principal.urn, name, statement.index),
                    Result(Proof.DEAD, document=name, statement=statement, condition=condition, role=principal.urn),
                )
    return list(found.values())


def escalations(scope: Scope) -> list[Result]:
    """INVARIANT (no way round): no vended role can widen its own reach."""
    found: dict[tuple[str, str, int], Result] = {}
    text = scope.text()
    shape = scope.shapes(text)[0]
    caller = scope.caller(fresh(shape.region, text)[0], shape)
    budget = Budget(scope.steps)
    try:
        for principal in filter(scope.asks_about, scope.principals):
            for result in _escalations(scope, principal, caller, budget):
                if result.mine is None:
                    found.setdefault((principal.urn, result.reason, -1), result)
                    continue
                found.setdefault((result.mine.role, result.mine.document, result.mine.statement.index), result)
    except BudgetExceeded as error:
        return [*found.values(), Result(Proof.UNPROVEN, str(error))]
    return list(found.values())


def _escalations(scope: Scope, principal: Principal, caller: Caller, budget: Budget) -> Iterator[Result]:
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


def _pivot(scope: Scope, caller: Caller, principal: Principal, reach: Reach, arn: str) -> Iterator[Result]:
    access = replayed(scope, caller.shape, (caller.identity, principal, reach), arn)
    if access is not None:
        yield Result(Proof.VIOLATED, mine=access)
    elif arn != "*":
        yield Result(Proof.UNPROVEN, f"no request to `{arn}` could be confirmed", role=principal.urn)


def _access_points(scope: Scope, text: str) -> Iterator[Result]:
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
                    yield Result(
                        Proof.UNPROVEN,
                        "an access point shows a bucket's objects under another name, and no document says which bucket",
                        document=name,
                        statement=statement,
                        role=principal.urn,
                    )
