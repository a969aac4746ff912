"""Globs as automata: matching, intersection, inclusion, and the shortest word that proves a difference.

A pattern is a sequence of literal characters, `?` (one character) and `*` (any string). `GlobSet` is the union of some
patterns as one deterministic automaton that is determinised while it is walked: a state is a set of pattern positions,
held as the bits of an integer, and one step is two shifts. `shortest_word` walks a product of such machines breadth
first, so the first word found is a shortest one; it refuses to decide when its budget of steps is spent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import Enum
from typing import Any, Protocol, TypeAlias, TypeVar


class Wild(Enum):
    """A pattern element that is not a literal character."""

    ANY = "*"
    """Any string, also empty, with any characters: in IAM a `*` spans `/` and `:` too."""

    WITHIN = "*:"
    """Any string without a colon: the narrow reading of a `*` inside an ARN segment, which AWS leaves open."""

    ONE = "?"
    """Exactly one character, any code point."""


Pattern: TypeAlias = tuple["str | Wild", ...]
"""Literal characters and wildcards, in order. A string of several characters is any one of them."""

State = TypeVar("State", bound=Hashable)


class BudgetExceeded(Exception):
    """The walk took more steps than it was given: nothing has been decided."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"not decided within {steps} steps")
        self.steps = steps


class Budget:
    """Steps that one question may cost, shared by all the walks it needs."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise BudgetExceeded(self.limit)


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


def literal(text: str) -> Pattern:
    return tuple(text)


def literal_prefix(pattern: Pattern) -> str:
    """The characters before the first wildcard or choice."""
    for index, token in enumerate(pattern):
        if isinstance(token, Wild) or len(token) > 1:
            return _text(pattern[:index])
    return _text(pattern)


def _text(letters: Pattern) -> str:
    return "".join(letters)  # type: ignore[arg-type]


class GlobSet:
    """The union of patterns. A state is an integer whose bits are positions; 0 is dead.

    A star is a self-loop on its position, so that no empty moves are left. Within one pattern, whatever an earlier
    position still accepts, a later `*` that has been reached accepts as well (it can swallow the difference); earlier
    bits are dropped, which keeps the states few.
    """

    __slots__ = (
        "_advance",
        "_final",
        "_loop_any",
        "_loop_within",
        "_one",
        "_segments",
        "fold",
        "letters",
        "patterns",
        "start",
        "weight",
    )

    def __init__(self, patterns: Iterable[Pattern], fold: bool = False) -> None:
        """Args:
        patterns: the patterns of the union; none at all accepts nothing.
        fold: ignore case, as StringEqualsIgnoreCase and action names do.
        """
        self.patterns = tuple(patterns)
        self.fold = fold

    def __getattr__(self, name: str) -> Any:
        # The tables are made when first asked for: most questions are settled on literal beginnings, without them.
        if name in GlobSet.__slots__ and name != "patterns":
            self._make_tables()
            return object.__getattribute__(self, name)
        raise AttributeError(name)

    def _make_tables(self) -> None:
        patterns, fold = self.patterns, self.fold
        advance: dict[str, int] = {}
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
                else:
                    for key in token.lower() if fold else token:
                        advance[key] = advance.get(key, 0) | bit
                    bit <<= 1
            final |= bit
            bit <<= 1
            segments.append(bit - first)
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

    def dead(self, state: int) -> bool:
        return state == 0

    def viable(self, state: int) -> frozenset[str] | None:
        if self.fold or state & (self._one | self._loop_any | self._loop_within):
            return None
        return frozenset(letter for letter, mask in self._advance.items() if mask & state)

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
    """Whether one pattern matches. Its literal beginning is compared as text; a machine is made for what is left alone."""
    head = literal_prefix(pattern)
    rest = pattern[len(head) :]
    if not text.startswith(head):
        return False
    if not rest or rest == (Wild.ANY,):
        return bool(rest) or len(text) == len(head)
    return GlobSet([rest]).matches(text[len(head) :])


_READABLE = "xyzwvutsrqponmlkjihgfedcba0123456789-_XYZWVUTSRQPONMLKJIHGFEDCBA~!,;@^|"


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
