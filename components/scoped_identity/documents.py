"""The statements and documents of a scoped identity pool, as values.

Each function takes plain values and returns statements or a document in IAM's JSON, with nothing granted that its name
does not say. Nothing here reads config or creates a resource.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from .aws import Environment, IdentityKind
from .owners import TAGS, Owner

Statement = dict[str, Any]
Document = dict[str, Any]


class Access(str, Enum):
    """What may be done with files or rows."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    LIST = "list"


READ_ONLY = frozenset({Access.READ, Access.LIST})
READ_WRITE = frozenset(Access)
ACCESS = {"read-only": READ_ONLY, "read-write": READ_WRITE}
"""Short names of sets of access."""


INLINE_LIMIT = 10_240
"""Characters, white space not counted, of all inline policies of a role together.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
MANAGED_LIMIT = 6_144
"""The same, of one managed policy."""
MANAGED_POLICIES = 10
"""Managed policies that a role may have attached, unless AWS raised the quota."""
TRUST_LIMIT = 2_048
"""The same, of a trust policy."""


def document(statements: Iterable[Statement]) -> Document:
    """A policy document. Without version 2012-10-17, IAM treats `${…}` as literal text and not as a variable."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(issuer: str, identity_pool_id: str, kind: IdentityKind, providers: Collection[str] = ()) -> Document:
    """Let one identity pool, and no other, vend the role to one kind of identity.

    Without the `aud` test any identity pool of any account could vend it. A pool that sends session tags vends no
    credentials for a role that does not allow `sts:TagSession`. The role of signed-in users always allows it, so that
    there is no moment without credentials when tags are added or removed. The pool takes the tags from the token; a
    client cannot choose them. Guests have no token, and so no tags.

    Args:
        providers: names of identity providers; with some, only who signed in with one of them gets the role.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
            https://docs.aws.amazon.com/cognito/latest/developerguide/using-attributes-for-access-control-policy-example.html
    """
    condition: dict[str, dict[str, Any]] = {
        "StringEquals": {f"{issuer}:aud": identity_pool_id},
        "ForAnyValue:StringLike": {f"{issuer}:amr": kind.value},
    }
    if providers:
        condition["ForAnyValue:StringEquals"] = {f"{issuer}:amr": one_or_more(list(providers))}
    actions = ["sts:AssumeRoleWithWebIdentity"]
    if kind is IdentityKind.AUTHENTICATED:
        actions.append("sts:TagSession")
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Federated": issuer},
                "Action": one_or_more(actions),
                "Condition": condition,
            }
        ]
    )


_OBJECT_ACTIONS = (
    ("s3:GetObject", Access.READ),
    ("s3:PutObject", Access.WRITE),
    ("s3:DeleteObject", Access.DELETE),
    ("s3:AbortMultipartUpload", Access.WRITE),
    ("s3:ListMultipartUploadParts", Access.WRITE),
)
"""PutObject covers starting, filling and completing a multipart upload; the last two let a client clean up after one."""


def object_actions(access: Collection[Access]) -> list[str]:
    return [action for action, needed in _OBJECT_ACTIONS if needed in access]


def owner_variable(env: Environment, owner: Owner) -> str:
    """The policy variable that names the owner."""
    return env.own_id if owner is Owner.IDENTITY else f"${{aws:PrincipalTag/{TAGS[owner]}}}"


def _only_segments(env: Environment, owner: Owner) -> dict[str, Any]:
    """The condition that the owner's name is one segment of a path, where it could be several.

    With `/` in a name, `ann/*` would reach the folder of `ann/x`. An identity ID and a UUID contain none.
    """
    if owner is Owner.IDENTITY or (owner is Owner.SUB and env.uuid_subs):
        return {}
    return {"StringNotLike": {f"aws:PrincipalTag/{TAGS[owner]}": "*/*"}}


def files(
    env: Environment,
    name: str,
    bucket: str,
    folder: str,
    access: Collection[Access],
    kms_key: str | None = None,
    condition: Mapping[str, Any] | None = None,
) -> list[Statement]:
    """The objects of one folder, and a listing of exactly that folder.

    The `/` before the `*` matters: `ID*` would also reach `ID-other/`. The listing needs the bucket's own ARN, and a
    positive test of `s3:prefix`, which fails when a request names no prefix.

    Args:
        folder: everything before the object's name, ending in `/`; may hold policy variables.
        condition: must hold as well, for each statement.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    """
    statements: list[Statement] = []
    actions = object_actions(access)
    if actions:
        statements.append(_allow(name, actions, env.s3(f"{bucket}/{folder}*")))
    if Access.LIST in access:
        prefix = {"StringLike": {"s3:prefix": f"{folder}*"}}
        statements.append(_allow(f"List{name}", "s3:ListBucket", env.s3(bucket), prefix))
    if kms_key and actions:
        statements.append(_bucket_key(env, name, bucket, folder, access, kms_key))
    return [_with(statement, condition or {}) for statement in statements]


def _bucket_key(
    env: Environment, name: str, bucket: str, folder: str, access: Collection[Access], kms_key: str
) -> Statement:
    """The bucket's KMS key, through S3 and for these objects only.

    A bucket that uses S3 Bucket Keys has the ARN of the bucket in the encryption context instead of the object.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    actions = ["kms:Decrypt"]  # also to write in parts
    if Access.WRITE in access:
        actions.append("kms:GenerateDataKey")
    condition = {
        "StringEquals": {"kms:ViaService": f"s3.{kms_key.split(':')[3]}.{env.partition.dns_suffix}"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [env.s3(f"{bucket}/{folder}*"), env.s3(bucket)]},
    }
    return _allow(f"KeyOf{name}", actions, kms_key, condition)


def own_folder(
    env: Environment,
    bucket: str,
    prefix: str,
    access: Collection[Access] = READ_WRITE,
    kms_key: str | None = None,
    owner: Owner = Owner.IDENTITY,
) -> list[Statement]:
    """The files under `PREFIX` + owner + `/`."""
    folder = f"{prefix}{owner_variable(env, owner)}/"
    return files(env, "OwnFolder", bucket, folder, access, kms_key, _only_segments(env, owner))


def levels(
    env: Environment,
    bucket: str,
    kind: IdentityKind,
    kms_key: str | None = None,
    owner: Owner = Owner.IDENTITY,
) -> list[Statement]:
    """Amplify's levels of storage: `public/` is everybody's, `protected/ID/` is read by all and written by its owner,
    `private/ID/` is the owner's alone. Guests only read `public/` and `protected/`.

    Source: https://docs.amplify.aws/gen1/javascript/build-a-backend/storage/configure-access/
    """
    reading = READ_ONLY if kind is IdentityKind.GUEST else READ_WRITE
    statements = files(env, "Public", bucket, "public/", reading, kms_key)
    statements += files(env, "Protected", bucket, "protected/", READ_ONLY, kms_key)
    if kind is IdentityKind.AUTHENTICATED:
        writing = frozenset({Access.WRITE, Access.DELETE})
        name, condition = owner_variable(env, owner), _only_segments(env, owner)
        statements += files(env, "OwnProtected", bucket, f"protected/{name}/", writing, kms_key, condition)
        statements += files(env, "Private", bucket, f"private/{name}/", READ_WRITE, kms_key, condition)
    return statements


def invoke_api(
    env: Environment,
    api: str,
    stage: str = "*",
    methods: Sequence[str] = ("*",),
    paths: Sequence[str] = ("*",),
    region: str | None = None,
    account: str | None = None,
) -> list[Statement]:
    """Call the methods and paths of one API's stage, REST or HTTP.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
    """
    arn = env.arn("execute-api", api, region, account)
    if tuple(methods) == ("*",) and tuple(paths) == ("*",):
        resources = [f"{arn}/{stage}/*"] if stage != "*" else [f"{arn}/*"]
    else:
        resources = [f"{arn}/{stage}/{method}/{path.lstrip('/')}" for method in methods for path in paths]
    return [_allow("InvokeApi", "execute-api:Invoke", resources)]


def graphql(
    env: Environment, api: str, fields: Sequence[str], region: str | None = None, account: str | None = None
) -> list[Statement]:
    """Query fields of one AppSync API; `Query.*` is all fields of a type.

    Source: https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
    """
    arn = env.arn("appsync", f"apis/{api}", region, account)
    resources = [f"{arn}/types/{kind}/fields/{field}" for kind, field in (name.split(".", 1) for name in fields)]
    return [_allow("QueryGraph", "appsync:GraphQL", resources or f"{arn}/*")]


_ROW_ACTIONS = {
    Access.READ: ("dynamodb:GetItem", "dynamodb:BatchGetItem"),
    Access.LIST: ("dynamodb:Query",),
    Access.WRITE: ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"),
    Access.DELETE: ("dynamodb:DeleteItem",),
}


def own_rows(
    env: Environment,
    table: str,
    access: Collection[Access],
    indexes: Sequence[str] = (),
    region: str | None = None,
    account: str | None = None,
    owner: Owner = Owner.IDENTITY,
) -> list[Statement]:
    """The items whose partition key is the owner's name. Scan is not granted, because it has no leading key.

    `ForAllValues` alone is true where a request names no key at all, hence the second test.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    arn = env.arn("dynamodb", f"table/{table}", region, account)
    resources = [arn, *(f"{arn}/index/{index}" for index in indexes)]
    actions = [action for kind in Access if kind in access for action in _ROW_ACTIONS[kind]]
    condition = {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [owner_variable(env, owner)]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    return [_allow("OwnRows", actions, resources, condition)]


def own_topics(
    env: Environment,
    prefix: str,
    region: str | None = None,
    account: str | None = None,
    owner: Owner = Owner.IDENTITY,
) -> list[Statement]:
    """Connect as the owner, and publish and subscribe below `PREFIX` + owner + `/`.

    AWS IoT also requires an AWS IoT policy that is attached to the identity.

    Source: https://docs.aws.amazon.com/iot/latest/developerguide/cognito-identities.html
    """
    name = owner_variable(env, owner)
    client, topic, topics = (
        env.arn("iot", resource, region, account)
        for resource in (f"client/{name}", f"topic/{prefix}{name}/*", f"topicfilter/{prefix}{name}/*")
    )
    statements = [
        _allow("ConnectAsOneself", "iot:Connect", client),
        _allow("OwnTopics", ["iot:Publish", "iot:Receive"], topic),
        _allow("SubscribeToOwnTopics", "iot:Subscribe", topics),
    ]
    return [_with(statement, _only_segments(env, owner)) for statement in statements]


def call_function(
    env: Environment,
    name: str,
    qualifier: str | None = None,
    region: str | None = None,
    account: str | None = None,
) -> list[Statement]:
    """Call one Lambda function, or one version or alias of it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    tail = f":{qualifier}" if qualifier else ""
    return [
        _allow("CallFunction", "lambda:InvokeFunction", env.arn("lambda", f"function:{name}{tail}", region, account))
    ]


def guide(env: Environment, bucket: str, api: str, api_region: str | None = None) -> list[Statement]:
    """The three statements of the tutorial policy that circulates, for people who migrate from it.

    It gives more than an app needs: `cognito-identity:*` on `*` lets a user rewire the pool's roles.
    """
    return [
        {
            "Effect": "Allow",
            "Action": ["mobileanalytics:PutEvents", "cognito-sync:*", "cognito-identity:*"],
            "Resource": ["*"],
        },
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": [env.s3(f"{bucket}/{env.own_id}*")]},
        {
            "Effect": "Allow",
            "Action": ["execute-api:Invoke"],
            "Resource": [env.arn("execute-api", f"{api}/*", api_region, "*")],
        },
    ]


def size(statements: Sequence[Statement]) -> int:
    """Characters of a document, as IAM counts them: white space is free."""
    return len("".join(json.dumps(document(statements), separators=(",", ":")).split()))


def named_apart(statements: Iterable[Statement]) -> list[Statement]:
    """The statements with a Sid each, no two the same, as IAM asks of a document."""
    seen: dict[str, int] = {}
    named: list[Statement] = []
    for statement in statements:
        sid = statement.get("Sid")
        if sid is not None:
            seen[sid] = seen.get(sid, 0) + 1
            if seen[sid] > 1:
                statement = {**statement, "Sid": f"{sid}{seen[sid]}"}
        named.append(statement)
    return named


def split(statements: Sequence[Statement], spare: int = 0) -> list[list[Statement]]:
    """The statements as they fit into policies: one inline policy, or else managed ones, in order.

    A statement with many resources is cut where it does not fit into one policy.

    Args:
        spare: characters to leave free in each.
    """
    whole = named_apart(statements)
    return [whole] if size(whole) <= INLINE_LIMIT - spare else managed(statements, spare)


def managed(statements: Sequence[Statement], spare: int = 0) -> list[list[Statement]]:
    """The statements as they fit into managed policies, in order, each Sid once in a policy."""
    parts: list[list[Statement]] = [[]]
    for statement in statements:
        for piece in _pieces(statement, MANAGED_LIMIT - spare):
            if parts[-1] and size(named_apart([*parts[-1], piece])) > MANAGED_LIMIT - spare:
                parts.append([])
            parts[-1].append(piece)
    return [named_apart(part) for part in parts]


def _pieces(statement: Statement, limit: int) -> list[Statement]:
    resources = statement.get("Resource")
    if size([statement]) <= limit or not isinstance(resources, list) or len(resources) < 2:
        return [statement]
    half = len(resources) // 2
    halves = ({**statement, "Resource": one_or_more(part)} for part in (resources[:half], resources[half:]))
    return [piece for part in halves for piece in _pieces(part, limit)]


def _allow(
    sid: str, action: str | list[str], resource: str | list[str], condition: dict[str, Any] | None = None
) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": _flat(resource)}
    if condition:
        statement["Condition"] = condition
    return statement


def _with(statement: Statement, condition: Mapping[str, Any]) -> Statement:
    """The statement with a condition in addition to its own, of other operators."""
    return {**statement, "Condition": {**statement.get("Condition", {}), **condition}} if condition else statement


def _flat(value: str | list[str]) -> str | list[str]:
    return value if isinstance(value, str) else one_or_more(value)


def one_or_more(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
