"""Resource types of pulumi-aws as calls to AWS: what the real provider would do to create each of them.

A type that is not here is an error that names it, never a silent success.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from .server import ACCOUNT, Sandbox

Inputs = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]
"""A resource's id and its outputs."""


class UnknownType(Exception):
    """The sandbox does not know a resource type or function."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the sandbox does not know `{what}`; known: {', '.join(sorted([*_CREATE, *_INVOKE]))}")


def create(sandbox: Sandbox, region: str, kind: str, name: str, inputs: Inputs) -> Created:
    """Create a resource by real API calls.

    Args:
        kind: type token, such as `aws:iam/role:Role`.
        name: logical name, for resources whose name AWS wants and the program leaves open.
        inputs: the resource's inputs, as the provider names them.

    Raises:
        UnknownType: the sandbox does not have it.
        botocore.exceptions.ClientError: AWS refused.
    """
    make = _CREATE.get(kind)
    if make is None:
        raise UnknownType(kind)
    return make(sandbox, str(inputs.get("region") or region), name, inputs)


def invoke(sandbox: Sandbox, region: str, token: str, inputs: Inputs) -> dict[str, Any]:
    """Call a provider function."""
    call = _INVOKE.get(token)
    if call is None:
        raise UnknownType(token)
    return call(sandbox, region, inputs)


def physical_name(inputs: Inputs, name: str) -> str:
    """The name that AWS gets: the program's own, or the logical one with a random ending, as Pulumi names things."""
    if "name" in inputs:
        return str(inputs["name"])
    head = str(inputs["namePrefix"]) if "namePrefix" in inputs else f"{name}-"
    return head + secrets.token_hex(4)[:7]


_NAMED = frozenset({"aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"})


def checked_name(kind: str, name: str, inputs: Inputs) -> str | None:
    """The name that the provider's check gives a resource that has none; None where it needs none."""
    return physical_name(inputs, name) if kind in _NAMED and "name" not in inputs else None


def _tag_list(inputs: Inputs) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (inputs.get("tags") or {}).items()]


def _identity_pool(sandbox: Sandbox, region: str, name: str, inputs: Inputs) -> Created:
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
    client = sandbox.client("cognito-identity", region)
    pool = client.create_identity_pool(**{k: v for k, v in request.items() if v is not None})
    pool_id = pool["IdentityPoolId"]
    partition = client.meta.partition
    arn = f"arn:{partition}:cognito-identity:{region}:{ACCOUNT}:identitypool/{pool_id}"
    return pool_id, {**inputs, "arn": arn}


def _role_attachment(sandbox: Sandbox, region: str, name: str, inputs: Inputs) -> Created:
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
    sandbox.client("cognito-identity", region).set_identity_pool_roles(
        IdentityPoolId=inputs["identityPoolId"], Roles=inputs["roles"], RoleMappings=mappings
    )
    return inputs["identityPoolId"], dict(inputs)


def _role(sandbox: Sandbox, region: str, name: str, inputs: Inputs) -> Created:
    request = {
        "RoleName": physical_name(inputs, name),
        "AssumeRolePolicyDocument": inputs["assumeRolePolicy"],
        "Path": inputs.get("path"),
        "Description": inputs.get("description"),
        "MaxSessionDuration": int(inputs["maxSessionDuration"]) if inputs.get("maxSessionDuration") else None,
        "PermissionsBoundary": inputs.get("permissionsBoundary"),
        "Tags": _tag_list(inputs),
    }
    made = sandbox.client("iam", region).create_role(**{k: v for k, v in request.items() if v is not None})["Role"]
    outputs = {"name": made["RoleName"], "arn": made["Arn"], "uniqueId": made["RoleId"]}
    return made["RoleName"], {**inputs, **outputs}


def _role_policy(sandbox: Sandbox, region: str, name: str, inputs: Inputs) -> Created:
    policy = physical_name(inputs, name)
    sandbox.client("iam", region).put_role_policy(
        RoleName=inputs["role"], PolicyName=policy, PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{policy}", {**inputs, "name": policy}


def _policy(sandbox: Sandbox, region: str, name: str, inputs: Inputs) -> Created:
    made = sandbox.client("iam", region).create_policy(
        PolicyName=physical_name(inputs, name),
        PolicyDocument=inputs["policy"],
        Path=inputs.get("path") or "/",
        Tags=_tag_list(inputs),
    )["Policy"]
    return made["Arn"], {**inputs, "arn": made["Arn"], "name": made["PolicyName"], "policyId": made["PolicyId"]}


def _role_policy_attachment(sandbox: Sandbox, region: str, name: str, inputs: Inputs) -> Created:
    sandbox.client("iam", region).attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return f"{inputs['role']}/{inputs['policyArn']}", dict(inputs)


def _bucket_policy(sandbox: Sandbox, region: str, name: str, inputs: Inputs) -> Created:
    sandbox.client("s3", region).put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return inputs["bucket"], dict(inputs)


def _region(sandbox: Sandbox, region: str, inputs: Inputs) -> dict[str, Any]:
    return {"id": region, "region": region, "name": region}


def _caller(sandbox: Sandbox, region: str, inputs: Inputs) -> dict[str, Any]:
    who = sandbox.client("sts", region).get_caller_identity()
    return {"accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"], "id": who["Account"]}


_CREATE: dict[str, Callable[[Sandbox, str, str, Inputs], Created]] = {
    "aws:cognito/identityPool:IdentityPool": _identity_pool,
    "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment": _role_attachment,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _role_policy_attachment,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
}
_INVOKE: dict[str, Callable[[Sandbox, str, Inputs], dict[str, Any]]] = {
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
}
