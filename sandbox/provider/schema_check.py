"""What the real provider would refuse of a resource's inputs: unknown properties, wrong types, missing properties.

The types are pulumi_aws's own, which are generated from the provider's schema.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Union, get_args, get_origin

from pulumi import _types as sdk
from pulumi.output import Unknown as SdkUnknown

from ..errors import CommandError

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a value that is not known yet."""


class Problem(NamedTuple):
    """One problem of a resource's inputs: the property's path, and the message."""

    path: str
    message: str


class InputsRefused(CommandError):
    """The provider's check refuses a resource; one line for each problem."""

    def __init__(self, token: str, name: str, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(f"`{name}` ({token}): {problem.message}" for problem in problems))


def problems(args: Any, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """Every problem of a resource's inputs.

    Args:
        args: pulumi_aws's class of the inputs.
        inputs: as the provider names them; a value that is not known yet passes.
    """
    yield from _object(args, inputs, "")


def schema(resource: Any, args: Any) -> dict[str, Any]:
    """A resource type for the engine's package schema, for programs in YAML; `problems` checks the values' types."""
    anything = {"$ref": "pulumi.json#/Any"}
    return {
        "inputProperties": {name: anything for name, _, _ in _properties(args)},
        "requiredInputs": [name for name, _, required in _properties(args) if required],
        "properties": dict.fromkeys(sdk.resource_types(resource), anything),
    }


def computed(resource: Any, args: Any) -> frozenset[str]:
    """Properties of a resource that are not inputs: AWS assigns them."""
    return frozenset(sdk.resource_types(resource)) - {name for name, _, _ in _properties(args)}


@lru_cache(maxsize=256)
def _properties(args: Any) -> tuple[tuple[str, Any, bool], ...]:
    """(name, type, whether it is required) of each property."""
    names = sdk.input_type_py_to_pulumi_names(args)
    hints = sdk.input_type_types(args)
    parameters = inspect.signature(args.__init__).parameters
    return tuple(
        (wire, hints[wire], parameters[python].default is inspect.Parameter.empty)
        for python, wire in names.items()
        if wire in hints and python in parameters
    )


def _object(args: Any, value: Mapping[str, Any], prefix: str) -> Iterator[Problem]:
    properties = _properties(args)
    known = {name for name, _, _ in properties}
    for name in sorted(set(value) - known - {"__defaults"}):
        path = f"{prefix}{name}"
        yield Problem(path, f"`{path}` is not a property; known here: {', '.join(sorted(known))}")
    for name, hint, required in properties:
        path = f"{prefix}{name}"
        if value.get(name) is not None:
            yield from _value(hint, value[name], path)
        elif required:
            yield Problem(path, f"`{path}` is required")


def _value(hint: Any, value: Any, path: str) -> Iterator[Problem]:
    """Problems of a value; where a property takes several types, those of the type that it resembles most."""
    if value == UNKNOWN or isinstance(value, SdkUnknown):
        return
    by_type = [list(_typed(alternative, value, path)) for alternative in _alternatives(hint)]
    if [] not in by_type:
        yield from max(by_type, key=lambda problems: len(problems[0].path))


def _typed(hint: Any, value: Any, path: str) -> Iterator[Problem]:
    origin = get_origin(hint)
    if origin in _SEQUENCES:
        if isinstance(value, list | tuple):
            for index, item in enumerate(value):
                yield from _value(get_args(hint)[0], item, f"{path}[{index}]")
        else:
            yield Problem(path, f"`{path}` must be a list, not {_type_name(value)}")
    elif origin in _MAPPINGS or sdk.is_input_type(hint):
        if not isinstance(value, Mapping):
            yield Problem(path, f"`{path}` must be an object, not {_type_name(value)}")
        elif origin in _MAPPINGS:
            for key, item in value.items():
                yield from _value(get_args(hint)[1], item, f"{path}.{key}")
        else:
            yield from _object(hint, value, f"{path}.")
    elif hint in _SCALARS and not _fits(hint, value):
        yield Problem(path, f"`{path}` must be {_WORDS[hint]}, not {_type_name(value)}")


def _fits(hint: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, _SCALARS[hint]) and (hint is not int or value == int(value))


def _alternatives(hint: Any) -> list[Any]:
    """The types of a property, without those that the SDK accepts for it: awaitables, outputs, typed dictionaries."""
    if get_origin(hint) not in (Union, types.UnionType):
        return [hint]
    names = {member: getattr(member, "__name__", "") for member in get_args(hint) if member is not type(None)}
    return [
        alternative
        for member, name in names.items()
        if name not in ("Output", "Awaitable") and not name.endswith("ArgsDict")
        for alternative in _alternatives(member)
    ]


_SEQUENCES = (list, Sequence)
_MAPPINGS = (dict, Mapping)
_SCALARS: dict[Any, Any] = {str: str, bool: bool, int: (int, float), float: (int, float)}
_WORDS: dict[Any, str] = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "a value of another type")
