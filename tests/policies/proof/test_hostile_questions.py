"""Documents that once took seconds or minutes: each is decided, or given up within the budget, and no work escapes it."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from policies.identity_scope.automata import globs, symbolic
from policies.identity_scope.iam import evaluator
from policies.identity_scope.iam.documents import parse
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.own_folder import own_folder
from policies.identity_scope.proof.results import NotProven
from policies.identity_scope.proof.scope import STEPS, Scope
from tests.policies.pack.engine import ISSUER, ME, allow, document

BUCKET = "arn:aws:s3:::bkt"


def named(index: int) -> str:
    digits = f"{random.Random(index).getrandbits(128):032x}"
    return "us-east-1:" + "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def only(*identities: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {f"{ISSUER}:sub": list(identities)}}}


def listing(prefixes: Sequence[str]) -> dict[str, Any]:
    return allow(BUCKET, "s3:ListBucket", Condition={"StringLike": {"s3:prefix": list(prefixes)}})


ACTIONS = [
    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectAcl", "s3:PutObjectAcl", "s3:GetObjectTagging"),
    *("s3:PutObjectTagging", "s3:DeleteObjectTagging", "s3:GetObjectVersion", "s3:DeleteObjectVersion"),
    *("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:RestoreObject", "s3:GetObjectTorrent"),
    *("s3:GetObjectRetention", "s3:PutObjectRetention", "s3:GetObjectLegalHold", "s3:PutObjectLegalHold"),
]
TAG = "${aws:PrincipalTag/%s}"

SAFE = {
    "100 named users, each with a folder": [allow(f"{BUCKET}/{named(i)}/*", **only(named(i))) for i in range(100)],
    "500 buckets": [allow([f"arn:aws:s3:::b{i}/{ME}/*" for i in range(500)])],
    "200 buckets of which 50 folders are listed": [
        allow([f"arn:aws:s3:::b{i}" for i in range(200)], "s3:ListBucket", Condition=condition)
        for condition in [{"StringLike": {"s3:prefix": [f"{j}/{ME}/*" for j in range(50)]}}]
    ],
}
LEAKS = {
    "a bucket for 100 named users": [allow(f"{BUCKET}/*", **only(*map(named, range(100))))],
    "300 named users' folders for everybody": [allow([f"{BUCKET}/{named(i)}/*" for i in range(300)])],
    "300 named users' folders listed by everybody": [listing([f"{named(i)}/*" for i in range(300)])],
    "a statement for each action": [allow(f"{BUCKET}/{i}/*", action) for i, action in enumerate(ACTIONS)],
    "100 Denies of folders with an unknown name": [
        allow(f"{BUCKET}/*"),
        *({**allow(f"{BUCKET}/{TAG % i}/*", "s3:*"), "Effect": "Deny"} for i in range(100)),
    ],
}
EITHER = {
    "30 listings of 20 folders with an unknown name": [
        listing([f"{TAG % f'{i}-{j}'}/{ME}/*" for j in range(20)]) for i in range(30)
    ],
    "the bucket, and 300 Denies of a named user's folder": [
        allow(f"{BUCKET}/*"),
        *(
            {
                **allow(f"{BUCKET}/{named(i)}/*", "s3:*"),
                "Effect": "Deny",
                "Condition": {"StringNotEquals": {f"{ISSUER}:sub": named(i)}},
            }
            for i in range(300)
        ),
    ],
    "80 buckets with a star before the ID": [allow(f"arn:aws:s3:::b{i}/*/{ME}/*") for i in range(80)],
    "40 patterns of IDs": [
        allow(f"{BUCKET}/{i}/*", Condition={"StringLike": {f"{ISSUER}:sub": f"*{i % 10}*a*{i // 10}*b*c*"}})
        for i in range(40)
    ],
    "500 stars": [allow(f"{BUCKET}/{'*a' * 500}{ME}/*")],
}


GUARDS = {
    "6 Denies of all but two patterns with stars": [
        allow(f"{BUCKET}/{ME}/*"),
        allow(f"{BUCKET}/*x{ME}"),
        *(
            {"Effect": "Deny", "Action": "s3:*", "NotResource": [f"{BUCKET}/*a{i}b*", f"{BUCKET}/*{ME}*"]}
            for i in range(6)
        ),
    ],
    "18 Denies of all but two folders": [
        allow(f"{BUCKET}/*"),
        *(
            {"Effect": "Deny", "Action": "s3:*", "NotResource": [f"{BUCKET}/{ME}/*a{i}*", f"{BUCKET}/{ME}/b{i}/*"]}
            for i in range(18)
        ),
    ],
}


def scope(statements: list[dict[str, Any]]) -> Scope:
    text = parse(json.dumps(document(statements)))
    return Scope((Principal("role", (("access", text),), urn="role"),), ("us-east-1",))


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many patterns the evaluator has matched, which no walk counts."""
    counted = [0]

    def matches(pattern: globs.Pattern, text: str) -> bool:
        counted[0] += 1
        return globs.matches(pattern, text)

    monkeypatch.setattr(evaluator, "matches", matches)
    monkeypatch.setattr("policies.identity_scope.iam.conditions.matches", matches)
    return counted


@pytest.mark.parametrize("name", SAFE)
def test_what_is_safe_is_proven(name: str) -> None:
    assert isolation(scope(SAFE[name])) == []


@pytest.mark.parametrize("name", LEAKS)
def test_what_leaks_is_found(name: str) -> None:
    found = isolation(scope(LEAKS[name]))
    assert found
    assert not any(isinstance(each, NotProven) for each in found)


@pytest.mark.parametrize("name", [*LEAKS, *EITHER])
def test_replays_are_charged_to_the_budget(work: list[int], name: str) -> None:
    """A step pays for at most eight patterns, twice over: once to allow, once to know whether that is exact."""
    for question in (isolation, own_folder):
        work[0] = 0
        assert question(scope({**LEAKS, **EITHER}[name]))
        assert work[0] <= STEPS * 16


@pytest.mark.parametrize("name", GUARDS)
def test_combinations_of_positions_are_charged_to_the_budget(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each Deny of all but some patterns is one more pattern that must match, and their stars can be combined."""
    counted = [0]
    letters, put = symbolic.Walk._letters, symbolic._State.__new__

    def counting_letters(self: symbolic.Walk, taken: tuple[int, ...]) -> Any:
        counted[0] += 1
        return letters(self, taken)

    def counting_states(*arguments: Any, **named: Any) -> Any:
        counted[0] += 1
        return put(*arguments, **named)

    monkeypatch.setattr(symbolic.Walk, "_letters", counting_letters)
    monkeypatch.setattr(symbolic._State, "__new__", counting_states)
    for question in (isolation, own_folder):
        counted[0] = 0
        question(scope(GUARDS[name]))
        assert counted[0] <= STEPS * 8
