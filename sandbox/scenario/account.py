"""The account before the stack is deployed: user pools with app clients, an uploads bucket and a REST API, and
resources of the same account that the app's users must not reach.

The resources get the very IDs that the stack's config names, so that the config needs no change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.cognitoidp.models import cognitoidp_backends

from ..aws.clients import ACCOUNT
from ..aws.regions import is_region, partition_of, region_of_user_pool
from ..aws.server import Sandbox

PASSWORD = "Correct-horse-battery-9"
"""The password of every user in the sandbox."""


@dataclass(frozen=True)
class AppConfig:
    """The parts of a stack's config that the access checks use.

    Attributes:
        user_pools: (pool ID, client IDs), in the config's order.
        stage: a stage of the API that users may call.
    """

    region: str
    user_pools: tuple[tuple[str, tuple[str, ...]], ...]
    bucket: str
    prefix: str
    api: str
    api_region: str
    stage: str
    method: str = "GET"
    path: str = "notes"
    """A path within the stage that users may call, without the leading slash."""
    read_only: bool = False
    boundary: str | None = None
    """ARN of the roles' permissions boundary."""
    guests: bool = False
    groups: tuple[str, ...] = ()
    """A group of the first user pool that a user must belong to in order to get a role."""
    claims: tuple[tuple[str, str], ...] = ()
    """A claim that a user must have in order to get a role: that of the first rule."""
    folder_claim: str = ""
    """The claim that names a user's folder; empty for the identity ID."""
    tenant_claim: str = ""
    """The claim that names a user's tenant, which users cannot change."""

    @property
    def by_tenant(self) -> bool:
        """Whether the users of one tenant share a folder."""
        return bool(self.tenant_claim) and self.folder_claim == self.tenant_claim


@dataclass(frozen=True)
class OffLimits:
    """Resources of the same account that the app's users must not reach."""

    bucket: str
    api: str
    user_pool: str
    client: str
    unlisted_client: str
    """A client of the app's user pool that the identity pool does not list."""


class UnknownRegion(ValueError):
    """The config names a region where AWS does not offer what the stack needs; one line for each place."""


def read_app(config: Mapping[str, Any]) -> AppConfig:
    """The app that a stack's config describes.

    Args:
        config: has passed the program's own checks.

    Raises:
        UnknownRegion: with every place that names one.
    """
    unknown = [
        f"{place}: `{region}` must be an AWS region with Amazon Cognito, such as `eu-central-1`"
        for place, region in regions(config)
        if not _has_cognito(region)
    ]
    if unknown:
        raise UnknownRegion("\n".join(unknown))
    uploads, api = config["uploads"], config["api"]
    region = str(config["region"])
    stage = str(api.get("stage") or "*")
    method = str((api.get("methods") or ["*"])[0])
    path = str((api.get("paths") or ["*"])[0])
    existing = config.get("existingPool")
    if existing:
        region = str(existing["id"]).partition(":")[0]
    user_pools = tuple((str(p["id"]), tuple(map(str, p["clients"]))) for p in config.get("userPools") or [])
    groups = [g for g in config.get("groups") or [] if g.get("userPool") in (None, user_pools[0][0])]
    tenant_claim = str((config.get("tenant") or {}).get("claim") or "")
    folder_claims = {"sub": "sub", "tenant": tenant_claim}
    rules = [rule for mapping in config.get("mappings") or [] for rule in mapping.get("rules") or []]
    return AppConfig(
        region=region,
        user_pools=user_pools,
        bucket=str(uploads["bucket"]),
        prefix=str(uploads.get("prefix") or ""),
        api=str(api["id"]),
        api_region=str(api.get("region") or region),
        stage="dev" if stage == "*" else stage,
        method="GET" if method == "*" else method,
        path="notes" if path == "*" else path.lstrip("/").replace("*", "1"),
        read_only=uploads.get("access") == "read-only",
        boundary=(config.get("roles") or {}).get("permissionsBoundary"),
        guests=bool(config.get("guests")),
        groups=tuple(str(g["name"]) for g in groups[:1]),
        claims=tuple((str(rule["claim"]), str(rule["value"])) for rule in rules[:1]),
        folder_claim=folder_claims.get(str(uploads.get("by")), ""),
        tenant_claim=tenant_claim,
    )


def _has_cognito(region: str) -> bool:
    return is_region(region) and region in cognitoidp_backends[ACCOUNT]


_IN_AN_ID = re.compile(r"([a-z]{2,}(?:-[a-z]+)+-\d+)[_:].*")
"""The region at the head of a user pool's or an identity pool's ID."""


def regions(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """(place, region) of each region that a config names, by itself or in the ID of a pool."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        inner = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")
        match = _IN_AN_ID.fullmatch(item) if isinstance(item, str) else None
        if key == "region" and isinstance(item, str):
            yield inner, item
        elif key in ("id", "userPool", "provider") and match:
            yield inner, match[1]
        else:
            yield from regions(item, inner)


@dataclass(frozen=True)
class ResolvedConfig:
    """Config whose `stack://` references have been replaced by values, and the stacks with these outputs."""

    config: Mapping[str, Any]
    stack_outputs: Mapping[str, Mapping[str, Any]]


def resolve_references(config: Mapping[str, Any]) -> ResolvedConfig:
    """Replace each reference to another stack's output by a value that fits its setting."""
    outputs: dict[str, dict[str, Any]] = {}
    region = config["region"]
    formats = {
        "id": f"{region}_SandboxNo{{n}}",
        "clients": "sandbox{n:019d}",
        "bucket": "sandbox-uploads-{n}",
        "permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/sandbox-boundary-{{n}}",
    }

    def resolved(value: Any, key: str, section: str) -> Any:
        if isinstance(value, Mapping):
            return {k: resolved(v, k, key) for k, v in value.items()}
        if isinstance(value, list):
            return [resolved(item, key, section) for item in value]
        if not isinstance(value, str) or not value.startswith("stack://"):
            return value
        stack, _, output = value.removeprefix("stack://").partition("#")
        stack_outputs = outputs.setdefault(stack, {})
        text = "sandboxapi{n}" if section == "api" else formats.get(key, "sandbox-{n}")
        return stack_outputs.setdefault(output, text.format(n=len(stack_outputs) + 1))

    return ResolvedConfig(resolved(config, "", ""), outputs)


def build(sandbox: Sandbox, app: AppConfig) -> OffLimits:
    """Create the account's resources; those that are off limits."""
    for pool_id, clients in app.user_pools:
        create_user_pool(sandbox, pool_id, clients, tuple(claim for claim, _ in app.claims), app.tenant_claim)
    unlisted = create_client(sandbox, app.user_pools[0][0], "unlisted00000000client0000") if app.user_pools else ""
    other_pool, other_client = f"{app.region}_Stranger1", "stranger000000000client000"
    create_user_pool(sandbox, other_pool, (other_client,))
    for name in (app.bucket, "somebody-elses-bucket"):
        bucket(sandbox, app.region, name)
    if app.boundary:
        _boundary(sandbox, app.region, app.boundary)
    rest_api(sandbox, app.api_region, app.api, app.stage)
    rest_api(sandbox, app.api_region, "0therap1id", app.stage)
    return OffLimits("somebody-elses-bucket", "0therap1id", other_pool, other_client, unlisted)


def provider_name(pool_id: str) -> str:
    """A user pool's key in `logins`."""
    region = region_of_user_pool(pool_id)
    return f"cognito-idp.{region}.{partition_of(region).dns_suffix}/{pool_id}"


def create_user_pool(
    sandbox: Sandbox,
    pool_id: str,
    clients: tuple[str, ...],
    claims: tuple[str, ...] = (),
    tenant_claim: str = "",
) -> None:
    """Create a user pool with its app clients.

    Args:
        claims: attributes that users can set.
        tenant_claim: an attribute that only the app's back end sets: users can then set `claims` and their e-mail address.
    """
    region = region_of_user_pool(pool_id)
    schema = [
        {"Name": claim.removeprefix("custom:"), "AttributeDataType": "String", "Mutable": True}
        for claim in dict.fromkeys((*claims, tenant_claim))
        if claim.startswith("custom:")
    ]
    custom = {"Schema": schema} if schema else {}
    random_id = sandbox.client("cognito-idp", region).create_user_pool(PoolName=pool_id, **custom)["UserPool"]["Id"]
    # AWS chooses a user pool's ID; here it must be the one that the config names.
    pools = cognitoidp_backends[ACCOUNT][region].user_pools
    pool = pools.pop(random_id)
    pool.id, pool.arn = pool_id, pool.arn.replace(random_id, pool_id)
    pools[pool_id] = pool
    writable = ("email", *claims) if tenant_claim else ()
    for client in clients:
        create_client(sandbox, pool_id, client, writable)


def create_client(sandbox: Sandbox, pool_id: str, client_id: str, writable: tuple[str, ...] = ()) -> str:
    region = region_of_user_pool(pool_id)
    attributes = {"WriteAttributes": list(writable)} if writable else {}
    answer = sandbox.client("cognito-idp", region).create_user_pool_client(
        UserPoolId=pool_id,
        ClientName=client_id,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        **attributes,
    )
    clients = cognitoidp_backends[ACCOUNT][region].user_pools[pool_id].clients
    client = clients.pop(answer["UserPoolClient"]["ClientId"])
    client.id = client_id
    clients[client_id] = client
    return client_id


def bucket(sandbox: Sandbox, region: str, name: str) -> None:
    """Create a bucket that front ends of any origin may use."""
    s3 = sandbox.client("s3", region)
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **location)
    s3.put_bucket_cors(
        Bucket=name,
        CORSConfiguration={
            "CORSRules": [
                {
                    "AllowedOrigins": ["*"],
                    "AllowedMethods": ["GET", "PUT", "POST", "DELETE", "HEAD"],
                    "AllowedHeaders": ["*"],
                    "ExposeHeaders": ["ETag"],
                }
            ]
        },
    )


def _boundary(sandbox: Sandbox, region: str, arn: str) -> None:
    """Create a permissions boundary as a platform team would define it: the most that app users may get."""
    path, _, name = arn.partition(":policy")[2].rpartition("/")
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:*", "execute-api:Invoke"], "Resource": "*"}],
    }
    sandbox.client("iam", region).create_policy(PolicyName=name, Path=f"{path}/", PolicyDocument=json.dumps(document))


def table(sandbox: Sandbox, region: str, name: str) -> None:
    """Create a table whose rows each belong to an owner."""
    sandbox.client("dynamodb", region).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("owner", "id")],
        BillingMode="PAY_PER_REQUEST",
    )


def rest_api(sandbox: Sandbox, region: str, api_id: str, stage: str) -> None:
    """Create an API whose methods all require `AWS_IAM`."""
    gateway = sandbox.client("apigateway", region)
    gateway.create_rest_api(name=api_id, tags={"_custom_id_": api_id})
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    proxy = gateway.create_resource(restApiId=api_id, parentId=root, pathPart="{proxy+}")["id"]
    gateway.put_method(restApiId=api_id, resourceId=proxy, httpMethod="ANY", authorizationType="AWS_IAM")
    gateway.put_integration(
        restApiId=api_id,
        resourceId=proxy,
        httpMethod="ANY",
        type="MOCK",
        requestTemplates={"application/json": json.dumps({"statusCode": 200})},
    )
    gateway.create_deployment(restApiId=api_id, stageName=stage)


def sign_up(
    sandbox: Sandbox,
    pool_id: str,
    client_id: str,
    name: str,
    claims: Sequence[tuple[str, str]] = (),
    groups: Sequence[str] = (),
    set_by_admin: Sequence[tuple[str, str]] = (),
) -> None:
    """Sign a user up, confirm the user without a code, and add the user to groups.

    Args:
        claims: attributes that the user sets, by signing up.
        set_by_admin: attributes that the app's back end sets.
    """
    region = region_of_user_pool(pool_id)
    idp = sandbox.client("cognito-idp", region)
    attributes = [{"Name": claim, "Value": value} for claim, value in claims]
    idp.sign_up(ClientId=client_id, Username=name, Password=PASSWORD, UserAttributes=attributes)
    idp.admin_confirm_sign_up(UserPoolId=pool_id, Username=name)
    if set_by_admin:
        admin = [{"Name": claim, "Value": value} for claim, value in set_by_admin]
        idp.admin_update_user_attributes(UserPoolId=pool_id, Username=name, UserAttributes=admin)
    for group in groups:
        idp.admin_add_user_to_group(UserPoolId=pool_id, Username=name, GroupName=group)


def id_token(sandbox: Sandbox, pool_id: str, client_id: str, name: str) -> str:
    """The ID token of a user who signs in with the password."""
    return tokens(sandbox, pool_id, client_id, name)["IdToken"]


def tokens(sandbox: Sandbox, pool_id: str, client_id: str, name: str) -> dict[str, str]:
    """The tokens of a user who signs in with the password."""
    idp = sandbox.client("cognito-idp", region_of_user_pool(pool_id))
    answer = idp.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )
    return dict(answer["AuthenticationResult"])
