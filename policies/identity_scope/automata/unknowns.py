"""What is known of unknown digits: which are equal, and what each can be.

A store is a conjunction of equalities between unknowns and of sets of digits that an unknown can be. It is kept as classes
of equal unknowns, each with the mask of its possible digits, and stands under a number, so that two stores say the same
exactly when their numbers are equal. Every store is satisfiable: an operation that would leave a class without a digit
gives None.

`solve` finds digits that satisfy a store and none of some *nogoods*, which are stores as well: what must not be the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from .walk import Budget

StoreId: TypeAlias = int
NOTHING: StoreId = 0
"""The store that says nothing: every digit is possible."""


class Known(NamedTuple):
    """A class of unknowns that are equal, as bits, and the digits that they can be, as bits."""

    unknowns: int
    digits: int


class Stores:
    """The stores of one question. Every operation that is not remembered is charged to the budget."""

    def __init__(self, digits: str, budget: Budget) -> None:
        self.digits = digits
        self.any = (1 << len(digits)) - 1
        self._budget = budget
        self._classes: list[tuple[Known, ...]] = [()]
        self._numbers: dict[tuple[Known, ...], StoreId] = {(): NOTHING}
        self._restricted: dict[tuple[StoreId, int, int], StoreId | None] = {}
        self._equated: dict[tuple[StoreId, int, int], StoreId | None] = {}
        self._implied: dict[tuple[StoreId, StoreId], bool] = {}
        self._joined: dict[tuple[StoreId, StoreId], StoreId | None] = {}

    def classes(self, store: StoreId) -> tuple[Known, ...]:
        return self._classes[store]

    def possible(self, store: StoreId, unknown: int) -> int:
        """The digits that an unknown can be, as bits."""
        return self._class_of(store, unknown).digits

    def mask(self, letters: str) -> int:
        return sum(1 << i for i, digit in enumerate(self.digits) if digit in letters)

    def restrict(self, store: StoreId, unknown: int, digits: int) -> StoreId | None:
        """The store, and the unknown is one of some digits."""
        if digits & self.any == self.any:
            return store
        key = store, unknown, digits
        if key not in self._restricted:
            known = self._class_of(store, unknown)
            self._restricted[key] = self._with(store, Known(known.unknowns, known.digits & digits))
        return self._restricted[key]

    def equate(self, store: StoreId, one: int, other: int) -> StoreId | None:
        """The store, and two unknowns are equal."""
        key = (store, one, other) if one < other else (store, other, one)
        if key not in self._equated:
            first, second = self._class_of(store, one), self._class_of(store, other)
            both = Known(first.unknowns | second.unknowns, first.digits & second.digits)
            self._equated[key] = store if first == second else self._with(store, both)
        return self._equated[key]

    def join(self, store: StoreId, other: StoreId) -> StoreId | None:
        """Both stores at once; None where they contradict each other."""
        if store == other or other == NOTHING:
            return store
        if store == NOTHING:
            return other
        key = store, other
        if key not in self._joined:
            self._joined[key] = self._conjunction(store, other)
        return self._joined[key]

    def implies(self, store: StoreId, other: StoreId) -> bool:
        """Whether all that one store says follows from the other: unknowns that are equal are of one class."""
        if store == other or other == NOTHING:
            return True
        key = store, other
        if key not in self._implied:
            self._budget.spend(1 + len(self._classes[other]) // 8)
            self._implied[key] = all(self._follows(store, known) for known in self._classes[other])
        return self._implied[key]

    def _follows(self, store: StoreId, known: Known) -> bool:
        first = (known.unknowns & -known.unknowns).bit_length() - 1
        mine = self._class_of(store, first)
        return not known.unknowns & ~mine.unknowns and not mine.digits & ~known.digits

    def of(self, atoms: Sequence[tuple[int, int]]) -> StoreId | None:
        """The store in which each unknown is one of the given digits."""
        found: StoreId | None = NOTHING
        for unknown, digits in atoms:
            found = None if found is None else self.restrict(found, unknown, digits)
        return found

    def alike(self, one: str, other: str, unknown_of: Callable[[str], int | None]) -> StoreId | None:
        """What must be known for two words to be equal as far as both go; some letters stand for unknown digits."""
        self._budget.spend(1 + min(len(one), len(other)) // 32)
        parent: dict[int, int] = {}
        digits: dict[int, int] = {}

        def root(unknown: int) -> int:
            while parent.setdefault(unknown, unknown) != unknown:
                unknown = parent[unknown]
            return unknown

        for mine, theirs in zip(one, other, strict=False):
            if mine == theirs:
                continue
            first, second = unknown_of(mine), unknown_of(theirs)
            if first is not None and second is not None:
                first, second = root(first), root(second)
                digits[first] = digits.get(first, self.any) & digits.get(second, self.any)
                parent[second] = first
            elif first is None and second is None:
                return None
            else:
                known = root(first if first is not None else second or 0)
                digits[known] = digits.get(known, self.any) & self._digit(theirs if first is not None else mine)
        classes: dict[int, int] = {}
        for unknown in parent:
            classes[root(unknown)] = classes.get(root(unknown), 0) | 1 << unknown
        by_digit: dict[int, int] = {}
        found: list[Known] = []
        for known, unknowns in classes.items():
            possible = digits.get(known, self.any)
            if not possible:
                return None
            if possible & (possible - 1):
                found.append(Known(unknowns, possible))
            else:
                by_digit[possible] = by_digit.get(possible, 0) | unknowns
        found += [Known(unknowns, digit) for digit, unknowns in by_digit.items()]
        useful = [k for k in found if k.digits != self.any or k.unknowns & (k.unknowns - 1)]
        return self._number(tuple(sorted(useful, key=lambda k: k.unknowns & -k.unknowns)))

    def _digit(self, letter: str) -> int:
        return 1 << self.digits.index(letter) if letter in self.digits else 0

    def _class_of(self, store: StoreId, unknown: int) -> Known:
        for known in self._classes[store]:
            if known.unknowns >> unknown & 1:
                return known
        return Known(1 << unknown, self.any)

    def _with(self, store: StoreId, changed: Known) -> StoreId | None:
        """The store with one class changed; whatever is in it is one class from now on."""
        self._budget.spend(1 + len(self._classes[store]) // 8)
        if not changed.digits:
            return None
        rest = [known for known in self._classes[store] if not known.unknowns & changed.unknowns]
        if not changed.digits & (changed.digits - 1):
            # Unknowns that can be one and the same digit only are equal: one form for what means the same.
            for known in [k for k in rest if k.digits == changed.digits]:
                rest.remove(known)
                changed = Known(changed.unknowns | known.unknowns, changed.digits)
        return self._number(tuple(sorted([*rest, changed], key=lambda k: k.unknowns & -k.unknowns)))

    def _number(self, classes: tuple[Known, ...]) -> StoreId:
        number = self._numbers.get(classes)
        if number is None:
            number = self._numbers[classes] = len(self._classes)
            self._classes.append(classes)
        return number

    def _conjunction(self, store: StoreId, other: StoreId) -> StoreId | None:
        found: StoreId | None = store
        for known in self._classes[other]:
            first, *others = _bits(known.unknowns)
            found = self.restrict(found, first, known.digits) if found is not None else None
            for unknown in others:
                if found is None:
                    return None
                found = self.equate(found, first, unknown)
        return found

    def solve(self, store: StoreId, nogoods: Sequence[StoreId]) -> StoreId | None:
        """A store that implies this one and contradicts every nogood; None if there is none.

        Complete: a nogood is false exactly if one of its atoms is, an unknown is not one of its digits or two unknowns
        differ, and every way to make an atom false is tried.
        """
        open_: list[StoreId] = []
        for nogood in nogoods:
            self._budget.spend()
            both = self.join(store, nogood)
            if both == store:
                return None
            if both is not None:
                open_.append(nogood)
        if not open_:
            return store
        for narrower in self._falsified(store, open_[0]):
            self._budget.spend()
            found = self.solve(narrower, open_[1:])
            if found is not None:
                return found
        return None

    def example(
        self, store: StoreId, nogoods: Sequence[StoreId], unknowns: int, preferred: Sequence[int]
    ) -> list[int] | None:
        """Digits that satisfy the store and no nogood: the preferred ones where that is possible."""
        wished = self.assign(store, unknowns, preferred)
        if not any(self._satisfied(nogood, wished) for nogood in nogoods):
            return wished
        found = self.solve(store, nogoods)
        return None if found is None else self.assign(found, unknowns, preferred)

    def _satisfied(self, store: StoreId, digits: Sequence[int]) -> bool:
        self._budget.spend()
        return all(
            len({digits[unknown] for unknown in _bits(known.unknowns)}) == 1
            and known.digits >> digits[(known.unknowns & -known.unknowns).bit_length() - 1] & 1
            for known in self._classes[store]
        )

    def _falsified(self, store: StoreId, nogood: StoreId) -> Iterator[StoreId]:
        """Every way to make one atom of a nogood false, as a store."""
        seen: set[StoreId | None] = {None}
        for way in self._ways_to_falsify(store, nogood):
            if way not in seen:
                seen.add(way)
                yield way  # type: ignore[misc]

    def _ways_to_falsify(self, store: StoreId, nogood: StoreId) -> Iterator[StoreId | None]:
        for known in self._classes[nogood]:
            first, *others = _bits(known.unknowns)
            if known.digits != self.any:
                for unknown in (first, *others):
                    yield self.restrict(store, unknown, self.any & ~known.digits)
            for unknown in others:
                for digit in range(len(self.digits)):
                    one = self.restrict(store, first, 1 << digit)
                    if one is not None:
                        yield self.restrict(one, unknown, self.any & ~(1 << digit))

    def assign(self, store: StoreId, unknowns: int, preferred: Sequence[int]) -> list[int]:
        """A digit for each unknown, as its place among the digits; the preferred one where the store leaves it open."""
        found = list(preferred[:unknowns])
        for known in self._classes[store]:
            members = _bits(known.unknowns)
            wish = preferred[members[0]]
            digit = wish if known.digits >> wish & 1 else (known.digits & -known.digits).bit_length() - 1
            for unknown in members:
                found[unknown] = digit
        return found


def _bits(mask: int) -> list[int]:
    found: list[int] = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found
