"""The oracle against itself: sets of keys, bit by bit, and single requests, by regular expressions."""

from __future__ import annotations

import random

import pytest

from .keys import ANY, ONE, WITHIN, Glob, Keys, matches
from .oracle import Place
from .sets import BUCKET, OTHER, make
from .shape import SHAPES

NEAR = 12
"""How far keys go here; all of them are asked about one by one."""


def _glob(random_: random.Random) -> Glob:
    return tuple(random_.choice(["r", ":", "0", "1", "/", "x", ANY, WITHIN, ONE]) for _ in range(random_.randrange(6)))


def test_a_set_of_keys_is_what_regular_expressions_match() -> None:
    keys = Keys("r:01xR", SHAPES[0].identities)
    words = [keys.word(index, NEAR) for index in range(keys.size(NEAR))]
    assert {"r:00/x", "x/r:", "r:00", "0/1/"} <= set(words)
    random_ = random.Random(1)
    for _ in range(60):
        globs = frozenset(_glob(random_) for _ in range(random_.choice([1, 1, 2])))
        fold = random_.random() < 0.3
        bits = keys.matching(globs, NEAR, fold)
        assert [bool(bits >> i & 1) for i in range(len(words))] == [
            any(matches(glob, word, fold) for glob in globs) for word in words
        ], globs


def test_what_begins_with_a_key_is_found() -> None:
    keys = Keys("r:01x", SHAPES[0].identities)
    words = [keys.word(index, NEAR) for index in range(keys.size(NEAR))]
    random_ = random.Random(2)
    for _ in range(60):
        some = random_.sample(range(len(words)), random_.choice([1, 2, 5]))
        bits = keys.beginning(sum(1 << i for i in some), NEAR)
        # A key that two paths spell is begun on the path that was chosen.
        assert all(any(words[i].startswith(words[s]) for s in some) for i in range(len(words)) if bits >> i & 1)
        assert all(bits >> s & 1 for s in some)


@pytest.mark.parametrize("seed", range(4))
def test_the_keys_that_are_reached_are_those_that_single_requests_reach(seed: int) -> None:
    random_ = random.Random(seed)
    reached = 0
    for number in range(40):
        made = make(random.Random(f"requests {seed} {number}"))
        oracle = made.oracles(NEAR)[0]
        for identity in made.shape.identities[:2]:
            for bucket in (BUCKET, OTHER):
                place = Place(bucket, random_.choice(["", "", f"{identity}/"]))
                bound = oracle.places[place] = oracle.places[Place(bucket)]
                bits = oracle.reach(identity, place)
                size = oracle.keys.size(bound)
                yes = [i for i in random_.sample(range(size), min(size, 400)) if bits >> i & 1][:6]
                for index in {*yes, *random_.sample(range(1, size), 6)} - {0}:
                    key = place.head + oracle.keys.word(index, bound)
                    assert oracle.reaches(identity, bucket, key) == bool(bits >> index & 1), (
                        made.text,
                        identity,
                        f"{bucket}/{key}",
                    )
                    reached += bits >> index & 1
    assert reached > 100
