"""Amazon DynamoDB's requests: which permissions each one needs, with the partition keys that it names; moto answers them.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from .errors import AwsError
from .http import HttpRequest, json_body
from .regions import partition_of
from .service import Caller, Operation, RequiredPermission, Service
from .sigv4 import Signature

TARGET = "DynamoDB_20120810."


class DynamoDb(Service):
    """Requests that are signed for DynamoDB."""

    access_denied = ("AccessDeniedException", 400)

    def __init__(self, account: str) -> None:
        self._account = account

    def handles(self, request: HttpRequest, signature: Signature | None) -> bool:
        return signature is not None and signature.service == "dynamodb" and request.target.startswith(TARGET)

    def operation(self, request: HttpRequest, signature: Signature | None) -> Operation:
        name, region = request.target.removeprefix(TARGET), signature.region if signature else ""
        callers = frozenset({Caller.SESSION, Caller.DEPLOYER})
        return Operation(name, region, callers, request, json_body(request))

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        parameters, action = operation.parameters, f"dynamodb:{operation.name}"
        if operation.name in ("BatchGetItem", "BatchWriteItem"):
            return [
                RequiredPermission(action, self._arn(operation, table), self._batch_keys(operation, table, requests))
                for table, requests in (parameters.get("RequestItems") or {}).items()
            ]
        table, index = str(parameters.get("TableName")), parameters.get("IndexName")
        resource = self._arn(operation, f"{table}/index/{index}" if index else table)
        if operation.name == "Scan":
            return [RequiredPermission(action, resource)]
        key = self._partition_key(operation, table, index)
        if operation.name in ("GetItem", "DeleteItem", "UpdateItem"):
            value = _text(parameters.get("Key", {}).get(key))
        elif operation.name == "PutItem":
            value = _text(parameters.get("Item", {}).get(key))
        elif operation.name == "Query":
            value = _queried(parameters, key)
        else:
            message = f"the sandbox cannot authorize dynamodb {operation.name} for the session of an identity"
            raise AwsError("AccessDeniedException", message, 400)
        return [RequiredPermission(action, resource, _leading_keys([value]))]

    def _arn(self, operation: Operation, table: str) -> str:
        region = operation.region
        return f"arn:{partition_of(region).name}:dynamodb:{region}:{self._account}:table/{table}"

    def _batch_keys(self, operation: Operation, table: str, requests: Any) -> dict[str, tuple[str, ...]]:
        key = self._partition_key(operation, table)
        items = requests["Keys"] if operation.name == "BatchGetItem" else [_written(request) for request in requests]
        return _leading_keys(_text(item.get(key)) for item in items)

    def _partition_key(self, operation: Operation, table: str, index: str | None = None) -> str:
        """The name of a table's or index's partition key; empty if there is no such table."""
        model = dynamodb_backends[self._account][operation.region].tables.get(table)
        if model is None:
            return ""
        schemas = [i.schema for i in model.all_indexes() if i.name == index] if index else [model.schema]
        return next((str(k["AttributeName"]) for schema in schemas for k in schema if k["KeyType"] == "HASH"), "")


def _written(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item that one request of a BatchWriteItem puts, or the key that it deletes."""
    put, delete = request.get("PutRequest"), request.get("DeleteRequest")
    item: Mapping[str, Any] = put["Item"] if put else (delete or {}).get("Key", {})
    return item


def _queried(parameters: Mapping[str, Any], key: str) -> str | None:
    """The partition key that a query compares with: `KEY = :value`, or the older KeyConditions."""
    conditions = (parameters.get("KeyConditions") or {}).get(key)
    if conditions:
        return _text(conditions["AttributeValueList"][0])
    names = parameters.get("ExpressionAttributeNames") or {}
    for part in str(parameters.get("KeyConditionExpression") or "").replace("(", " ").replace(")", " ").split(" AND "):
        left, equals, right = part.partition("=")
        if equals and names.get(left.strip(), left.strip()) == key:
            return _text((parameters.get("ExpressionAttributeValues") or {}).get(right.strip()))
    return None


def _text(attribute: Any) -> str | None:
    """The value of an attribute such as `{"S": "text"}`."""
    return str(next(iter(attribute.values()))) if isinstance(attribute, Mapping) and attribute else None


def _leading_keys(values: Iterable[str | None]) -> dict[str, tuple[str, ...]]:
    keys = tuple(value for value in values if value is not None)
    return {"dynamodb:leadingkeys": keys} if keys else {}
