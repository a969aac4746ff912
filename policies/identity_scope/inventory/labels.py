"""Labels of documents: those of several resources can have one, and are marked to tell them apart."""

from __future__ import annotations

from collections.abc import Container

_MARK = "′"


def distinct(label: str, taken: Container[str]) -> str:
    """A label that no other document has."""
    while label in taken:
        label += _MARK
    return label


def unmarked(label: str) -> str:
    """A label as its resource gives it; which of several is marked depends on what else is registered."""
    return label.rstrip(_MARK)
