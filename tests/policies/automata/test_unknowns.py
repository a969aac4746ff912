"""What is known of unknown digits, against every assignment of digits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.identity_scope.automata.unknowns import NOTHING, StoreId, Stores
from policies.identity_scope.automata.walk import Budget

DIGITS = "012"
COUNT = 4
ASSIGNMENTS = list(product(range(len(DIGITS)), repeat=COUNT))

UNKNOWNS = st.integers(0, COUNT - 1)
EQUAL = st.tuples(st.just("equal"), UNKNOWNS, UNKNOWNS)
AMONG = st.tuples(st.just("among"), UNKNOWNS, st.integers(1, 6))
ATOMS = st.lists(EQUAL | AMONG, max_size=4)
Atom = tuple[str, int, int]


def holds(atoms: Sequence[Atom], digits: Sequence[int]) -> bool:
    """Whether an assignment satisfies a conjunction, read off its atoms."""
    return all(
        digits[one] == digits[other] if kind == "equal" else bool(other >> digits[one] & 1)
        for kind, one, other in atoms
    )


def satisfying(atoms: Sequence[Atom]) -> frozenset[tuple[int, ...]]:
    return frozenset(digits for digits in ASSIGNMENTS if holds(atoms, digits))


def stores() -> Stores:
    return Stores(DIGITS, Budget(1_000_000))


def store_of(made: Stores, atoms: Sequence[Atom]) -> StoreId | None:
    found: StoreId | None = NOTHING
    for kind, one, other in atoms:
        if found is not None:
            found = made.equate(found, one, other) if kind == "equal" else made.restrict(found, one, other)
    return found


@given(ATOMS, ATOMS)
def test_stores_are_one_number_exactly_where_they_say_the_same(one: list[Atom], other: list[Atom]) -> None:
    """store(p) == store(q) iff p and q have the same assignments; None iff there is none."""
    made = stores()
    first, second = store_of(made, one), store_of(made, other)
    assert (first is None) is (satisfying(one) == frozenset())
    assert (first == second) is (satisfying(one) == satisfying(other))


@given(ATOMS, ATOMS)
def test_a_join_is_the_conjunction(one: list[Atom], other: list[Atom]) -> None:
    made = stores()
    first, second = store_of(made, one), store_of(made, other)
    if first is not None and second is not None:
        assert made.join(first, second) == store_of(made, [*one, *other])
        assert made.implies(first, second) is (satisfying(one) <= satisfying(other))


@given(ATOMS, st.lists(ATOMS, max_size=4))
@settings(max_examples=300)
def test_digits_are_found_exactly_where_some_satisfy_the_store_and_no_nogood(
    atoms: list[Atom], refused: list[list[Atom]]
) -> None:
    made = stores()
    store = store_of(made, atoms)
    if store is None:
        return
    nogoods = [n for n in (store_of(made, each) for each in refused) if n is not None]
    left = [d for d in satisfying(atoms) if not any(holds(each, d) for each in refused)]
    found = made.example(store, nogoods, COUNT, [1, 1, 2, 2])
    assert (found is None) is (left == [])
    assert found is None or tuple(found) in left
    if (narrower := made.solve(store, nogoods)) is not None:
        # Whatever satisfies the narrower store will do.
        assert {d for d in ASSIGNMENTS if made.implies(_only(made, d), narrower)} <= set(left)


def _only(made: Stores, digits: Sequence[int]) -> StoreId:
    store = made.of([(unknown, 1 << digit) for unknown, digit in enumerate(digits)])
    assert store is not None
    return store


WORDS = st.lists(st.sampled_from([*DIGITS, *"abcd"]), max_size=4).map("".join)


@given(WORDS, WORDS)
def test_two_words_are_alike_under_what_makes_their_letters_equal(one: str, other: str) -> None:
    """`a` to `d` stand for the unknowns."""
    made = stores()
    atoms: list[Atom] = []
    impossible = False
    for mine, theirs in zip(one, other, strict=False):
        if mine == theirs:
            continue
        if mine in "abcd" and theirs in "abcd":
            atoms.append(("equal", "abcd".index(mine), "abcd".index(theirs)))
        elif mine in "abcd" or theirs in "abcd":
            unknown, digit = (mine, theirs) if mine in "abcd" else (theirs, mine)
            atoms.append(("among", "abcd".index(unknown), 1 << DIGITS.index(digit)))
        else:
            impossible = True
    found = made.alike(one, other, lambda letter: "abcd".index(letter) if letter in "abcd" else None)
    assert found == (None if impossible else store_of(made, atoms))
