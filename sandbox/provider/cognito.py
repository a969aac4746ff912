"""Resource types of Amazon Cognito: identity pools with their roles and principal tags, and groups of user pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi_aws

from ..aws.clients import ACCOUNT, Aws
from .resource_type import Created, ResourceType, field, not_found, renamed, without_none
from .state import Inputs, ResourceState


class IdentityPool(ResourceType):
    token = "aws:cognito/identityPool:IdentityPool"
    resource = pulumi_aws.cognito.IdentityPool
    args = pulumi_aws.cognito.IdentityPoolArgs
    replaces = frozenset({"identityPoolName", "developerProviderName", "region"})

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        client = aws.client("cognito-identity", region)
        pool_id = field("CreateIdentityPool", client.create_identity_pool(**_pool_request(inputs)), "IdentityPoolId")
        arn = f"arn:{client.meta.partition}:cognito-identity:{region}:{ACCOUNT}:identitypool/{pool_id}"
        return pool_id, {**inputs, "arn": arn}

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        pool = aws.client("cognito-identity", region).describe_identity_pool(IdentityPoolId=state.id)
        names = {"providerName": "ProviderName", "clientId": "ClientId", "serverSideTokenCheck": "ServerSideTokenCheck"}
        return {
            "identityPoolName": pool["IdentityPoolName"],
            "allowUnauthenticatedIdentities": pool.get("AllowUnauthenticatedIdentities", False),
            "allowClassicFlow": pool.get("AllowClassicFlow", False),
            "cognitoIdentityProviders": [renamed(item, names) for item in pool.get("CognitoIdentityProviders") or []],
            "supportedLoginProviders": pool.get("SupportedLoginProviders"),
            "developerProviderName": pool.get("DeveloperProviderName"),
            "openidConnectProviderArns": pool.get("OpenIdConnectProviderARNs"),
            "samlProviderArns": pool.get("SamlProviderARNs"),
            "tags": pool.get("IdentityPoolTags"),
        }

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        aws.client("cognito-identity", region).update_identity_pool(IdentityPoolId=state.id, **_pool_request(inputs))

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        aws.client("cognito-identity", region).delete_identity_pool(IdentityPoolId=state.id)


def _pool_request(inputs: Inputs) -> dict[str, Any]:
    return without_none(
        {
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
    )


class RoleAttachment(ResourceType):
    token = "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment"
    resource = pulumi_aws.cognito.IdentityPoolRoleAttachment
    args = pulumi_aws.cognito.IdentityPoolRoleAttachmentArgs
    replaces = frozenset({"identityPoolId", "roles", "region"})

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        mappings = {item["identityProvider"]: _mapping(item) for item in inputs.get("roleMappings") or []}
        aws.client("cognito-identity", region).set_identity_pool_roles(
            IdentityPoolId=inputs["identityPoolId"], Roles=inputs["roles"], RoleMappings=mappings
        )
        return inputs["identityPoolId"], dict(inputs)

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        answer = aws.client("cognito-identity", region).get_identity_pool_roles(IdentityPoolId=state.id)
        if not answer.get("Roles"):
            raise not_found(state.id)
        mappings = []
        for provider, item in (answer.get("RoleMappings") or {}).items():
            mapping = {"identityProvider": provider, **renamed(item, {"type": "Type"})}
            mapping |= renamed(item, {"ambiguousRoleResolution": "AmbiguousRoleResolution"})
            rules = (item.get("RulesConfiguration") or {}).get("Rules") or []
            if rules:
                mapping["mappingRules"] = [renamed(rule, _RULE_NAMES) for rule in rules]
            mappings.append(mapping)
        return {"identityPoolId": state.id, "roles": answer["Roles"], "roleMappings": mappings}

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        self.create(aws, region, "", inputs)

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        client = aws.client("cognito-identity", region)
        client.set_identity_pool_roles(IdentityPoolId=state.inputs["identityPoolId"], Roles={})


_RULE_NAMES = {"claim": "Claim", "matchType": "MatchType", "value": "Value", "roleArn": "RoleARN"}


def _mapping(item: Mapping[str, Any]) -> dict[str, Any]:
    mapping: dict[str, Any] = {"Type": item["type"]}
    if "ambiguousRoleResolution" in item:
        mapping["AmbiguousRoleResolution"] = item["ambiguousRoleResolution"]
    if item.get("mappingRules"):
        rules = [{theirs: rule[ours] for ours, theirs in _RULE_NAMES.items()} for rule in item["mappingRules"]]
        mapping["RulesConfiguration"] = {"Rules": rules}
    return mapping


class PrincipalTags(ResourceType):
    token = "aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag"
    resource = pulumi_aws.cognito.IdentityPoolProviderPrincipalTag
    args = pulumi_aws.cognito.IdentityPoolProviderPrincipalTagArgs
    replaces = frozenset({"identityPoolId", "identityProviderName", "region"})

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        pool, provider = inputs["identityPoolId"], inputs["identityProviderName"]
        aws.client("cognito-identity", region).set_principal_tag_attribute_map(
            IdentityPoolId=pool,
            IdentityProviderName=provider,
            UseDefaults=bool(inputs.get("useDefaults")),
            PrincipalTags=dict(inputs.get("principalTags") or {}),
        )
        return f"{pool}:{provider}", dict(inputs)

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        *pool_parts, provider = state.id.split(":", 2)
        pool = ":".join(pool_parts)
        answer = aws.client("cognito-identity", region).get_principal_tag_attribute_map(
            IdentityPoolId=pool, IdentityProviderName=provider
        )
        return {
            "identityPoolId": pool,
            "identityProviderName": provider,
            "useDefaults": answer.get("UseDefaults", False),
            "principalTags": answer.get("PrincipalTags"),
        }

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        self.create(aws, region, "", inputs)

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        """Switches the default mappings of AWS on, as the real provider does.

        Source: https://github.com/hashicorp/terraform-provider-aws, pool_provider_principal_tag.go
        """
        self.create(aws, region, "", {**state.inputs, "useDefaults": True, "principalTags": {}})


class UserGroup(ResourceType):
    token = "aws:cognito/userGroup:UserGroup"
    resource = pulumi_aws.cognito.UserGroup
    args = pulumi_aws.cognito.UserGroupArgs
    replaces = frozenset({"name", "userPoolId", "region"})

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        aws.client("cognito-idp", region).create_group(**_group_request(inputs))
        return f"{inputs['userPoolId']}/{inputs['name']}", dict(inputs)

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        pool, _, name = state.id.partition("/")
        group = aws.client("cognito-idp", region).get_group(GroupName=name, UserPoolId=pool)["Group"]
        names = {"roleArn": "RoleArn", "precedence": "Precedence", "description": "Description"}
        return {"userPoolId": pool, "name": name, **dict.fromkeys(names), **renamed(group, names)}

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        aws.client("cognito-idp", region).update_group(**_group_request(inputs))

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        client = aws.client("cognito-idp", region)
        client.delete_group(GroupName=state.inputs["name"], UserPoolId=state.inputs["userPoolId"])


def _group_request(inputs: Inputs) -> dict[str, Any]:
    return without_none(
        {
            "GroupName": inputs["name"],
            "UserPoolId": inputs["userPoolId"],
            "RoleArn": inputs.get("roleArn"),
            "Precedence": int(inputs["precedence"]) if inputs.get("precedence") is not None else None,
            "Description": inputs.get("description"),
        }
    )


TYPES = (IdentityPool(), RoleAttachment(), PrincipalTags(), UserGroup())
