"""Reads settings key by key, and collects every problem with its path.

A `Section` is one object of the settings. Its `Reader` collects the problems, so that they are reported together. A
predicate of the caller recognises a value that is not known yet; `PENDING` takes its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from .formats import Check

PENDING = "(known later)"
"""Stands for a value that is not known yet."""

_SECOND_WORD = re.compile(r"(?<=[a-z0-9])[A-Z]")


def shown(key: str) -> str:
    """A setting's name as stack config and most languages spell it: `kmsKey` for `kms_key`."""
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), key)


@dataclass(frozen=True)
class Problem:
    """An error in the settings: the path of the setting, and what is expected."""

    path: str
    text: str

    def __str__(self) -> str:
        return "".join(_escaped(letter) for letter in f"{self.path}: {self.text}")


class SettingsError(ValueError):
    """Invalid settings, with all their problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = tuple(problems)


_Choice = TypeVar("_Choice", bound=Enum)


class Reader:
    """Collects problems, so that they are reported together."""

    def __init__(self, pending: Callable[[object], bool]) -> None:
        self.pending = pending
        self.problems: list[Problem] = []

    def report(self, path: str, text: str) -> None:
        self.problems.append(Problem(path, text))

    def failed(self, path: str) -> bool:
        return any(p.path.startswith(path) for p in self.problems)


class Section:
    """One object of the settings, whose keys are read one by one; a key that nobody reads is unknown."""

    def __init__(self, reader: Reader, path: str, raw: Mapping[str, object]) -> None:
        self.reader = reader
        self.path = path
        self._raw = raw
        self._known: list[str] = []

    def at(self, key: str) -> str:
        return f"{self.path}.{shown(key)}" if self.path else shown(key)

    def take(self, key: str) -> object:
        self._known.append(key)
        return self._raw.get(key)

    def close(self) -> None:
        for key in self._raw:
            if key in self._known:
                continue
            python = _SECOND_WORD.sub(lambda match: f"_{match.group().lower()}", key)
            if python in self._known:
                self.reader.report(self.at(key), f"in Python this setting is `{python}`")
            else:
                names = ", ".join(shown(known) for known in self._known)
                self.reader.report(self.at(key), f"unknown setting; expected one of: {names}")

    def _checked(self, at: str, value: object, check: Check) -> str:
        if self.reader.pending(value):
            return PENDING
        if not isinstance(value, str):
            self.reader.report(at, f"`{show(value)}` must be a string; put it in quotes")
            return ""
        problem = check(value)
        if problem:
            self.reader.report(at, problem.replace(value, show(value)))
        return value

    def text(self, key: str, check: Check) -> str:
        value = self.take(key)
        if value is None or value == "":
            self.reader.report(self.at(key), "is required")
            return ""
        return self._checked(self.at(key), value, check)

    def has(self, key: str) -> bool:
        return self._raw.get(key) is not None

    def optional_text(self, key: str, check: Check) -> str | None:
        value = self.take(key)
        return None if value is None or value == "" else self._checked(self.at(key), value, check)

    def texts(self, key: str, check: Check, what: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self.take(key)
        if value is None and default is not None:
            return default
        if self.reader.pending(value):
            return (PENDING,)
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            problem = f"is required: {what}" if value is None else f"`{show(value)}` must be {what}"
            self.reader.report(self.at(key), problem)
            return ()
        return tuple(self._checked(f"{self.at(key)}[{i}]", item, check) for i, item in enumerate(value))

    def texts_by_key(self, key: str, what: str, most: int) -> tuple[tuple[str, str], ...]:
        """A map of strings, each key and value of 1 to 128 characters."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, Mapping) or not value:
            self.reader.report(self.at(key), f"`{show(value)}` must be {what}")
            return ()
        if len(value) > most:
            self.reader.report(self.at(key), f"has {len(value)} entries; AWS allows at most {most}")
        entries: list[tuple[str, str]] = []
        for name, text in value.items():
            at = f"{self.at(key)}.{name}"
            entries.append((str(name), self._checked(at, text, _short)))
        return tuple(entries)

    def choices(
        self, key: str, options: type[_Choice], default: frozenset[_Choice], sets: Mapping[str, frozenset[_Choice]]
    ) -> frozenset[_Choice]:
        """A list of values of a closed set, or the short name of one of `sets`."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, str) and value in sets:
            return sets[value]
        names = ", ".join(str(option.value) for option in options)
        known = {option.value: option for option in options}
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            short = " or ".join(f"`{name}`" for name in sets)
            self.reader.report(self.at(key), f"`{show(value)}` must be a list of any of: {names}; or {short}")
            return default
        for index, item in enumerate(value):
            if not isinstance(item, str) or item not in known:
                self.reader.report(f"{self.at(key)}[{index}]", f"`{show(item)}` must be one of: {names}")
        return frozenset(known[item] for item in value if isinstance(item, str) and item in known)

    def plain(self, key: str) -> Any:
        """A JSON value as it is, with PENDING for values that are not known yet."""
        return self._settled(self.take(key))

    def _settled(self, value: object) -> Any:
        if self.reader.pending(value):
            return PENDING
        if isinstance(value, Mapping):
            return {str(k): self._settled(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self._settled(item) for item in value]
        return value

    def choice(self, key: str, options: type[_Choice], default: _Choice) -> _Choice:
        value = self.take(key)
        if value is None or value == "":
            return default
        for option in options:
            if value == option.value:
                return option
        named = " or ".join(f"`{o.value}`" for o in options)
        self.reader.report(self.at(key), f"`{show(value)}` must be {named}")
        return default

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.reader.report(self.at(key), f"`{show(value)}` must be true or false")
        return default

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer():  # other languages pass every number as a float
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.reader.report(self.at(key), f"`{show(value)}` must be an integer from {low} to {high}")
        return default

    def optional_section(self, key: str, shape: str) -> Section | None:
        """An optional object; None if it is left out, empty, or not an object, which is a problem."""
        value = self.take(key)
        if isinstance(value, Mapping) and value:
            return Section(self.reader, self.at(key), value)
        if value is not None and value != {}:
            self.reader.report(self.at(key), f"`{show(value)}` must be {shape}")
        return None

    def section(self, key: str, shape: str, required: bool = True) -> Section:
        value = self.take(key)
        if isinstance(value, Mapping):
            return Section(self.reader, self.at(key), value)
        if value is not None or required:
            problem = f"must be {shape}" if value is not None else f"is required: {shape}"
            shown = f"`{show(value)}` " if value is not None else ""
            self.reader.report(self.at(key), shown + problem)
        return Section(Reader(self.reader.pending), self.at(key), {})

    def sections(self, key: str, shape: str) -> Iterator[Section]:
        value = self.take(key)
        if value is None:
            return
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.reader.report(self.at(key), f"`{show(value)}` must be a list of {shape}")
            return
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                yield Section(self.reader, f"{self.at(key)}[{index}]", item)
            else:
                self.reader.report(f"{self.at(key)}[{index}]", f"`{show(item)}` must be {shape}")


def _escaped(letter: str) -> str:
    """What a terminal would obey is shown as its code."""
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def _short(text: str) -> str | None:
    return None if 1 <= len(text) <= 128 else "must have 1 to 128 characters"


def show(value: object) -> str:
    """A value as its author may have written it, cut short."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = "(this value)"
    return text if len(text) <= 60 else text[:57] + "…"
