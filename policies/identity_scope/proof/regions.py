"""The regions to ask about where that of a pool is not known: those that documents tell from the default one.

A region is told from others by a document that names it or a part of it, in letters of whichever case, also where the
default of a variable completes the part; and by `?`, which counts its letters, and by digits of an ID that are letters of
its beginning as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..iam.issuers import BY_LENGTH, DEFAULT_REGION, REGIONS

_HEAD = re.compile(r"^arn:[^:]*:s3:[^:]*:[^:]*:[^/*?$]*")
"""The beginning of an object's ARN, up to where a key may stand."""
_DEFAULT = re.compile(r"\$\{[^},]*,\s*'([^}]*)'\s*\}")
_WILD = re.compile(r"[*?]|\$\{[^}]*\}?")


def told_apart(values: Iterable[str]) -> list[str]:
    """Regions of which some text has a part that the default one does not have in its place: of those of which the texts
    have the same parts in the same places, one of each length and beginning."""
    runs = {run for value in values for run in _runs(value)}
    found: dict[object, str] = {}
    for region in REGIONS:
        parts = frozenset((run, part) for run in runs for part in _parts(run, f"{region}:"))
        if parts:
            found.setdefault((parts, *_overlap(region)), region)
    return list(found.values())


class _Run(NamedTuple):
    """A literal part of a text, and whether something that is not literal stands before it and behind it."""

    text: str
    before: bool
    behind: bool


def _runs(value: str) -> Iterator[_Run]:
    """The literal parts of a text, with the defaults of its variables and without them."""
    text = _HEAD.sub("", value.lower())
    for each in {text, _DEFAULT.sub(r"\1", text)}:
        pieces = _WILD.split(each)
        last = len(pieces) - 1
        yield from (_Run(piece, at > 0, at < last) for at, piece in enumerate(pieces) if piece)


def _parts(run: _Run, name: str) -> Iterator[tuple[str, int]]:
    """Where a literal part of a text holds a region's name, with its colon, or a part of it."""
    default = f"{DEFAULT_REGION}:"
    if name in run.text:
        yield name, 0
    if run.before and run.behind and run.text != ":":
        yield from (("inside", at) for at in range(len(name)) if name.startswith(run.text, at))
    for at in range(1, len(name)):
        if run.behind and name[:at] != default[:at] and run.text.endswith(name[:at]):
            yield "at the beginning", at
        if run.before and name[-at:] != default[-at:] and run.text.startswith(name[-at:]):
            yield "at the end", at


def by_length() -> list[str]:
    """One region of each length that names have, and of each beginning that may be the end of another ID."""
    found: dict[tuple[int, int], str] = {}
    for region in (*BY_LENGTH.values(), *REGIONS):
        found.setdefault(_overlap(region), region)
    return list(found.values())


def _overlap(region: str) -> tuple[int, int]:
    """How long a region's name is, and how many of its first letters may be digits of another ID."""
    return len(region), len(region) - len(region.lstrip("0123456789abcdef"))
