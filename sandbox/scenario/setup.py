"""What somebody's test needs to know of an account that is set up: the pool, how users sign in, and what they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..aws.clients import ACCOUNT
from ..aws.regions import issuer_of, partition_of
from ..aws.server import Sandbox
from ..aws.tokens import user_pool
from ..errors import InputError
from . import account

CLIENT = "sandboxclient0000000000000"
"""The ID of an app client that the sandbox creates."""


@dataclass(frozen=True)
class Setup:
    """An account with one identity pool.

    Attributes:
        provider: the user pool's name in the identity pool.
        roles: the roles' ARNs, by their names.
        outputs: of a stack.
    """

    region: str
    identity_pool: str
    user_pool: str
    client: str
    provider: str
    bucket: str = ""
    api: str = ""
    stage: str = "dev"
    table: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def of_pool(sandbox: Sandbox, pool_id: str | None = None, **found: Any) -> Setup:
    """The account of an identity pool, with the user pool that its users sign in to; created if it is not there.

    Args:
        pool_id: the identity pool; None for the only one.

    Raises:
        InputError: there is no such pool, or several.
    """
    pools = sandbox.identity.pools
    if pool_id is None and len(pools) != 1:
        raise InputError(f"one identity pool is expected; there are {len(pools)}: {', '.join(pools) or 'none'}")
    pool = pools[pool_id or next(iter(pools))]
    entries = pool.config.setdefault("CognitoIdentityProviders", [])
    entry = next((entry for entry in entries if "/" in entry.get("ProviderName", "")), None)
    if entry is None:
        id_ = f"{pool.region}_Sandbox01"
        entry = {"ProviderName": account.provider_name(id_), "ClientId": CLIENT, "ServerSideTokenCheck": True}
        entries.append(entry)
    user_pool_id = entry["ProviderName"].rpartition("/")[2]
    model = user_pool(ACCOUNT, user_pool_id)
    if model is None:
        account.create_user_pool(sandbox, user_pool_id, (entry["ClientId"],))
    elif entry["ClientId"] not in model.clients:
        account.create_client(sandbox, user_pool_id, entry["ClientId"])
    iam = sandbox.client("iam", pool.region)
    roles = {role["RoleName"]: role["Arn"] for role in iam.list_roles()["Roles"]}
    names = (entry["ClientId"], entry["ProviderName"])
    return Setup(pool.region, pool.id, user_pool_id, *names, roles=roles, **found)


def trust(region: str, pool: str, state: str) -> dict[str, Any]:
    """The trust policy of a role that identities of a pool assume.

    Args:
        state: `authenticated` or `unauthenticated`.
    """
    issuer = issuer_of(region)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": issuer},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{issuer}:aud": pool},
                    "ForAnyValue:StringLike": {f"{issuer}:amr": state},
                },
            }
        ],
    }


def arn(region: str, service: str, resource: str) -> str:
    """An ARN of the account; S3's have neither a region nor an account."""
    place = ":" if service == "s3" else f"{region}:{ACCOUNT}"
    return f"arn:{partition_of(region).name}:{service}:{place}:{resource}"
