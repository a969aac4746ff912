"""`identity-scope explain`: what is decided about one request, for whom, and what each statement says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policies.command.run import run, write, written
from tests.policies.command.test_formats import COMMAND, valid
from tests.policies.pack.engine import ISSUER, ME, allow, document
from tests.policies.sources.mistakes import Setup
from tests.policies.sources.test_cloudformation import template

SOMEBODY = "us-east-1:abcdef01-2345-6789-abcd-ef0123456789"
OWN = allow(f"arn:aws:s3:::notes/{ME}/*")
LISTING = allow("arn:aws:s3:::notes", "s3:ListBucket", Condition={"StringLike": {"s3:prefix": f"{ME}/*"}})
SECRET = {**allow(f"arn:aws:s3:::notes/{ME}/secret"), "Effect": "Deny"}
SECURE = allow("arn:aws:s3:::notes/public/*", Condition={"Bool": {"aws:SecureTransport": "true"}})


def decisions(capsys: pytest.CaptureFixture[str], path: Path, request: str) -> list[dict[str, Any]]:
    found = run(capsys, "explain", path, "--format", "json", "--request", request)
    assert found.code == 0, found.err
    some: list[dict[str, Any]] = json.loads(found.out)["decisions"]
    return some


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return write(tmp_path / "policy.json", document([OWN, LISTING, SECRET, SECURE]))


CASES: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("s3:GetObject notes/{identity}/a", [("any identity", "yes", "")]),
    ("s3:getobject notes/{identity}/a", [("any identity", "yes", "")]),
    ("s3:GetObject arn:aws:s3:::notes/{identity}/a", [("any identity", "yes", "")]),
    (
        f"s3:GetObject notes/{SOMEBODY}/a",
        [("whose ID the request names", "yes", ""), ("any other identity", "no", "no statement allows it")],
    ),
    ("s3:GetObject notes/{identity}/secret", [("any identity", "no", "a Deny applies")]),
    ("s3:GetObject notes/public/a", [("any identity", "maybe", "")]),
    ("s3:PutObject notes/{identity}/a", [("any identity", "no", "no statement allows it")]),
    ("s3:ListBucket notes", [("any identity", "no", "no statement allows it")]),
    ("s3:ListBucket notes/", [("any identity", "no", "no statement allows it")]),
    ("s3:ListBucket notes/{identity}/", [("any identity", "yes", "")]),
    ("s3:ListBucket arn:aws:s3:::notes/{identity}/", [("any identity", "yes", "")]),
    ("iam:CreateUser *", [("any identity", "no", "no statement allows it")]),
]


@pytest.mark.parametrize(("request_", "expected"), CASES)
def test_decisions(
    request_: str, expected: list[tuple[str, str, str]], policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [(d["who"], d["allowed"], d["why"]) for d in decisions(capsys, policy, request_)] == expected


def test_statement_by_statement(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (decision,) = decisions(capsys, policy, "s3:GetObject notes/public/a")
    assert [(s["statement"], s["effect"], s["applies"], s["why"]) for s in decision["statements"]] == [
        (1, "Allow", "no", "its resources are others"),
        (2, "Allow", "no", "its actions are others"),
        (3, "Deny", "no", "its resources are others"),
        (4, "Allow", "maybe", "`Bool` `aws:SecureTransport` (true)"),
    ]
    (decision,) = decisions(capsys, policy, "s3:ListBucket notes/x")
    assert decision["statements"][1]["why"] == f"`StringLike` `s3:prefix` ({ME}/*) is not met"
    text = run(capsys, "explain", policy, "--request", "s3:GetObject notes/public/a").out
    assert "`s3:GetObject` `arn:aws:s3:::notes/public/a`: allowed, if what is said below holds" in text
    assert f"Allow, `policy.json` statement 4, {policy}:" in text


def test_what_aws_does_not_document_is_not_decided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deny = {**allow("arn:aws:s3:::notes/*/secret"), "Effect": "Deny"}
    path = write(tmp_path / "policy.json", document([OWN, deny]))
    (decision,) = decisions(capsys, path, "s3:GetObject notes/{identity}/secret")
    assert (decision["allowed"], decision["statements"][1]["applies"]) == ("maybe", "maybe")
    assert decision["statements"][1]["why"] == "`*` spans what AWS does not document"


def test_access_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    point = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"
    grant = allow([f"{point}/object/own/{ME}/*"])
    listing = allow(point, "s3:ListBucket", Condition={"StringLike": {"s3:prefix": f"own/{ME}/*"}})
    built = template(Setup(document([grant, listing])))
    built["Resources"]["Point"] = {"Type": "AWS::S3::AccessPoint", "Properties": {"Bucket": "notes", "Name": "ap"}}
    path = write(tmp_path / "t.json", built)
    for request, allowed in (
        (f"s3:GetObject {point}/object/own/{{identity}}/a", "yes"),
        (f"s3:GetObject {point}/object/a", "no"),
        ("s3:GetObject notes/own/{identity}/a", "no"),
        (f"s3:ListBucket {point}/own/{{identity}}/", "yes"),
        (f"s3:ListBucket {point}", "no"),
    ):
        assert [each["allowed"] for each in decisions(capsys, path, request)] == [allowed], request


def test_bucket_policies_and_boundaries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes/open/*"}
    folder = written(tmp_path / "a", {"own.json": document([OWN]), "bucket.json": document([opened])})
    assert [d["allowed"] for d in decisions(capsys, folder, "s3:GetObject notes/open/x")] == ["yes"]
    assert [d["allowed"] for d in decisions(capsys, folder, "s3:GetObject other/open/x")] == ["no"]
    built = template(Setup(document([allow("arn:aws:s3:::given/*")])))
    boundary = {"PolicyDocument": document([allow("arn:aws:s3:::given/a/*")])}
    built["Resources"]["Boundary"] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": boundary}
    built["Resources"]["Role"]["Properties"]["PermissionsBoundary"] = {"Ref": "Boundary"}
    path = write(tmp_path / "b" / "t.json", built)
    assert [d["allowed"] for d in decisions(capsys, path, "s3:GetObject given/a/x")] == ["yes"]
    (decision,) = decisions(capsys, path, "s3:GetObject given/b")
    assert (decision["allowed"], decision["why"]) == ("no", "the permissions boundary does not allow it")
    assert [s["kind"] for s in decision["statements"]] == ["allow", "boundary"]


def test_each_way_that_conditions_turn_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    resource = {"Fn::If": ["Prod", "arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}
    built = template(
        Setup(document([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}])),
        Parameters={"Env": {"Type": "String"}},
        Conditions={"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
    )
    path = write(tmp_path / "t.json", built)
    found = decisions(capsys, path, "s3:GetObject a/x")
    assert {d["condition"]: d["allowed"] for d in found} == {
        "`Env` is `prod`": "yes",
        "`${Env}` = `prod` is false": "no",
    }


def test_what_could_not_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = template(Setup(document([OWN])))
    built["Resources"]["Role"]["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]
    (decision,) = decisions(capsys, write(tmp_path / "t.json", built), "s3:GetObject x/y")
    assert "AmazonS3FullAccess" in decision["notRead"][0]


def test_govcloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    issuer = "cognito-identity-us-gov.amazonaws.com"
    own = allow(f"arn:aws-us-gov:s3:::notes/${{{issuer}:sub}}/*")
    trust = json.loads(
        json.dumps(Setup(document([own])).trust).replace(ISSUER, issuer).replace("us-east-1", "us-gov-west-1")
    )
    folder = written(tmp_path, {"own.json": document([own]), "trust.json": trust})
    (decision,) = decisions(capsys, folder, "s3:GetObject notes/{identity}/a")
    assert (decision["allowed"], decision["identity"][:14]) == ("yes", "us-gov-west-1:")


def test_json_is_what_its_schema_says(policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "explain", policy, "--format", "json", "--request", "s3:ListBucket notes/{identity}/")
    valid(COMMAND / "explain.schema.json", tmp_path, found.out)


@pytest.mark.parametrize(
    "request_", ["", "s3:GetObject", "GetObject notes/a", "s3:* notes/a", "dynamodb:Query notes", ": x"]
)
def test_wrong_requests(request_: str, policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "explain", policy, "--request", request_)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("--request: `")
    assert len(found.err.splitlines()) == 1


def test_no_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "t.json", {"Resources": {"B": {"Type": "AWS::S3::Bucket"}}})
    assert "no role" in run(capsys, "explain", path, "--request", "s3:GetObject b/x").out


def test_nothing_moves_a_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\u202e"
    path = write(tmp_path / "a.json", document([allow(f"arn:aws:s3:::notes/{evil}/*", Sid=evil)]))
    for output in ("text", "json"):
        found = run(capsys, "explain", path, "--format", output, "--request", f"s3:GetObject notes/{evil}/x")
        assert not {"\x1b", "\u202e"} & set(found.out)
