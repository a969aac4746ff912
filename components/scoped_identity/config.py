"""Stack config to the component's arguments.

Reads every key under the project's name, so that a misspelt one is noticed, and `aws:region`. A text of the form
`stack://ORGANISATION/PROJECT/STACK#OUTPUT` stands for that output of another stack.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

import pulumi
from pulumi.runtime.config import CONFIG

from .args import ScopedIdentityPoolArgs

_OUTPUT_OF = re.compile(r"stack://([\w.-]+/[\w.-]+/[\w.-]+)#([\w.-]+)")
_STRUCTURED = {
    *("userPools", "providers", "existingPool", "uploads", "api", "authenticated", "guests", "groups", "mappedRoles"),
    *("mappings", "tags", "roles", "protect"),
}
_HERE = {"poolName", "profile"} | _STRUCTURED
_AS_IS = {"tags", "claims", "statement", "trust"}
"""Settings whose keys are the user's own words."""


def pool_args() -> ScopedIdentityPoolArgs:
    """The arguments of this stack's pool.

    Raises:
        pulumi.RunError: a key is unknown, a value is not what its key takes, or a reference is malformed; one line each.
    """
    config = dict(CONFIG.get())
    project = f"{pulumi.get_project()}:"
    problems: list[str] = []
    references: dict[str, pulumi.StackReference] = {}
    args: dict[str, Any] = {}
    for full, text in sorted(config.items()):
        if not full.startswith(project):
            continue
        key = full.removeprefix(project)
        if key not in _HERE:
            problems.append(f"{key}: unknown setting; known here: {', '.join(sorted(_HERE))}")
            continue
        value: Any = text
        if key in _STRUCTURED:
            try:
                value = json.loads(text)
            except ValueError:
                value = text
        problems += _malformed(key, value)
        args[_snake_name(key)] = value
    if problems:
        raise pulumi.RunError("\n".join(problems))
    region = config.get("aws:region")
    if region:
        args["region"] = region
    return cast(ScopedIdentityPoolArgs, {k: _resolved(v, references, k not in _AS_IS) for k, v in args.items()})


def _malformed(path: str, value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [p for k, v in value.items() for p in _malformed(f"{path}.{k}", v)]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in _malformed(f"{path}[{i}]", v)]
    if isinstance(value, str) and value.startswith("stack:") and not _OUTPUT_OF.fullmatch(value):
        return [f"{path}: `{value}` is not an output of a stack; write `stack://ORGANISATION/PROJECT/STACK#OUTPUT`"]
    return []


def _resolved(value: Any, references: dict[str, pulumi.StackReference], names: bool) -> Any:
    """The value with references in the place of `stack://` texts, and Python's names for the keys."""
    if isinstance(value, Mapping):
        return {
            _snake_name(k) if names else k: _resolved(v, references, names and k not in _AS_IS)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_resolved(item, references, names) for item in value]
    match = _OUTPUT_OF.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return value
    stack, output = match.groups()
    if stack not in references:
        references[stack] = pulumi.StackReference(stack)
    return references[stack].require_output(output)


def _snake_name(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: f"_{m.group(1).lower()}", name)
