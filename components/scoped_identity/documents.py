"""The policy documents of a scoped identity pool, as values.

Each function takes plain values and returns statements or a document in IAM's JSON, with nothing granted that its name
does not say. Nothing here reads config or makes a resource.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from .partitions import Partition
from .settings import Access, Api

Statement = dict[str, Any]
Document = dict[str, Any]

READ_ACTIONS = ("s3:GetObject",)
WRITE_ACTIONS = (
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
"""PutObject covers starting, filling and completing a multipart upload; the other two let a client clean up after one."""


class Login(str, Enum):
    """The `amr` value that tells how an identity signed in."""

    AUTHENTICATED = "authenticated"
    GUEST = "unauthenticated"


def document(statements: Iterable[Statement]) -> Document:
    """Version 2012-10-17 is what makes `${…}` a variable; without it the text is a literal folder name."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def own_id(issuer: str) -> str:
    """The policy variable that stands for the caller's identity id."""
    return f"${{{issuer}:sub}}"


def trust(issuer: str, identity_pool_id: str, login: Login) -> Document:
    """Let one identity pool, and no other, vend the role to one kind of identity.

    Without the `aud` test any identity pool of any account could vend it.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
    """
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Federated": issuer},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{issuer}:aud": identity_pool_id},
                    "ForAnyValue:StringLike": {f"{issuer}:amr": login.value},
                },
            }
        ]
    )


def own_folder(partition: Partition, issuer: str, bucket: str, prefix: str, access: Access) -> list[Statement]:
    """The objects under `PREFIX` + own id + `/`, and a listing of exactly that folder.

    The `/` before the `*` matters: `ID*` would also reach `ID-other/`. The listing needs the bucket's own ARN, and a
    positive test of `s3:prefix`, which fails when a request names no prefix.
    """
    bucket_arn = f"arn:{partition.name}:s3:::{bucket}"
    folder = f"{prefix}{own_id(issuer)}/*"
    actions = READ_ACTIONS if access is Access.READ_ONLY else READ_ACTIONS + WRITE_ACTIONS
    return [
        {
            "Sid": "OwnFolder",
            "Effect": "Allow",
            "Action": list(actions),
            "Resource": f"{bucket_arn}/{folder}",
        },
        {
            "Sid": "ListOwnFolder",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": bucket_arn,
            "Condition": {"StringLike": {"s3:prefix": folder}},
        },
    ]


def invoke_api(partition: Partition, region: str, account: str, api: Api) -> Statement:
    """Call the configured methods and paths of one API's stage."""
    arn = f"arn:{partition.name}:execute-api:{api.region or region}:{api.account or account}:{api.id}"
    if api.methods == ("*",) and api.paths == ("*",):
        resources = [f"{arn}/{api.stage}/*"] if api.stage != "*" else [f"{arn}/*"]
    else:
        resources = [f"{arn}/{api.stage}/{method}/{path.lstrip('/')}" for method in api.methods for path in api.paths]
    return {"Sid": "InvokeApi", "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": _one_or_more(resources)}


def guide(partition: Partition, issuer: str, region: str, bucket: str, api_id: str) -> list[Statement]:
    """The three statements of the tutorial policy that circulates, for people who migrate from it.

    It gives more than an app needs: `cognito-identity:*` on `*` lets a user rewire the pool's roles.
    """
    return [
        {
            "Effect": "Allow",
            "Action": ["mobileanalytics:PutEvents", "cognito-sync:*", "cognito-identity:*"],
            "Resource": ["*"],
        },
        {
            "Effect": "Allow",
            "Action": ["s3:*"],
            "Resource": [f"arn:{partition.name}:s3:::{bucket}/{own_id(issuer)}*"],
        },
        {
            "Effect": "Allow",
            "Action": ["execute-api:Invoke"],
            "Resource": [f"arn:{partition.name}:execute-api:{region}:*:{api_id}/*"],
        },
    ]


def _one_or_more(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
