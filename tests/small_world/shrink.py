"""The smallest set that still shows a defect: whatever can be left out is left out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from policies.identity_scope.iam.documents import DocumentError

from .sets import DocumentSet

Place = tuple[Any, ...]


def smaller(made: DocumentSet, defect: Callable[[DocumentSet], str | None]) -> DocumentSet:
    """Leave out as much as keeps the kind of the defect: the words before its first colon."""
    kind = _kind(defect(made))
    progress = True
    while progress and kind is not None:
        progress = False
        for candidate in _candidates(made):
            try:
                same = _kind(defect(candidate)) == kind
            except DocumentError:
                continue
            if same:
                made, progress = candidate, True
                break
    return made


def _kind(defect: str | None) -> str | None:
    return defect and defect.partition(":")[0]


def _candidates(made: DocumentSet) -> Iterator[DocumentSet]:
    for place in _places(made.raw):
        changed = copy.deepcopy(made.raw)
        inside: Any = changed
        for step in place[:-1]:
            inside = inside[step]
        del inside[place[-1]]
        yield replace(made, **changed)
    if made.other is not None:
        yield replace(made, other=None)
        yield replace(made, shape=made.other, other=None)


def _places(raw: Any, at: Place = ()) -> Iterator[Place]:
    """What can be left out, the largest first: not the last of a list, and of an object only what it can do without."""
    items: list[tuple[Any, Any]] = list(raw.items() if isinstance(raw, dict) else enumerate(raw))
    needed = {
        "Statement",
        "Effect",
        "Action",
        "Resource",
        "NotAction",
        "NotResource",
        "Principal",
        "documents",
        "Version",
    }
    needed |= {"roles", "policies", "shared", "folders", "focus", "pattern", "actions", "NotPrincipal"}
    needed |= {"logins", "provider", "kind", "tags", "tenants"}
    for key, _ in items:
        if isinstance(raw, dict) and key not in needed:
            yield *at, key
        if isinstance(raw, list) and (len(raw) > 1 or at in (("shared",), ("folders",), ("focus",), ("tenants",))):
            yield *at, key
    for key, value in items:
        if isinstance(value, (dict, list)):
            yield from _places(value, (*at, key))
