"""Which texts may be beginnings of one word: the index says the same as a comparison of each with each."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.identity_scope.automata.walk import Budget, BudgetExceeded
from policies.identity_scope.iam.issuers import shape_of
from policies.identity_scope.proof.beginnings import meetings
from policies.identity_scope.proof.identities import strangers

STRANGERS = strangers(shape_of("us-east-1"), frozenset())
NAMED = "us-east-1:11111111-2222-4333-8444-555555555555"
PIECES = ["{id}", "{id}/", "b", "b/", "a", "us-east-1:", "1", NAMED, NAMED[:-1], "/"]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=4).map("".join), max_size=3)


def written(texts: list[list[str]], identity: str) -> list[list[str]]:
    return [[text.replace("{id}", identity) for text in some] for some in texts]


@given(st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=6))
def test_the_index_says_the_same_as_every_comparison(ours: list[list[str]], theirs: list[list[str]]) -> None:
    mine, others = (written(t, i) for t, i in zip((ours, theirs), STRANGERS.loose, strict=True))
    every = [
        (i, j)
        for (i, some), (j, more) in product(enumerate(mine), enumerate(others))
        if not all(STRANGERS.apart(one, other) for one in some for other in more)
    ]
    assert every == meetings(mine, others, STRANGERS.loose, STRANGERS.apart, Budget(10**6))


def test_comparisons_are_charged() -> None:
    ours, theirs = ([[f"b/{i}{identity}"] for i in range(100)] for identity in STRANGERS.loose)
    budget = Budget(10**6)
    assert meetings(ours, theirs, STRANGERS.loose, STRANGERS.apart, budget) == []
    assert 0 < 10**6 - budget.left < 100
    with pytest.raises(BudgetExceeded):
        meetings([["b/"]] * 100, [["b/"]] * 100, STRANGERS.loose, STRANGERS.apart, Budget(100))
