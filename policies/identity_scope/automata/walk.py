"""The bounded walk over a product of automata: emptiness, inclusion, and the shortest word that shows a difference.

`shortest_word` walks breadth first, so the first word found is a shortest one; it refuses to decide when the budget of
steps is spent. The budget is shared by everything that one question needs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from .globs import GlobSet, Pattern

State = TypeVar("State", bound=Hashable)


class BudgetExceeded(Exception):
    """The walk took more steps than it was given: nothing has been decided."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"not decided within {steps} steps")
        self.steps = steps


class Budget:
    """Steps that one question may cost, shared by all the walks it needs."""

    __slots__ = ("_whole", "left", "limit")

    def __init__(self, limit: int, whole: Budget | None = None) -> None:
        self.limit = limit
        self.left = limit
        self._whole = whole

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self._whole is not None:
            self._whole.spend(steps)
        if self.left < 0:
            raise BudgetExceeded(self.limit)

    def part(self, limit: int) -> Budget:
        """A budget of its own for a part of the question, which is spent of this one as well."""
        return Budget(limit, self)


class Machine(Protocol[State]):
    """A deterministic automaton whose states are made as it is walked."""

    @property
    def start(self) -> State: ...

    @property
    def letters(self) -> frozenset[str]:
        """The characters that it tells apart; all others behave alike."""
        ...

    @property
    def weight(self) -> int:
        """What one step costs, in steps of a small machine."""
        ...

    def step(self, state: State, letter: str) -> State: ...

    def accepts(self, state: State) -> bool: ...

    def dead(self, state: State) -> bool:
        """No word from here is accepted. May say False when unsure."""
        ...

    def viable(self, state: State) -> frozenset[str] | None:
        """The only letters that do not lead to a dead state; None when any may do."""
        ...


_READABLE = "xyzwvutsrqponmlkjihgfedcba0123456789-_XYZWVUTSRQPONMLKJIHGFEDCBA.~!,;@^|"


def fresh_letter(known: Iterable[str]) -> str:
    """A character that no machine tells apart, one that reads well where there is such a one."""
    taken = set(known)
    for letter in _READABLE:
        if letter not in taken:
            return letter
    code = 0x4E00
    while chr(code) in taken:
        code += 1
    return chr(code)


def shortest_word(
    machines: Sequence[Machine[Any]],
    accept: Callable[[Sequence[bool]], bool],
    required: Sequence[bool],
    budget: Budget,
) -> str | None:
    """A shortest word whose vector of acceptances satisfies `accept`, or None if there is no such word.

    Args:
        machines: deterministic automata, walked together.
        accept: decides from each machine's acceptance, in the machines' order.
        required: True for each machine whose acceptance `accept` needs, so that its dead states end the walk.
        budget: every transition costs a step, and one of large machines several.

    Raises:
        BudgetExceeded: nothing was decided.
    """
    letters: frozenset[str] = frozenset().union(*(m.letters for m in machines))
    order = sorted(letters, key=lambda c: (not c.isalnum(), c))
    alphabet = [fresh_letter(letters), *order]
    start = tuple(m.start for m in machines)
    if accept([m.accepts(s) for m, s in zip(machines, start, strict=True)]):
        return ""
    seen: dict[tuple[Hashable, ...], tuple[tuple[Hashable, ...], str] | None] = {start: None}
    queue = deque([start])
    price = max(1, sum(m.weight for m in machines) // len(machines))
    while queue:
        states = queue.popleft()
        for letter in _choices(machines, states, required, alphabet):
            budget.spend(price)
            after = tuple(m.step(s, letter) for m, s in zip(machines, states, strict=True))
            if after in seen:
                continue
            if any(need and m.dead(s) for m, s, need in zip(machines, after, required, strict=True)):
                continue
            seen[after] = (states, letter)
            if accept([m.accepts(s) for m, s in zip(machines, after, strict=True)]):
                return _spell(seen, after)
            queue.append(after)
    return None


def _choices(
    machines: Sequence[Machine[Any]],
    states: Sequence[Hashable],
    required: Sequence[bool],
    alphabet: list[str],
) -> Iterable[str]:
    only: frozenset[str] | None = None
    for machine, state, need in zip(machines, states, required, strict=True):
        if need:
            viable = machine.viable(state)
            if viable is not None:
                only = viable if only is None else only & viable
    return alphabet if only is None else [letter for letter in alphabet if letter in only]


def _spell(
    seen: dict[tuple[Hashable, ...], tuple[tuple[Hashable, ...], str] | None], last: tuple[Hashable, ...]
) -> str:
    letters: list[str] = []
    step = seen[last]
    while step is not None:
        before, letter = step
        letters.append(letter)
        step = seen[before]
    return "".join(reversed(letters))


def intersection(one: Sequence[Pattern], other: Sequence[Pattern], budget: Budget) -> str | None:
    """A shortest word that both unions match, or None if there is none."""
    return shortest_word([GlobSet(one), GlobSet(other)], all, [True, True], budget)


def outside(narrow: Sequence[Pattern], wide: Sequence[Pattern], budget: Budget) -> str | None:
    """A shortest word that `narrow` matches and `wide` does not, or None: then `wide` covers `narrow`."""
    return shortest_word([GlobSet(narrow), GlobSet(wide)], lambda yes: yes[0] and not yes[1], [True, False], budget)


def covers(wide: Pattern, narrow: Pattern, budget: Budget) -> bool:
    return outside([narrow], [wide], budget) is None
