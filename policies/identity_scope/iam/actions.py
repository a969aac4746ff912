"""The actions that matter, as bits: which of them a statement speaks of, and which of them stand or fall together.

S3's object actions and the actions that allow privilege escalation are data, made from AWS's own list and a published
catalogue. Actions that do not exist yet are added: a wildcard or a NotAction grants them as well, and a Deny that lists
names does not take them away.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from pathlib import Path

from ..automata.walk import BudgetExceeded, fresh_letter
from .documents import Effect, Statement
from .evaluator import action_matches, action_set

_DATA = json.loads((Path(__file__).parent / "catalogue.json").read_text(encoding="utf-8"))

FUTURE = "ActionThatDoesNotExistYet"

OBJECT_ACTIONS: tuple[str, ...] = (
    # First the ones that a reader knows: a group of actions is named by its first.
    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
    *(name for name in _DATA["objects"] if name not in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
    f"s3:{FUTURE}",
)
LIST_ACTIONS: tuple[str, ...] = ("s3:ListBucket", "s3:ListBucketVersions")


class EscalationClass(Enum):
    """How an action widens what its caller reaches."""

    PERMISSIONS = "permissions"
    """It changes permissions: IAM, identity pools, and whatever AWS classes as permissions management."""
    IDENTITY = "identity"
    """It lets its caller act as somebody else: another role, another user of a user pool, another identity."""
    CODE = "code"
    """It runs code under another role."""
    BUCKET = "bucket"
    """It changes what protects a bucket, or copies its contents out."""
    KEYLESS = "keyless"
    """It belongs to an S3 interface whose ARNs carry no key."""


_CLASSES = {kind: tuple(_DATA["escalations"][kind.value]) for kind in EscalationClass}
_CLASS_OF = {action: kind for kind, members in _CLASSES.items() for action in members}
ARN_SERVICES: Mapping[str, Sequence[str]] = _DATA["arns"]
"""The services in whose ARNs a service's actions are asked for, where these are not only its own."""
_OF_BUCKETS = frozenset(_DATA["buckets"])

KEYLESS_SERVICES = frozenset(
    action.partition(":")[0] for action in _CLASSES[EscalationClass.KEYLESS] if not action.startswith("s3:")
)
"""S3 interfaces whose ARNs carry no key."""
BUCKET_PIVOTS: tuple[str, ...] = tuple(action for action in _CLASS_OF if action in _OF_BUCKETS)
"""Actions that allow privilege escalation and are asked for a bucket."""
OTHER_PIVOTS: tuple[str, ...] = (
    *(action for action in _CLASS_OF if action not in _OF_BUCKETS),
    f"iam:{FUTURE}",
    *(f"{service}:{FUTURE}" for service in sorted(KEYLESS_SERVICES)),
)
"""Those that are asked for something other than a bucket: a pool, a role, a function, an access point, or nothing."""

OTHER_S3_WRITES: tuple[str, ...] = tuple(_DATA["others"])
"""S3's writes that are asked for no object and allow no privilege escalation."""

POINT_ACTIONS: tuple[str, ...] = tuple(a for a in OTHER_PIVOTS if a.startswith(("s3:", "s3express:")))
"""Those of S3 among them, which are asked for an access point, also of a directory bucket, an access grant or a job."""

_SERVICE_BITS: dict[str, int] = {}
for _index, _action in enumerate(OTHER_PIVOTS):
    _service = _action.partition(":")[0]
    _SERVICE_BITS[_service] = _SERVICE_BITS.get(_service, 0) | 1 << _index


def escalation_class(action: str) -> EscalationClass:
    """The class of an action that allows privilege escalation."""
    known = _CLASS_OF.get(action)
    if known is not None:
        return known
    return EscalationClass.PERMISSIONS if action.startswith("iam:") else EscalationClass.KEYLESS


@lru_cache(maxsize=8192)
def escalating(pattern: str) -> bool:
    """Whether an entry of Action covers an action that allows privilege escalation."""
    return bool(_mask((pattern,), False, BUCKET_PIVOTS) or _mask((pattern,), False, OTHER_PIVOTS))


def pivots(pattern: str) -> Iterator[str]:
    """The actions that allow privilege escalation and are asked for no bucket, of those that an entry of Action covers."""
    covered = _pattern_mask(pattern, OTHER_PIVOTS)
    return (action for i, action in enumerate(OTHER_PIVOTS) if covered >> i & 1)


@lru_cache(maxsize=8192)
def _mask(patterns: tuple[str, ...], not_action: bool, universe: tuple[str, ...]) -> int:
    every = (1 << len(universe)) - 1
    named = 0
    for pattern in patterns:
        named |= every if pattern == "*" else _pattern_mask(pattern, universe)
    return every & ~named if not_action else named


@lru_cache(maxsize=8192)
def _pattern_mask(pattern: str, universe: tuple[str, ...]) -> int:
    statement = Statement(0, Effect.ALLOW, (pattern,), ("*",))
    # Most patterns name a service, and most of the universe is of another one.
    head = pattern.partition("*")[0].partition("?")[0].lower()
    return sum(
        1 << i
        for i, action in enumerate(universe)
        if action.lower().startswith(head) and action_matches(statement, action)
    )


def mask(statement: Statement, universe: tuple[str, ...]) -> int:
    """The actions of a universe that a statement speaks of, one bit each."""
    return _mask(statement.actions, statement.not_action, universe)


def pivots_by_service(allows: Iterable[Statement]) -> list[tuple[str, ...]]:
    """Of `OTHER_PIVOTS` those that some statements speak of, by service: each service is asked with ARNs of its own, also
    where a statement treats all of them alike."""
    named = 0
    for statement in allows:
        named |= mask(statement, OTHER_PIVOTS)
    parts = [named & bits for bits in _SERVICE_BITS.values()]
    return [tuple(a for i, a in enumerate(OTHER_PIVOTS) if part >> i & 1) for part in parts if part]


def groups(masks: Sequence[int], universe: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Actions that all the statements treat alike: each group's bits, and the name of its first action."""
    parts = [(1 << len(universe)) - 1]
    for each in set(masks):
        parts = [piece for part in parts for piece in (part & each, part & ~each) if piece]
    for part in parts:
        yield part, universe[(part & -part).bit_length() - 1]


_NEW = ("ThatDoesNotExistYet", "x")
"""What stands for the new letter in the name of an action that does not exist yet, where it means the same."""
_COMBINING = 100_000
"""Steps within which the combinations of wildcards are found."""


def future(statements: Iterable[Statement], beside: Iterable[tuple[str, ...]] = ()) -> tuple[str, ...]:
    """S3 actions that do not exist yet: one for each combination of statements that may speak of one together.

    Args:
        beside: what else speaks of some actions, by names and patterns, such as shared spaces.

    INVARIANT (future actions). A name that wildcards alone match is matched by the same entries of Action and NotAction if
    a letter that none of them spells out there becomes a new one. So the names with a new letter are all that there are.

    Raises: BudgetExceeded: the wildcards make more combinations than can be looked at.
    """
    entries = tuple(dict.fromkeys((statement.actions, statement.not_action) for statement in statements))
    entries += tuple((patterns, False) for patterns in dict.fromkeys(beside))
    if not any(negated or any("*" in a or "?" in a for a in patterns) for patterns, negated in entries):
        return ()
    found = _future(tuple(patterns for patterns, _ in entries))
    if found is None:
        raise BudgetExceeded(_COMBINING)
    return found


@lru_cache(maxsize=1024)
def _future(entries: tuple[tuple[str, ...], ...]) -> tuple[str, ...] | None:
    """The same for entries of Action or NotAction; None where they make too many combinations."""
    sets = [action_set(patterns) for patterns in entries]
    fresh = fresh_letter(frozenset().union(*(each.letters for each in sets), _NAMES, ":"))
    # Only wildcards match a name with a new letter.
    wildcards = dict.fromkeys(p for patterns in entries for p in patterns if "*" in p or "?" in p)
    machine = action_set(tuple(wildcards))
    places = [frozenset(i for i, each in enumerate(wildcards) if each in set(patterns)) for patterns in entries]

    def combination(action: str) -> tuple[bool, ...]:
        return tuple(each.matches(action) for each in sets)

    told = {combination(action) for action in OBJECT_ACTIONS}
    names: list[str] = []
    # A name, and where the machine has come to; breadth first, so that names are short.
    queue = deque([("s3:", machine.run("s3:"))])
    seen, steps = {(False, queue[0][1])}, 0
    while queue:
        name, state = queue.popleft()
        if fresh in name:
            matched = machine.accepting(state)
            spoken = tuple(not matched.isdisjoint(place) for place in places)
            if spoken not in told:
                told.add(spoken)
                shown = next((n for n in (name.replace(fresh, w) for w in _NEW) if combination(n) == spoken), name)
                names.append("s3:" + shown[3:4].upper() + shown[4:])
        for letter in (fresh, *sorted(machine.literals(state))):
            steps += machine.weight
            if steps > _COMBINING:
                return None
            after = machine.step(state, letter)
            key = fresh in name + letter, after
            if key not in seen:
                seen.add(key)
                queue.append((name + letter, after))
    return tuple(names)


_NAMES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
"""The letters of names of actions."""


def exists(action: str) -> bool:
    """Whether an action is one that AWS has today: of S3's, one that is known here."""
    if action.startswith("s3:"):
        return action in _KNOWN
    return "DoesNotExistYet" not in action


_KNOWN = frozenset({*OBJECT_ACTIONS, *LIST_ACTIONS, *_CLASS_OF}) - {f"s3:{FUTURE}"}
