"""Changes that look like none: each gives somebody something, or may, and `diff` must not call that proven.

Every pair differs in one place of a template: conditions, boundaries, policies of buckets and access points, trust, and who
gets a role.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policies.command.run import run, write
from tests.policies.pack.engine import ISSUER, ME, allow, document

Json = dict[str, Any]
AUD: Json = {"StringEquals": {f"{ISSUER}:aud": {"Ref": "Pool"}}}
BOUND: Json = {**AUD, "ForAnyValue:StringLike": {f"{ISSUER}:amr": "authenticated"}}
OWN = allow(f"arn:aws:s3:::notes/{ME}/*")
POINT = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"


def arn(name: str) -> Json:
    return {"Fn::GetAtt": [name, "Arn"]}


def template(
    *statements: Json,
    trust: Json | None = None,
    principal: Any = None,
    pool: Json | None = None,
    role: Json | None = None,
    roles: Json | None = None,
    rules: list[Json] | None = None,
    **more: Json,
) -> Json:
    """A pool, a role for signed-in users, and whatever else there is."""
    assume = {
        "Effect": "Allow",
        "Principal": principal or {"Federated": ISSUER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": BOUND if trust is None else trust,
    }
    mapping: Json = {"Type": "Rules", "IdentityProvider": "accounts.google.com", "AmbiguousRoleResolution": "Deny"}
    attached: Json = {"IdentityPoolId": {"Ref": "Pool"}, "Roles": roles or {"authenticated": arn("Role")}}
    if rules:
        attached["RoleMappings"] = {"map": {**mapping, "RulesConfiguration": {"Rules": rules}}}
    logins = {"accounts.google.com": "123"}
    return {
        "Resources": {
            "Pool": {
                "Type": "AWS::Cognito::IdentityPool",
                "Properties": {
                    "AllowUnauthenticatedIdentities": False,
                    "SupportedLoginProviders": logins,
                    **(pool or {}),
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": document([assume]),
                    "Policies": [{"PolicyName": "files", "PolicyDocument": document(list(statements))}],
                    **(role or {}),
                },
            },
            "Roles": {"Type": "AWS::Cognito::IdentityPoolRoleAttachment", "Properties": attached},
            **more,
        }
    }


def when(operator: str, key: str, *values: str, resource: str = "arn:aws:s3:::files/*") -> Json:
    return allow(resource, Condition={operator: {key: list(values)}})


def denied(statement: Json) -> Json:
    return {**statement, "Effect": "Deny"}


def bucket(*statements: Json) -> Json:
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "notes", "PolicyDocument": document(list(statements))},
    }


def point(policy: Json | None = None) -> Json:
    given = {"Policy": policy} if policy else {}
    return {"Type": "AWS::S3::AccessPoint", "Properties": {"Bucket": "notes", "Name": "ap", **given}}


def boundary(*statements: Json) -> Json:
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(list(statements))}}


BOUNDED: Json = {"PermissionsBoundary": {"Ref": "Boundary"}}
GUESTS: Json = {"AllowUnauthenticatedIdentities": True}
OPEN = {**allow("arn:aws:s3:::notes/open/*"), "Principal": "*"}
HIDDEN = denied(allow("arn:aws:s3:::notes/open/*"))
GUEST = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": document(
            [
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": ISSUER},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": AUD,
                }
            ]
        )
    },
}


def rule(value: str) -> Json:
    return {"Claim": "team", "MatchType": "Equals", "Value": value, "RoleARN": arn("Guest")}


def broken(statement: Json) -> Json:
    policy = document([{**statement, "Unknown": {}}])
    return {"Policies": [{"PolicyName": "files", "PolicyDocument": policy}]}


def managed(name: str) -> Json:
    return {"PermissionsBoundary": f"arn:aws:iam::aws:policy/{name}"}


TAG = "${aws:PrincipalTag/team}"
WHOLE = allow("arn:aws:s3:::notes/*")
NEW: dict[str, tuple[Json, Json]] = {
    "a text is wider than an ARN of the same pattern": (
        template(when("ArnLike", "aws:SourceArn", "arn:aws:*:x")),
        template(when("StringLike", "aws:SourceArn", "arn:aws:*:x")),
    ),
    "neither of two opposite conditions holds where their variable has no value": (
        template(when("StringEquals", "aws:SourceVpc", TAG), when("StringNotEquals", "aws:SourceVpc", TAG)),
        template(allow("arn:aws:s3:::files/*")),
    ),
    "a key of several values may have both": (
        template(when("StringEquals", "aws:TagKeys", "a"), denied(when("StringEquals", "aws:TagKeys", "b"))),
        template(when("StringEquals", "aws:TagKeys", "a")),
    ),
    "a Deny whose variable has no value is invalid": (
        template(OWN),
        template(WHOLE, denied(when("StringNotEquals", "aws:PrincipalTag/x", TAG, resource="arn:aws:s3:::notes/*"))),
    ),
    "a Deny of the role is none of somebody without credentials": (
        template(OWN, HIDDEN),
        template(OWN, HIDDEN, Policy=bucket(OPEN)),
    ),
    "a bucket's Deny spares the role": (
        template(WHOLE, Policy=bucket({**denied(WHOLE), "Principal": "*"})),
        template(WHOLE, Policy=bucket({**denied(WHOLE), "NotPrincipal": {"AWS": arn("Role")}})),
    ),
    "an access point loses its Deny": (
        template(
            allow(f"{POINT}/object/*"),
            Point=point(document([{**denied(allow(f"{POINT}/object/*", "s3:*")), "Principal": "*"}])),
        ),
        template(allow(f"{POINT}/object/*"), Point=point()),
    ),
    "an access point comes that a grant covers": (
        template(allow("arn:aws:s3:*:*:accesspoint/*")),
        template(allow("arn:aws:s3:*:*:accesspoint/*"), Point=point()),
    ),
    "a boundary goes": (
        template(allow("*", "s3:*"), role=BOUNDED, Boundary=boundary(OWN)),
        template(allow("*", "s3:*")),
    ),
    "a boundary is wider": (
        template(allow("*", "s3:*"), role=BOUNDED, Boundary=boundary(OWN)),
        template(allow("*", "s3:*"), role=BOUNDED, Boundary=boundary(WHOLE)),
    ),
    "a boundary whose text is not known is another": (
        template(allow("*", "s3:*"), role=managed("ReadOnlyAccess")),
        template(allow("*", "s3:*"), role=managed("AdministratorAccess")),
    ),
    "a boundary whose text is not known goes": (
        template(allow("*", "s3:*"), role=managed("ReadOnlyAccess")),
        template(allow("*", "s3:*")),
    ),
    "a document that cannot be read is another": (
        template(role=broken(OWN)),
        template(role=broken(allow("*", "*"))),
    ),
    "NotAction leaves out less": (
        template({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
        template({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}),
    ),
    "a Deny by NotAction spares more": (
        template(allow("*", "s3:*"), {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"}),
        template(
            allow("*", "s3:*"), {"Effect": "Deny", "NotAction": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
        ),
    ),
    "guests get the role of signed-in users": (
        template(
            OWN,
            trust=AUD,
            pool=GUESTS,
            roles={"authenticated": arn("Role"), "unauthenticated": arn("Guest")},
            Guest=GUEST,
        ),
        template(
            OWN,
            trust=AUD,
            pool=GUESTS,
            roles={"authenticated": arn("Role"), "unauthenticated": arn("Role")},
            Guest=GUEST,
        ),
    ),
    "guest access is enabled": (template(OWN, trust=AUD), template(OWN, trust=AUD, pool=GUESTS)),
    "users of another provider sign in": (
        template(OWN),
        template(OWN, pool={"SupportedLoginProviders": {"accounts.google.com": "123", "www.amazon.com": "456"}}),
    ),
    "a rule gives a role to more users": (
        template(OWN, rules=[rule("admins")], Guest=GUEST),
        template(OWN, rules=[rule("admins"), rule("everybody")], Guest=GUEST),
    ),
    "a trust policy trusts any pool": (
        template(OWN),
        template(OWN, trust={"StringLike": {f"{ISSUER}:aud": "us-east-1:*"}}),
    ),
    "a trust policy tells guests no longer apart": (template(OWN), template(OWN, trust=AUD)),
    "everyone in AWS is no other provider's user": (
        template(OWN, principal={"AWS": "*"}),
        template(OWN, principal={"Federated": "graph.facebook.com"}),
    ),
}
NONE: dict[str, tuple[Json, Json]] = {
    "the same": (template(OWN, rules=[rule("a")], Guest=GUEST), template(OWN, rules=[rule("a")], Guest=GUEST)),
    "the same in another order": (
        template({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
        template({"Effect": "Allow", "NotAction": ["STS:*", "iam:*"], "Resource": "*"}),
    ),
    "more within a boundary": (
        template(OWN),
        template(allow("*", "s3:*"), role=BOUNDED, Boundary=boundary(OWN)),
    ),
    "a boundary that is not known stays": (
        template(OWN, WHOLE, role=managed("ReadOnlyAccess")),
        template(OWN, role=managed("ReadOnlyAccess")),
    ),
    "an access point that no grant covers": (template(OWN), template(OWN, Point=point())),
    "a Deny with a variable stays": (
        template(WHOLE, denied(when("StringNotEquals", "aws:PrincipalTag/x", TAG))),
        template(WHOLE, denied(when("StringNotEquals", "aws:PrincipalTag/x", TAG))),
    ),
    "a provider goes": (
        template(OWN, pool={"SupportedLoginProviders": {"accounts.google.com": "123", "www.amazon.com": "456"}}),
        template(OWN),
    ),
}


def gains(old: Json, new: Json, folder: Path, capsys: pytest.CaptureFixture[str]) -> bool:
    paths = write(folder / "old" / "t.json", old), write(folder / "new" / "t.json", new)
    found = run(capsys, "diff", "--fail-on-new-access", "--format", "json", *paths)
    assert found.err == ""
    value: bool = json.loads(found.out)["newAccess"]
    assert found.code == int(value)
    return value


@pytest.mark.parametrize("name", NEW)
def test_new_access_is_never_proven_away(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gains(*NEW[name], tmp_path, capsys)


@pytest.mark.parametrize("name", NONE)
def test_no_new_access(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not gains(*NONE[name], tmp_path, capsys)


def test_without_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = NEW["a Deny of the role is none of somebody without credentials"]
    paths = write(tmp_path / "old.json", old), write(tmp_path / "new.json", new)
    assert "anyone without credentials may `s3:GetObject`" in run(capsys, "diff", *paths).out
    (role,) = json.loads(run(capsys, "diff", "--format", "json", *paths).out)["roles"]
    assert [change["identity"] for change in role["gained"]] == [None]
