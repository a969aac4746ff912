"""An account for tests that bring nothing of their own: a pool whose users have a folder, rows, and an API."""

from __future__ import annotations

import json
from typing import Any

from ..aws.identity_pools import Pool
from ..aws.regions import issuer_of
from ..aws.server import Sandbox
from . import account
from .setup import CLIENT, Setup, arn, of_pool, trust

BUCKET, TABLE, API, STAGE = "uploads", "rows", "notesapi01", "dev"
POOL = "00000000-0000-4000-8000-000000000001"


def create(sandbox: Sandbox, region: str) -> Setup:
    """Create the account's resources.

    A signed-in user may use the files under `uploads/IDENTITY_ID/`, the rows of the table `rows` whose partition key is
    the identity ID, and the API `notesapi01`. There is no guest access.
    """
    pool_id = f"{region}:{POOL}"
    provider = account.provider_name(f"{region}_Sandbox01")
    entry = {"ProviderName": provider, "ClientId": CLIENT, "ServerSideTokenCheck": True}
    config = {
        "IdentityPoolName": "sandbox",
        "AllowUnauthenticatedIdentities": False,
        "CognitoIdentityProviders": [entry],
    }
    sandbox.identity.pools[pool_id] = Pool(pool_id, region, config)
    account.bucket(sandbox, region, BUCKET)
    account.rest_api(sandbox, region, API, STAGE)
    account.table(sandbox, region, TABLE)
    iam = sandbox.client("iam", region)
    assumed = json.dumps(trust(region, pool_id, "authenticated"))
    role = iam.create_role(RoleName="users", AssumeRolePolicyDocument=assumed)["Role"]["Arn"]
    iam.put_role_policy(RoleName="users", PolicyName="own", PolicyDocument=json.dumps(_own(region)))
    sandbox.identity.pools[pool_id].roles["authenticated"] = role
    return of_pool(sandbox, pool_id, bucket=BUCKET, api=API, stage=STAGE, table=TABLE)


def _own(region: str) -> dict[str, Any]:
    """What a user may do: everything with what is the user's own."""
    own_id = f"${{{issuer_of(region)}:sub}}"
    rows = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "BatchGetItem", "BatchWriteItem")
    statements: list[dict[str, Any]] = [
        {
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            "Resource": arn(region, "s3", f"{BUCKET}/{own_id}/*"),
        },
        {
            "Action": "s3:ListBucket",
            "Resource": arn(region, "s3", BUCKET),
            "Condition": {"StringLike": {"s3:prefix": f"{own_id}/*"}},
        },
        {
            "Action": [f"dynamodb:{row}" for row in rows],
            "Resource": arn(region, "dynamodb", f"table/{TABLE}"),
            "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": own_id}},
        },
        {"Action": "execute-api:Invoke", "Resource": arn(region, "execute-api", f"{API}/{STAGE}/*")},
    ]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
