"""Plain values, taken key by key: what is missing, of the wrong kind or left over is noted with its path.

A `Section` is one object of the settings. Whatever is wrong is collected in its `Reader`, so that all of it is told at
once; what is not known yet is recognised by a predicate of the caller's, and `PENDING` stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from .formats import Check

PENDING = "(known later)"
"""What stands for a value that is not known yet."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the path of the setting, and what would be right."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class SettingsError(ValueError):
    """Settings that make no sense, with all their problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = tuple(problems)


_Choice = TypeVar("_Choice", bound=Enum)


class Reader:
    """Collects problems, so that all of them are told at once."""

    def __init__(self, pending: Callable[[object], bool]) -> None:
        self.pending = pending
        self.problems: list[Problem] = []

    def report(self, path: str, text: str) -> None:
        self.problems.append(Problem(path, text))

    def failed(self, path: str) -> bool:
        return any(p.path.startswith(path) for p in self.problems)


class Section:
    """One object of the settings, whose keys are taken one by one; what is left over is unknown."""

    def __init__(self, reader: Reader, path: str, raw: Mapping[str, object]) -> None:
        self.reader = reader
        self.path = path
        self._raw = raw
        self._known: list[str] = []

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def take(self, key: str) -> object:
        self._known.append(key)
        return self._raw.get(key)

    def close(self) -> None:
        for key in self._raw:
            if key not in self._known:
                self.reader.report(self.at(key), f"unknown setting; known here: {', '.join(self._known)}")

    def _checked(self, at: str, value: object, check: Check) -> str:
        if self.reader.pending(value):
            return PENDING
        if not isinstance(value, str):
            self.reader.report(at, f"`{show(value)}` must be a string; put it in quotes")
            return ""
        problem = check(value)
        if problem:
            self.reader.report(at, problem)
        return value

    def text(self, key: str, check: Check) -> str:
        value = self.take(key)
        if value is None or value == "":
            self.reader.report(self.at(key), "is missing")
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
            self.reader.report(self.at(key), f"`{show(value)}` must be {what}")
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
            self.reader.report(self.at(key), f"{len(value)} entries; AWS allows {most}")
        entries: list[tuple[str, str]] = []
        for name, text in value.items():
            at = f"{self.at(key)}.{name}"
            entries.append((str(name), self._checked(at, text, _short)))
        return tuple(entries)

    def choices(self, key: str, options: type[_Choice], default: tuple[_Choice, ...]) -> tuple[_Choice, ...]:
        """Some of a closed set, as a list."""
        value = self.take(key)
        if value is None:
            return default
        named = ", ".join(str(o.value) for o in options)
        known = {o.value: o for o in options}
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            self.reader.report(self.at(key), f"`{show(value)}` must be a list of some of: {named}")
            return default
        for index, item in enumerate(value):
            if item not in known:
                self.reader.report(f"{self.at(key)}[{index}]", f"`{show(item)}` must be one of: {named}")
        return tuple(option for option in options if option.value in value)

    def plain(self, key: str) -> Any:
        """A JSON value as it is, with PENDING for what is not known yet."""
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
        if isinstance(value, float) and value.is_integer():  # other languages hand every number over as a float
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.reader.report(self.at(key), f"`{show(value)}` must be a whole number from {low} to {high}")
        return default

    def optional_section(self, key: str, shape: str) -> Section | None:
        """An object that may be left out or empty; None where it is, or where it is something else, which is noted."""
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
            problem = f"must be {shape}" if value is not None else f"is missing; write {shape}"
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


def _short(text: str) -> str | None:
    return None if 1 <= len(text) <= 128 else "has 1 to 128 characters"


def show(value: object) -> str:
    """A value as its author wrote it, cut short."""
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
