"""`Pulumi.yaml` and `Pulumi.STACK.yaml` as the engine would hand them to the program.

Defaults of the project's config block hold where the stack sets nothing; structured values travel as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class StackFileError(ValueError):
    """A file that is missing or not what Pulumi reads; the message is one line for the user."""


@dataclass(frozen=True)
class StackFiles:
    """A project's name and one stack's config, by fully qualified key."""

    project: str
    stack: str
    config: dict[str, str]

    def app_config(self) -> dict[str, Any]:
        """The project's own settings as values, with the region."""
        prefix = f"{self.project}:"
        found: dict[str, Any] = {}
        for key, text in self.config.items():
            if key.startswith(prefix):
                try:
                    found[key.removeprefix(prefix)] = json.loads(text)
                except ValueError:
                    found[key.removeprefix(prefix)] = text
        found["region"] = self.config.get("aws:region", "us-east-1")
        return found


def read(folder: Path, stack: str, changes: Mapping[str, object] | None = None) -> StackFiles:
    """Read a stack's config.

    Args:
        folder: where Pulumi.yaml is.
        stack: the stack's name.
        changes: values that stand in the place of the file's, by fully qualified key.

    Raises:
        StackFileError: there is no such stack, or a file is not YAML of the right shape.
    """
    project = _yaml(folder / "Pulumi.yaml")
    name = project.get("name")
    if not isinstance(name, str):
        raise StackFileError("Pulumi.yaml: `name` is missing")
    path = folder / f"Pulumi.{stack}.yaml"
    if not path.exists():
        known = sorted(p.name.split(".")[1] for p in folder.glob("Pulumi.*.yaml"))
        raise StackFileError(f"there is no stack `{stack}`; stacks here: {', '.join(known)}")
    merged: dict[str, object] = {}
    for key, declared in (project.get("config") or {}).items():
        if isinstance(declared, Mapping) and "default" in declared:
            merged[key if ":" in key else f"{name}:{key}"] = declared["default"]
    given = _yaml(path).get("config") or {}
    if not isinstance(given, Mapping):
        raise StackFileError(f"{path.name}: `config` must be a map")
    merged.update(given)
    merged.update(changes or {})
    return StackFiles(name, stack, {key: _text(value) for key, value in merged.items() if value not in ({}, [])})


def _yaml(path: Path) -> dict[str, Any]:
    try:
        value = yaml.safe_load(path.read_text())
    except OSError as error:
        raise StackFileError(f"{path.name}: {error.strerror}") from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise StackFileError(f"{path.name}, line {line}: not YAML") from None
    if not isinstance(value, dict):
        raise StackFileError(f"{path.name}: must be a map")
    return value


def _text(value: object) -> str:
    """A config value as the engine passes it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
