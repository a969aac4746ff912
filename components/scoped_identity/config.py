"""Stack config to the component's arguments.

Reads every key under the project's name, so that a misspelt one is noticed, and `aws:region`. Config spells the settings as
Pulumi's schema does (`poolName`); here they get the names of the component's arguments in Python (`pool_name`). A string of
the form `stack://ORGANIZATION/PROJECT/STACK#OUTPUT` stands for that output of another stack.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pulumi
from pulumi.runtime.config import CONFIG

from .args import ScopedIdentityPoolArgs
from .reader import SettingsError, shown
from .settings import parse

_STACK_OUTPUT = re.compile(r"stack://([\w.-]+/[\w.-]+/[\w.-]+)#([\w.-]+)")
_TEXTS = frozenset({"pool_name", "profile"})
"""Settings that are plain text. The others are JSON, as Pulumi passes nested values of a stack file."""
_SETTINGS = frozenset(ScopedIdentityPoolArgs.__annotations__) - {"region"}
_USERS_KEYS = frozenset({"tags", "claims", "statement", "trust"})
"""Settings whose keys are the user's own words."""


def pool_args() -> ScopedIdentityPoolArgs:
    """The arguments of this stack's pool.

    Raises:
        pulumi.RunError: a key is unknown, or a reference to another stack is malformed; one line for each problem, with
            those that the component would report.
    """
    config = dict(CONFIG.get())
    project = f"{pulumi.get_project()}:"
    raw = {key.removeprefix(project): text for key, text in sorted(config.items()) if key.startswith(project)}
    problems: list[str] = []
    args: dict[str, Any] = {}
    for key, text in raw.items():
        name = _python_name(key)
        if name not in _SETTINGS or key != shown(name):
            known = ", ".join(sorted(shown(name) for name in _SETTINGS))
            problems.append(f"{key}: unknown setting; expected one of: {known}")
            continue
        value = text if name in _TEXTS else _value(text)
        problems += _problems(key, value)
        args[name] = value
    if config.get("aws:region"):
        args["region"] = config["aws:region"]
    if problems:
        raise pulumi.RunError("\n".join([*problems, *_other_problems(args)]))
    references: dict[str, pulumi.StackReference] = {}
    return cast(ScopedIdentityPoolArgs, _resolved(python_names(args), references))


def python_names(value: Any) -> Any:
    """The value with Python's names for the settings in it, and the user's own keys as they are."""
    if isinstance(value, Mapping):
        return {_python_name(key): item if key in _USERS_KEYS else python_names(item) for key, item in value.items()}
    return [python_names(item) for item in value] if isinstance(value, list) else value


def _python_name(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match.group(1).lower()}", name)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _problems(path: str, value: Any, users: bool = False) -> Iterator[str]:
    """Malformed references, and settings that are spelled as in Python."""
    if isinstance(value, Mapping):
        users = users or path.rpartition(".")[2] in _USERS_KEYS
        for key, item in value.items():
            if not users and key != shown(key):
                yield f"{path}.{key}: is spelled `{shown(key)}` in stack config"
            yield from _problems(f"{path}.{key}", item, users)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(f"{path}[{index}]", item, users)
    elif isinstance(value, str) and value.startswith("stack:") and not _STACK_OUTPUT.fullmatch(value):
        yield f"{path}: `{value}` is not a reference to a stack output; use `stack://ORGANIZATION/PROJECT/STACK#OUTPUT`"


def _other_problems(args: Mapping[str, Any]) -> list[str]:
    """What the component would report of these arguments, so that one problem does not hide the others."""
    try:
        parse(python_names(args), lambda value: isinstance(value, str) and value.startswith("stack:"))
    except SettingsError as error:
        return [str(problem) for problem in error.problems]
    return []


def _resolved(value: Any, references: dict[str, pulumi.StackReference]) -> Any:
    """The value with each `stack://` string replaced by the output that it names."""
    if isinstance(value, Mapping):
        return {key: _resolved(item, references) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, references) for item in value]
    match = _STACK_OUTPUT.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return value
    stack, output = match.groups()
    if stack not in references:
        references[stack] = pulumi.StackReference(stack)
    return references[stack].require_output(output)
