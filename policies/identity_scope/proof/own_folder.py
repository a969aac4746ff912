"""Own folder: everything that an identity reaches lies in one folder that ends with its ID."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..automata.globs import Budget, BudgetExceeded, GlobSet, Wild, literal, shortest_word
from ..iam.actions import LIST_ACTIONS, mask
from ..iam.issuers import Shape, fresh
from ..inventory.principal import Principal
from .identities import anybody
from .isolation import reaches
from .reach import AllObjects, Assumptions, Reach, object_reach
from .replay import replayed
from .results import DeadGrant, NotProven, OutsideFolder
from .scope import Scope


def own_folder(scope: Scope) -> list[OutsideFolder | NotProven]:
    """INVARIANT (own folder): everything in reach lies in one folder, `BUCKET/PREFIX` + own id + `/`."""
    text = scope.text()
    budget = Budget(scope.steps)
    try:
        for shape in scope.shapes(text):
            if next(_own_folder(scope, shape, anybody(shape.region), budget), None) is None:
                continue
            results = list(_own_folder(scope, shape, fresh(shape.region, text)[0], budget))
            return results or [NotProven("a document names a part of identity ids")]
    except BudgetExceeded as error:
        return [NotProven(str(error))]
    return []


def _own_folder(scope: Scope, shape: Shape, identity: str, budget: Budget) -> Iterator[OutsideFolder | NotProven]:
    """For each role what lies outside; nothing if all lies in one folder."""
    held = reaches(scope, scope.caller(identity, shape))
    if not held:
        return
    head = f"arn:{shape.partition}:s3:::"
    if scope.folders:
        allowed = [f"{head}{folder}{identity}/" for folder in scope.folders]
        yield from _escapes(scope, shape, identity, held, allowed, budget)
        return
    beginnings = [prefix for _, reach in held for prefix in reach.prefixes]
    mark = beginnings[0].find(f"/{identity}/") if beginnings else -1
    if mark > len(head) and all(each.startswith(beginnings[0][: mark + len(identity) + 2]) for each in beginnings):
        return  # settled on literal beginnings alone
    folders = _candidates(shape, identity, held, budget)
    tried = [
        _escapes(scope, shape, identity, held, allowed, budget)
        for allowed in ([[folder] for folder in folders] if folders else [[]])
    ]
    first = [next(escapes, None) for escapes in tried]
    if first[0] is not None and None not in first:
        yield first[0]
        yield from tried[0]


def _candidates(shape: Shape, identity: str, held: Sequence[tuple[Principal, Reach]], budget: Budget) -> list[str]:
    """Folders that could be the one: read off a shortest reached key that has the own id as a folder's name."""
    inside = GlobSet([(Wild.ANY, *literal(identity), "/", Wild.ANY)])
    for _, reach in held:
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
    held: Sequence[tuple[Principal, Reach]],
    folders: Sequence[str],
    budget: Budget,
) -> Iterator[OutsideFolder | NotProven]:
    """For each role, as far as the budget goes, a shortest reached object outside the folders, replayed."""
    allowed = GlobSet([(*literal(folder), Wild.ANY) for folder in folders])
    told: set[str] = set()
    for principal, reach in held:
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
                yield NotProven(said, role=principal.urn)
            else:
                yield OutsideFolder(access, word, folder)


def dead_grants(scope: Scope) -> list[DeadGrant]:
    """Grants that no request can ever use, because a condition asks for a key that their actions do not have."""
    found: dict[tuple[str, str, int], DeadGrant] = {}
    shape = scope.shapes("")[0]
    caller = scope.caller(fresh(shape.region, "")[0], shape)
    for principal in filter(scope.asks_about, scope.principals):
        assumed = Assumptions()
        object_reach(principal, caller, (), assumed)
        for name, statement, condition in assumed.dead:
            if not mask(statement, LIST_ACTIONS):
                found.setdefault(
                    (principal.urn, name, statement.index),
                    DeadGrant(principal.urn, name, statement, condition),
                )
    return list(found.values())
