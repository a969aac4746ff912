"""Identities whose digits are not known, so that what holds for two of them holds for every two.

An ID is the pool's region and digits. Two IDs of unknown digits are written with letters that no document uses, in two
ways:

- *loosely*: one letter for every digit of the one, one for every digit of the other. What is granted is read as if each
  of its digits were these letters as well; what is denied is not. Machines of all patterns at once can read that.
- *exactly*: a letter of its own for each digit (`automata/symbolic.py`).

INVARIANT (every pair). Take a key that two different IDs share, and write each one's loose letter for its digits wherever
a grant's variable stands for the ID: the result is a key that the loose ones share. The two IDs cannot stand at one
place, since they differ; where the end of the one meets the region of the other, the region's letters are read as digits
of a grant. So where the loose ones share nothing, no two identities do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..automata.globs import Loose, Pattern
from ..automata.symbolic import Alphabet
from ..iam.issuers import Shape

PRIVATE = 0xF0000
"""Where letters are looked for that no document uses: a plane of Unicode for private use."""


@dataclass(frozen=True)
class Strangers:
    """Two different identities of unknown digits.

    Attributes:
        shape: the form of their IDs, and of UUIDs.
        base: the first of some code points that no document uses.
        uuids: the keys of the tags that are UUIDs, of each of the two.
    """

    shape: Shape
    base: int
    uuids: tuple[str, ...] = ()

    @cached_property
    def loose(self) -> tuple[str, str]:
        one, other = chr(self.base), chr(self.base + 1)
        return self.shape.identity(one * self.shape.size), self.shape.identity(other * self.shape.size)

    @cached_property
    def loosened(self) -> Loose:
        return Loose(self.shape.digits, chr(self.base) + chr(self.base + 1))

    @cached_property
    def alphabet(self) -> Alphabet:
        return Alphabet(self.base + 2, 2 * self.shape.size * (1 + len(self.uuids)))

    @cached_property
    def exact(self) -> tuple[str, str]:
        return self.named_by(self.alphabet.digit)

    def unknowns(self, side: int, uuid: str = "") -> range:
        """The unknown digits of the ID of the one or the other, or of one of its UUIDs."""
        at = 0 if not uuid else 1 + self.uuids.index(uuid)
        size = self.shape.size
        return range((2 * at + side) * size, (2 * at + side + 1) * size)

    def exact_uuids(self, side: int) -> dict[str, str]:
        """The UUIDs of the one or the other."""
        digit = self.alphabet.digit
        return {key: self.shape.uuid("".join(map(digit, self.unknowns(side, key)))) for key in self.uuids}

    @cached_property
    def preferred(self) -> tuple[int, ...]:
        """The digits of examples, where nothing else is asked: `1111…` and `2222…`, and of UUIDs `aaaa…` and `bbbb…`."""
        count, size = len(self.shape.digits), self.shape.size
        uuids = [10 % count] * size + [11 % count] * size
        return tuple([1 % count] * size + [2 % count] * size + uuids * len(self.uuids))

    def named(self, digits: Sequence[int]) -> tuple[str, str]:
        """The two with some digits."""
        return self.named_by(lambda unknown: self.shape.digits[digits[unknown]])

    def named_by(self, letter: Callable[[int], str]) -> tuple[str, str]:
        one, other = ("".join(map(letter, self.unknowns(side))) for side in (0, 1))
        return self.shape.identity(one), self.shape.identity(other)

    def named_uuids(self, side: int, digits: Sequence[int]) -> dict[str, str]:
        """The UUIDs of the one or the other, with some digits."""
        return {
            key: self.shape.uuid("".join(self.shape.digits[digits[u]] for u in self.unknowns(side, key)))
            for key in self.uuids
        }

    def written(self, letters: str, digits: tuple[int, ...]) -> str:
        """A word with some digits in the place of its letters for unknown ones."""
        found: list[str] = []
        for letter in letters:
            unknown = self.alphabet.unknown(letter)
            capital = self.alphabet.of_capital(letter)
            if unknown is not None:
                letter = self.shape.digits[digits[unknown]]
            elif capital is not None:
                letter = self.shape.digits[digits[capital]].upper()
            found.append(letter)
        return "".join(found)

    def apart(self, one: str, other: str) -> bool:
        """Whether no word has two beginnings (or two ends, turned round), as the loose ones write them."""
        if one.startswith(other) or other.startswith(one):
            return False
        loose, digits = self.loosened.letters, self._digits
        for mine, theirs in zip(one, other, strict=False):
            if mine != theirs and not (mine in loose and theirs in digits) and not (theirs in loose and mine in digits):
                return True
        return False

    def distinct(self, one: str, other: str) -> bool:
        """The same, as the exact ones write them, for a beginning of the one's and one of the other's.

        Equal letters at each digit of the two would make them the same.
        """
        same = 0
        for mine, theirs in zip(one, other, strict=False):
            if mine != theirs:
                first, second = self.alphabet.unknown(mine), self.alphabet.unknown(theirs)
                if first is None and second is None:
                    return True
                if first is None or second is None:
                    if (theirs if first is not None else mine) not in self.shape.digits:
                        return True
                elif abs(first - second) == self.shape.size and max(first, second) < 2 * self.shape.size:
                    same += 1
        return same == self.shape.size

    @cached_property
    def _digits(self) -> frozenset[str]:
        return frozenset(self.shape.digits + self.shape.digits.upper())


def strangers(shape: Shape, used: frozenset[str], uuids: tuple[str, ...] = ()) -> Strangers:
    """Two identities of a shape, with tags that are UUIDs, in letters that are not used."""
    base, needed = PRIVATE, 4 * shape.size * (1 + len(uuids)) + 2
    codes = sorted(ord(letter) for letter in used if ord(letter) >= PRIVATE)
    for code in codes:
        if code < base + needed:
            base = max(base, code + 1)
    return Strangers(shape, base, uuids)


def beginning(pattern: Pattern) -> str:
    """The characters before the first wildcard."""
    found: list[str] = []
    for token in pattern:
        if not isinstance(token, str):
            break
        found.append(token[0])
    return "".join(found)
