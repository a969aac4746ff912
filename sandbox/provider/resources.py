"""Resource types of pulumi-aws as calls to AWS: what the real provider would do to create, update and delete each of them.

A type that is not here is an error that names it, never a silent success.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ..aws.clients import ACCOUNT, Aws
from . import reads
from .state import Existing, Inputs

Made = tuple[str, dict[str, Any]]
"""A resource's id and its outputs."""


_DOCUMENTS = frozenset({"assumeRolePolicy", "policy"})


class UnknownType(Exception):
    """The sandbox does not know a resource type or function."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the sandbox does not know `{what}`; known: {', '.join(sorted([*_TYPES, *_INVOKE]))}")


class BrokenAnswer(Exception):
    """An answer came that lacks what the service promises."""

    def __init__(self, operation: str, lacks: str) -> None:
        super().__init__(f"the answer to {operation} is broken: it has no {lacks}")


@dataclass(frozen=True)
class Type:
    """A resource type.

    Attributes:
        replaces: inputs whose change makes another resource (the provider's ForceNew).
        named: whether AWS wants a name that the provider invents where the program has none.
        update: None where every input replaces.
    """

    create: Callable[[Aws, str, str, Inputs], Made]
    update: Callable[[Aws, str, Existing, Inputs], Mapping[str, Any]] | None
    delete: Callable[[Aws, str, Existing], None]
    read: Callable[[Aws, str, Existing], Inputs]
    replaces: frozenset[str] = frozenset()
    named: bool = False


def type_of(kind: str) -> Type:
    """Raises: UnknownType."""
    if kind not in _TYPES:
        raise UnknownType(kind)
    return _TYPES[kind]


def create(aws: Aws, region: str, kind: str, name: str, inputs: Inputs) -> Made:
    """Create a resource by real API calls.

    Args:
        kind: type token, such as `aws:iam/role:Role`.
        name: logical name, for resources whose name AWS wants and the program leaves open.
        inputs: the resource's inputs, as the provider names them.

    Raises:
        UnknownType: the sandbox does not have it.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: there was no answer.
        BrokenAnswer: there was half an answer.
    """
    return type_of(kind).create(aws, str(inputs.get("region") or region), name, inputs)


def update(aws: Aws, region: str, kind: str, old: Existing, inputs: Inputs) -> Made:
    """Change a resource in place; its new outputs. Raises as `create` does."""
    change = type_of(kind).update
    assert change is not None, kind
    changed = change(aws, str(inputs.get("region") or region), old, inputs)
    return old.id, {**old.outputs, **inputs, **changed}


def delete(aws: Aws, region: str, kind: str, old: Existing) -> None:
    """Delete a resource; one that is gone already is deleted. Raises as `create` does."""
    try:
        type_of(kind).delete(aws, str(old.inputs.get("region") or region), old)
    except ClientError as error:
        if error.response["Error"]["Code"] not in reads.GONE:
            raise


def read(aws: Aws, region: str, kind: str, old: Existing) -> Existing | None:
    """A resource as it is now, whoever changed it; None where it is gone. Raises as `create` does."""
    try:
        current = type_of(kind).read(aws, str(old.inputs.get("region") or region), old)
    except ClientError as error:
        if error.response["Error"]["Code"] in reads.GONE:
            return None
        raise
    return reads.merged(old, current)


def changed(old: Inputs, new: Inputs) -> set[str]:
    """Inputs that differ; documents that say the same do not."""
    return {key for key in {*old, *new} if not reads.same(old.get(key), new.get(key))}


def invoke(aws: Aws, region: str, token: str, inputs: Inputs) -> dict[str, Any]:
    """Call a provider function."""
    call = _INVOKE.get(token)
    if call is None:
        raise UnknownType(token)
    return call(aws, region, inputs)


def physical_name(inputs: Inputs, name: str) -> str:
    """The name that AWS gets: the program's own, or the logical one with a random ending, as Pulumi names things."""
    if "name" in inputs:
        return str(inputs["name"])
    head = str(inputs["namePrefix"]) if "namePrefix" in inputs else f"{name}-"
    return head + secrets.token_hex(4)[:7]


def with_documents_as_text(inputs: Inputs) -> dict[str, Any]:
    """The inputs as the provider's check passes them on: policy documents, which may be objects, as JSON."""
    return {k: json.dumps(v) if k in _DOCUMENTS and isinstance(v, Mapping) else v for k, v in inputs.items()}


def checked_name(kind: str, name: str, inputs: Inputs) -> str | None:
    """The name that the provider's check gives a resource that has none; None where it needs none."""
    return physical_name(inputs, name) if kind in _TYPES and _TYPES[kind].named and "name" not in inputs else None


def _answered(operation: str, answer: Mapping[str, Any], *path: str) -> Any:
    """What is at a path of an answer."""
    found: Any = answer
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            raise BrokenAnswer(operation, key)
        found = found[key]
    return found


def _tag_list(inputs: Inputs) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (inputs.get("tags") or {}).items()]


def _pool_request(inputs: Inputs) -> dict[str, Any]:
    request = {
        "IdentityPoolName": inputs["identityPoolName"],
        "AllowUnauthenticatedIdentities": bool(inputs.get("allowUnauthenticatedIdentities")),
        "AllowClassicFlow": inputs.get("allowClassicFlow"),
        "SupportedLoginProviders": inputs.get("supportedLoginProviders"),
        "DeveloperProviderName": inputs.get("developerProviderName"),
        "OpenIdConnectProviderARNs": inputs.get("openidConnectProviderArns"),
        "SamlProviderARNs": inputs.get("samlProviderArns"),
        "IdentityPoolTags": inputs.get("tags"),
        "CognitoIdentityProviders": [
            {
                "ProviderName": item.get("providerName"),
                "ClientId": item.get("clientId"),
                "ServerSideTokenCheck": bool(item.get("serverSideTokenCheck")),
            }
            for item in inputs.get("cognitoIdentityProviders") or []
        ],
    }
    return {k: v for k, v in request.items() if v is not None}


def _identity_pool(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    client = aws.client("cognito-identity", region)
    pool = client.create_identity_pool(**_pool_request(inputs))
    pool_id = _answered("CreateIdentityPool", pool, "IdentityPoolId")
    partition = client.meta.partition
    arn = f"arn:{partition}:cognito-identity:{region}:{ACCOUNT}:identitypool/{pool_id}"
    return pool_id, {**inputs, "arn": arn}


def _update_identity_pool(aws: Aws, region: str, old: Existing, inputs: Inputs) -> Inputs:
    aws.client("cognito-identity", region).update_identity_pool(IdentityPoolId=old.id, **_pool_request(inputs))
    return {}


def _delete_identity_pool(aws: Aws, region: str, old: Existing) -> None:
    aws.client("cognito-identity", region).delete_identity_pool(IdentityPoolId=old.id)


def _role_attachment(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    mappings = {
        item["identityProvider"]: {
            "Type": item["type"],
            **(
                {"AmbiguousRoleResolution": item["ambiguousRoleResolution"]}
                if "ambiguousRoleResolution" in item
                else {}
            ),
            **(
                {
                    "RulesConfiguration": {
                        "Rules": [
                            {
                                "Claim": rule["claim"],
                                "MatchType": rule["matchType"],
                                "Value": rule["value"],
                                "RoleARN": rule["roleArn"],
                            }
                            for rule in item["mappingRules"]
                        ]
                    }
                }
                if item.get("mappingRules")
                else {}
            ),
        }
        for item in inputs.get("roleMappings") or []
    }
    aws.client("cognito-identity", region).set_identity_pool_roles(
        IdentityPoolId=inputs["identityPoolId"], Roles=inputs["roles"], RoleMappings=mappings
    )
    return inputs["identityPoolId"], dict(inputs)


def _update_role_attachment(aws: Aws, region: str, old: Existing, inputs: Inputs) -> Inputs:
    _role_attachment(aws, region, "", inputs)
    return {}


def _delete_role_attachment(aws: Aws, region: str, old: Existing) -> None:
    client = aws.client("cognito-identity", region)
    client.set_identity_pool_roles(IdentityPoolId=old.inputs["identityPoolId"], Roles={})


def _principal_tags(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    pool, provider = inputs["identityPoolId"], inputs["identityProviderName"]
    aws.client("cognito-identity", region).set_principal_tag_attribute_map(
        IdentityPoolId=pool,
        IdentityProviderName=provider,
        UseDefaults=bool(inputs.get("useDefaults")),
        PrincipalTags=dict(inputs.get("principalTags") or {}),
    )
    return f"{pool}:{provider}", dict(inputs)


def _update_principal_tags(aws: Aws, region: str, old: Existing, inputs: Inputs) -> Inputs:
    _principal_tags(aws, region, "", inputs)
    return {}


def _delete_principal_tags(aws: Aws, region: str, old: Existing) -> None:
    _principal_tags(aws, region, "", {**old.inputs, "useDefaults": False, "principalTags": {}})


def _group_request(inputs: Inputs) -> dict[str, Any]:
    request = {
        "GroupName": inputs["name"],
        "UserPoolId": inputs["userPoolId"],
        "RoleArn": inputs.get("roleArn"),
        "Precedence": int(inputs["precedence"]) if inputs.get("precedence") is not None else None,
        "Description": inputs.get("description"),
    }
    return {k: v for k, v in request.items() if v is not None}


def _user_group(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    aws.client("cognito-idp", region).create_group(**_group_request(inputs))
    return f"{inputs['userPoolId']}/{inputs['name']}", dict(inputs)


def _update_user_group(aws: Aws, region: str, old: Existing, inputs: Inputs) -> Inputs:
    aws.client("cognito-idp", region).update_group(**_group_request(inputs))
    return {}


def _delete_user_group(aws: Aws, region: str, old: Existing) -> None:
    client = aws.client("cognito-idp", region)
    client.delete_group(GroupName=old.inputs["name"], UserPoolId=old.inputs["userPoolId"])


def _role(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    request = {
        "RoleName": physical_name(inputs, name),
        "AssumeRolePolicyDocument": inputs["assumeRolePolicy"],
        "Path": inputs.get("path"),
        "Description": inputs.get("description"),
        "MaxSessionDuration": int(inputs["maxSessionDuration"]) if inputs.get("maxSessionDuration") else None,
        "PermissionsBoundary": inputs.get("permissionsBoundary"),
        "Tags": _tag_list(inputs),
    }
    made = aws.client("iam", region).create_role(**{k: v for k, v in request.items() if v is not None})
    keys = {"name": "RoleName", "arn": "Arn", "uniqueId": "RoleId"}
    outputs = {name: _answered("CreateRole", made, "Role", key) for name, key in keys.items()}
    return outputs["name"], {**inputs, **outputs}


def _update_role(aws: Aws, region: str, old: Existing, inputs: Inputs) -> Inputs:
    iam = aws.client("iam", region)
    iam.update_assume_role_policy(RoleName=old.id, PolicyDocument=inputs["assumeRolePolicy"])
    iam.update_role(
        RoleName=old.id,
        Description=inputs.get("description") or "",
        MaxSessionDuration=int(inputs.get("maxSessionDuration") or 3600),
    )
    if inputs.get("permissionsBoundary"):
        iam.put_role_permissions_boundary(RoleName=old.id, PermissionsBoundary=inputs["permissionsBoundary"])
    elif old.inputs.get("permissionsBoundary"):
        iam.delete_role_permissions_boundary(RoleName=old.id)
    gone = [key for key in old.inputs.get("tags") or {} if key not in (inputs.get("tags") or {})]
    iam.untag_role(RoleName=old.id, TagKeys=gone)
    iam.tag_role(RoleName=old.id, Tags=_tag_list(inputs))
    return {}


def _delete_role(aws: Aws, region: str, old: Existing) -> None:
    aws.client("iam", region).delete_role(RoleName=old.id)


def _role_policy(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    policy = physical_name(inputs, name)
    aws.client("iam", region).put_role_policy(
        RoleName=inputs["role"], PolicyName=policy, PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{policy}", {**inputs, "name": policy}


def _update_role_policy(aws: Aws, region: str, old: Existing, inputs: Inputs) -> Inputs:
    _role_policy(aws, region, "", inputs)
    return {}


def _delete_role_policy(aws: Aws, region: str, old: Existing) -> None:
    aws.client("iam", region).delete_role_policy(RoleName=old.inputs["role"], PolicyName=old.outputs["name"])


def _policy(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    made = aws.client("iam", region).create_policy(
        PolicyName=physical_name(inputs, name),
        PolicyDocument=inputs["policy"],
        Path=inputs.get("path") or "/",
        Tags=_tag_list(inputs),
    )
    keys = {"arn": "Arn", "name": "PolicyName", "policyId": "PolicyId"}
    outputs = {name: _answered("CreatePolicy", made, "Policy", key) for name, key in keys.items()}
    return outputs["arn"], {**inputs, **outputs}


def _update_policy(aws: Aws, region: str, old: Existing, inputs: Inputs) -> Inputs:
    iam = aws.client("iam", region)
    iam.create_policy_version(PolicyArn=old.id, PolicyDocument=inputs["policy"], SetAsDefault=True)
    _drop_old_versions(iam, old.id)  # IAM keeps five
    return {}


def _delete_policy(aws: Aws, region: str, old: Existing) -> None:
    iam = aws.client("iam", region)
    _drop_old_versions(iam, old.id)
    iam.delete_policy(PolicyArn=old.id)


def _drop_old_versions(iam: Any, arn: str) -> None:
    for version in _answered("ListPolicyVersions", iam.list_policy_versions(PolicyArn=arn), "Versions"):
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def _role_policy_attachment(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    aws.client("iam", region).attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return f"{inputs['role']}/{inputs['policyArn']}", dict(inputs)


def _delete_role_policy_attachment(aws: Aws, region: str, old: Existing) -> None:
    iam = aws.client("iam", region)
    iam.detach_role_policy(RoleName=old.inputs["role"], PolicyArn=old.inputs["policyArn"])


def _bucket_policy(aws: Aws, region: str, name: str, inputs: Inputs) -> Made:
    aws.client("s3", region).put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return inputs["bucket"], dict(inputs)


def _update_bucket_policy(aws: Aws, region: str, old: Existing, inputs: Inputs) -> Inputs:
    _bucket_policy(aws, region, "", inputs)
    return {}


def _delete_bucket_policy(aws: Aws, region: str, old: Existing) -> None:
    aws.client("s3", region).delete_bucket_policy(Bucket=old.id)


def _region(aws: Aws, region: str, inputs: Inputs) -> dict[str, Any]:
    return {"id": region, "region": region, "name": region}


def _caller(aws: Aws, region: str, inputs: Inputs) -> dict[str, Any]:
    who = aws.client("sts", region).get_caller_identity()
    return {"accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"], "id": who["Account"]}


_TYPES: dict[str, Type] = {
    "aws:cognito/identityPool:IdentityPool": Type(
        _identity_pool,
        _update_identity_pool,
        _delete_identity_pool,
        reads.identity_pool,
        frozenset({"identityPoolName", "developerProviderName", "region"}),
    ),
    "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment": Type(
        _role_attachment,
        _update_role_attachment,
        _delete_role_attachment,
        reads.role_attachment,
        frozenset({"identityPoolId", "roles", "region"}),
    ),
    "aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag": Type(
        _principal_tags,
        _update_principal_tags,
        _delete_principal_tags,
        reads.principal_tags,
        frozenset({"identityPoolId", "identityProviderName", "region"}),
    ),
    "aws:cognito/userGroup:UserGroup": Type(
        _user_group,
        _update_user_group,
        _delete_user_group,
        reads.user_group,
        frozenset({"name", "userPoolId", "region"}),
    ),
    "aws:iam/role:Role": Type(
        _role, _update_role, _delete_role, reads.role, frozenset({"name", "namePrefix", "path"}), True
    ),
    "aws:iam/rolePolicy:RolePolicy": Type(
        _role_policy,
        _update_role_policy,
        _delete_role_policy,
        reads.role_policy,
        frozenset({"name", "namePrefix", "role"}),
        True,
    ),
    "aws:iam/policy:Policy": Type(
        _policy,
        _update_policy,
        _delete_policy,
        reads.policy,
        frozenset({"name", "namePrefix", "path", "description"}),
        True,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Type(
        _role_policy_attachment,
        None,
        _delete_role_policy_attachment,
        reads.role_policy_attachment,
        frozenset({"role", "policyArn"}),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Type(
        _bucket_policy,
        _update_bucket_policy,
        _delete_bucket_policy,
        reads.bucket_policy,
        frozenset({"bucket", "region"}),
    ),
}
_INVOKE: dict[str, Callable[[Aws, str, Inputs], dict[str, Any]]] = {
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
}
