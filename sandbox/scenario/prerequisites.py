"""Resources that a stack's config refers to and the stack does not create: buckets, APIs, tables, IAM identity providers,
an existing pool and existing roles. They are created before the stack is deployed, as in a real account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ..aws.identity_pools import Pool
from ..aws.server import Sandbox
from . import account
from .account import AppConfig


def create_prerequisites(sandbox: Sandbox, app: AppConfig, config: Mapping[str, Any]) -> None:
    """Create every resource that the config refers to, except those of `account`."""
    _identity_providers(sandbox, app.region, config.get("providers") or {})
    existing = config.get("existingPool")
    if existing:
        pool = {"IdentityPoolName": "existing", "AllowUnauthenticatedIdentities": app.guests}
        pool["CognitoIdentityProviders"] = [
            {"ProviderName": account.provider_name(pool_id), "ClientId": client, "ServerSideTokenCheck": True}
            for pool_id, clients in app.user_pools
            for client in clients
        ]
        sandbox.identity.pools[existing["id"]] = Pool(existing["id"], app.region, pool)
    for role in _roles(config):
        if role.get("role"):
            _role(sandbox, app.region, role["role"], role.get("trust"))
        for grant in role.get("grants") or []:
            for grant_type, settings in grant.items():
                _granted_resource(sandbox, app, grant_type, settings)


def _roles(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (config[key] for key in ("authenticated", "guests") if config.get(key))
    yield from (role for key in ("groups", "mappedRoles") for role in config.get(key) or [])


def _granted_resource(sandbox: Sandbox, app: AppConfig, grant_type: str, settings: Mapping[str, Any]) -> None:
    """Create the resource that a grant names, if it does not exist."""
    region = str(settings.get("region") or app.region)
    try:
        if "bucket" in settings and settings["bucket"] != app.bucket:
            account.bucket(sandbox, app.region, settings["bucket"])
        if grant_type == "api" and settings["id"] != app.api:
            account.rest_api(sandbox, region, settings["id"], str(settings.get("stage") or "dev").replace("*", "dev"))
        if grant_type == "ownRows":
            account.table(sandbox, region, settings["table"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "ResourceInUseException"):
            raise


def _identity_providers(sandbox: Sandbox, region: str, providers: Mapping[str, Any]) -> None:
    iam = sandbox.client("iam", region)
    for provider in providers.get("oidc") or []:
        host = provider["arn"].partition(":oidc-provider/")[2]
        iam.create_open_id_connect_provider(
            Url=f"https://{host}", ClientIDList=["notes-app"], ThumbprintList=["a" * 40]
        )
    for provider in providers.get("saml") or []:
        name = provider["arn"].partition(":saml-provider/")[2]
        iam.create_saml_provider(Name=name, SAMLMetadataDocument="<EntityDescriptor/>".ljust(1000))


def _role(sandbox: Sandbox, region: str, arn: str, trust: object) -> None:
    """Create an existing role, with the trust policy that the config declares."""
    path, _, name = arn.partition(":role")[2].rpartition("/")
    text = trust if isinstance(trust, str) else json.dumps(trust or {"Version": "2012-10-17", "Statement": []})
    sandbox.client("iam", region).create_role(RoleName=name, Path=f"{path}/", AssumeRolePolicyDocument=text)
