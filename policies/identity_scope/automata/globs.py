"""Globs as automata: patterns, and their unions as deterministic machines.

A pattern is a sequence of literal characters, `?` (one character) and `*` (any string). `GlobSet` is the union of some
patterns as one deterministic automaton that is determinised while it is walked: a state is a set of pattern positions,
held as the bits of an integer, and one step is two shifts.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias


class Wild(Enum):
    """A pattern element that is not a literal character."""

    ANY = "*"
    """Any string, also empty, with any characters: in IAM a `*` spans `/` and `:` too."""

    WITHIN = "*:"
    """Any string without a colon: the narrow reading of a `*` inside an ARN segment, which AWS leaves open."""

    ONE = "?"
    """Exactly one character, any code point."""


class Text(NamedTuple):
    """A part of a text that is not known: any one character, or with `many` any string, without some characters.

    A whole text, `unknown_text`, is a part of one character, at which it begins, and one of many.
    """

    number: int
    many: bool
    excluded: str = ""


Pattern: TypeAlias = tuple["str | Wild | Text", ...]
"""Literal characters, wildcards and texts, in order. A string of several characters is any one of them."""


def literal(text: str) -> Pattern:
    return tuple(text)


def unknown_text(number: int, excluded: str = "") -> Pattern:
    """A text of one character or more, under a number that tells it from others."""
    return Text(number, False, excluded), Text(number, True, excluded)


class Loose(NamedTuple):
    """Letters that stand for digits which are not known: where a pattern has any of the digits, it takes them as well."""

    digits: str
    letters: str


class GlobSet:
    """The union of patterns. A state is an integer whose bits are positions; 0 is dead.

    A star is a self-loop on its position, so that no empty moves are left. Within one pattern, whatever an earlier
    position still accepts, a later `*` that has been reached accepts as well (it can swallow the difference); earlier
    bits are dropped, which keeps the states few.
    """

    __slots__ = (
        "_advance",
        "_ends",
        "_final",
        "_loop_any",
        "_loop_within",
        "_one",
        "_segments",
        "fold",
        "letters",
        "loose",
        "patterns",
        "start",
        "weight",
    )

    def __init__(self, patterns: Iterable[Pattern], fold: bool = False, loose: Loose | None = None) -> None:
        """Args:
        patterns: the patterns of the union; none at all accepts nothing.
        fold: ignore case, as StringEqualsIgnoreCase and action names do.
        loose: letters that every digit of the patterns takes as well.
        """
        self.patterns = tuple(patterns)
        self.fold = fold
        self.loose = loose

    def __getattr__(self, name: str) -> Any:
        # The tables are made when first asked for: most questions are settled on literal beginnings, without them.
        if name in GlobSet.__slots__ and name not in ("patterns", "fold", "loose"):
            self._make_tables()
            return object.__getattribute__(self, name)
        raise AttributeError(name)

    def _make_tables(self) -> None:
        patterns, fold = self.patterns, self.fold
        advance: dict[str, int] = {}
        self._ends: list[int] = []
        one = loop_any = loop_within = final = start = 0
        segments: list[int] = []
        bit = 1
        for pattern in patterns:
            start |= bit
            first = bit
            for token in pattern:
                if token is Wild.ANY:
                    loop_any |= bit
                elif token is Wild.WITHIN:
                    loop_within |= bit
                elif token is Wild.ONE:
                    one |= bit
                    bit <<= 1
                elif isinstance(token, Text):
                    # What it excludes is left out: more is matched, and it stands only where that is wanted.
                    loop_any |= bit if token.many else 0
                    one |= 0 if token.many else bit
                    bit <<= 0 if token.many else 1
                else:
                    for key in token.lower() if fold else token:
                        advance[key] = advance.get(key, 0) | bit
                    bit <<= 1
            final |= bit
            self._ends.append(bit)
            bit <<= 1
            segments.append(bit - first)
        if self.loose is not None:
            some = 0
            for digit in {*self.loose.digits, *self.loose.digits.upper()}:
                some |= advance.get(digit, 0)
            if some:
                for letter in self.loose.letters:
                    advance[letter] = advance.get(letter, 0) | some
        self._advance = advance
        self._one = one
        self._loop_any = loop_any
        self._loop_within = loop_within
        self._final = final
        self.weight = 1 + bit.bit_length() // 512 + len(segments) // 8
        self._segments = [s for s in segments if (s & loop_any).bit_count() > 1]
        self.start = start
        extra = {":"} if loop_within else set()
        self.letters = frozenset({c for k in advance for c in (k, k.upper())} if fold else advance) | extra

    def step(self, state: int, letter: str) -> int:
        if self.fold:
            letter = letter.lower()
        loops = self._loop_any if letter == ":" else self._loop_any | self._loop_within
        after = ((state & (self._advance.get(letter, 0) | self._one)) << 1) | (state & loops)
        for segment in self._segments:
            reached = after & segment & self._loop_any
            if reached:
                highest = 1 << (reached.bit_length() - 1)
                after &= ~(segment & (highest - 1))
        return after

    def accepts(self, state: int) -> bool:
        return bool(state & self._final)

    def accepting(self, state: int) -> frozenset[int]:
        """Which patterns accept, by their place in the union."""
        return frozenset(index for index, end in enumerate(self._ends) if state & end)

    def dead(self, state: int) -> bool:
        return state == 0

    def viable(self, state: int) -> frozenset[str] | None:
        if self.fold or state & (self._one | self._loop_any | self._loop_within):
            return None
        return frozenset(letter for letter, mask in self._advance.items() if mask & state)

    def literals(self, state: int) -> set[str]:
        """The letters that some position of a state takes as themselves: all others are alike to it."""
        return {letter for letter, mask in self._advance.items() if mask & state}

    def run(self, text: str) -> int:
        state = self.start
        for letter in text:
            state = self.step(state, letter)
            if not state:
                break
        return state

    def matches(self, text: str) -> bool:
        return self.accepts(self.run(text))


def matches(pattern: Pattern, text: str) -> bool:
    """Whether one pattern matches. What stands between `*`s is looked for in turn; a machine reads any other pattern."""
    pieces = _pieces(pattern)
    if pieces is None:
        return _machine(pattern).matches(text)
    first, *between = pieces
    if not between:
        return text == first
    last = between.pop()
    at, end = len(first), len(text) - len(last)
    if end < at or not (text.startswith(first) and text.endswith(last)):
        return False
    for piece in between:
        # The earliest place leaves most to what follows.
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


@lru_cache(maxsize=8192)
def _pieces(pattern: Pattern) -> tuple[str, ...] | None:
    """The literal texts before, between and behind the `*`s of a pattern; None where it has other wildcards or choices."""
    pieces: list[list[str]] = [[]]
    for token in pattern:
        if token is Wild.ANY:
            pieces.append([])
        elif not isinstance(token, str) or len(token) != 1:
            return None
        else:
            pieces[-1].append(token)
    return tuple("".join(piece) for piece in pieces)


@lru_cache(maxsize=2048)
def _machine(pattern: Pattern) -> GlobSet:
    return GlobSet([pattern])
