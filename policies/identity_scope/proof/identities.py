"""Identities whose digits are not known, so that two of them stand for all that no document names.

A document may name a *part* of an identity id (`bkt/us-east-1:1*`, `*7f/x`): then two ids that happen to lack that part
prove nothing about those that have it. So the digits of the two are letters of their own, which no document can write, and
wherever the text of an Allow could face a digit of somebody's id, its letter matches them as well.

INVARIANT (widening). A key that two real identities share becomes a key that the two symbolic ones share, when each id in
it is replaced by its symbolic one: so where these share nothing, nobody does. The reverse does not hold.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..automata.globs import Pattern, Wild
from ..iam.issuers import NAMED, overlap

_DIGITS = ("\ue000", "\ue100")
"""A digit of the one, and of the other: letters of the private use area."""

_FIRST, _LAST = ord(_DIGITS[0]), ord(_DIGITS[1]) + 12
_HEX = frozenset("0123456789abcdef")
_PART = re.compile(r"(?<=-\d:)[0-9a-f-]{1,36}")


@lru_cache(maxsize=64)
def symbolic(region: str) -> tuple[str, str]:
    """Two identities of a region that stand for any two that no document names."""
    # Their last digits may be the first letters of a region's name, and have letters of their own, one for each place.
    one, other = (_identity(region, digit, len(overlap(region))) for digit in _DIGITS)
    return one, other


def anybody(region: str) -> str:
    """An identity of a region that stands for any one alone, with no other's id beside it."""
    return _identity(region, _DIGITS[0], 0)


@lru_cache(maxsize=64)
def _digits(region: str) -> str:
    """All letters that stand for digits of the two."""
    return "".join(sorted({letter for identity in symbolic(region) for letter in identity if _is_digit(letter)}))


def _identity(region: str, digit: str, own: int) -> str:
    tail = "".join(chr(ord(digit) + 1 + place) for place in range(own))
    return f"{region}:{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * (12 - len(tail))}{tail}"


def is_symbolic(identity: str) -> bool:
    return any(_is_digit(letter) for letter in identity)


def _is_digit(letter: str) -> bool:
    return _FIRST <= ord(letter) <= _LAST


def loosened(pattern: Pattern, region: str) -> Pattern:
    """The pattern, with each letter that could face a digit of an id matching every digit.

    Before the first wildcard a letter faces a digit only after `REGION:`; after one it may face any. An id that stands in
    full is an identity of its own, which is tried by name.
    """
    runs = _runs(pattern)
    own = _own(region)
    if not _PART.search(runs[0][1]) and all(_HEX.isdisjoint(run) for _, run in runs[1:]):  # most patterns
        if own.keys().isdisjoint(pattern):
            return pattern
        return tuple(own.get(token, token) if isinstance(token, str) else token for token in pattern)
    found: list[str | Wild] = []
    digits = _digits(region)
    for start, run in runs:
        faced = _faced(run, anchored=start == 0)
        for index, token in enumerate(run):
            found.append(token + digits if index in faced else own.get(token, token))
        if start + len(run) < len(pattern):
            found.append(pattern[start + len(run)])
    return tuple(found)


def _runs(pattern: Pattern) -> list[tuple[int, str]]:
    """The literal runs between wildcards, also empty ones, each with where it begins."""
    wild = [index for index, token in enumerate(pattern) if isinstance(token, Wild)]
    starts = [0, *(index + 1 for index in wild)]
    return [(start, "".join(pattern[start:end])) for start, end in zip(starts, [*wild, len(pattern)], strict=True)]  # type: ignore[arg-type]


def _faced(run: str, anchored: bool) -> frozenset[int]:
    named = {i for match in NAMED.finditer(run) for i in range(*match.span())}
    parts = [range(*match.span()) for match in _PART.finditer(run)] if anchored else [range(len(run))]
    return frozenset(i for part in parts for i in part if run[i] in _HEX and i not in named)


@lru_cache(maxsize=64)
def _own(region: str) -> dict[str, str]:
    """An identity's own last digits, each with the letter that begins a region's name there."""
    begins = overlap(region)
    return {
        chr(ord(d) + 1 + place): chr(ord(d) + 1 + place) + begins[place]
        for d in _DIGITS
        for place in range(len(begins))
    }
