"""The actions that matter, as bits: which of them a statement speaks of, and which of them stand or fall together.

S3's object actions and the ways round are data, made from AWS's own list. Actions that do not exist yet are added: a
wildcard or a NotAction grants them as well, and a Deny that lists names does not take them away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from .documents import Effect, Statement
from .evaluator import action_matches

_DATA = json.loads((Path(__file__).parent / "catalogue.json").read_text(encoding="utf-8"))

FUTURE = "ActionThatDoesNotExistYet"

OBJECT_ACTIONS: tuple[str, ...] = (
    # First the ones that a reader knows: a group of actions is named by its first.
    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
    *(name for name in _DATA["objects"] if name not in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
    f"s3:{FUTURE}",
)
LIST_ACTIONS: tuple[str, ...] = ("s3:ListBucket", "s3:ListBucketVersions")
BUCKET_PIVOTS: tuple[str, ...] = tuple(_DATA["pivots"]["bucket"])
OTHER_PIVOTS: tuple[str, ...] = (
    *_DATA["pivots"]["any"],
    f"iam:{FUTURE}",
    *sorted(
        {
            f"{name.partition(':')[0]}:{FUTURE}"
            for name in _DATA["pivots"]["any"]
            if name.startswith("s3") and not name.startswith("s3:")
        }
    ),
)
"""Ways round that are asked for something other than a bucket: a pool, a role, an access point, or nothing at all."""


@lru_cache(maxsize=8192)
def _mask(patterns: tuple[str, ...], not_action: bool, universe: tuple[str, ...]) -> int:
    statement = Statement(0, Effect.ALLOW, patterns, ("*",), not_action=not_action)
    return sum(1 << i for i, action in enumerate(universe) if action_matches(statement, action))


def mask(statement: Statement, universe: tuple[str, ...]) -> int:
    """The actions of a universe that a statement speaks of, one bit each."""
    return _mask(statement.actions, statement.not_action, universe)


def groups(masks: Sequence[int], universe: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Actions that all the statements treat alike: each group's bits, and the name of its first action."""
    parts = [(1 << len(universe)) - 1]
    for each in set(masks):
        parts = [piece for part in parts for piece in (part & each, part & ~each) if piece]
    for part in parts:
        yield part, universe[(part & -part).bit_length() - 1]


_KNOWN = frozenset({*OBJECT_ACTIONS, *LIST_ACTIONS, *BUCKET_PIVOTS, *OTHER_PIVOTS})


def future(statements: Iterable[Statement]) -> tuple[str, ...]:
    """An S3 action that does not exist yet for each wildcard that would grant one."""
    found: dict[str, None] = {}
    for statement in statements:
        for pattern in statement.actions:
            if pattern.lower().startswith("s3:") and "*" in pattern and not statement.not_action:
                name = "s3:" + pattern[3:].replace("*", "ThatDoesNotExistYet").replace("?", "X")
                if name not in _KNOWN:
                    found[name] = None
    return tuple(found)


def exists(action: str) -> bool:
    """Whether an action is one that AWS has today."""
    return "DoesNotExistYet" not in action
