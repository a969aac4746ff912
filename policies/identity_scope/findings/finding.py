"""A finding as a value: which resource it is about, what caused it, and what it says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that a rule reports.

    Attributes:
        urn: the resource that holds what is wrong; empty where there is none.
        key: the finding's cause, which tells it apart from all others of the rule.
        text: what it says; the first line is the one to act on.
        pending: not decided at preview; it will be at update.
    """

    urn: str
    key: tuple[str, ...]
    text: str
    pending: bool = False
