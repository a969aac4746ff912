"""Resources as AWS has them now, in the provider's names: what a refresh compares the state with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ..aws.clients import Aws
from .state import Existing, Inputs

GONE = frozenset({"NoSuchEntity", "ResourceNotFoundException", "NoSuchBucket", "NoSuchBucketPolicy"})
"""How the services say that something is not there."""


def merged(old: Existing, current: Inputs) -> Existing:
    """What was known, with what is now. What says the same stays as it was written; what is empty stays unwritten."""
    now = {k: old.outputs.get(k) if same(old.outputs.get(k), value) else value for k, value in current.items()}
    asked = {k: now[k] for k in current if k in old.inputs or not _empty(current[k])}
    inputs = {**old.inputs, **{k: v for k, v in asked.items() if k in old.inputs or not same(v, old.outputs.get(k))}}
    return Existing(old.id, inputs, {**old.outputs, **asked})


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: a document is what it says, not how it is written; nothing is as good as empty."""
    if one == other or (_empty(one) and _empty(other)):
        return True
    if isinstance(one, str) and isinstance(other, str):
        return one[:1] == "{" and _json(one) is not None and _json(one) == _json(other)
    return False


def _empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _missing(what: str) -> ClientError:
    return ClientError({"Error": {"Code": "NoSuchEntity", "Message": f"{what} is gone"}}, "Read")


def _tags(listed: Any) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in listed or []}


def _named(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """An item of AWS's with the provider's names, what is not there left out."""
    return {ours: item[theirs] for ours, theirs in names.items() if item.get(theirs) is not None}


def identity_pool(aws: Aws, region: str, old: Existing) -> Inputs:
    pool = aws.client("cognito-identity", region).describe_identity_pool(IdentityPoolId=old.id)
    names = {"providerName": "ProviderName", "clientId": "ClientId", "serverSideTokenCheck": "ServerSideTokenCheck"}
    return {
        "identityPoolName": pool["IdentityPoolName"],
        "allowUnauthenticatedIdentities": pool.get("AllowUnauthenticatedIdentities", False),
        "allowClassicFlow": pool.get("AllowClassicFlow", False),
        "cognitoIdentityProviders": [_named(item, names) for item in pool.get("CognitoIdentityProviders") or []],
        "supportedLoginProviders": pool.get("SupportedLoginProviders"),
        "developerProviderName": pool.get("DeveloperProviderName"),
        "openidConnectProviderArns": pool.get("OpenIdConnectProviderARNs"),
        "samlProviderArns": pool.get("SamlProviderARNs"),
        "tags": pool.get("IdentityPoolTags"),
    }


def role_attachment(aws: Aws, region: str, old: Existing) -> Inputs:
    found = aws.client("cognito-identity", region).get_identity_pool_roles(IdentityPoolId=old.id)
    if not found.get("Roles"):
        raise _missing(old.id)
    names = {"claim": "Claim", "matchType": "MatchType", "value": "Value", "roleArn": "RoleARN"}
    mappings = []
    for provider, item in (found.get("RoleMappings") or {}).items():
        mapping = {"identityProvider": provider, **_named(item, {"type": "Type"})}
        mapping |= _named(item, {"ambiguousRoleResolution": "AmbiguousRoleResolution"})
        rules = (item.get("RulesConfiguration") or {}).get("Rules") or []
        mappings.append(mapping | ({"mappingRules": [_named(rule, names) for rule in rules]} if rules else {}))
    return {"identityPoolId": old.id, "roles": found["Roles"], "roleMappings": mappings}


def principal_tags(aws: Aws, region: str, old: Existing) -> Inputs:
    *pool_parts, provider = old.id.split(":", 2)
    pool = ":".join(pool_parts)
    found = aws.client("cognito-identity", region).get_principal_tag_attribute_map(
        IdentityPoolId=pool, IdentityProviderName=provider
    )
    if not found.get("UseDefaults") and not found.get("PrincipalTags"):
        raise _missing(old.id)
    return {
        "identityPoolId": pool,
        "identityProviderName": provider,
        "useDefaults": found.get("UseDefaults", False),
        "principalTags": found.get("PrincipalTags"),
    }


def user_group(aws: Aws, region: str, old: Existing) -> Inputs:
    pool, _, name = old.id.partition("/")
    found = aws.client("cognito-idp", region).get_group(GroupName=name, UserPoolId=pool)["Group"]
    names = {"roleArn": "RoleArn", "precedence": "Precedence", "description": "Description"}
    return {"userPoolId": pool, "name": name, **dict.fromkeys(names), **_named(found, names)}


def role(aws: Aws, region: str, old: Existing) -> Inputs:
    found = aws.client("iam", region).get_role(RoleName=old.id)["Role"]
    return {
        "name": found["RoleName"],
        "arn": found["Arn"],
        "uniqueId": found["RoleId"],
        "assumeRolePolicy": json.dumps(found["AssumeRolePolicyDocument"]),
        "path": None if found["Path"] == "/" and "path" not in old.inputs else found["Path"],
        "description": found.get("Description"),
        "maxSessionDuration": _unless(found.get("MaxSessionDuration"), 3600, old, "maxSessionDuration"),
        "permissionsBoundary": (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "tags": _tags(found.get("Tags")),
    }


def _unless(value: Any, default: Any, old: Existing, name: str) -> Any:
    """A value, or nothing where it is AWS's default and the program has not written it."""
    return None if value == default and name not in old.inputs else value


def role_policy(aws: Aws, region: str, old: Existing) -> Inputs:
    role_name, _, name = old.id.partition(":")
    found = aws.client("iam", region).get_role_policy(RoleName=role_name, PolicyName=name)
    return {"role": role_name, "name": name, "policy": json.dumps(found["PolicyDocument"])}


def policy(aws: Aws, region: str, old: Existing) -> Inputs:
    iam = aws.client("iam", region)
    found = iam.get_policy(PolicyArn=old.id)["Policy"]
    version = iam.get_policy_version(PolicyArn=old.id, VersionId=found["DefaultVersionId"])["PolicyVersion"]
    return {
        "name": found["PolicyName"],
        "arn": found["Arn"],
        "policy": json.dumps(version["Document"]),
        "path": None if found["Path"] == "/" and "path" not in old.inputs else found["Path"],
        "tags": _tags(found.get("Tags")),
    }


def role_policy_attachment(aws: Aws, region: str, old: Existing) -> Inputs:
    role_name, _, arn = old.id.partition("/")
    pages = aws.client("iam", region).get_paginator("list_attached_role_policies").paginate(RoleName=role_name)
    if arn not in {item["PolicyArn"] for page in pages for item in page["AttachedPolicies"]}:
        raise _missing(old.id)
    return {"role": role_name, "policyArn": arn}


def bucket_policy(aws: Aws, region: str, old: Existing) -> Inputs:
    return {"bucket": old.id, "policy": aws.client("s3", region).get_bucket_policy(Bucket=old.id)["Policy"]}
