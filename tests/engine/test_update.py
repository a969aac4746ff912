"""Preview, deployment and changes: what is kept, what is replaced, and that nobody is locked out on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import CLIENT, GUESTS, GUESTS_DECLARED, POOL, Stack, in_sandbox


def test_a_preview_creates_nothing_an_update_everything_and_the_next_one_nothing(stack: Stack) -> None:
    assert "10 to create" in stack.preview()
    assert stack.sandbox.identity.pools == {}
    stack.up()
    assert set(stack.outputs()["roleArns"]) == {"authenticated"}
    stack.preview("--expect-no-changes")
    stack.up("--expect-no-changes")
    assert stack.operations == [], "an update without a change calls nothing"
    assert stack.deviations() == []


def test_guests_come_and_go_in_place_and_the_pool_is_never_without_roles(stack: Stack) -> None:
    stack.up()
    pool = stack.pool().id
    declared = stack.pack_config(GUESTS_DECLARED)
    for guests in (GUESTS, {}):
        stack.up(*declared, guests=guests)
        assert "SetIdentityPoolRoles" in stack.operations
        assert all("authenticated" in roles for roles in stack.roles_seen)
        assert stack.pool().id == pool
        assert set(stack.pool().roles) == {"authenticated", *(["unauthenticated"] if guests else [])}
    assert [name for name in stack.role_names() if "guest" in name] == []
    assert stack.deviations() == []


def test_a_grant_is_added_in_place(stack: Stack) -> None:
    stack.up()
    pool, role = stack.pool().id, stack.role()
    stack.up(authenticated={"grants": [{"ownRows": {"table": "notes"}}]})
    (policy,) = stack.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    document = stack.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    assert any("dynamodb:GetItem" in statement["Action"] for statement in document["Statement"])
    assert (stack.pool().id, stack.role()) == (pool, role)


def test_grants_that_outgrow_an_inline_policy_become_managed_policies_and_back(stack: Stack) -> None:
    paths = [f"/a-rather-long-resource-name/{n:04}/with/more/of/it" for n in range(150)]
    stack.up()
    role = stack.role()
    stack.up(authenticated={"grants": [{"api": {"id": "a1b2c3d4", "paths": paths, "methods": ["GET", "POST"]}}]})
    attached = stack.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert 2 <= len(attached) <= 10
    assert stack.client("iam").list_role_policies(RoleName=role)["PolicyNames"] == []
    stack.up()
    assert stack.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    assert stack.deviations() == []


def test_a_mapping_and_its_role_are_added_in_place(binary: Path, tmp_path: Path) -> None:
    rule = {"claim": "custom:plan", "value": "pro", "role": "pro"}
    mapping = {"provider": POOL, "rules": [rule], "ambiguous": "authenticated"}
    changes: dict[str, Any] = {"mappedRoles": [{"name": "pro"}], "mappings": [mapping]}
    with in_sandbox(binary, tmp_path, **changes) as stack:
        stack.up()
        role = stack.role()
        stack.up(**changes)
        assert all("authenticated" in roles for roles in stack.roles_seen)
        assert stack.role() == role
        person = stack.person("alice", **changes)
        assert "mapped-pro" in stack.sandbox.identity.sessions[person.credentials[0]].role_arn


def test_a_group_with_its_role_is_added_and_removed(stack: Stack) -> None:
    groups = [{"name": "editors", "precedence": 1}]
    stack.up()
    stack.up(groups=groups)
    (group,) = stack.client("cognito-idp").list_groups(UserPoolId=POOL)["Groups"]
    assert "group-editors" in group["RoleArn"]
    person = stack.person("alice", groups=groups)
    assert "group-editors" in stack.sandbox.identity.sessions[person.credentials[0]].role_arn
    stack.up()
    assert stack.client("cognito-idp").list_groups(UserPoolId=POOL)["Groups"] == []
    assert len(stack.role_names()) == len([name for name in stack.role_names() if "editors" not in name])


def test_a_user_pool_is_added_and_no_provider_is_lost(stack: Stack) -> None:
    stack.up()
    pool = stack.pool().id
    stack.up(userPools=[{"id": POOL, "clients": [CLIENT]}, {"id": "us-east-1_Staff0001", "clients": ["staff"]}])
    found = stack.client("cognito-identity").describe_identity_pool(IdentityPoolId=pool)
    assert [provider["ClientId"] for provider in found["CognitoIdentityProviders"]] == [CLIENT, "staff"]
    assert found["AllowClassicFlow"] is False


def test_another_role_replaces_the_old_one_before_that_is_deleted(stack: Stack) -> None:
    stack.up()
    before = stack.pool().roles["authenticated"]
    stack.up(roles={"path": "/app/"})
    after = stack.pool().roles["authenticated"]
    assert before != after
    assert ":role/app/" in after
    assert all(roles.get("authenticated") in (before, after) for roles in stack.roles_seen)
    assert before.rpartition("/")[2] not in stack.role_names()
    assert stack.deviations(roles={"path": "/app/"}) == []


@pytest.mark.parametrize(
    ("before", "after", "input_"),
    [
        ({}, {"poolName": "renamed"}, "identityPoolName"),
        (
            {"providers": {"developer": {"name": "login.example.app"}}},
            {"providers": {"developer": {"name": "login.example.com"}}},
            "developerProviderName",
        ),
    ],
    ids=["the pool", "the developer provider"],
)
def test_a_rename_is_refused_until_the_config_says_that_identities_may_be_lost(
    stack: Stack, before: dict[str, Any], after: dict[str, Any], input_: str
) -> None:
    stack.up(protect=True, **before)
    pool = stack.pool().id
    output = stack.up(protect=True, **after, fails=True)
    assert "protect" in output
    assert stack.pool().id == pool
    stack.up(protect=False, **before)
    assert stack.pool().id == pool
    stack.up(protect=False, **after)
    assert stack.pool().id != pool, input_
    assert stack.deviations(**after) == []
