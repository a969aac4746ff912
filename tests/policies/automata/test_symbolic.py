"""The symbolic walk against brute force: every word and every assignment of digits."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.identity_scope.automata.globs import Wild
from policies.identity_scope.automata.symbolic import (
    Alphabet,
    Forbidden,
    Part,
    Question,
    Requirement,
    Stop,
    Track,
    Walk,
    Word,
    accepted,
)
from policies.identity_scope.automata.unknowns import NOTHING, StoreId, Stores
from policies.identity_scope.automata.walk import Budget

DIGITS = "ab"
COUNT = 4
ALPHABET = Alphabet(0xF0000, COUNT)
FIRST, SECOND = ALPHABET.digit(0) + ALPHABET.digit(1), ALPHABET.digit(2) + ALPHABET.digit(3)
"""Two IDs of two digits each."""
LETTERS = "abB:x"
LENGTH = 4
WORDS = ["".join(letters) for n in range(LENGTH + 1) for letters in product(LETTERS, repeat=n)]
ASSIGNMENTS = list(product(range(2), repeat=COUNT))

MINE = st.sampled_from(["a", "b", ":", "B", Wild.ANY, Wild.ANY, Wild.ONE, *FIRST])
THEIRS = st.sampled_from(["a", "b", ":", "B", Wild.ANY, Wild.ANY, Wild.ONE, *SECOND])
NARROW = st.sampled_from(["a", "b", ":", Wild.WITHIN, Wild.ANY, Wild.ONE, *FIRST, *SECOND])


def pattern(parts: st.SearchStrategy[Part], size: int = 4) -> st.SearchStrategy[tuple[Part, ...]]:
    return st.lists(parts, max_size=size).map(tuple)


@lru_cache(maxsize=50_000)
def regex(parts: tuple[Part, ...], digits: tuple[int, ...], fold: bool = False) -> re.Pattern[str]:
    """The pattern with some digits, for another engine."""
    found: list[str] = []
    for part in parts:
        if isinstance(part, str):
            unknown = ALPHABET.unknown(part)
            found.append(re.escape(part if unknown is None else DIGITS[digits[unknown]]))
        else:
            found.append({Wild.ANY: ".*", Wild.WITHIN: "[^:]*", Wild.ONE: "."}[part])  # type: ignore[index]
    return re.compile("".join(found), re.DOTALL | (re.IGNORECASE if fold else 0))


def matches(track: Track, word: str, digits: tuple[int, ...]) -> bool:
    return any(regex(p, digits, track.fold).fullmatch(word) for p in track.patterns)


def same(stores: Stores) -> StoreId:
    found = stores.equate(NOTHING, 0, 2)
    both = None if found is None else stores.equate(found, 1, 3)
    assert both is not None
    return both


def asked(question: Question, stores: Stores, budget: Budget) -> Word | None:
    return Walk(question, stores, ALPHABET, budget, [0, 0, 1, 1]).find()


def shown(word: Word) -> str:
    letters: list[str] = []
    for letter in word.letters:
        unknown, capital = ALPHABET.unknown(letter), ALPHABET.of_capital(letter)
        if unknown is not None:
            letter = DIGITS[word.digits[unknown]]
        elif capital is not None:
            letter = DIGITS[word.digits[capital]].upper()
        letters.append(letter)
    return "".join(letters)


TRACKS = st.builds(
    lambda mine, theirs, folds: (Track(tuple(mine), 0, folds), Track(tuple(theirs), 1)),
    st.lists(pattern(MINE), min_size=1, max_size=2),
    st.lists(pattern(THEIRS), min_size=1, max_size=2),
    st.booleans(),
)
REFUSED = st.lists(st.tuples(st.lists(pattern(NARROW, 3), min_size=1, max_size=2), st.booleans()), max_size=2)


@given(TRACKS, REFUSED)
@settings(max_examples=120, deadline=None)
def test_a_word_is_found_exactly_where_there_is_one_for_two_different_ids(
    tracks: tuple[Track, Track], refused: list[tuple[list[tuple[Part, ...]], bool]]
) -> None:
    """And it is a shortest one, which matches with the digits that are shown."""
    budget = Budget(200_000)
    stores = Stores(DIGITS, budget)
    forbidden = tuple(Forbidden(tuple(patterns), fold=fold) for patterns, fold in refused)
    found = asked(Question(tracks, forbidden, nogoods=(same(stores),)), stores, budget)

    def counts(word: str, digits: tuple[int, ...]) -> bool:
        return (
            tuple(digits[:2]) != tuple(digits[2:])
            and all(matches(track, word, digits) for track in tracks)
            and not any(matches(Track(f.patterns, fold=f.fold), word, digits) for f in forbidden)
        )

    shortest = next((w for w in WORDS if any(counts(w, d) for d in ASSIGNMENTS)), None)
    if found is None:
        assert shortest is None
        return
    word = shown(found)
    assert counts(word, found.digits)
    if shortest is not None:
        assert len(word) == len(shortest)
    else:
        assert len(word) > LENGTH


@given(pattern(MINE), pattern(MINE), pattern(THEIRS), st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_listing_names_a_beginning_and_a_forbidden_one_is_settled_there(
    prefix: tuple[Part, ...], denied: tuple[Part, ...], key: tuple[Part, ...], released: bool
) -> None:
    """A word counts if some beginning of it is a prefix that is allowed and not denied."""
    budget = Budget(200_000)
    stores = Stores(DIGITS, budget)
    release = stores.restrict(NOTHING, 0, 1)
    assert release is not None
    requirement = Requirement(releases=(release,) if released else ())
    tracks = (Track(((*prefix, Stop(), Wild.ANY),), 0), Track((key,), 1))
    question = Question(tracks, (Forbidden((denied,), requirement, 0, at_stop=True),), nogoods=(same(stores),))
    found = asked(question, stores, budget)

    def counts(word: str, digits: tuple[int, ...]) -> bool:
        return (
            tuple(digits[:2]) != tuple(digits[2:])
            and bool(regex(key, digits).fullmatch(word))
            and any(
                regex(prefix, digits).fullmatch(word[:n])
                and (not regex(denied, digits).fullmatch(word[:n]) or (released and digits[0] == 0))
                for n in range(len(word) + 1)
            )
        )

    shortest = next((w for w in WORDS if any(counts(w, d) for d in ASSIGNMENTS)), None)
    if found is None:
        assert shortest is None
    else:
        assert counts(shown(found), found.digits)
        assert shortest is None or len(found.letters) == len(shortest)


@given(pattern(MINE), st.booleans())
@settings(deadline=None)
def test_a_condition_on_an_id_is_met_under_the_stores_that_are_found(parts: tuple[Part, ...], fold: bool) -> None:
    budget = Budget(200_000)
    stores = Stores(DIGITS, budget)
    found = accepted(parts, FIRST, fold, stores, ALPHABET, budget)  # type: ignore[arg-type]
    for digits in ASSIGNMENTS:
        only = stores.of([(unknown, 1 << digit) for unknown, digit in enumerate(digits)])
        assert only is not None
        met = any(stores.implies(only, store) for store in found)
        word = DIGITS[digits[0]] + DIGITS[digits[1]]
        assert met is (regex(parts, digits, fold).fullmatch(word) is not None)
