"""The symbolic walk over texts of unknown length, against every word and every pair of short texts."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.identity_scope.automata.globs import Wild, unknown_text
from policies.identity_scope.automata.symbolic import Alphabet, Part, Question, Stop, Track, Walk, Word
from policies.identity_scope.automata.unknowns import Stores
from policies.identity_scope.automata.walk import Budget

ALPHABET = Alphabet(0xF0000, 0)
LETTERS = "aA/"
TEXTS = ["".join(letters) for n in (1, 2, 3) for letters in product(LETTERS, repeat=n)]
WORDS = ["".join(letters) for n in range(6) for letters in product(LETTERS, repeat=n)]
TEXT = "the text"
"""Stands in a pattern for the text of its side."""

PARTS = st.lists(st.sampled_from(["a", "/", TEXT, TEXT, Wild.ANY]), min_size=1, max_size=4).map(tuple)
Parts = tuple[object, ...]


@lru_cache(maxsize=100_000)
def regex(parts: Parts, text: str, fold: bool) -> re.Pattern[str]:
    """The pattern with a value of the text, for another engine."""
    found = (".*" if part is Wild.ANY else re.escape(text if part is TEXT else str(part)) for part in parts)
    return re.compile("".join(found), re.DOTALL | (re.IGNORECASE if fold else 0))


def track(parts: Parts, side: int, fold: bool, stop: bool = False) -> Track:
    pattern: list[Part] = []
    for part in parts:
        pattern.extend(unknown_text(side) if part is TEXT else (part,))  # type: ignore[arg-type]
    return Track((tuple([*pattern, Stop(), Wild.ANY] if stop else pattern),), side, fold)


def found(question: Question) -> Word | None:
    budget = Budget(200_000)
    return Walk(question, Stores("0", budget), ALPHABET, budget, []).find()


@given(PARTS, PARTS, st.booleans(), st.booleans(), st.booleans(), st.sampled_from([(), ("a",), ("a/", "A")]))
@settings(max_examples=150, deadline=None)
def test_no_word_that_two_different_texts_share_is_missed(
    mine: Parts, theirs: Parts, folds: bool, listed: bool, different: bool, besides: tuple[str, ...]
) -> None:
    """Also where a listing's prefix ends in a text, where case is ignored, and where one text must not be some words."""
    asked = Question(
        (track(mine, 0, folds, listed), track(theirs, 1, folds)),
        different=((0, 1),) if different else (),
        besides=((0, frozenset(besides)),),
    )
    word = found(asked)
    if word is None:
        for one, other in product(TEXTS, TEXTS):
            if (different and one == other) or one in besides:
                continue
            head, whole = regex(mine, one, folds), regex(theirs, other, folds)
            for each in WORDS:
                heads = [each[:n] for n in range(len(each) + 1)] if listed else [each]
                assert not (whole.fullmatch(each) and any(map(head.fullmatch, heads))), (one, other, each)
    elif not listed and mine.count(TEXT) == theirs.count(TEXT) == 1:
        (one,), (other,) = ([text for number, text in word.texts if number == side] for side in (0, 1))
        assert regex(mine, one, folds).fullmatch(word.letters)
        assert regex(theirs, other, folds).fullmatch(word.letters)


def test_equal_texts_are_told_from_different_ones() -> None:
    """Two texts at one place are equal; with a `*` behind each, the one may begin with the other."""
    files = Question((track(("/", TEXT), 0, False), track(("/", TEXT), 1, False)))
    assert found(files) is not None
    apart = ((0, 1),)
    assert found(Question(files.tracks, different=apart)) is None
    folders = (track((TEXT, "/", Wild.ANY), 0, False), track((TEXT, "/", Wild.ANY), 1, False))
    assert found(Question(folders, different=apart)) is not None
