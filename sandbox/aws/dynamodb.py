"""DynamoDB's requests as IAM sees them: which action on which table, with the partition keys that the request names.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from .errors import AwsError
from .s3 import RequiredPermission

TARGET = "DynamoDB_20120810."


def questions(
    operation: str, parameters: Mapping[str, Any], arn: str, account: str, region: str
) -> list[RequiredPermission]:
    """What IAM is asked for an operation; all must be allowed.

    Args:
        arn: how the ARNs of the region's tables begin, up to `table/`.

    Raises:
        Fault: an operation that the sandbox cannot judge, or a table that is not there.
    """
    action = f"dynamodb:{operation}"
    if operation in ("BatchGetItem", "BatchWriteItem"):
        found: list[RequiredPermission] = []
        for table, asked in (parameters.get("RequestItems") or {}).items():
            key = _hash_key(table, account, region)
            items = asked["Keys"] if operation == "BatchGetItem" else [_written(each) for each in asked]
            found.append(RequiredPermission(action, arn + table, _leading(_value(item.get(key)) for item in items)))
        return found
    table = str(parameters.get("TableName"))
    index = parameters.get("IndexName")
    resource = f"{arn}{table}/index/{index}" if index else arn + table
    if operation == "Scan":
        return [RequiredPermission(action, resource)]
    key = _hash_key(table, account, region, index)
    if operation in ("GetItem", "DeleteItem", "UpdateItem"):
        return [RequiredPermission(action, resource, _leading([_value(parameters.get("Key", {}).get(key))]))]
    if operation == "PutItem":
        return [RequiredPermission(action, resource, _leading([_value(parameters.get("Item", {}).get(key))]))]
    if operation == "Query":
        return [RequiredPermission(action, resource, _leading([_queried(parameters, key)]))]
    raise AwsError(
        "AccessDeniedException", f"the sandbox cannot authorise dynamodb {operation} for a vended session", 400
    )


def _hash_key(table: str, account: str, region: str, index: str | None = None) -> str:
    found = dynamodb_backends[account][region].tables.get(table)
    if found is None:
        return ""
    schemas = [i.schema for i in found.all_indexes() if i.name == index] if index else [found.schema]
    return next((str(k["AttributeName"]) for schema in schemas for k in schema if k["KeyType"] == "HASH"), "")


def _written(request: Mapping[str, Any]) -> Mapping[str, Any]:
    put, delete = request.get("PutRequest"), request.get("DeleteRequest")
    found: Mapping[str, Any] = put["Item"] if put else (delete or {}).get("Key", {})
    return found


def _queried(parameters: Mapping[str, Any], key: str) -> str | None:
    """The partition key that a query compares with: `KEY = :value`, or an older KeyConditions."""
    old = (parameters.get("KeyConditions") or {}).get(key)
    if old:
        return _value(old["AttributeValueList"][0])
    names = parameters.get("ExpressionAttributeNames") or {}
    for part in str(parameters.get("KeyConditionExpression") or "").replace("(", " ").replace(")", " ").split(" AND "):
        left, equals, right = part.partition("=")
        if equals and names.get(left.strip(), left.strip()) == key:
            return _value((parameters.get("ExpressionAttributeValues") or {}).get(right.strip()))
    return None


def _value(attribute: Any) -> str | None:
    return str(next(iter(attribute.values()))) if isinstance(attribute, Mapping) and attribute else None


def _leading(values: Any) -> dict[str, tuple[str, ...]]:
    found = tuple(_known(values))
    return {"dynamodb:leadingkeys": found} if found else {}


def _known(values: Any) -> Iterator[str]:
    for value in values:
        if value is not None:
            yield value
