"""`Pulumi.yaml` and `Pulumi.STACK.yaml` as the engine would pass them to the program.

Defaults of the project's config block apply where the stack sets nothing; structured values are passed as JSON text.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..aws.regions import is_region
from .secrets import CannotDecrypt, Decrypter
from .strict_yaml import StackFileError, ValuePath, YamlFile, printable, read_yaml

STACK_KEYS = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
"""Keys of a stack file. The sandbox does not read the environments of Pulumi ESC.

Source: https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
"""

_STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True)
class StackFiles:
    """A project's folder and name, and one stack's config, by fully qualified key."""

    folder: Path
    project: str
    stack: str
    config: dict[str, str]

    @property
    def main(self) -> Path:
        """The program."""
        return self.folder / "__main__.py"

    @property
    def region(self) -> str:
        return self.config["aws:region"]

    def app_config(self) -> dict[str, Any]:
        """The project's own settings as values, with the region."""
        prefix = f"{self.project}:"
        settings: dict[str, Any] = {}
        for key, text in self.config.items():
            if key.startswith(prefix):
                try:
                    settings[key.removeprefix(prefix)] = json.loads(text)
                except ValueError:
                    settings[key.removeprefix(prefix)] = text
        return {**settings, "region": self.region}


def read(
    folder: Path,
    stack: str,
    changes: Mapping[str, object] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> StackFiles:
    """Read a stack's config.

    Args:
        folder: the folder of Pulumi.yaml.
        stack: the stack's name.
        changes: values that replace the file's, by fully qualified key.
        environment: holds the passphrase of encrypted values.

    Raises:
        StackFileError: with every problem of the files, one per line.
    """
    project, defaults = _project(read_yaml(folder / "Pulumi.yaml"))
    file = read_yaml(_stack_path(folder, stack))
    settings, problems = _settings(file, project, environment)
    values = {**defaults, **settings, **(changes or {})}
    problems += _region_problems(file, values.get("aws:region"))
    if problems:
        raise StackFileError("\n".join(problems))
    config = {key: _text(value) for key, value in values.items() if value not in ({}, [])}
    return StackFiles(folder, project, stack, config)


def _stack_path(folder: Path, stack: str) -> Path:
    if not _STACK_NAME.fullmatch(stack):
        raise StackFileError("a stack's name must consist of letters, digits, `-`, `_` and `.`")
    path = folder / f"Pulumi.{stack}.yaml"
    if not path.exists():
        names = sorted(p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in folder.glob("Pulumi.*.yaml"))
        raise StackFileError(f"the stack `{stack}` does not exist; existing stacks: {', '.join(names)}")
    return path


def _project(file: YamlFile) -> tuple[str, dict[str, object]]:
    """The project's name, and the defaults of its config."""
    project = file.value
    if not isinstance(project, dict) or not isinstance(project.get("name"), str):
        raise StackFileError(f"{file.name}: `name` is required: the project's name")
    name, config = str(project["name"]), project.get("config") or {}
    if not isinstance(config, dict):
        raise StackFileError(file.problem(("config",), "`config` must be a map"))
    defaults: dict[str, object] = {}
    for key, declared in config.items():
        if isinstance(declared, Mapping):
            values = [declared[word] for word in ("value", "default") if word in declared]
        else:
            values = [declared]
        defaults |= {_qualified(key, name): value for value in values[:1]}
    return name, defaults


def _settings(file: YamlFile, project: str, environment: Mapping[str, str]) -> tuple[dict[str, object], list[str]]:
    """The stack's own settings with their secrets decrypted, and the problems of the file."""
    value = {} if file.value is None else file.value
    if not isinstance(value, dict):
        return {}, [file.problem((), "must be a map with the key `config`")]
    problems = [
        file.problem((key,), f"`{key}` is not a key of a stack file; known keys: {', '.join(STACK_KEYS)}")
        for key in value
        if key not in STACK_KEYS
    ]
    config = value.get("config")
    if config is None:
        config = {}
    if not isinstance(config, dict):
        return {}, [*problems, file.problem(("config",), "`config` must be a map")]
    decrypter = Decrypter(value.get("encryptionsalt"), environment)
    settings: dict[str, object] = {}
    for key, setting in config.items():
        qualified = _qualified(key, project)
        if qualified in settings:
            problems.append(file.problem(("config", key), f"`{qualified}` is set twice; remove one of the two"))
        plain, failures = _decrypted(setting, decrypter, ("config", key))
        settings[qualified] = plain
        problems += [file.problem(path, f"`{_name(path)}` is encrypted, and {reason}") for path, reason in failures]
    return settings, problems


def _qualified(key: str, project: str) -> str:
    """A key with its namespace; one without a namespace belongs to the project, as for Pulumi."""
    return key if ":" in key else f"{project}:{key}"


def _decrypted(value: Any, decrypter: Decrypter, path: ValuePath) -> tuple[Any, list[tuple[ValuePath, str]]]:
    """A value with each `secure: TEXT` in it replaced by its plain text, and why some could not be."""
    if isinstance(value, dict) and list(value) == ["secure"] and isinstance(value["secure"], str):
        try:
            return decrypter.decrypt(value["secure"]), []
        except CannotDecrypt as error:
            return "", [(path, str(error))]
    items = list(_items(value))
    parts = [(key, *_decrypted(item, decrypter, (*path, key))) for key, item in items]
    failures = [failure for _, _, inner in parts for failure in inner]
    if isinstance(value, dict):
        return {key: item for key, item, _ in parts}, failures
    return ([item for _, item, _ in parts] if isinstance(value, list) else value), failures


def _items(value: Any) -> Iterator[tuple[object, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _name(path: ValuePath) -> str:
    """`userPools[0].id` of a path in the config."""
    text = str(path[1])
    for part in path[2:]:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text


def _region_problems(file: YamlFile, region: object) -> list[str]:
    place: ValuePath = ("config", "aws:region")
    if region is None or region == "":
        return [file.problem(place, "`aws:region` is required: an AWS region, such as `eu-central-1`")]
    if not isinstance(region, str) or not is_region(region):
        name = f"`{printable(region)}`" if isinstance(region, str) else "it"
        return [
            file.problem(place, f"`aws:region` must be an AWS region, such as `eu-central-1`; {name} is not a region")
        ]
    return []


def _text(value: object) -> str:
    """A config value as the engine passes it: text as it is, null as empty text, everything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
