"""Drift: what somebody changed by hand is found by a refresh and undone by the next update, for every resource type."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.engine.conftest import CLIENT, POOL, REGION, Stack, in_sandbox

WIDE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes-dev-uploads/*"}],
}
PATHS = [f"/a-rather-long-resource-name/{n:04}/with/more/of/it" for n in range(150)]
SETTINGS: dict[str, Any] = {
    "userPools": [{"id": POOL, "clients": [CLIENT], "principalTags": {"defaults": True}}],
    "groups": [
        {"name": "editors", "grants": [{"api": {"id": "a1b2c3d4", "paths": PATHS, "methods": ["GET", "POST"]}}]}
    ],
}
"""A stack with a resource of every type: the group's grants fill managed policies."""


def _identity(stack: Stack) -> Any:
    return stack.sandbox.client("cognito-identity", REGION)


def _iam(stack: Stack) -> Any:
    return stack.sandbox.client("iam", REGION)


def _user_role(stack: Stack) -> str:
    return next(name for name in stack.role_names() if name.startswith("users-authenticated"))


def _group_role(stack: Stack) -> str:
    return next(name for name in stack.role_names() if "group-editors" in name)


def _pool(stack: Stack) -> None:
    described = _identity(stack).describe_identity_pool(IdentityPoolId=stack.pool().id)
    del described["ResponseMetadata"]
    _identity(stack).update_identity_pool(**{**described, "AllowUnauthenticatedIdentities": True})


def _guests_are_off(stack: Stack) -> bool:
    return stack.pool().config["AllowUnauthenticatedIdentities"] is False


def _attachment(stack: Stack) -> None:
    other = f"arn:aws:iam::123456789012:role/{_group_role(stack)}"
    _identity(stack).set_identity_pool_roles(IdentityPoolId=stack.pool().id, Roles={"authenticated": other})


def _own_role_is_attached(stack: Stack) -> bool:
    return "users-authenticated" in str(stack.pool().roles["authenticated"])


def _tags(stack: Stack) -> None:
    provider = f"cognito-idp.{REGION}.amazonaws.com/{POOL}"
    _identity(stack).set_principal_tag_attribute_map(
        IdentityPoolId=stack.pool().id, IdentityProviderName=provider, UseDefaults=False, PrincipalTags={"team": "team"}
    )


def _default_tags(stack: Stack) -> bool:
    provider = f"cognito-idp.{REGION}.amazonaws.com/{POOL}"
    found = _identity(stack).get_principal_tag_attribute_map(
        IdentityPoolId=stack.pool().id, IdentityProviderName=provider
    )
    return found["UseDefaults"] is True


def _group(stack: Stack) -> None:
    other = f"arn:aws:iam::123456789012:role/{_user_role(stack)}"
    stack.client("cognito-idp").update_group(GroupName="editors", UserPoolId=POOL, RoleArn=other)


def _group_has_its_role(stack: Stack) -> bool:
    (group,) = stack.client("cognito-idp").list_groups(UserPoolId=POOL)["Groups"]
    return "group-editors" in group["RoleArn"]


def _trust(stack: Stack) -> None:
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    _iam(stack).update_assume_role_policy(RoleName=_user_role(stack), PolicyDocument=document)


def _pool_is_trusted(stack: Stack) -> bool:
    role = _iam(stack).get_role(RoleName=_user_role(stack))["Role"]
    return stack.pool().id in json.dumps(role["AssumeRolePolicyDocument"])


def _role_policy(stack: Stack) -> None:
    (name,) = _iam(stack).list_role_policies(RoleName=_user_role(stack))["PolicyNames"]
    _iam(stack).put_role_policy(RoleName=_user_role(stack), PolicyName=name, PolicyDocument=json.dumps(WIDE))


def _own_folder(stack: Stack) -> bool:
    (name,) = _iam(stack).list_role_policies(RoleName=_user_role(stack))["PolicyNames"]
    document = _iam(stack).get_role_policy(RoleName=_user_role(stack), PolicyName=name)["PolicyDocument"]
    return bool(document["Statement"][0].get("Sid") == "OwnFolder")


def _attached(stack: Stack) -> list[str]:
    found = _iam(stack).list_attached_role_policies(RoleName=_group_role(stack))["AttachedPolicies"]
    return sorted(item["PolicyArn"] for item in found)


def _policy(stack: Stack) -> None:
    arn = _attached(stack)[0]
    _iam(stack).create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(WIDE), SetAsDefault=True)


def _policies_are_narrow(stack: Stack) -> bool:
    documents = []
    for arn in _attached(stack):
        version = _iam(stack).get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(_iam(stack).get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    return WIDE not in documents


def _detachment(stack: Stack) -> None:
    _iam(stack).detach_role_policy(RoleName=_group_role(stack), PolicyArn=_attached(stack)[0])


def _all_are_attached(stack: Stack) -> bool:
    made = [p["Arn"] for p in _iam(stack).list_policies(Scope="Local")["Policies"] if "editors" in p["PolicyName"]]
    return _attached(stack) == sorted(made)


def _extra_policy(stack: Stack) -> None:
    document = json.dumps(WIDE)
    _iam(stack).put_role_policy(RoleName=_user_role(stack), PolicyName="by-hand", PolicyDocument=document)


def _one_policy(stack: Stack) -> bool:
    return len(_iam(stack).list_role_policies(RoleName=_user_role(stack))["PolicyNames"]) == 1


def _extra_attachment(stack: Stack) -> None:
    arn = _iam(stack).create_policy(PolicyName="by-hand", PolicyDocument=json.dumps(WIDE))["Policy"]["Arn"]
    _iam(stack).attach_role_policy(RoleName=_user_role(stack), PolicyArn=arn)


def _no_attachment(stack: Stack) -> bool:
    return not _iam(stack).list_attached_role_policies(RoleName=_user_role(stack))["AttachedPolicies"]


DRIFT: dict[str, tuple[Callable[[Stack], None], Callable[[Stack], bool]]] = {
    "IdentityPool": (_pool, _guests_are_off),
    "IdentityPoolRoleAttachment": (_attachment, _own_role_is_attached),
    "IdentityPoolProviderPrincipalTag": (_tags, _default_tags),
    "UserGroup": (_group, _group_has_its_role),
    "Role": (_trust, _pool_is_trusted),
    "RolePolicy": (_role_policy, _own_folder),
    "Policy": (_policy, _policies_are_narrow),
    "RolePolicyAttachment": (_detachment, _all_are_attached),
    "RolePoliciesExclusive": (_extra_policy, _one_policy),
    "RolePolicyAttachmentsExclusive": (_extra_attachment, _no_attachment),
}


def test_drift_of_every_type_is_found_and_undone(binary: Path, tmp_path: Path) -> None:
    with in_sandbox(binary, tmp_path, **SETTINGS) as stack:
        stack.up(**SETTINGS)
        created = {str(r["type"]).rpartition(":")[2] for r in stack.state() if str(r["type"]).startswith("aws:")}
        assert created == set(DRIFT)
        for change, as_declared in DRIFT.values():
            assert as_declared(stack)
            change(stack)
            assert not as_declared(stack)
        output = stack.preview("--refresh", "--expect-no-changes", fails=True, **SETTINGS)
        assert {what for what in DRIFT if f":{what} " not in output} == set()
        stack.up("--refresh", **SETTINGS)
        assert {what for what, (_, as_declared) in DRIFT.items() if not as_declared(stack)} == set()
        stack.preview("--refresh", "--expect-no-changes", **SETTINGS)


def test_tags_by_hand_are_found_and_undone_where_the_config_says_that_there_are_none(
    binary: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"userPools": [{"id": POOL, "clients": [CLIENT], "principalTags": {"defaults": False}}]}
    with in_sandbox(binary, tmp_path, **settings) as stack:
        stack.up(**settings)
        _tags(stack)
        assert "IdentityPoolProviderPrincipalTag" in stack.preview(
            "--refresh", "--expect-no-changes", fails=True, **settings
        )
        stack.up("--refresh", **settings)
        (mapping,) = stack.pool().principal_tags.values()
        assert mapping == {"UseDefaults": False, "PrincipalTags": {}}


def test_what_was_deleted_by_hand_is_created_again(binary: Path, tmp_path: Path) -> None:
    with in_sandbox(binary, tmp_path) as stack:
        stack.up()
        pool, role = stack.pool().id, stack.role()
        (policy,) = _iam(stack).list_role_policies(RoleName=role)["PolicyNames"]
        _iam(stack).delete_role_policy(RoleName=role, PolicyName=policy)
        _identity(stack).set_identity_pool_roles(IdentityPoolId=pool, Roles={})
        stack.up("--refresh")
        assert (stack.pool().id, stack.role()) == (pool, role)
        assert stack.deviations() == []
