"""The walk over globs, against brute force and against an independent solver."""

from __future__ import annotations

import fnmatch
import itertools
import re

import cvc5
import pytest
from cvc5 import Kind
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from policies.identity_scope.automata.globs import GlobSet, Pattern, Text, Wild, matches
from policies.identity_scope.automata.walk import (
    Budget,
    BudgetExceeded,
    covers,
    intersection,
    outside,
    shortest_word,
)
from policies.identity_scope.iam.variables import Missing, concretise, template
from tests.scale import SCALE

ALPHABET = "ab:"
LENGTH = 5
WORDS = ["".join(w) for n in range(LENGTH + 1) for w in itertools.product(ALPHABET, repeat=n)]
"""Every word over the alphabet up to the stated length."""

TEXTS = st.lists(st.sampled_from([*"ab:", "*", "*", "?"]), max_size=5).map("".join)
TOKENS = st.lists(st.sampled_from([*"ab:", Wild.ANY, Wild.WITHIN, Wild.ONE]), max_size=5).map(tuple)


def glob(text: str) -> Pattern:
    found = concretise(template(text, expands=False), lambda _: Missing.ABSENT, widen=False).pattern
    assert found is not None
    return found


def regex(pattern: Pattern) -> re.Pattern[str]:
    """The pattern in another language, with another engine."""
    parts: dict[Wild | Text, str] = {Wild.ANY: ".*", Wild.WITHIN: "[^:]*", Wild.ONE: "."}
    return re.compile("".join(re.escape(t) if isinstance(t, str) else parts[t] for t in pattern), re.DOTALL)


@given(TOKENS)
def test_a_glob_matches_what_the_same_regex_matches(pattern: Pattern) -> None:
    """For every word w of the alphabet: matches(p, w) == regex(p).fullmatch(w)."""
    one, other = GlobSet([pattern]), regex(pattern)
    told = [other.fullmatch(w) is not None for w in WORDS]
    assert [one.matches(w) for w in WORDS] == told
    assert [matches(pattern, w) for w in WORDS] == told


@pytest.mark.long
@given(TEXTS, st.text(max_size=8))
def test_a_glob_matches_what_the_shell_matches(text: str, word: str) -> None:
    assert matches(glob(text), word) is fnmatch.fnmatchcase(word, text)


@given(TOKENS, TOKENS)
@settings(max_examples=300 * SCALE)
def test_intersection_is_what_brute_force_finds(one: Pattern, other: Pattern) -> None:
    """The shortest common word has the length of the shortest that brute force finds, and both match it."""
    found = intersection([one], [other], Budget(100_000))
    both = [w for w in WORDS if matches(one, w) and matches(other, w)]
    if found is None:
        assert both == []
    else:
        assert matches(one, found)
        assert matches(other, found)
        assert not both or len(found) <= len(both[0])


@given(TOKENS, st.lists(TOKENS, min_size=1, max_size=3))
@settings(max_examples=300 * SCALE)
def test_difference_is_what_brute_force_finds(narrow: Pattern, wide: list[Pattern]) -> None:
    found = outside([narrow], wide, Budget(100_000))
    left = [w for w in WORDS if matches(narrow, w) and not any(matches(p, w) for p in wide)]
    if found is None:
        assert left == []
    else:
        assert matches(narrow, found)
        assert not any(matches(p, found) for p in wide)
        assert not left or len(found) <= len(left[0])


@given(TEXTS)
def test_covers_is_reflexive(text: str) -> None:
    assert covers(glob(text), glob(text), Budget(100_000))


@given(TEXTS, TEXTS, TEXTS)
def test_covers_is_transitive(a: str, b: str, c: str) -> None:
    budget = Budget(1_000_000)
    if covers(glob(a), glob(b), budget) and covers(glob(b), glob(c), budget):
        assert covers(glob(a), glob(c), budget)


def solve(ones: list[Pattern], others: list[Pattern], negated: bool) -> bool:
    """Whether cvc5 finds a word that one of the first matches and one of the second does (or none of them does)."""
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setLogic("QF_SLIA")
    solver.setOption("strings-exp", "true")
    solver.setOption("tlimit-per", "300")
    word = manager.mkConst(manager.getStringSort(), "w")

    def language(pattern: Pattern) -> cvc5.Term:
        anything = manager.mkTerm(Kind.REGEXP_STAR, manager.mkTerm(Kind.REGEXP_ALLCHAR))
        colon = manager.mkTerm(Kind.STRING_TO_REGEXP, manager.mkString(":"))
        single = manager.mkTerm(Kind.REGEXP_ALLCHAR)
        no_colon = manager.mkTerm(Kind.REGEXP_DIFF, single, colon)
        parts = {
            Wild.ANY: anything,
            Wild.WITHIN: manager.mkTerm(Kind.REGEXP_STAR, no_colon),
            Wild.ONE: single,
        }
        terms = [
            parts[t] if isinstance(t, Wild) else manager.mkTerm(Kind.STRING_TO_REGEXP, manager.mkString(t))
            for t in pattern
        ]
        if not terms:
            return manager.mkTerm(Kind.STRING_TO_REGEXP, manager.mkString(""))
        return terms[0] if len(terms) == 1 else manager.mkTerm(Kind.REGEXP_CONCAT, *terms)

    def member(patterns: list[Pattern]) -> cvc5.Term:
        terms = [manager.mkTerm(Kind.STRING_IN_REGEXP, word, language(p)) for p in patterns]
        return terms[0] if len(terms) == 1 else manager.mkTerm(Kind.OR, *terms)

    solver.assertFormula(member(ones))
    second = member(others)
    solver.assertFormula(manager.mkTerm(Kind.NOT, second) if negated else second)
    result = solver.checkSat()
    event("decided" if not result.isUnknown() else "cvc5 has not decided it in 300 ms")
    assume(not result.isUnknown())
    return bool(result.isSat())


UNIONS = st.lists(TOKENS, min_size=1, max_size=3)


@given(UNIONS, UNIONS, st.booleans())
@settings(max_examples=100 * SCALE, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_walk_agrees_with_cvc5(ones: list[Pattern], others: list[Pattern], negated: bool) -> None:
    walk = (outside if negated else intersection)(ones, others, Budget(100_000))
    found = solve(ones, others, negated)
    event("a word" if found else "no word")
    assert (walk is not None) is found


def test_a_walk_that_is_too_long_is_not_decided() -> None:
    hard = glob("*a?????????????b*a?????????????b")
    with pytest.raises(BudgetExceeded, match="not decided within 500 steps"):
        outside([hard], [glob("*a??????????b*a??????????????b")], Budget(500))


def test_an_empty_union_matches_nothing() -> None:
    assert not GlobSet([]).matches("")
    assert shortest_word([GlobSet([])], all, [True], Budget(10)) is None


def test_a_letter_that_nobody_knows_is_found_however_many_are_known() -> None:
    """Every character of IDs, names and keys is told apart by one pattern or another; `?` matches one more."""
    known = [(chr(code),) for code in [*range(0x21, 0x7F), *range(0x4E00, 0x4E10)]]
    found = outside([(Wild.ONE,)], known, Budget(100_000))
    assert found is not None
    assert (found,) not in known


def test_folding_ignores_case() -> None:
    folded = GlobSet([glob("s3:Get*")], fold=True)
    assert folded.matches("S3:GETobject")
    assert not folded.matches("s3:PutObject")
