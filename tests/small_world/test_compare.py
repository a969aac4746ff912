"""That the comparison reports what is wrong, and nothing that is right: with proofs' results made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from policies.identity_scope.iam.documents import Condition, Effect, Statement
from policies.identity_scope.proof.results import Access, Escalation, NotProven, OutsideFolder, Result, Violation

from .compare import compare
from .sets import DocumentSet
from .shape import SHAPES
from .shrink import smaller

STATEMENT = Statement(0, Effect.ALLOW, ("s3:GetObject",), ("arn:aws:s3:::bkt/*",))
WIDE = DocumentSet(
    SHAPES[0],
    [
        {
            "documents": [
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bkt/*"},
                        {"Effect": "Allow", "Action": "s3:PutBucketPolicy", "Resource": "arn:aws:s3:::bkt"},
                    ],
                }
            ]
        }
    ],
)


def access(identity: str, **changes: Any) -> Access:
    right = Access(
        identity,
        "role0",
        "role0",
        "s3:GetObject",
        "arn:aws:s3:::bkt/x",
        False,
        None,
        "document 0",
        STATEMENT,
        (),
        True,
    )
    return replace(right, **changes)


VIOLATION = Violation(access("r:00"), access("r:01"), "arn:aws:s3:::bkt/x")
OUTSIDE = OutsideFolder(access("r:00"), "arn:aws:s3:::bkt/x")
PUT = Statement(1, Effect.ALLOW, ("s3:PutBucketPolicy",), ("arn:aws:s3:::bkt",))
ESCALATION = Escalation(access("r:00", action="s3:PutBucketPolicy", arn="arn:aws:s3:::bkt", statement=PUT))


def defects(
    monkeypatch: pytest.MonkeyPatch,
    isolation: Sequence[Result] = (VIOLATION,),
    own_folder: Sequence[Result] = (OUTSIDE,),
    escalations: Sequence[Result] = (ESCALATION,),
    made: DocumentSet = WIDE,
) -> list[str]:
    """What the comparison says of an open bucket if the proofs said this."""

    def says(results: Sequence[Result]) -> Callable[[object], list[Result]]:
        return lambda _: list(results)

    monkeypatch.setattr("tests.small_world.compare.isolation", says(isolation))
    monkeypatch.setattr("tests.small_world.compare.own_folder", says(own_folder))
    monkeypatch.setattr("tests.small_world.compare.escalations", says(escalations))
    return compare(made, 10).defects


def test_what_is_right_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert defects(monkeypatch) == []
    assert defects(monkeypatch, isolation=[NotProven("not decided within 5 steps")]) == []


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        ("isolation", "isolation, said to hold: r:00 and r:01 reach bkt/"),
        ("own_folder", "own folder, said to hold: r:00 reaches bkt/"),
        ("escalations", "no escalation, said to hold: r:00 may s3:PutBucketPolicy arn:aws:s3:::bkt"),
    ],
)
def test_a_proof_that_says_too_much_is_reported(monkeypatch: pytest.MonkeyPatch, proof: str, expected: str) -> None:
    (found,) = defects(monkeypatch, **{proof: []})  # type: ignore[arg-type]
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("arn", "folder", "expected"),
    [
        ("bkt/r:00/x", "bkt/r:00/", "bkt/r:00/x lies in bkt/r:00/"),
        ("bkt/x", "bkt/r:01/", "not a folder of r:00: bkt/r:01/"),
        ("bkt/x", "bkt/x/", "not a folder of r:00: bkt/x/"),
    ],
)
def test_a_folder_that_is_not_the_identitys_or_holds_the_key_is_reported(
    monkeypatch: pytest.MonkeyPatch, arn: str, folder: str, expected: str
) -> None:
    arn = f"arn:aws:s3:::{arn}"
    (found,) = defects(monkeypatch, own_folder=[OutsideFolder(access("r:00", arn=arn), arn, folder)])
    assert found.startswith(f"own folder, said to be violated: {expected}")


@pytest.mark.parametrize(
    ("violation", "expected"),
    [
        (replace(VIOLATION, theirs=access("r:00")), "not two identities"),
        (replace(VIOLATION, theirs=access("r:02")), "not two identities"),
        (replace(VIOLATION, theirs=access("r:01", action="s3:PutObject")), "not allowed"),
        (replace(VIOLATION, theirs=access("r:01", statement=PUT)), "not allowed"),
        (replace(VIOLATION, mine=access("r:00", arn="arn:aws:s3:::bkt/y")), "not about"),
        (replace(VIOLATION, mine=access("r:00", prefix="x")), "not about"),
        (replace(VIOLATION, arn="arn:aws:s3:::bkt/"), "not about"),
    ],
)
def test_a_counterexample_that_is_none_is_reported(
    monkeypatch: pytest.MonkeyPatch, violation: Violation, expected: str
) -> None:
    found = defects(monkeypatch, isolation=[violation])
    assert found
    assert found[0].startswith(f"isolation, said to be violated: {expected}")


def test_objects_of_an_own_folder_are_not_outside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the identity reaches nothing else; the open bucket has more, whatever the folder."""
    own = "arn:aws:s3:::bkt/${cognito-identity.amazonaws.com:sub}/*"
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": own}
    made = DocumentSet(SHAPES[0], [{"documents": [{"Version": "2012-10-17", "Statement": [statement]}]}])
    inside = OutsideFolder(access("r:00", arn="arn:aws:s3:::bkt/r:00/x"), "arn:aws:s3:::bkt/r:00/x", "bkt/x/r:00/")
    (found,) = defects(monkeypatch, [], [inside], [], made)
    assert "bkt/r:00/x lies in bkt/r:00/, and nothing was found in bkt/x/r:00/" in found
    assert defects(monkeypatch, own_folder=[inside]) == []


def test_a_way_that_is_no_escalation_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = defects(monkeypatch, escalations=[Escalation(access("r:00"))])
    assert "no escalation: r:00 may s3:GetObject" in found


def test_what_is_declared_as_shared_is_no_counterexample(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = [{"pattern": "bkt/*", "actions": ["s3:GetObject"]}]
    found = defects(monkeypatch, made=replace(WIDE, shared=shared))
    assert [each.partition(": ")[2].partition(":")[0] for each in found] == [
        "shared, or open to everyone",
        "not allowed, or shared",
    ]
    assert defects(monkeypatch, [], [], made=replace(WIDE, shared=shared)) == []


def test_nothing_need_be_assumed_where_all_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assumed = access("r:00", assumed=(Condition("Bool", "aws:securetransport", ("true",)),))
    (found,) = defects(monkeypatch, isolation=[replace(VIOLATION, mine=assumed)])
    assert found == "isolation, said to be violated: something was assumed where all is known"


def test_not_proven_is_reported_where_all_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = defects(monkeypatch, isolation=[NotProven("a reason")])
    assert found == "isolation, said not to be proven: a reason"
    unknown = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": unknown}
    made = DocumentSet(SHAPES[0], [{"documents": [{"Version": "2012-10-17", "Statement": [statement]}]}])
    assert defects(monkeypatch, isolation=[NotProven("a reason")], made=made) == []


def test_a_set_is_made_small() -> None:
    """Down to the one statement, of three documents in two roles, that a made-up defect is about."""
    statements = WIDE.roles[0]["documents"][0]["Statement"]
    role = {
        "documents": [{"Version": "2012-10-17", "Statement": statements}] * 3,
        "boundary": WIDE.roles[0]["documents"][0],
    }
    large = DocumentSet(SHAPES[0], [role, role], {"bkt": {"Statement": []}}, [{"pattern": "bkt/*", "actions": []}])

    def defect(made: DocumentSet) -> str | None:
        return f"kind: {len(made.text)}" if "PutBucketPolicy" in str(made.roles) else None

    small = smaller(large, defect)
    assert small == DocumentSet(
        SHAPES[0], [{"documents": [{"Version": "2012-10-17", "Statement": [statements[1]]}]}], {}, []
    )
