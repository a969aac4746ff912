"""The state of a resource: what the engine keeps of it, and how it compares with what AWS has now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Inputs = Mapping[str, Any]
"""Properties by the provider's names."""


@dataclass(frozen=True)
class ResourceState:
    """A resource that an earlier run created.

    Attributes:
        id: the provider's ID of the resource.
        inputs: the inputs that it was created from.
        outputs: its properties, including those that AWS assigned.
    """

    id: str
    inputs: Inputs
    outputs: Inputs


def refreshed(state: ResourceState, current: Inputs) -> ResourceState:
    """The state after a refresh: a property that means the same keeps its spelling, and an empty one stays unset."""
    outputs = {
        key: state.outputs.get(key) if same(state.outputs.get(key), value) else value
        for key, value in current.items()
        if key in state.inputs or not _empty(value)
    }
    inputs = {
        key: value for key, value in outputs.items() if key in state.inputs or not same(value, state.outputs.get(key))
    }
    return ResourceState(state.id, {**state.inputs, **inputs}, {**state.outputs, **outputs})


def changed(old: Inputs, new: Inputs) -> set[str]:
    """The inputs that differ in meaning."""
    return {key for key in {*old, *new} if not same(old.get(key), new.get(key))}


def same(a: Any, b: Any) -> bool:
    """Whether two values mean the same: JSON documents are compared as values, and unset equals empty."""
    if a == b or (_empty(a) and _empty(b)):
        return True
    if isinstance(a, str) and isinstance(b, str):
        return a[:1] == "{" and _json(a) is not None and _json(a) == _json(b)
    return False


def _empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
