"""What a scoped identity pool consists of, decided from settings before any resource is made.

Everything but the ids that AWS gives out later is here: the identity providers, the permission document, the folder
template, and the configuration that a front end needs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from . import documents
from .documents import Login
from .partitions import Partition, issuer_of, partition_of
from .settings import Problem, Profile, Settings, SettingsError


@dataclass(frozen=True)
class Plan:
    """A scoped identity pool on paper.

    Attributes:
        region: where the pool lives.
        issuer: the federated principal of its roles' trust.
        permissions: the authenticated role's document, as JSON.
        folder: where a user's files are, `BUCKET/PREFIX${…:sub}/`.
    """

    settings: Settings
    region: str
    partition: Partition
    issuer: str
    permissions: str
    folder: str

    def providers(self) -> list[dict[str, Any]]:
        """One entry for each app client of each user pool, as CreateIdentityPool takes them."""
        return [
            {
                "client_id": client,
                "provider_name": pool.provider_name(),
                "server_side_token_check": pool.server_side_token_check,
            }
            for pool in self.settings.user_pools
            for client in pool.clients
        ]

    def logins(self) -> list[str]:
        """The keys under which a client hands its ID token over, one for each user pool."""
        return [pool.provider_name() for pool in self.settings.user_pools]

    def trust(self, identity_pool_id: str, login: Login) -> str:
        return json.dumps(documents.trust(self.issuer, identity_pool_id, login))

    def amplify(self, identity_pool_id: str) -> dict[str, Any]:
        """What Amplify's `configure` takes.

        Source: https://docs.amplify.aws/react/start/connect-to-aws-resources/
        """
        first, api = self.settings.user_pools[0], self.settings.api
        api_region = api.region or self.region
        stage = "" if api.stage in ("*", "$default") else f"/{api.stage}"
        return {
            "Auth": {
                "Cognito": {
                    "userPoolId": first.id,
                    "userPoolClientId": first.clients[0],
                    "identityPoolId": identity_pool_id,
                    "allowGuestAccess": self.settings.guests is not None,
                }
            },
            "Storage": {"S3": {"bucket": self.settings.uploads.bucket, "region": self.region}},
            "API": {
                "REST": {
                    api.id: {
                        "endpoint": f"https://{api.id}.execute-api.{api_region}.{self.partition.dns_suffix}{stage}",
                        "region": api_region,
                    }
                }
            },
        }


def plan(settings: Settings, region: str, account: str) -> Plan:
    """Decide everything that can be decided before AWS gives out ids.

    Args:
        settings: complete settings, nothing pending.
        region: the pool's region.
        account: the account whose API is called, where the settings name no other.

    Raises:
        SettingsError: the region has no identity issuer that is known.
    """
    issuer = issuer_of(region)
    if issuer is None:
        raise SettingsError([Problem("region", f"`{region}` has no identity issuer in AWS's public material")])
    partition = partition_of(region)
    uploads, api = settings.uploads, settings.api
    if settings.profile is Profile.GUIDE:
        statements = documents.guide(partition, issuer, api.region or region, uploads.bucket, api.id)
    else:
        statements = [
            *documents.own_folder(partition, issuer, uploads.bucket, uploads.prefix, uploads.access),
            documents.invoke_api(partition, region, account, api),
        ]
    folder = f"{uploads.bucket}/{uploads.prefix}{documents.own_id(issuer)}/"
    return Plan(settings, region, partition, issuer, json.dumps(documents.document(statements)), folder)
