"""One stack with a folder that a principal tag names, in every form that a stack is written in: the same is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.policies.command.run import check, run, write, written
from tests.policies.command.test_check import state as pulumi_state
from tests.policies.pack.engine import POOL, allow, document, trust
from tests.policies.sources.test_terraform import plan, state, state_file

USER_POOL = "us-east-1_Notes1234"
USERS = f"cognito-idp.us-east-1.amazonaws.com/{USER_POOL}"
FOLDER = "arn:aws:s3:::notes/p/${aws:PrincipalTag/userSub}/*"
ROLE = "arn:aws:iam::123456789012:role/users"
TRUST = trust()
TRUST["Statement"][0]["Action"] = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]
PROVIDER = {"client_id": "c", "provider_name": USERS, "server_side_token_check": True}


def terraform(claim: str, writes: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """The stack as Terraform's resources."""
    return {
        "aws_cognito_user_pool.users": {"id": USER_POOL, "name": "users", "endpoint": USERS},
        "aws_cognito_user_pool_client.web": {"id": "c", "user_pool_id": USER_POOL, "write_attributes": writes},
        "aws_cognito_identity_pool.notes": {
            "id": POOL,
            "identity_pool_name": "notes",
            "allow_unauthenticated_identities": False,
            "allow_classic_flow": False,
            "cognito_identity_providers": [PROVIDER],
        },
        "aws_cognito_identity_pool_provider_principal_tag.tags": {
            "id": f"{POOL}:{USERS}",
            "identity_pool_id": POOL,
            "identity_provider_name": USERS,
            "use_defaults": False,
            "principal_tags": {"userSub": claim},
        },
        "aws_iam_role.users": {
            "id": "users",
            "name": "users",
            "arn": ROLE,
            "assume_role_policy": json.dumps(TRUST),
            "tags": {"some_key": "x"},
        },
        "aws_iam_role_policy.files": {
            "id": "users:files",
            "name": "files",
            "role": "users",
            "policy": json.dumps(document([allow(FOLDER)])),
        },
        "aws_cognito_identity_pool_roles_attachment.notes": {
            "id": POOL,
            "identity_pool_id": POOL,
            "roles": {"authenticated": ROLE},
        },
    }


UNKNOWN = {
    "aws_cognito_user_pool.users": {"id": True, "endpoint": True},
    "aws_cognito_user_pool_client.web": {"id": True, "user_pool_id": True},
    "aws_cognito_identity_pool.notes": {"id": True, "cognito_identity_providers": [{"provider_name": True}]},
    "aws_cognito_identity_pool_provider_principal_tag.tags": {
        "id": True,
        "identity_pool_id": True,
        "identity_provider_name": True,
    },
    "aws_iam_role.users": {"id": True, "arn": True, "assume_role_policy": True},
    "aws_cognito_identity_pool_roles_attachment.notes": {
        "id": True,
        "identity_pool_id": True,
        "roles": {"authenticated": True},
    },
}
REFERS = {
    "aws_cognito_user_pool_client.web": {"user_pool_id": {"references": ["aws_cognito_user_pool.users.id"]}},
    "aws_cognito_identity_pool.notes": {
        "cognito_identity_providers": [
            {
                "client_id": {"references": ["aws_cognito_user_pool_client.web.id"]},
                "provider_name": {"references": ["aws_cognito_user_pool.users.endpoint"]},
            }
        ]
    },
    "aws_cognito_identity_pool_provider_principal_tag.tags": {
        "identity_pool_id": {"references": ["aws_cognito_identity_pool.notes.id"]},
        "identity_provider_name": {"references": ["aws_cognito_user_pool.users.endpoint"]},
    },
    "aws_cognito_identity_pool_roles_attachment.notes": {
        "identity_pool_id": {"references": ["aws_cognito_identity_pool.notes.id"]},
        "roles": {"references": ["aws_iam_role.users.arn"]},
    },
}


def first_plan(claim: str, writes: list[str] | None = None) -> Any:
    """A plan that creates everything, in which no ID is known."""
    values = terraform(claim, writes)
    values["aws_cognito_identity_pool.notes"]["cognito_identity_providers"] = [
        {key: value for key, value in PROVIDER.items() if key != "provider_name"}
    ]
    return plan(values, UNKNOWN, REFERS)


def cloudformation(claim: str, writes: list[str] | None = None) -> Any:
    trusting = json.loads(json.dumps(TRUST))
    trusting["Statement"][0]["Condition"]["StringEquals"] = {"cognito-identity.amazonaws.com:aud": {"Ref": "Pool"}}
    name = {"Fn::GetAtt": ["Users", "ProviderName"]}
    client = {"UserPoolId": {"Ref": "Users"}, **({"WriteAttributes": writes} if writes else {})}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Users": {"Type": "AWS::Cognito::UserPool"},
            "Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": client},
            "Pool": {
                "Type": "AWS::Cognito::IdentityPool",
                "Properties": {
                    "AllowUnauthenticatedIdentities": False,
                    "AllowClassicFlow": False,
                    "CognitoIdentityProviders": [
                        {"ClientId": {"Ref": "Client"}, "ProviderName": name, "ServerSideTokenCheck": True}
                    ],
                },
            },
            "Tags": {
                "Type": "AWS::Cognito::IdentityPoolPrincipalTag",
                "Properties": {
                    "IdentityPoolId": {"Ref": "Pool"},
                    "IdentityProviderName": name,
                    "UseDefaults": "false",
                    "PrincipalTags": {"userSub": claim},
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": trusting,
                    "Tags": [{"Key": "team", "Value": "notes"}],
                    "Policies": [{"PolicyName": "files", "PolicyDocument": document([allow(FOLDER)])}],
                },
            },
            "Attach": {
                "Type": "AWS::Cognito::IdentityPoolRoleAttachment",
                "Properties": {
                    "IdentityPoolId": {"Ref": "Pool"},
                    "Roles": {"authenticated": {"Fn::GetAtt": ["Role", "Arn"]}},
                },
            },
        },
    }


def pulumi(claim: str, writes: list[str] | None = None, native: bool = False) -> Any:
    tags = {"identityPoolId": POOL, "identityProviderName": USERS, "principalTags": {"userSub": claim}}
    types = ("aws-native:cognito:IdentityPoolPrincipalTag", "aws:cognito/identityPoolProviderPrincipalTag:x")
    type_ = types[0] if native else types[1].replace(":x", ":IdentityPoolProviderPrincipalTag")
    provider = {"clientId": "c", "providerName": USERS, "serverSideTokenCheck": True}
    return pulumi_state(
        ("aws:cognito/userPool:UserPool", "users", {"id": USER_POOL, "name": "users"}),
        ("aws:cognito/userPoolClient:UserPoolClient", "web", {"userPoolId": USER_POOL, "writeAttributes": writes}),
        (
            "aws:cognito/identityPool:IdentityPool",
            "notes",
            {
                "id": POOL,
                "identityPoolName": "notes",
                "allowUnauthenticatedIdentities": False,
                "allowClassicFlow": False,
                "cognitoIdentityProviders": [provider],
            },
        ),
        (type_, "tags", {**tags, "useDefaults": False}),
        ("aws:iam/role:Role", "users", {"name": "users", "arn": ROLE, "assumeRolePolicy": json.dumps(TRUST)}),
        (
            "aws:iam/rolePolicy:RolePolicy",
            "files",
            {"name": "files", "role": "users", "policy": json.dumps(document([allow(FOLDER)]))},
        ),
        (
            "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
            "roles",
            {"identityPoolId": POOL, "roles": {"authenticated": ROLE}},
        ),
    )


FORMS: dict[str, Callable[..., Any]] = {
    "Pulumi": pulumi,
    "Pulumi, aws-native": lambda claim, writes=None: pulumi(claim, writes, True),
    "CloudFormation": cloudformation,
    "Terraform state": lambda *args: state(terraform(*args)),
    "Terraform state file": lambda *args: state_file(terraform(*args)),
    "Terraform plan": lambda *args: plan(terraform(*args)),
    "Terraform's first plan": first_plan,
}
ISOLATED, OWN = "s3-isolated-by-identity", "s3-own-folder"


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_by_sub_is_proven(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = check(capsys, write(tmp_path / "stack.json", FORMS[form]("sub")))
    assert found.findings == [], found.findings


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_by_an_address_leaks(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = check(capsys, write(tmp_path / "stack.json", FORMS[form]("email")))
    assert found.rules == [ISOLATED, OWN]
    assert any("because a user can change `email`" in each["text"] for each in found.findings), found.findings


@pytest.mark.parametrize("form", FORMS)
def test_what_an_app_client_lets_users_write(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tenants = [{"tag": "userSub", "why": "the people of a company share their notes"}]
    config = write(tmp_path / "config" / "pack.json", {rule: {"tenants": tenants} for rule in (ISOLATED, OWN)})
    closed = check(capsys, write(tmp_path / "a.json", FORMS[form]("custom:tenant", ["email"])), "--config", config)
    assert closed.findings == [], closed.findings
    writes = ["email", "custom:tenant"]
    open_ = check(capsys, write(tmp_path / "b.json", FORMS[form]("custom:tenant", writes)), "--config", config)
    assert open_.rules == [ISOLATED, OWN]
    assert any("because a user can change `custom:tenant`" in each["text"] for each in open_.findings)


def test_what_the_aws_cli_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = {
        "IdentityPoolId": POOL,
        "IdentityPoolName": "notes",
        "AllowUnauthenticatedIdentities": False,
        "AllowClassicFlow": False,
        "CognitoIdentityProviders": [{"ProviderName": USERS, "ClientId": "c", "ServerSideTokenCheck": True}],
    }
    role = {
        "RoleName": "users",
        "Arn": ROLE,
        "AssumeRolePolicyDocument": TRUST,
        "RolePolicyList": [{"PolicyName": "files", "PolicyDocument": document([allow(FOLDER)])}],
    }
    tags = {
        "IdentityPoolId": POOL,
        "IdentityProviderName": USERS,
        "UseDefaults": False,
        "PrincipalTags": {"userSub": "sub"},
    }
    folder = written(tmp_path / "cli", {"pool.json": pool, "role.json": {"RoleDetailList": [role]}})
    found = check(capsys, folder)
    assert any("tag map of" in each["text"] for each in found.findings), found.findings
    write(folder / "tags.json", tags)
    assert check(capsys, folder).findings == []
    tagged = {**role, "Tags": [{"Key": "usersub", "Value": "all"}]}
    write(folder / "tags.json", {**tags, "PrincipalTags": {}})
    write(folder / "role.json", {"RoleDetailList": [tagged]})
    assert any("is `all` for every user" in each["text"] for each in check(capsys, folder).findings)


# --- the other commands


def test_explain_takes_tags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = write(tmp_path / "stack.json", pulumi("sub"))
    mine, theirs = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"

    def allowed(*tags: str) -> list[str]:
        request = f"s3:GetObject notes/p/{mine}/a.txt"
        given = [part for tag in tags for part in ("--tag", tag)]
        found = run(capsys, "explain", stack, "--format", "json", "--request", request, *given)
        assert found.code == 0, found.err
        return [each["allowed"] for each in json.loads(found.out)["decisions"]]

    assert allowed(f"userSub={mine}") == ["yes"]
    assert allowed(f"USERSUB={mine}") == ["yes"]
    assert allowed(f"userSub={theirs}") == ["no"]
    text = run(capsys, "explain", stack, "--request", f"s3:GetObject notes/p/{mine}/a", "--tag", f"userSub={mine}").out
    assert f"of a session whose tag `userSub` is `{mine}`: allowed" in text


@pytest.mark.parametrize("tag", ["userSub", "=x", "userSub=a*", "userSub=a\nb"])
def test_a_tag_that_is_none(tag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = write(tmp_path / "stack.json", pulumi("sub"))
    found = run(capsys, "explain", stack, "--request", "s3:GetObject notes/a", "--tag", tag)
    assert found.code == 2
    assert "must be KEY=VALUE" in found.err


def test_the_report_shows_whose_folder_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def page(claim: str, *more: Any) -> str:
        out = tmp_path / "page.html"
        stack = write(tmp_path / "stack.json", pulumi(claim, ["email"]))
        assert run(capsys, "report", stack, "-o", out, *more).code == 0
        return out.read_text(encoding="utf-8")

    assert "p/⟨tag userSub⟩/*" in page("sub")
    tenants = [{"tag": "userSub", "why": "the people of a company share their notes"}]
    config = write(tmp_path / "config" / "pack.json", {rule: {"tenants": tenants} for rule in (ISOLATED, OWN)})
    assert "by the users of one tenant" in page("custom:tenant", "--config", config)
    assert "⟨tag userSub⟩" not in page("email")
