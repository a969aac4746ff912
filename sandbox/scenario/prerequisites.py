"""What a stack's providers and grants name and the stack does not make: buckets, APIs, tables, IAM's identity providers, an
existing pool, and roles that were made elsewhere. All of it is there when the stack is deployed, as in a real account.
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
    """Make everything that the config names beside the app itself."""
    _identity_providers(sandbox, app.region, config.get("providers") or {})
    existing = config.get("existingPool")
    if existing:
        pool = {"IdentityPoolName": "made-elsewhere", "AllowUnauthenticatedIdentities": app.guests}
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
            for kind, settings in grant.items():
                _thing(sandbox, app, kind, settings)


def _roles(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (config[key] for key in ("authenticated", "guests") if config.get(key))
    yield from (each for key in ("groups", "mappedRoles") for each in config.get(key) or [])


def _thing(sandbox: Sandbox, app: AppConfig, kind: str, settings: Mapping[str, Any]) -> None:
    """What one grant names, unless another has named it before."""
    region = str(settings.get("region") or app.region)
    try:
        if "bucket" in settings and settings["bucket"] != app.bucket:
            account.bucket(sandbox, app.region, settings["bucket"])
        if kind == "api" and settings["id"] != app.api:
            account.rest_api(sandbox, region, settings["id"], str(settings.get("stage") or "dev").replace("*", "dev"))
        if kind == "ownRows":
            sandbox.client("dynamodb", region).create_table(
                TableName=settings["table"],
                KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
                AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("owner", "id")],
                BillingMode="PAY_PER_REQUEST",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "ResourceInUseException"):
            raise


def _identity_providers(sandbox: Sandbox, region: str, providers: Mapping[str, Any]) -> None:
    iam = sandbox.client("iam", region)
    for each in providers.get("oidc") or []:
        host = each["arn"].partition(":oidc-provider/")[2]
        iam.create_open_id_connect_provider(
            Url=f"https://{host}", ClientIDList=["notes-app"], ThumbprintList=["a" * 40]
        )
    for each in providers.get("saml") or []:
        name = each["arn"].partition(":saml-provider/")[2]
        iam.create_saml_provider(Name=name, SAMLMetadataDocument="<EntityDescriptor/>".ljust(1000))


def _role(sandbox: Sandbox, region: str, arn: str, trust: object) -> None:
    """A role that somebody else made, with the trust that the config says it has."""
    path, _, name = arn.partition(":role")[2].rpartition("/")
    text = trust if isinstance(trust, str) else json.dumps(trust or {"Version": "2012-10-17", "Statement": []})
    sandbox.client("iam", region).create_role(RoleName=name, Path=f"{path}/", AssumeRolePolicyDocument=text)
