"""Files as they are given: found, read within bounds, and parsed with the place of each value.

Every file is hostile: its size, depth, aliases, repeated keys and links are bounded or refused, and nothing is read that
is neither given nor inside a folder that is given. JSON is parsed at full speed, and a place in it is looked up only where
one is needed. YAML keeps the nodes, which know their places.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import yaml

MAX_BYTES = 128 << 20
"""Largest file that is read; the states of large stacks have some ten million bytes."""
MAX_YAML_BYTES = 4 << 20
"""Largest YAML file: four times what CloudFormation takes."""
MAX_FILES = 20_000
MAX_FOLDERS = 50_000
MAX_DEPTH = 120
"""Deepest nesting of values that is read."""
MAX_VALUES = 500_000
"""How many values a YAML file may stand for once its aliases are followed."""

STDIN = "-"
_SKIPPED_FOLDERS = frozenset({".git", ".hg", ".svn", "node_modules", "venv", ".venv", "__pycache__", ".terraform"})
_SUFFIXES = frozenset({".json", ".yaml", ".yml", ".template"})
_RELEVANT = re.compile(
    r"""AWS::|Statement\\?["']?\s*:|urn:pulumi:|"(terraform_version|AssumeRolePolicyDocument|IdentityPoolId)\""""
)
"""What a file has in it that says something of roles; in a folder, all others are left alone."""

ValuePath: TypeAlias = "tuple[str | int, ...]"
"""Keys and indexes that lead to a value."""


@dataclass(frozen=True)
class Place:
    """A place in a file: line and column count from 1; 0 where only the file is known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class InputError(Exception):
    """Input that cannot be judged: where, and what is expected instead."""

    def __init__(self, place: Place | str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = Place(place) if isinstance(place, str) else place
        self.problem = problem


class Parsed:
    """A parsed file: its value, and where each part of it stands."""

    def __init__(self, name: str, value: Any, root: Path | None = None) -> None:
        """Args:
        name: the file as messages call it.
        root: the folder inside of which it may refer to other files; None for none.
        """
        self.name = name
        self.value = value
        self.root = root

    def place(self, path: ValuePath) -> Place:
        """Where a value stands, or the nearest value around it that has a place."""
        raise NotImplementedError


class ParsedJson(Parsed):
    def __init__(self, name: str, text: str, root: Path | None = None) -> None:
        super().__init__(name, _json(name, text), root)
        self._text = text
        self._children: dict[ValuePath, dict[str | int, int]] = {}

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self._text))]

    def at(self, offset: int) -> Place:
        line = bisect_right(self._lines, offset)
        return Place(self.name, line, offset - self._lines[line - 1] + 1)

    def place(self, path: ValuePath) -> Place:
        offset = _after_space(self._text, 0)
        for length, step in enumerate(path):
            known = self._children.get(path[:length])
            if known is None:
                known = self._children[path[:length]] = dict(self._members(offset))
            if step not in known:
                break
            offset = known[step]
        return self.at(offset)

    def _members(self, offset: int) -> Iterator[tuple[str | int, int]]:
        """The offsets of the members of an object or a list at an offset."""
        text = self._text
        if text[offset] not in "{[":
            return
        of_object = text[offset] == "{"
        number = 0
        offset = _after_space(text, offset + 1)
        while text[offset] not in "}]":
            key: str | int = number
            if of_object:
                key, offset = _DECODER.raw_decode(text, offset)
                offset = _after_space(text, _after_space(text, offset) + 1)
            yield key, offset
            number += 1
            _, offset = _DECODER.raw_decode(text, offset)
            offset = _after_space(text, offset)
            if text[offset] == ",":
                offset = _after_space(text, offset + 1)


class ParsedYaml(Parsed):
    def __init__(self, name: str, text: str, root: Path | None = None) -> None:
        self._node = _compose(name, text)
        super().__init__(name, _Values(name).of(self._node), root)

    def place(self, path: ValuePath) -> Place:
        node: yaml.Node | None = self._node
        found = self._node
        for step in path:
            if node is not None and step == _function(node):
                continue  # `!If […]` stands for an object of one key
            if isinstance(node, yaml.MappingNode):
                node = next((v for k, v in node.value if isinstance(k, yaml.ScalarNode) and k.value == step), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                node = None
            if node is None:
                break
            found = node
        return _place(self.name, found)


def find(paths: Sequence[str]) -> Iterator[Parsed]:
    """The files of some paths: each file as it is given, and those files of a folder that say something of roles."""
    for path in paths:
        if path == STDIN:
            yield parse("standard input", _text("standard input", sys.stdin.buffer.read(MAX_BYTES + 1)))
            continue
        if os.path.isdir(path):
            yield from _folder(Path(path))
        else:
            yield parse(path, read(path), Path(path).parent)


def read(path: str | Path) -> str:
    """A regular file's text."""
    name = str(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError(name, "is not a regular file")
        # A pipe that has come to stand there must not block.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(name, "is not a regular file")
            return _text(name, file.read(MAX_BYTES + 1))
    except FileNotFoundError:
        raise InputError(name, "does not exist") from None
    except ValueError:  # NUL
        raise InputError(name, "is not a path") from None
    except OSError as error:
        raise InputError(name, f"cannot be read: {(error.strerror or 'unknown error').lower()}") from None


def _text(name: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise InputError(name, f"has more than {MAX_BYTES >> 20} MiB, which is not read")
    # PowerShell's `>` writes UTF-16.
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise InputError(name, "is not text in UTF-8") from None
    if "\0" in text:
        raise InputError(name, "is not text in UTF-8")
    return text


def parse(name: str, text: str, root: Path | None = None) -> Parsed:
    """A text as JSON, if it begins as such, else as YAML."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return ParsedJson(name, text, root)
        except InputError:
            # YAML's flow style looks like JSON.
            if not name.endswith((".yaml", ".yml")):
                raise
    return ParsedYaml(name, text, root)


def inside(path: Path, root: Path) -> bool:
    """Whether a path, with its links followed, is in a folder."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links; a name that cannot be one
        return False


def _folder(root: Path) -> Iterator[Parsed]:
    for number, path in enumerate(_candidates(root)):
        if number >= MAX_FILES:
            raise InputError(str(root), f"has more than {MAX_FILES} files; name the ones that matter")
        try:
            text = read(path)
        except InputError as error:
            if error.problem.startswith(("is not", "does not exist")):
                continue  # no text, or a link that leads nowhere
            raise
        if _RELEVANT.search(text):
            yield parse(str(path), text, root)


def _candidates(root: Path) -> Iterator[Path]:
    for number, (folder, names, files) in enumerate(os.walk(root)):
        names[:] = sorted(name for name in names if name not in _SKIPPED_FOLDERS)
        if number >= MAX_FOLDERS:
            raise InputError(str(root), f"has more than {MAX_FOLDERS} folders; name the files that matter")
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix.lower() in _SUFFIXES and inside(path, root):
                yield path


# --- JSON


class _Repeated(ValueError):
    def __init__(self, key: str) -> None:
        self.key = key


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Repeated(key)
            seen.add(key)
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"`{name}` is not JSON")


def _integer(text: str) -> int | str:
    return int(text) if len(text) < 400 else text


_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(:?)|[{}]')


def _after_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def _json(name: str, text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except _Repeated as error:
        raise InputError(
            _repetition(name, text, error.key), f"the key `{error.key}` is repeated in one object"
        ) from None
    except json.JSONDecodeError as error:
        raise InputError(Place(name, error.lineno, error.colno), f"is not JSON: {error.msg}") from None
    except RecursionError:
        raise InputError(name, "is nested too deeply") from None
    except ValueError as error:
        raise InputError(name, f"is not JSON: {error}") from None
    if _deeper(value, MAX_DEPTH):
        raise InputError(name, f"is nested more than {MAX_DEPTH} levels deep")
    return value


def _deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [child for item in level for child in _members(item) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _members(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _repetition(name: str, text: str, key: str) -> Place:
    """Where an object names a key again."""
    open_: list[set[str]] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "{":
            open_.append(set())
        elif token == "}":
            if open_:
                open_.pop()
        elif match.group(2) and open_:
            written = _DECODER.decode(f'"{match.group(1)}"')
            if written == key and key in open_[-1]:
                line = text.count("\n", 0, match.start()) + 1
                return Place(name, line, match.start() - text.rfind("\n", 0, match.start()))
            open_[-1].add(written)
    return Place(name)


# --- YAML

# PyYAML: the YAML reader that Pulumi's SDK, and so the pack's lock, brings along; MIT, kept up by the YAML project. libyaml
# reads ten times as fast where it is there.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MAX_BRACKETS = 2_000
_MARGIN = re.compile(r"^[ ]*(?:[-?][ \t]+)*", re.MULTILINE)
_SHORT = {"Ref": "Ref", "Condition": "Condition"}
_FUNCTIONS = frozenset(
    {
        *("And", "Base64", "Cidr", "Equals", "FindInMap", "ForEach", "GetAtt", "GetAZs", "If", "ImportValue", "Join"),
        *("Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
    }
)
"""CloudFormation's functions, which YAML writes as `!NAME`.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""


def _function(node: yaml.Node) -> str | None:
    """The key that a short form such as `!Sub` stands for."""
    name = node.tag[1:]
    return _SHORT.get(name, f"Fn::{name}") if node.tag.startswith("!") else None


def _place(name: str, node: yaml.Node) -> Place:
    return Place(name, node.start_mark.line + 1, node.start_mark.column + 1)


def _compose(name: str, text: str) -> yaml.Node:
    if len(text) > MAX_YAML_BYTES:
        raise InputError(name, f"has more than {MAX_YAML_BYTES >> 20} million characters of YAML, which are not read")
    if _depth(text) > _MAX_BRACKETS:
        raise InputError(name, f"is nested more than {MAX_DEPTH} levels deep")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
        if "another document" in (error.problem or ""):
            raise InputError(place, "is a second document; a file must have one") from None
        raise InputError(place, f"is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(name, f"is not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise InputError(name, "is nested too deeply") from None
    finally:
        loader.dispose()
    if node is None:
        raise InputError(name, "is empty")
    return node  # type: ignore[no-any-return]


def _depth(text: str) -> int:
    """At least as deep as values can be nested; libyaml recurses, and is not asked about what is far too deep.

    A block that is nested begins further to the right, and a flow has a bracket.
    """
    flow = deepest = 0
    for bracket in re.findall(r"[\[{}\]]", text):
        flow = flow + 1 if bracket in "[{" else max(0, flow - 1)
        deepest = max(deepest, flow)
    return deepest + max(len(match.group()) for match in _MARGIN.finditer(text))


class _Values:
    """YAML nodes as the values that CloudFormation sees: `!Sub x` is `{"Fn::Sub": x}`, and dates are text."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = MAX_VALUES

    def of(self, node: yaml.Node, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0:
            raise InputError(self._name, f"stands for more than {MAX_VALUES} values once its aliases are followed")
        if depth > MAX_DEPTH:
            raise InputError(_place(self._name, node), f"is nested more than {MAX_DEPTH} levels deep")
        if node.tag.startswith("!"):
            return self._function(node, depth)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, depth + 1) for item in node.value]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(_place(self._name, key), "a key must be a string")
            if key.tag == f"{_TAG}merge":
                for other in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    more = self.of(other, depth + 1)
                    if not isinstance(more, dict):
                        raise InputError(_place(self._name, value), "`<<` must be an object or a list of objects")
                    merged = {**more, **merged}
                continue
            if key.value in found:
                raise InputError(_place(self._name, key), f"the key `{key.value}` is repeated in one object")
            found[key.value] = self.of(value, depth + 1)
        return {**merged, **found}

    def _function(self, node: yaml.Node, depth: int) -> Any:
        name = node.tag[1:]
        if name not in _SHORT and name not in _FUNCTIONS:
            raise InputError(_place(self._name, node), f"`!{name}` is not a function of CloudFormation")
        value: Any
        if isinstance(node, yaml.MappingNode):
            value = self._mapping(node, depth)
        elif isinstance(node, yaml.SequenceNode):
            value = [self.of(item, depth + 1) for item in node.value]
        else:
            value = node.value
            if name == "GetAtt":
                value = value.split(".", 1)
        return {str(_function(node)): value}

    def _scalar(self, node: yaml.Node) -> Any:
        text: str = node.value
        tag = node.tag.removeprefix(_TAG)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in ("true", "yes", "on")
        if tag == "int" and re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
            return int(text)
        if tag in ("str", "int", "float", "timestamp", "value"):
            return text  # an account's ID keeps its zeros, and a version's date is one
        raise InputError(_place(self._name, node), f"the tag `{node.tag}` is not supported")
