"""Every short key, and the set of those that a glob matches: one bit a key.

The keys are a tree. Its edges are letters and whole names (the identity IDs, and what else documents spell out), each at a
cost, and a path may cost as much as the world's bound; so keys that hold two IDs are listed long before all keys of their
length are. A key that two paths spell is listed twice, which does no harm.

A glob is a tuple: characters, and `ANY`, `WITHIN` (any string without a colon) and `ONE`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

ANY, WITHIN, ONE = "any", "within", "one"
Glob: TypeAlias = tuple[str, ...]
Globs: TypeAlias = frozenset[Glob]

_REMEMBERED = 150_000
"""Sets of keys that are kept at a time, of all bounds together."""


def matches(glob: Glob, text: str, fold: bool = False) -> bool:
    """One text against one glob, by Python's own regular expressions: nothing is shared with the sets below."""
    return _regex(glob, fold).fullmatch(text) is not None


@lru_cache(maxsize=20_000)
def _regex(glob: Glob, fold: bool) -> re.Pattern[str]:
    special = {ANY: ".*", WITHIN: "[^:]*", ONE: "."}
    regex = "".join(special.get(part) or re.escape(part) for part in glob)
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if fold else 0))


@lru_cache(maxsize=50_000)
def behind(globs: Globs, text: str, fold: bool = False) -> Globs:
    """What must follow a text."""
    if fold:
        globs, text = _folded(globs), text.lower()
    for letter in text:
        globs = rest(globs, letter)
    return globs


def _folded(globs: Globs) -> Globs:
    return frozenset(tuple(p.lower() if len(p) == 1 else p for p in glob) for glob in globs)


def rest(globs: Iterable[Glob], letter: str) -> Globs:
    """What must follow a letter."""
    found: set[Glob] = set()
    for glob in globs:
        index = 0
        while index < len(glob):
            part = glob[index]
            if part == ANY or (part == WITHIN and letter != ":"):
                found.add(glob[index:])
            if part in (ANY, WITHIN):
                index += 1
                continue
            if part in (ONE, letter):
                found.add(glob[index + 1 :])
            break
    return _ALL if (ANY,) in found else frozenset(found)


def common(one: Glob, other: Glob, states: int = 2000) -> Iterator[str]:
    """Words that two globs match, the shorter ones first, as far as some number of states leads."""
    letters = sorted({*"xz/", *(part for part in (*one, *other) if len(part) == 1)})
    queue = deque([("", frozenset({one}), frozenset({other}))])
    seen = {queue[0][1:]}
    while queue and len(seen) < states:
        word, mine, theirs = queue.popleft()
        if complete(mine) and complete(theirs):
            yield word
        for letter in letters:
            after = rest(mine, letter), rest(theirs, letter)
            if all(after) and after not in seen:
                seen.add(after)
                queue.append((word + letter, *after))


_ALL: Globs = frozenset({(ANY,)})


def complete(globs: Globs) -> bool:
    """Whether nothing need follow."""
    return any(all(part in (ANY, WITHIN) for part in glob) for glob in globs)


class Keys:
    """All keys whose path costs no more than a bound."""

    def __init__(self, letters: str, names: Iterable[str]) -> None:
        """A slash costs 2, as keys are folders; another letter 4; a name 5."""
        self.letters = letters
        self._edges = [("/", 2), *((letter, 4) for letter in letters), *((name, 5) for name in names)]
        self._sizes: dict[int, int] = {}
        self._found: dict[tuple[Globs, int, bool], int] = {}
        self._after: dict[tuple[Globs, str], Globs] = {}
        self._begun: dict[tuple[int, int], int] = {}

    def size(self, bound: int) -> int:
        if bound not in self._sizes:
            self._sizes[bound] = 1 + sum(
                len(text) - 1 + self.size(bound - cost) for text, cost in self._edges if cost <= bound
            )
        return self._sizes[bound]

    def every(self, bound: int) -> int:
        return (1 << self.size(bound)) - 1

    def matching(self, globs: Globs, bound: int, fold: bool = False) -> int:
        """The keys that some glob matches; `fold` ignores case."""
        if fold:
            globs = _folded(globs)
        if len(self._found) > _REMEMBERED:
            self._found.clear()
            self._after.clear()
        return self._matching(globs, bound, fold)

    def _matching(self, globs: Globs, bound: int, fold: bool) -> int:
        if not globs:
            return 0
        if globs == _ALL:
            return self.every(bound)
        known = self._found.get((globs, bound, fold))
        if known is not None:
            return known
        bits = int(complete(globs))
        at = 1
        for text, cost in self._edges:
            if cost > bound:
                continue
            here = globs
            for letter in text[:-1]:
                here = self._rest(here, letter, fold)
                if here and complete(here):
                    bits |= 1 << at
                at += 1
            below = self._matching(self._rest(here, text[-1], fold), bound - cost, fold)
            if below:
                bits |= below << at
            at += self.size(bound - cost)
        self._found[globs, bound, fold] = bits
        return bits

    def _rest(self, globs: Globs, letter: str, fold: bool) -> Globs:
        if not globs:
            return globs
        letter = letter.lower() if fold else letter
        after = self._after.get((globs, letter))
        if after is None:
            after = self._after[globs, letter] = rest(globs, letter)
        return after

    def beginning(self, bits: int, bound: int) -> int:
        """The keys that begin with one of some keys."""
        if len(self._begun) > _REMEMBERED:
            self._begun.clear()
        return self._beginning(bits, bound)

    def _beginning(self, bits: int, bound: int) -> int:
        if not bits:
            return 0
        if bits & 1:
            return self.every(bound)
        known = self._begun.get((bits, bound))
        if known is not None:
            return known
        found = 0
        at = 1
        for text, cost in self._edges:
            if cost > bound:
                continue
            size = len(text) - 1 + self.size(bound - cost)
            part = bits >> at & ((1 << size) - 1)
            if part:
                inner = part & ((1 << len(text) - 1) - 1)
                if inner:
                    first = (inner & -inner).bit_length() - 1
                    below = (1 << size) - (1 << first)
                else:
                    below = self._beginning(part >> len(text) - 1, bound - cost) << len(text) - 1
                found |= below << at
            at += size
        self._begun[bits, bound] = found
        return found

    def first(self, bits: int, bound: int) -> str:
        """The first key of a set."""
        return self.word((bits & -bits).bit_length() - 1, bound)

    def word(self, index: int, bound: int) -> str:
        """The key of a bit."""
        if index == 0:
            return ""
        at = 1
        for text, cost in self._edges:
            if cost > bound:
                continue
            if index < at + len(text) - 1:
                return text[: index - at + 1]
            at += len(text) - 1
            if index < at + self.size(bound - cost):
                return text + self.word(index - at, bound - cost)
            at += self.size(bound - cost)
        raise IndexError(index)

    def words(self, near: int, bound: int, at: int = 0, before: str = "") -> Iterator[tuple[int, str]]:
        """The keys whose paths cost no more than `near`, each with its bit among those of `bound`."""
        yield at, before
        at += 1
        for text, cost in self._edges:
            if cost > bound:
                continue
            if cost <= near:
                for index in range(1, len(text)):
                    yield at + index - 1, before + text[:index]
                yield from self.words(near - cost, bound - cost, at + len(text) - 1, before + text)
            at += len(text) - 1 + self.size(bound - cost)
