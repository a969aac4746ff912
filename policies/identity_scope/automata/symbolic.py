"""A walk over globs in which some characters are unknown digits: the shortest word, and what it needs to know of them.

A pattern may hold letters that stand for unknown digits (of an identity's ID). A state of the walk is a position in each
pattern that must match, a store of what is known of the digits (`unknowns.py`), and the positions that patterns which must
*not* match have come to, each with the store that it needs. The next letter is what the patterns that must match demand:

- a character that meets an unknown digit makes it that digit; two unknown digits that meet become equal;
- where nothing is demanded it is a letter that no pattern tells apart. It is as good as any other, because it brings the
  patterns that must not match to the fewest positions; except `:`, which ends a narrow `*`, and is tried as well.

A pattern may also hold texts that are not known, of any length. A text is read as any string of one character or more,
wherever it stands. Where two texts must differ, a state also says which two have begun at one letter and have not ended
since: if they end at one letter too, they are equal, and the branch ends. Whatever else they are, they may differ. In the
same way a state says what is left of each word that a text must not be.

Nothing is ever split into equal or not: what must not match ends as a *nogood*, a store that must not be the case. A
word counts if digits can be found that satisfy its store and none of its nogoods. States are taken in the order of the
length that they need at least (A*), so the first word that counts is a shortest one, and there is one whenever any word
counts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from math import prod
from typing import NamedTuple, TypeAlias

from .globs import Pattern, Text, Wild
from .unknowns import NOTHING, StoreId, Stores
from .walk import Budget, fresh_letter


@dataclass(frozen=True)
class Alphabet:
    """The letters that stand for unknown digits: `digit(i)`, and `capital(i)` for its upper case.

    `base` is a code point after which none is used by any pattern.
    """

    base: int
    unknowns: int

    def digit(self, unknown: int) -> str:
        return chr(self.base + unknown)

    def capital(self, unknown: int) -> str:
        return chr(self.base + self.unknowns + unknown)

    def unknown(self, letter: str) -> int | None:
        index = ord(letter) - self.base
        return index if 0 <= index < self.unknowns else None

    def of_capital(self, letter: str) -> int | None:
        index = ord(letter) - self.base - self.unknowns
        return index if 0 <= index < self.unknowns else None


class Stop(NamedTuple):
    """The place in a listing's pattern where the prefix ends: all patterns of one side pass it at once."""


class Not(NamedTuple):
    """Any one character but these; with `many`, any string of them."""

    excluded: str
    many: bool


class Among(NamedTuple):
    """Any string of these characters."""

    letters: frozenset[str]


Part: TypeAlias = "str | Wild | Text | Not | Among | Stop | frozenset[str]"
"""What a track's pattern is made of: a pattern's parts; a character of a set; and the places of `Stop`."""


class Token(NamedTuple):
    """One part as the walk reads it: whether it repeats, and which letters it takes."""

    many: bool = False
    unknown: int = -1
    letters: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    fold: bool = False
    stop: bool = False
    end: bool = False
    text: int = -1

    @property
    def free(self) -> bool:
        return self.unknown < 0 and self.letters is None


_END = Token(end=True)
_STOP = Token(stop=True)
_COLON = frozenset(":")
_NONE: frozenset[str] = frozenset()


def _token(part: Part, alphabet: Alphabet, fold: bool) -> Token:
    if isinstance(part, str):
        unknown = alphabet.unknown(part) if len(part) == 1 else None
        if unknown is not None:
            return Token(unknown=unknown, fold=fold)
        return Token(letters=_folded(part) if fold else frozenset(part))
    if isinstance(part, frozenset):
        return Token(letters=part)
    if isinstance(part, Among):
        return Token(many=True, letters=part.letters)
    if isinstance(part, Not):
        return Token(many=part.many, excluded=frozenset(part.excluded))
    if isinstance(part, Stop):
        return _STOP
    if isinstance(part, Text):
        return Token(many=part.many, excluded=frozenset(part.excluded), text=part.number)
    return Token(many=part is not Wild.ONE, excluded=_COLON if part is Wild.WITHIN else _NONE)


_CAPITALS = {"k": "\u212a", "\u00e5": "\u212b", "\u03c9": "\u2126", "\u00df": "\u1e9e"}
"""Further capitals of a small letter: the signs for kelvin, angstrom and ohm, and the sharp s."""


def _folded(letters: str) -> frozenset[str]:
    """The characters that are these when case is ignored."""
    small = letters.lower()
    some = {*letters, *small, *letters.upper(), *(_CAPITALS[c] for c in small if c in _CAPITALS)}
    return frozenset(letter for letter in some if letter.lower() in small)


@dataclass(frozen=True)
class Track:
    """A union of patterns that the word must match. `side` says whose `Stop` it passes."""

    patterns: tuple[tuple[Part, ...], ...]
    side: int = 0
    fold: bool = False


@dataclass(frozen=True)
class Requirement:
    """What must hold once a pattern that must not match has matched: no nogood is the case, or some release is."""

    nogoods: tuple[StoreId, ...] = (NOTHING,)
    releases: tuple[StoreId, ...] = ()

    @property
    def hopeless(self) -> bool:
        return NOTHING in self.nogoods and not self.releases


@dataclass(frozen=True)
class Forbidden:
    """Patterns that the word must not match, or not up to a side's `Stop` where `at_stop`; else `requirement` must hold."""

    patterns: tuple[tuple[Part, ...], ...]
    requirement: Requirement = Requirement()
    side: int = 0
    at_stop: bool = False
    fold: bool = False


@dataclass(frozen=True)
class Question:
    """Is there a word that all tracks match and nothing forbids, with digits that satisfy what is asked of them?

    Attributes:
        store: what is known of the digits to begin with.
        nogoods: what must not be the case.
        alternatives: of each list, one store must be the case.
        requirements: further ones, that no pattern has to match for.
        different: pairs of texts that must not be equal, the first of side 0 and the other of side 1.
        besides: texts, each with words that it must not be.
    """

    tracks: tuple[Track, ...]
    forbidden: tuple[Forbidden, ...] = ()
    store: StoreId = NOTHING
    nogoods: tuple[StoreId, ...] = ()
    alternatives: tuple[tuple[StoreId, ...], ...] = ()
    requirements: tuple[Requirement, ...] = ()
    different: tuple[tuple[int, int], ...] = ()
    besides: tuple[tuple[int, frozenset[str]], ...] = ()


class Word(NamedTuple):
    """A word that counts: its letters, also those that stand for digits, and a digit for each unknown.

    It counts with any digits that satisfy `store` and none of `nogoods`. `stops` are the sides whose `Stop` it passes, each
    with the number of letters before it.
    """

    letters: str
    digits: tuple[int, ...]
    store: StoreId
    nogoods: tuple[StoreId, ...]
    stops: tuple[tuple[int, int], ...] = ()
    texts: tuple[tuple[int, str], ...] = ()
    """What the word spells out of each text, wherever one stands."""


class _Together(NamedTuple):
    """Two tracks in whose patterns texts began at one letter; `ended` is the one whose text a `Stop` has ended behind the
    last letter, -1 if there is none."""

    one: int
    other: int
    ended: int = -1


class _State(NamedTuple):
    """Where the walk stands; `open` are the positions of forbidden patterns, each with the store that it needs."""

    positions: tuple[int, ...]
    store: StoreId
    open: frozenset[tuple[int, StoreId]]
    stopped: int
    owed: frozenset[tuple[int, StoreId]]
    together: frozenset[_Together] = frozenset()
    spelling: frozenset[tuple[int, str]] = frozenset()
    """Tracks in which a text begins as a word that it must not be, and what is left of the word."""


class _Compiled(NamedTuple):
    """A pattern's tokens, and of each position:

    Attributes:
        needs: how many letters are needed from there on.
        takes: the positions that can take a letter: itself, and those behind what repeats.
        ends: whether nothing need follow.
        stops: the `Stop` that can be passed there.
        several: whether there may be more than one way on.
        only: the only letter that the token takes, if there is one.
    """

    tokens: tuple[Token, ...]
    needs: tuple[int, ...]
    takes: tuple[tuple[int, ...], ...]
    ends: tuple[bool, ...]
    stops: tuple[int | None, ...]
    several: tuple[bool, ...]
    only: tuple[str, ...]


@lru_cache(maxsize=4096)
def _compiled(pattern: tuple[Part, ...], begin: int, base: int, unknowns: int, fold: bool) -> _Compiled:
    """A pattern whose first position has a number."""
    alphabet = Alphabet(base, unknowns)
    tokens = (*(_token(part, alphabet, fold) for part in pattern), _END)
    needs = [0] * len(tokens)
    takes: list[tuple[int, ...]] = [()] * len(tokens)
    ends = [True] * len(tokens)
    stops: list[int | None] = [None] * len(tokens)
    for at in range(len(tokens) - 2, -1, -1):
        token = tokens[at]
        needs[at] = needs[at + 1] + (not token.many and not token.stop)
        takes[at] = () if token.stop else (begin + at, *takes[at + 1]) if token.many else (begin + at,)
        ends[at] = token.many and ends[at + 1]
        stops[at] = begin + at if token.stop else stops[at + 1] if token.many else None
    several = tuple(stop is not None or len(some) > 1 for stop, some in zip(stops, takes, strict=True))
    only = tuple("".join(t.letters) if t.letters is not None and len(t.letters) == 1 else "" for t in tokens)
    return _Compiled(tokens, tuple(needs), tuple(takes), tuple(ends), tuple(stops), several, only)


class _Automaton:
    """Patterns one after the other, as tokens; a position is a token's index. Of each position the lists say what
    `_Compiled` does."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.needs: list[int] = []
        self.takes: list[tuple[int, ...]] = []
        self.ends: list[bool] = []
        self.stops: list[int | None] = []
        self.several: list[bool] = []
        self.only: list[str] = []

    def add(self, patterns: Sequence[tuple[Part, ...]], alphabet: Alphabet, fold: bool) -> list[int]:
        """The positions at which the patterns begin."""
        begins: list[int] = []
        for pattern in patterns:
            begin = len(self.tokens)
            begins.append(begin)
            found = _compiled(pattern, begin, alphabet.base, alphabet.unknowns, fold)
            self.tokens += found.tokens
            self.needs += found.needs
            self.takes += found.takes
            self.ends += found.ends
            self.stops += found.stops
            self.several += found.several
            self.only += found.only
        return begins


def meet(token: Token, letter: str, stores: Stores, alphabet: Alphabet) -> StoreId | None:
    """What must be known so that a token takes a letter; None where it never does."""
    unknown = alphabet.unknown(letter)
    capital = alphabet.of_capital(letter) if unknown is None else None
    if unknown is None and capital is None:
        if letter in token.excluded or (token.letters is not None and letter not in token.letters):
            return None
        if token.unknown < 0:
            return NOTHING
        digit = letter.lower() if token.fold else letter
        return stores.restrict(NOTHING, token.unknown, stores.mask(digit)) if digit in stores.digits else None
    written = stores.digits if unknown is not None else stores.digits.upper()
    taken = stores.any
    if token.letters is not None or token.excluded:
        taken = sum(
            1 << i
            for i, digit in enumerate(written)
            if digit not in token.excluded and (token.letters is None or digit in token.letters)
        )
    if capital is not None:
        taken &= stores.mask("".join(d for d in stores.digits if d.upper() != d))
        if token.unknown >= 0 and not token.fold:
            return None
    mine = unknown if unknown is not None else capital
    assert mine is not None
    if not taken:
        return None
    store = stores.restrict(NOTHING, mine, taken)
    if store is not None and token.unknown >= 0:
        return stores.equate(store, mine, token.unknown)
    return store


def accepted(
    pattern: Pattern, word: str, fold: bool, stores: Stores, alphabet: Alphabet, budget: Budget
) -> list[StoreId]:
    """The weakest stores under which a pattern matches a word that holds letters for unknown digits."""
    automaton = _Automaton()
    at = {(begin, NOTHING) for begin in automaton.add([tuple(pattern)], alphabet, fold)}
    for letter in word:
        after: set[tuple[int, StoreId]] = set()
        budget.spend(1 + len(at))
        for position, store in at:
            for q in automaton.takes[position]:
                token = automaton.tokens[q]
                met = meet(token, letter, stores, alphabet)
                joined = None if met is None else stores.join(store, met)
                if joined is not None:
                    after.add((q if token.many else q + 1, joined))
        at = after
    found = {store for position, store in at if automaton.ends[position]}
    return sorted(s for s in found if not any(s != other and stores.implies(s, other) for other in found))


_TOKENS_PER_STEP = 32
"""Tokens of patterns that are read for the price of a step."""
_TRACKS_PER_STEP = 16
"""Tracks that take a letter for the price of a step."""
_TRIED_PER_STEP = 8
"""Positions that are tried together for the price of a step."""
_FEW = 16
"""How many combinations are tried without being counted."""


class Walk:
    """One question's walk. `find` gives a shortest word that counts."""

    def __init__(
        self, question: Question, stores: Stores, alphabet: Alphabet, budget: Budget, preferred: Sequence[int]
    ) -> None:
        self._question = question
        patterns = [p for t in question.tracks for p in t.patterns] + [
            p for f in question.forbidden for p in f.patterns
        ]
        budget.spend(sum(map(len, patterns)) // _TOKENS_PER_STEP)
        self._stores = stores
        self._alphabet = alphabet
        self._budget = budget
        self._preferred = preferred
        self._must = _Automaton()
        self._sides = [track.side for track in question.tracks]
        self._price = 1 + len(question.tracks) // _TRACKS_PER_STEP
        self._listing = sorted({t.side for t in question.tracks if any(Stop() in p for p in t.patterns)})
        self._begins = [self._must.add(t.patterns, alphabet, t.fold) for t in question.tracks]
        self._must_not = _Automaton()
        self._owner: dict[int, int] = {}
        self._forbidden_begins: list[int] = []
        for index, forbidden in enumerate(question.forbidden):
            begins = self._must_not.add(forbidden.patterns, alphabet, forbidden.fold)
            self._forbidden_begins += begins
            for at in range(begins[0] if begins else 0, len(self._must_not.tokens)):
                self._owner[at] = index
        self._besides: dict[int, frozenset[str]] = {}
        for number, words in question.besides:
            self._besides[number] = self._besides.get(number, frozenset()) | words
        self._told = self._told_apart()
        self._has_texts = any(token.text >= 0 for token in self._must.tokens)
        self._paired = list(self._pairs_of_tracks()) if question.different else []
        self._demands: dict[frozenset[Token], list[tuple[str, StoreId]]] = {}
        self._meetings: dict[tuple[int, str], StoreId | None] = {}
        self._judged: dict[tuple[StoreId, frozenset[tuple[int, StoreId]]], Word | None] = {}

    def _pairs_of_tracks(self) -> Iterator[tuple[int, int]]:
        """The tracks in which two texts stand that must differ; where case is ignored, two that match one may differ."""
        numbers = [
            {part.number for pattern in track.patterns for part in pattern if isinstance(part, Text) and not track.fold}
            for track in self._question.tracks
        ]
        for one, other in product(range(len(numbers)), repeat=2):
            if any(mine in numbers[one] and theirs in numbers[other] for mine, theirs in self._question.different):
                yield one, other

    def _told_apart(self) -> frozenset[str]:
        """The characters that forbidden patterns tell from others."""
        found: set[str] = set().union(*(word for words in self._besides.values() for word in words))
        for token in self._must_not.tokens:
            found |= token.letters or _NONE
            found |= token.excluded
            if token.unknown >= 0:
                found |= set(self._stores.digits)
                if token.fold:
                    found |= set(self._stores.digits.upper())
        return frozenset(found)

    @cached_property
    def _narrow(self) -> bool:
        """Whether some forbidden pattern has a `*` that does not span `:`."""
        return any(":" in token.excluded for token in self._must_not.tokens)

    @cached_property
    def _fresh(self) -> str:
        known = self._told.union(self._stores.digits, self._stores.digits.upper(), "/:")
        known = known.union(*(t.letters for t in self._must.tokens if t.letters is not None and len(t.letters) < 3))
        return fresh_letter(known.union(letter.upper() for letter in known))

    def find(self) -> Word | None:
        """Raises: BudgetExceeded: nothing was decided."""
        question = self._question
        queue: list[tuple[int, int, int, _State]] = []
        came_from: dict[_State, tuple[_State, str] | None] = {}
        weakest: dict[tuple[object, ...], list[int]] = {}
        number, needs = 0, self._must.needs

        def put(state: _State, length: int, before: tuple[_State, str] | None) -> None:
            nonlocal number
            if state in came_from:
                return
            key = (state.positions, state.open, state.stopped, state.owed, state.together, state.spelling)
            known = weakest.setdefault(key, [])
            if any(self._stores.implies(state.store, weaker) for weaker in known[:4]):
                return
            known.append(state.store)
            came_from[state] = before
            needed = max(map(needs.__getitem__, state.positions))
            number += 1
            heapq.heappush(queue, (length + needed, -length, number, state))

        opened = self._pruned({(at, NOTHING) for at in self._forbidden_begins}, question.store)
        if not self._hopeless(question.store):
            for positions in self._beginnings():
                put(_State(positions, question.store, opened, 0, frozenset()), 0, None)
        while queue:
            _, negative, _, state = heapq.heappop(queue)
            length = -negative
            if self._at_end(state) and not state.together and all(rest for _, rest in state.spelling):
                judged = self._judge(state)
                if judged is not None:
                    letters, stops = _spell(came_from, state)
                    return judged._replace(
                        letters=letters, stops=stops, texts=tuple(self._spelt_texts(came_from, state))
                    )
            for after in self._stops(state):
                put(after, length, (state, ""))
            for after, letters in self._steps(state):
                if not self._has_texts:
                    after, letters = self._forced(after, letters)
                put(after, length + len(letters), (state, letters))
        return None

    def _forced(self, state: _State, letters: str) -> tuple[_State, str]:
        """The state at which there is more than one way on, or none; and the letters up to there."""
        must = self._must
        while not any(map(must.several.__getitem__, state.positions)) and not self._at_end(state):
            spelt, spelt_letters = self._spelt(state)
            if spelt_letters:
                state, letters = spelt, letters + spelt_letters
                continue
            steps = list(self._steps(state))
            if len(steps) != 1:
                break
            state, letter = steps[0]
            letters += letter
        return state, letters

    def _spelt(self, state: _State) -> tuple[_State, str]:
        """The state behind the characters that some pattern spells out, as long as nothing has to be known for them."""
        must, open_ = self._must, state.open
        tokens, positions = must.tokens, state.positions
        found = ""
        while not any(map(must.several.__getitem__, positions)):
            letter = next(filter(None, map(must.only.__getitem__, positions)), "")
            if not letter:
                break
            after: list[int] = []
            for at in positions:
                token = tokens[at]
                if token.unknown >= 0 or token.end or letter in token.excluded:
                    break
                if token.letters is not None and letter not in token.letters:
                    break
                after.append(at if token.many else at + 1)
            if len(after) < len(positions):
                break  # it needs something, or it is the end of this way
            self._budget.spend()
            positions, found = tuple(after), found + letter
            if open_:
                open_ = self._advanced(open_, letter, state.store)
        return (state._replace(positions=positions, open=open_), found) if found else (state, "")

    def _beginnings(self) -> Iterator[tuple[int, ...]]:
        """Where the tracks begin, in every combination of their patterns that does not differ at once."""
        if prod(map(len, self._begins)) <= _FEW:
            yield from product(*self._begins)
            return
        texts = [[_beginning(pattern) for pattern in t.patterns] for t in self._question.tracks]

        def together(chosen: tuple[int, ...], text: str) -> Iterator[tuple[int, ...]]:
            index = len(chosen)
            if index == len(self._begins):
                yield chosen
                return
            self._budget.spend(1 + len(texts[index]) // 8)
            for at, other in zip(self._begins[index], texts[index], strict=True):
                if self._may_meet(text, other):
                    yield from together((*chosen, at), other if len(other) > len(text) else text)

        yield from together((), "")

    def _may_meet(self, one: str, other: str) -> bool:
        if one.startswith(other) or other.startswith(one):
            return True
        digits = self._stores.digits
        for mine, theirs in zip(one, other, strict=False):
            if mine != theirs:
                first, second = self._alphabet.unknown(mine), self._alphabet.unknown(theirs)
                if first is None and (second is None or mine not in digits):
                    return False
                if second is None and theirs not in digits:
                    return False
        return True

    def _hopeless(self, store: StoreId) -> bool:
        """Whether a store implies what must not be the case."""
        return any(self._stores.implies(store, nogood) for nogood in self._question.nogoods)

    def _at_end(self, state: _State) -> bool:
        return all(map(self._must.ends.__getitem__, state.positions))

    def _stops(self, state: _State) -> Iterator[_State]:
        """The state after a side's listing has named its prefix, for each side that can have done so here."""
        for side in self._listing:
            if state.stopped >> side & 1:
                continue
            positions = list(state.positions)
            for index, at in enumerate(positions):
                if self._sides[index] == side:
                    stop = self._must.stops[at]
                    if stop is None:
                        break
                    positions[index] = stop + 1
            else:
                if positions == list(state.positions):
                    continue
                mine = {
                    (at, needs)
                    for at, needs in state.open
                    if (f := self._question.forbidden[self._owner[at]]).at_stop and f.side == side
                }
                owed = {(self._owner[at], needs) for at, needs in mine if self._must_not.ends[at]}
                if any(self._refuted(index, needs) for index, needs in owed):
                    continue
                together = self._stopped(state, positions)
                ended = {(at, rest) for at, rest in state.spelling if positions[at] != state.positions[at]}
                if together is None or not all(rest for _, rest in ended):
                    continue
                yield _State(
                    tuple(positions),
                    state.store,
                    state.open - mine,
                    state.stopped | 1 << side,
                    state.owed | owed,
                    together,
                    state.spelling - ended,
                )

    def _stopped(self, state: _State, positions: Sequence[int]) -> frozenset[_Together] | None:
        """Which texts are together when a `Stop` is passed; None where two that must differ end by it."""
        found: set[_Together] = set()
        for pair in state.together:
            ended = [at for at in pair[:2] if at != pair.ended and positions[at] != state.positions[at]]
            if ended and (pair.ended >= 0 or len(ended) > 1):
                return None
            found.add(pair._replace(ended=ended[0]) if ended else pair)
        return frozenset(found)

    def _spelling(self, state: _State, taken: tuple[int, ...], letter: str) -> frozenset[tuple[int, str]] | None:
        """What is left behind a letter of the words that texts must not be; None where one of them ended before it as such
        a word."""
        found: set[tuple[int, str]] = set()
        for at, rest in state.spelling:
            if taken[at] != state.positions[at]:
                if not rest:
                    return None
            elif rest[:1] == letter:
                found.add((at, rest[1:]))
        for at, q in enumerate(taken):
            token = self._must.tokens[q]
            if token.text in self._besides and not token.many and not self._question.tracks[at].fold:
                found.update((at, word[1:]) for word in self._besides[token.text] if word[:1] == letter)
        return frozenset(found)

    def _along(self, state: _State, taken: tuple[int, ...]) -> frozenset[_Together] | None:
        """Which texts are together behind a letter; None where two that must differ ended before it."""
        found: set[_Together] = set()
        for pair in state.together:
            goes_on = [at != pair.ended and taken[at] == state.positions[at] for at in pair[:2]]
            if not any(goes_on):
                return None
            if all(goes_on):
                found.add(pair)
        tokens = self._must.tokens
        for one, other in self._paired:
            mine, theirs = tokens[taken[one]], tokens[taken[other]]
            if not mine.many and not theirs.many and (mine.text, theirs.text) in self._question.different:
                found.add(_Together(one, other))
        return frozenset(found)

    def _refuted(self, index: int, needs: StoreId) -> bool:
        """Whether a forbidden pattern has matched whatever the digits are."""
        requirement = self._question.forbidden[index].requirement
        return needs == NOTHING and requirement.hopeless

    def _steps(self, state: _State) -> Iterator[tuple[_State, str]]:
        must = self._must
        choices = [must.takes[at] for at in state.positions]
        if not all(choices):
            return
        few = prod(map(len, choices)) <= _FEW
        for taken in product(*choices) if few else self._agreeing(choices):
            for letter, needed in self._letters(taken):
                self._budget.spend(self._price)
                together = self._along(state, taken) if self._paired else state.together
                spelling = self._spelling(state, taken, letter) if self._besides else state.spelling
                if together is None or spelling is None:
                    break
                store = self._stores.join(state.store, needed)
                if store is None or (store != state.store and self._hopeless(store)):
                    continue
                after = tuple(q if must.tokens[q].many else q + 1 for q in taken)
                open_ = self._advanced(state.open, letter, store) if state.open else state.open
                owed = state.owed
                if owed and store != state.store:
                    owed = frozenset(o for o in owed if self._stores.join(store, o[1]) is not None)
                yield _State(after, store, open_, state.stopped, owed, together, spelling), letter

    def _agreeing(self, choices: Sequence[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
        """The ways to take a letter in every track, without those in which a few tracks already take none together."""
        agreed: list[tuple[int, ...]] = [()]
        for some in choices:
            self._budget.spend(1 + len(agreed) * len(some) // _TRIED_PER_STEP)
            agreed = [taken for before in agreed for at in some if self._letters(taken := (*before, at))]
        yield from agreed

    def _letters(self, taken: tuple[int, ...]) -> list[tuple[str, StoreId]]:
        """The letters that some tokens take together, each with what it needs."""
        only = set(map(self._must.only.__getitem__, taken))
        if len(only) == 1 and "" not in only:
            return [(only.pop(), NOTHING)]
        tokens = frozenset(map(self._must.tokens.__getitem__, taken))
        if tokens not in self._demands:
            in_order = dict.fromkeys(map(self._must.tokens.__getitem__, taken))
            self._demands[tokens] = list(self._demanded(list(in_order)))
        return self._demands[tokens]

    def _demanded(self, tokens: list[Token]) -> Iterator[tuple[str, StoreId]]:
        unknown = next((t.unknown for t in tokens if t.unknown >= 0), None)
        if unknown is not None:
            candidates = [self._alphabet.digit(unknown)]
            if all(t.fold or t.unknown < 0 for t in tokens) and any(t.fold for t in tokens):
                candidates.append(self._alphabet.capital(unknown))
        else:
            sets = [t.letters for t in tokens if t.letters is not None]
            excluded = _NONE.union(*(t.excluded for t in tokens))
            candidates = self._representatives(frozenset.intersection(*sets) - excluded if sets else None, excluded)
        for letter in candidates:
            store: StoreId | None = NOTHING
            for token in tokens:
                needed = meet(token, letter, self._stores, self._alphabet)
                store = None if store is None or needed is None else self._stores.join(store, needed)
            if store is not None:
                yield letter, store

    def _representatives(self, letters: frozenset[str] | None, excluded: frozenset[str]) -> list[str]:
        """Letters that stand for all that may be taken: one that nothing forbidden tells apart is as good as any."""
        if letters is None:
            return [self._fresh, *([":"] if self._narrow and ":" not in excluded else [])]
        untold = letters - self._told
        if untold:
            preferred = self._fresh if self._fresh in untold else min(untold, key=lambda c: (not c.isalnum(), c))
            return [preferred]
        return sorted(letters, key=lambda c: (not c.isalnum(), c))

    def _advanced(
        self, open_: frozenset[tuple[int, StoreId]], letter: str, store: StoreId
    ) -> frozenset[tuple[int, StoreId]]:
        found: set[tuple[int, StoreId]] = set()
        self._budget.spend(1 + len(open_) // 4)
        for at, needs in open_:
            for q in self._must_not.takes[at]:
                token = self._must_not.tokens[q]
                key = q, letter
                if key not in self._meetings:
                    self._meetings[key] = meet(token, letter, self._stores, self._alphabet)
                met = self._meetings[key]
                needed = None if met is None else self._stores.join(needs, met)
                if needed is not None:
                    found.add((q if token.many else q + 1, needed))
        return self._pruned(found, store)

    def _pruned(self, open_: set[tuple[int, StoreId]], store: StoreId) -> frozenset[tuple[int, StoreId]]:
        """Without what cannot come to be the case, and with what is already known left out of what is needed."""
        found: set[tuple[int, StoreId]] = set()
        for at, needs in open_:
            both = needs if needs == NOTHING else self._stores.join(store, needs)
            if both is not None:
                found.add((at, NOTHING if both == store else needs))
        certain = {at for at, needs in found if needs == NOTHING}
        return frozenset((at, needs) for at, needs in found if needs == NOTHING or at not in certain)

    def _judge(self, state: _State) -> Word | None:
        """Digits with which the word counts, and what they were chosen from."""
        ended = {
            (self._owner[at], needs)
            for at, needs in state.open
            if self._must_not.ends[at] and not self._question.forbidden[self._owner[at]].at_stop
        }
        owed = state.owed | ended
        key = state.store, owed
        if key not in self._judged:
            requirements = [*self._question.requirements]
            for index, needs in owed:
                told = self._question.forbidden[index].requirement
                nogoods = [self._stores.join(needs, nogood) for nogood in told.nogoods]
                requirements.append(Requirement(tuple(n for n in nogoods if n is not None), told.releases))
            self._judged[key] = self._settled(state.store, list(self._question.alternatives), requirements, [])
        return self._judged[key]

    def _settled(
        self,
        store: StoreId,
        alternatives: list[tuple[StoreId, ...]],
        requirements: list[Requirement],
        nogoods: list[StoreId],
    ) -> Word | None:
        self._budget.spend()
        if alternatives:
            for alternative in alternatives[0]:
                joined = self._stores.join(store, alternative)
                if joined is not None:
                    found = self._settled(joined, alternatives[1:], requirements, nogoods)
                    if found is not None:
                        return found
            return None
        if requirements:
            first, *rest = requirements
            found = self._settled(store, [], rest, [*nogoods, *first.nogoods])
            if found is not None:
                return found
            for release in first.releases:
                joined = self._stores.join(store, release)
                found = None if joined is None else self._settled(joined, [], rest, nogoods)
                if found is not None:
                    return found
            return None
        unknowns = self._alphabet.unknowns
        nogoods = [*self._question.nogoods, *nogoods]
        digits = self._stores.example(store, nogoods, unknowns, self._preferred)
        return None if digits is None else Word("", tuple(digits), store, tuple(nogoods))

    def _spelt_texts(
        self, came_from: dict[_State, tuple[_State, str] | None], last: _State
    ) -> Iterator[tuple[int, str]]:
        """What the letters that lead to a state spell of each text: each is taken one by one where there are texts."""
        if not self._has_texts:
            return
        tokens = self._must.tokens
        pieces: dict[int, str] = {}
        state, step = last, came_from[last]
        while step is not None:
            before, letter = step
            for track, at in enumerate(state.positions):
                if letter and tokens[at].text >= 0 and tokens[at].many:
                    pieces[track] = letter + pieces.get(track, "")
                    if before.positions[track] != at:
                        yield tokens[at].text, pieces.pop(track)
            state, step = before, came_from[before]


def _beginning(pattern: Sequence[Part]) -> str:
    found: list[str] = []
    for part in pattern:
        if not isinstance(part, str) or len(part) != 1:
            break
        found.append(part)
    return "".join(found)


def _spell(came_from: dict[_State, tuple[_State, str] | None], last: _State) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The letters that lead to a state, and the stops on the way."""
    pieces: list[str] = []
    passed: list[tuple[int, int]] = []
    state, step = last, came_from[last]
    while step is not None:
        before, letters = step
        if before.stopped != state.stopped:
            passed.append(((before.stopped ^ state.stopped).bit_length() - 1, len(pieces)))
        pieces.append(letters)
        state, step = before, came_from[before]
    ends = [sum(map(len, pieces[behind + 1 :])) for _, behind in passed]
    return "".join(reversed(pieces)), tuple((side, end) for (side, _), end in zip(passed, ends, strict=True))
