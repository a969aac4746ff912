"""Write docs/enforced.md, what the sandbox enforces, from its allow-lists: python -m scripts.enforced"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.aws import condition_keys, dynamodb, identity_pools, s3, user_pools
from sandbox.aws.clients import ACCOUNT
from sandbox.aws.models import known
from sandbox.aws.service import SIGNED, Operation

PAGE = Path(__file__).resolve().parent.parent / "docs" / "enforced.md"
_REGION = "us-east-1"
_OBJECT = {"Key": {"id": {"S": "1"}}, "Item": {"id": {"S": "1"}}, "TableName": "TABLE"}
_SAMPLES: dict[str, Any] = {
    "Bucket": "bucket",
    "Key": "KEY",
    "CopySource": "source/KEY",
    "Delete": {"Objects": [{"Key": "KEY"}]},
    "VersionId": "1",
    "ACL": "private",
    "GrantRead": "id=1",
    "Tagging": "a=b",
    "ObjectLockMode": "GOVERNANCE",
    "ObjectLockLegalHoldStatus": "ON",
    "SSEKMSKeyId": f"arn:aws:kms:{_REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000",
    "BypassGovernanceRetention": True,
    "ObjectLockEnabledForBucket": True,
    "ObjectOwnership": "BucketOwnerEnforced",
}
"""Parameters that decide which permissions an operation of S3 needs."""
_WRITES = {"TransactItems": [{"Put": _OBJECT}, {"Update": _OBJECT}, {"Delete": _OBJECT}, {"ConditionCheck": _OBJECT}]}
_ROWS: dict[str, Mapping[str, Any]] = {
    "BatchGetItem": {"RequestItems": {"TABLE": {"Keys": []}}},
    "BatchWriteItem": {"RequestItems": {"TABLE": []}},
    "TransactGetItems": {"TransactItems": [{"Get": _OBJECT}]},
    "TransactWriteItems": _WRITES,
}


def _actions(service: Any, name: str, parameters: Mapping[str, Any], botocore: str) -> list[str]:
    operation = Operation(name, _REGION, SIGNED, parameters, botocore)
    return list(dict.fromkeys(permission.action for permission in service.required_permissions(operation)))


def _s3() -> Iterator[tuple[str, str, str]]:
    service = s3.S3(ACCOUNT)
    for name in s3.OPERATIONS:
        shape = known("s3", name).input_shape
        members = shape.members if shape else {}
        required = set(shape.required_members) if shape else set()
        basic = {member: _SAMPLES[member] for member in members if member in required and member in _SAMPLES}
        if name == "PutObjectTagging":
            basic["Tagging"] = {"TagSet": []}
        actions = _actions(service, name, basic, "s3")
        also = []
        for member in members:
            if member in _SAMPLES and member not in basic:
                wire = members[member].serialization.get("name", member)
                changed = _actions(service, name, {**basic, member: _SAMPLES[member]}, "s3")
                if changed != actions:
                    more = [action for action in changed if action not in actions]
                    also.append(f"with `{wire}`: {_code(more)}")
        yield name, _code(actions), "; ".join(also)


def _dynamodb() -> Iterator[tuple[str, str, str]]:
    service = dynamodb.DynamoDb(ACCOUNT)
    for name in sorted(dynamodb.SESSION_OPERATIONS):
        yield name, _code(_actions(service, name, _ROWS.get(name, _OBJECT), "dynamodb")), ""


def _identity_pools() -> Iterator[tuple[str, str, str]]:
    for name in identity_pools.OPERATIONS:
        public = name in identity_pools.PUBLIC_OPERATIONS
        yield name, "none: a token proves the caller" if public else _code([f"cognito-identity:{name}"]), ""


def _user_pools() -> Iterator[tuple[str, str, str]]:
    for name in sorted(user_pools.PUBLIC_OPERATIONS):
        yield name, "none: a password, a code or a token proves the caller", ""


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(rows: Iterator[tuple[str, str, str]]) -> list[str]:
    found = ["| operation | permissions | more permissions |", "|---|---|---|"]
    return found + [f"| {name} | {actions} | {also} |" for name, actions, also in rows]


def page() -> str:
    """The page's text."""
    lines = [
        "# What the sandbox enforces",
        "",
        "This page is generated from the sandbox's allow-lists (`python -m scripts.enforced`). A session of an identity",
        "pool may call these operations if its role has all of the permissions. Any other operation is refused, and the",
        "message names it. The account's administrator, whose keys `make serve` prints, may also call what moto has.",
        "",
        "## Amazon S3",
        "",
        *_table(_s3()),
        "",
        "A copy also needs the permissions of the tags that its source has. Objects that a KMS key encrypts, by a header",
        "or by the bucket's default, need `kms:GenerateDataKey` to be written and `kms:Decrypt` to be read.",
        "`DeleteObjects` needs its permission for each key, with `s3:DeleteObjectVersion` for each version.",
        "",
        "## Amazon DynamoDB",
        "",
        *_table(_dynamodb()),
        "",
        "## Amazon API Gateway",
        "",
        "| operation | permissions | more permissions |",
        "|---|---|---|",
        "| any method of a REST or HTTP API | `execute-api:Invoke` | |",
        "",
        "## Amazon Cognito identity pools",
        "",
        *_table(_identity_pools()),
        "",
        "## Amazon Cognito user pools",
        "",
        *_table(_user_pools()),
        "",
        "## AWS STS",
        "",
        "| operation | permissions | more permissions |",
        "|---|---|---|",
        "| GetCallerIdentity | none | |",
        "",
        "## Condition keys",
        "",
        "A statement that tests one of these keys is decided. An Allow that tests another key allows nothing, and a Deny",
        "that tests another key denies; the message names the key.",
        "",
        "| prefix | keys |",
        "|---|---|",
        *(f"| `{prefix}:` | {_code(sorted(map(_shown, keys)))} |" for prefix, keys in condition_keys.DECIDED.items()),
        "| an identity provider's | `sub`, `aud`, `amr` |",
        "",
    ]
    return "\n".join(line.replace(" |  |", " | |") for line in lines)


def _shown(key: str) -> str:
    return key.replace(".+", "NAME").replace("(read|write)(-acp)?", "…")


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
