"""What the real provider would refuse of a resource's inputs: unknown properties, wrong types, missing ones.

The types are pulumi_aws's own; they are generated from the provider's schema.
"""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Union, get_args, get_origin

from pulumi import _types as sdk
from pulumi.output import Unknown as SdkUnknown

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a value that is not known yet."""


class InputsRefused(Exception):
    """The provider's check refuses a resource; one line for each problem."""

    def __init__(self, kind: str, name: str, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"`{name}` ({kind}): {said}" for _, said in problems))


def check(kind: str, name: str, inputs: Mapping[str, Any]) -> None:
    """Refuse inputs that the provider would refuse.

    Args:
        kind: type token, such as `aws:iam/role:Role`.
        name: the resource's logical name.
        inputs: as the provider names them; values that are not known yet pass.

    Raises:
        InputsRefused: with every problem, each with its place.
    """
    problems = list(found(kind, inputs))
    if problems:
        raise InputsRefused(kind, name, problems)


def found(kind: str, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(property, what is wrong with it) of each problem."""
    yield from _object(_args(kind), inputs, "")


def computed(kind: str) -> frozenset[str]:
    """Properties that AWS gives out, so that they are not known before the resource exists."""
    return frozenset(sdk.resource_types(_resource(kind))) - {name for name, _, _ in _properties(_args(kind))}


def _resource(kind: str) -> Any:
    package, module, name = (
        kind.replace("/", ":").split(":")[0],
        kind.split(":")[1].partition("/")[0],
        kind.split(":")[2],
    )
    return getattr(importlib.import_module(f"pulumi_{package}.{module}"), name)


def _args(kind: str) -> Any:
    resource = _resource(kind)
    return getattr(importlib.import_module(resource.__module__), f"{resource.__name__}Args")


@lru_cache(maxsize=256)
def _properties(args: Any) -> tuple[tuple[str, Any, bool], ...]:
    """(name, type, whether it must be there) of each property."""
    named = sdk.input_type_py_to_pulumi_names(args)
    hints = sdk.input_type_types(args)
    parameters = inspect.signature(args.__init__).parameters
    return tuple(
        (wire, hints[wire], parameters[python].default is inspect.Parameter.empty)
        for python, wire in named.items()
        if wire in hints and python in parameters
    )


def _object(args: Any, value: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    properties = _properties(args)
    known = {name for name, _, _ in properties}
    for name in sorted(set(value) - known - {"__defaults"}):
        at = f"{place}{name}"
        yield at, f"`{at}` is not a property; known here: {', '.join(sorted(known))}"
    for name, hint, required in properties:
        at = f"{place}{name}"
        if value.get(name) is None:
            if required:
                yield at, f"`{at}` is missing"
        else:
            yield from _value(hint, value[name], at)


def _value(hint: Any, value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Problems of a value; where a property takes several types, those of the type that it looks like."""
    if value == UNKNOWN or isinstance(value, SdkUnknown):
        return
    tried = [list(_typed(each, value, place)) for each in _alternatives(hint)]
    if [] not in tried:
        yield from max(tried, key=lambda problems: len(problems[0][0]))


def _typed(hint: Any, value: Any, place: str) -> Iterator[tuple[str, str]]:
    origin = get_origin(hint)
    if origin in _SEQUENCES:
        if isinstance(value, list | tuple):
            for index, item in enumerate(value):
                yield from _value(get_args(hint)[0], item, f"{place}[{index}]")
        else:
            yield place, f"`{place}` must be a list, not {_named(value)}"
    elif origin in _MAPPINGS or sdk.is_input_type(hint):
        if not isinstance(value, Mapping):
            yield place, f"`{place}` must be an object, not {_named(value)}"
        elif origin in _MAPPINGS:
            for key, item in value.items():
                yield from _value(get_args(hint)[1], item, f"{place}.{key}")
        else:
            yield from _object(hint, value, f"{place}.")
    elif hint in _SCALARS and not _fits(hint, value):
        yield place, f"`{place}` must be {_WORDS[hint]}, not {_named(value)}"


def _fits(hint: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, _SCALARS[hint]) and (hint is not int or value == int(value))


def _alternatives(hint: Any) -> list[Any]:
    """The types themselves, without what the SDK lets a program write in their place: promises, outputs, dictionaries."""
    if get_origin(hint) not in (Union, types.UnionType):
        return [hint]
    names = {each: getattr(each, "__name__", "") for each in get_args(hint) if each is not type(None)}
    return [
        inner
        for each, name in names.items()
        if name not in ("Output", "Awaitable") and not name.endswith("ArgsDict")
        for inner in _alternatives(each)
    ]


_SEQUENCES = (list, Sequence)
_MAPPINGS = (dict, Mapping)
_SCALARS: dict[Any, Any] = {str: str, bool: bool, int: (int, float), float: (int, float)}
_WORDS: dict[Any, str] = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


def _named(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}.get(type(value), "that")
