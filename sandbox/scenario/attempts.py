"""One attempt of one person: what was tried, what should come of it, and what did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Result(Enum):
    ALLOWED = "allowed"
    DENIED = "denied"
    REFUSED = "refused"


@dataclass(frozen=True)
class AccessCheck:
    """One attempt. `got` is the expected word, or the deviation; `note` shows a value that was checked."""

    who: str
    tries: str
    expected: Result
    got: str
    note: str = ""

    @property
    def ok(self) -> bool:
        return self.got == self.expected.value


@dataclass(frozen=True)
class Person:
    """A user or a guest, with the credentials of the identity pool."""

    name: str
    identity: str
    credentials: tuple[str, str, str]
    claims: Mapping[str, Any] = field(default_factory=dict)
    """The claims of the token; a guest has none."""


class Deviation(Exception):
    """An attempt succeeded with the wrong result."""
