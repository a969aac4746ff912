"""YAML as Pulumi reads it, with every problem of a file reported by its line.

Scalars have the types of YAML 1.2, as for Pulumi: `yes` is text. What Pulumi would take for something other than it looks
like is refused: dates, numbers with a leading zero, values with a tag. Aliases are resolved within limits, so that a
small file cannot expand into a large one.

Source: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 40
MAX_VALUES = 20_000
"""Values of a file, after its aliases have been resolved."""

ValuePath = tuple[object, ...]
"""Keys and indexes that lead to a value."""


class StackFileError(InputError):
    """A project or stack file cannot be read; one line for each problem."""


@dataclass
class YamlFile:
    """The value of a file, and the line of each of its values."""

    name: str
    value: Any = None
    lines: dict[ValuePath, int] = field(default_factory=dict)

    def problem(self, path: ValuePath, message: str) -> str:
        """A problem of a value as a line for the user."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}, line {self.lines[path]}: {message}" if path in self.lines else f"{self.name}: {message}"


def read_yaml(path: Path) -> YamlFile:
    """Read a file.

    Raises:
        StackFileError: with every problem that can be found.
    """
    return parse_yaml(path.name, _text(path))


def parse_yaml(name: str, text: str) -> YamlFile:
    """Read the text of a file. Raises as `read_yaml` does."""
    try:
        _check_size(name, text)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StackFileError(f"{name}, line {line}: not YAML: {printable(str(error.problem))}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise StackFileError(f"{name}, line {line}: a control character is not valid in YAML") from None
    reader = _Reader(name)
    if node is not None:
        reader.file.value = reader.read(node, ())
    if reader.problems:
        raise StackFileError("\n".join(dict.fromkeys(message for _, message in sorted(reader.problems))))
    return reader.file


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise StackFileError(f"{path.name}: must be a file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StackFileError(f"{path.name}: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise StackFileError(f"{path.name}: must not be larger than {MAX_BYTES // 1024} KiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StackFileError(f"{path.name}, line {line}: must be UTF-8 text") from None


def _check_size(name: str, text: str) -> None:
    """Refuse deep nesting before anything recursive meets it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise StackFileError(f"{name}, line {line}: values must not be nested more than {MAX_DEPTH} deep")


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as YAML 1.2 does, and dates, so that they can be refused."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 PyYAML's own shape


_TAG = "tag:yaml.org,2002:"
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", None),
    ("timestamp", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?", list("0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), _first)


class _Reader:
    """Turns nodes into values, and collects the problems."""

    def __init__(self, name: str) -> None:
        self.file = YamlFile(name)
        self.problems: list[tuple[int, str]] = []
        self._open: list[yaml.Node] = []
        self._values = 0

    def read(self, node: yaml.Node, path: ValuePath) -> Any:
        self.file.lines[path] = node.start_mark.line + 1
        self._values += 1
        if self._values > MAX_VALUES:
            raise StackFileError(f"{self.file.name}: must not have more than {MAX_VALUES} values, aliases included")
        if any(node is parent for parent in self._open):
            return self._refuse(node, "an alias must not refer to the value that contains it")
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
                return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
            if isinstance(node, yaml.ScalarNode):
                return self._scalar(node)
            return self._refuse(node, f"a value with the tag `{_tag_name(node)}` is not supported")
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, path: ValuePath) -> dict[str, Any]:
        value: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag == f"{_TAG}merge":
                item = self.read(value_node, path)
                merged += item if isinstance(item, list) else [item]
                continue
            key = self._key(key_node)
            if key is None:
                continue
            if key in lines:
                self._refuse(key_node, f"`{key}` is set twice, first on line {lines[key]}; remove one of the two")
                continue
            lines[key] = key_node.start_mark.line + 1
            place: ValuePath = (*path, key)
            value[key] = self.read(value_node, place)
            self.file.lines[place] = lines[key]
        for item in merged:
            if isinstance(item, dict):
                value = {**item, **value}
            else:
                self._refuse(node, "`<<` must refer to a map, or to a list of maps")
        return value

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._refuse(node, "a key must be text")
            return None
        if node.tag != f"{_TAG}str":
            self._refuse(node, f"a key must be text; write `{printable(node.value)}` in quotes")
            return None
        key = self._string(node)
        if key is not None and not key.isprintable():
            self._refuse(node, f"a key must be one line of printable text, not `{printable(key)}`")
            return None
        return key

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return self._string(node)
        if kind == "timestamp":
            return self._refuse(node, f"`{printable(node.value)}` is a date in YAML; write it in quotes")
        convert = _CONVERT.get(kind)
        if convert is None:
            return self._refuse(node, f"a value with the tag `{_tag_name(node)}` is not supported")
        try:
            return convert(str(node.value))
        except _Refused as error:
            reason = str(error)
        except ValueError:
            reason = f"is not a value of the type `{kind}`"
        return self._refuse(node, f"`{printable(node.value)}` {reason}; write it in quotes if it is text")

    def _string(self, node: yaml.ScalarNode) -> str | None:
        text = str(node.value)
        if any(unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n" for character in text):
            self._refuse(node, f"`{printable(text)}` contains a control character")
            return None
        return text

    def _refuse(self, node: yaml.Node, message: str) -> None:
        line = node.start_mark.line + 1
        self.problems.append((line, f"{self.file.name}, line {line}: {message}"))


class _Refused(ValueError):
    """A scalar is refused; the message completes "`SCALAR` …"."""


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1] not in "xo":
        raise _Refused("has a leading zero, so that Pulumi reads a different number")
    if len(digits) > 18:
        raise _Refused("is too large a number")
    return int(text, 0)


def _float(text: str) -> float:
    number = float("inf") if text.lower().lstrip("+-") in (".inf", ".nan") else float(text)
    if abs(number) == float("inf"):
        raise _Refused("is not a finite number")
    return number


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _null(text: str) -> None:
    if text.lower() not in ("", "~", "null"):
        raise ValueError


_CONVERT: dict[str, Callable[[str], Any]] = {"null": _null, "bool": _boolean, "int": _integer, "float": _float}


def _tag_name(node: yaml.Node) -> str:
    return printable(str(node.tag).replace(_TAG, "!!"))


def printable(text: str) -> str:
    """A user's text for a message: one line without characters that are invisible or reorder it, cut where it is long."""
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= 60 else f"{text[:57]}…"
