"""A bounded run of the search for what the proof denies; and that the search could find it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from policies.identity_scope.proof.escalation import escalations
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.own_folder import own_folder
from policies.identity_scope.proof.reach import Shared
from policies.identity_scope.proof.results import Access, Result, Violation
from policies.identity_scope.proof.scope import Scope
from tests.policies.pack.engine import ME
from tests.policies.proof import search


def test_a_search_finds_nothing_that_contradicts_the_proof() -> None:
    said, wrong = search.run(20261123, 0)
    assert wrong == []
    for proof in ("isolation", "own folder", "no way round"):
        assert said[f"{proof}: holds"] > 10
        assert said[f"{proof}: violated"] > 5


def test_the_search_finds_most_of_what_the_proof_finds() -> None:
    """Where the proof is violated the search, which knows nothing of it, comes upon two who meet."""
    random_ = random.Random(1)
    found: list[bool] = []
    while len(found) < 20:
        scope = Scope(search.principals(search.role_set(random_)), (search.REGION,), steps=search.STEPS)
        if any(isinstance(r, Violation) for r in isolation(scope)):
            found.append(search.met(scope, random_) is not None)
    assert sum(found) > 12


WIDE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bkt/*"},
        {"Effect": "Allow", "Action": "s3:PutBucket*", "Resource": "arn:aws:s3:::bkt"},
    ],
}


def _defect(
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Sequence[Result]], Sequence[Result]],
    shared: tuple[Shared, ...] = (),
    proof: Callable[[Scope], Sequence[Result]] = isolation,
) -> str:
    """What the check says of an open bucket if a proof's results are changed."""
    monkeypatch.setattr(f"tests.policies.proof.search.{proof.__name__}", lambda scope: change(proof(scope)))
    return "\n".join(search.check([search.Role([WIDE], None)], shared, random.Random(1))[1])


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        (isolation, "is reached by us-east-1:"),
        (own_folder, "lies in no folder that all else lies in"),
        (escalations, "s3:PutBucket"),
    ],
)
def test_a_proof_that_says_too_much_is_reported(
    monkeypatch: pytest.MonkeyPatch, proof: Callable[[Scope], Sequence[Result]], expected: str
) -> None:
    assert expected in _defect(monkeypatch, lambda results: [], proof=proof)


def test_what_is_declared_as_shared_is_no_find(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither to the search nor, where the proof shows it all the same, to the check of what it shows."""
    for_all = Shared("bkt/*", ("s3:GetObject",), "All read it.")
    assert _defect(monkeypatch, lambda results: results, (for_all,)) == ""
    for beside in (replace(for_all, pattern="bkt/a/*"), replace(for_all, actions=("s3:PutObject",))):
        assert "is reached by" in _defect(monkeypatch, lambda results: [], (beside,))
    (wrong,) = isolation(Scope(search.principals([search.Role([WIDE], None)])))
    assert "declared as shared" in _defect(monkeypatch, lambda results: [wrong], (for_all,))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda a: replace(a, action="s3:PutObject"), "not allowed"),
        (lambda a: replace(a, arn="arn:aws:s3:::bkt/elsewhere"), "not about"),
        (lambda a: replace(a, identity="us-east-1:1"), "not two identities"),
    ],
)
def test_a_counterexample_that_is_none_is_reported(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Access], Access], expected: str
) -> None:
    def altered(results: Sequence[Result]) -> Sequence[Result]:
        return [replace(r, mine=change(r.mine), theirs=change(r.theirs)) for r in results if isinstance(r, Violation)]

    assert expected in _defect(monkeypatch, altered)


def test_near_misses_are_what_is_generated() -> None:
    texts = [json.dumps(role.documents) for seed in range(50) for role in search.role_set(random.Random(seed))]
    assert sum(ME in text for text in texts) > 40
