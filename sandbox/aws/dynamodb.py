"""Amazon DynamoDB's requests: which permissions each one needs, with the partition keys that it names; moto answers them.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from . import json_requests, key_conditions
from .deployer_services import DeployerServices
from .errors import AwsError
from .http import HttpRequest
from .regions import partition_of
from .service import DEPLOYER_ONLY, SIGNED, Operation, RequiredPermission, Service, undecidable

Parameters = Mapping[str, Any]

SESSION_OPERATIONS = frozenset(
    {
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
        *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
    }
)
"""Operations that the sandbox can authorize."""

_EXPRESSIONS = frozenset(
    {
        *("ConditionExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression"),
        *("UpdateExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"),
    }
)
_LEGACY = frozenset(
    {
        *("AttributesToGet", "AttributeUpdates", "ConditionalOperator", "Expected", "KeyConditions"),
        *("QueryFilter", "ScanFilter"),
    }
)
"""What came before expressions.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
"""
_UNIONS = {
    "AttributeValue": "Supplied AttributeValue has more than one datatypes set",
    "TransactGetItem": "An item of a transaction has more than one operation",
    "TransactWriteItem": "An item of a transaction has more than one operation",
    "WriteRequest": "A request has more than one operation",
}
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_WORDS = frozenset(
    {
        *("and", "or", "not", "between", "in", "set", "remove", "add", "delete", "attribute_exists"),
        *("attribute_not_exists", "attribute_type", "begins_with", "contains", "size", "if_not_exists", "list_append"),
    }
)


class DynamoDb(Service):
    """Requests that are signed for DynamoDB."""

    access_denied = ("AccessDeniedException", 400)

    def __init__(self, account: str) -> None:
        self._account = account

    def operation(self, request: HttpRequest, region: str) -> Operation:
        if not request.target.startswith("DynamoDB_20120810."):
            return DeployerServices("dynamodb").operation(request, region)
        model, parameters = json_requests.read(request, "dynamodb")
        if model.name == "Query" and "KeyConditionExpression" in parameters:
            conditions = key_conditions.parse(parameters["KeyConditionExpression"])
            parameters["KeyConditionExpression"] = key_conditions.write(conditions)
        if model.input_shape is not None:
            _require_one_form(model.input_shape, parameters)
        callers = SIGNED if model.name in SESSION_OPERATIONS else DEPLOYER_ONLY
        return Operation(model.name, region, callers, parameters, "dynamodb")

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        name, parameters = operation.name, operation.parameters
        if name in ("BatchGetItem", "BatchWriteItem"):
            return [
                self._permission(operation, f"dynamodb:{name}", table, self._batch_keys(operation, table, requests))
                for table, requests in parameters["RequestItems"].items()
            ]
        if name in ("TransactGetItems", "TransactWriteItems"):
            return [
                self._item(operation, "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item", item)
                for entry in parameters["TransactItems"]
                for kind, item in entry.items()
            ]
        if name == "Scan":
            context = _columns(parameters)
            return [self._permission(operation, "dynamodb:Scan", parameters["TableName"], context, parameters)]
        if name == "Query":
            key = self._partition_key(operation, parameters["TableName"], parameters.get("IndexName"))
            context = _leading_keys([_queried(parameters, key)]) | _columns(parameters)
            return [self._permission(operation, "dynamodb:Query", parameters["TableName"], context, parameters)]
        if name not in SESSION_OPERATIONS:
            raise undecidable(f"dynamodb {name}")
        return [self._item(operation, name, parameters)]

    def _item(self, operation: Operation, action: str, parameters: Parameters) -> RequiredPermission:
        """The permission for one item."""
        table, item = parameters["TableName"], parameters.get("Key", parameters.get("Item", {}))
        key = self._partition_key(operation, table)
        context = _leading_keys(_values([item], key)) | _columns(parameters, item)
        if "ReturnValues" in parameters:
            context["dynamodb:returnvalues"] = (parameters["ReturnValues"],)
        if operation.name.startswith("Transact"):
            context["dynamodb:enclosingoperation"] = (operation.name,)
        return self._permission(operation, f"dynamodb:{action}", table, context)

    def _permission(
        self,
        operation: Operation,
        action: str,
        table: str,
        context: dict[str, tuple[str, ...]],
        parameters: Parameters | None = None,
    ) -> RequiredPermission:
        region, values = operation.region, parameters or {}
        if not _TABLE_NAME.fullmatch(table):
            raise AwsError(
                "ValidationException", "TableName must be the name of a table; the sandbox takes no ARN", 400
            )
        resource = f"arn:{partition_of(region).name}:dynamodb:{region}:{self._account}:table/{table}"
        if "IndexName" in values:
            resource += f"/index/{values['IndexName']}"
        for name, key in (("Select", "dynamodb:select"), ("ReturnConsumedCapacity", "dynamodb:returnconsumedcapacity")):
            if name in values:
                context[key] = (values[name],)
        return RequiredPermission(action, resource, context)

    def _batch_keys(self, operation: Operation, table: str, requests: Any) -> dict[str, tuple[str, ...]]:
        key = self._partition_key(operation, table)
        if operation.name == "BatchGetItem":
            items = list(requests["Keys"])
            columns = _columns(requests, *items)
        else:
            items = [_written(request) for request in requests]
            columns = _columns({}, *items)
        return _leading_keys(_values(items, key)) | columns

    def _partition_key(self, operation: Operation, table: str, index: str | None = None) -> str:
        """The name of a table's or index's partition key; empty if there is no such table, and nothing to protect.

        Raises:
            AwsError: ValidationException, if the table has no such index.
        """
        model = dynamodb_backends[self._account][operation.region].tables.get(table)
        if not isinstance(model, Table):
            return ""
        schemas = [i.schema for i in model.all_indexes() if i.name == index] if index is not None else [model.schema]
        if len(schemas) != 1:
            raise AwsError("ValidationException", f"The table does not have the specified index: {index}", 400)
        return next(str(k["AttributeName"]) for k in schemas[0] if k["KeyType"] == "HASH")


def _written(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item that one request of a BatchWriteItem puts, or the key that it deletes."""
    item: Mapping[str, Any] = (
        request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    )
    return item


def _queried(parameters: Parameters, key: str) -> Any:
    """The partition key that a query compares with: `KEY = :value`, or the older KeyConditions.

    Raises:
        AwsError: ValidationException, unless there is exactly one.
    """
    if not key:
        return None
    if "KeyConditionExpression" in parameters:
        conditions = key_conditions.parse(parameters["KeyConditionExpression"])
        names, values = parameters.get("ExpressionAttributeNames", {}), parameters.get("ExpressionAttributeValues", {})
        return key_conditions.partition_value(conditions, names, values, key)
    condition = parameters.get("KeyConditions", {}).get(key, {})
    values = condition.get("AttributeValueList", [])
    if condition.get("ComparisonOperator") != "EQ" or len(values) != 1:
        raise AwsError("ValidationException", "Query condition missed key schema element", 400)
    return values[0]


def _values(items: Iterable[Mapping[str, Any]], key: str) -> list[Any]:
    """The partition key of each item. A condition on all of them would hold of none.

    Raises:
        AwsError: ValidationException, if an item has none.
    """
    if not key:
        return []
    values = [item.get(key) for item in items]
    if not all(values):
        raise AwsError("ValidationException", "One of the required keys was not given a value", 400)
    return values


def _leading_keys(values: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    keys = tuple(dict.fromkeys(text for text in map(_key_text, values) if text is not None))
    return {"dynamodb:leadingkeys": keys} if keys else {}


def _key_text(attribute: Any) -> str | None:
    """The value of a key such as `{"S": "text"}`; equal numbers have equal texts."""
    if not attribute:
        return None
    ((kind, value),) = attribute.items()
    if kind == "N":
        try:
            return format(Decimal(value).normalize(), "f")
        except (InvalidOperation, OverflowError):
            raise AwsError("ValidationException", "The parameter cannot be converted to a numeric value", 400) from None
    if kind in ("S", "B"):
        return value if isinstance(value, str) else bytes(value).decode("latin-1")
    raise AwsError("ValidationException", "A key must be a string, a number or binary", 400)


def _columns(parameters: Parameters, *items: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The top-level attributes that a request names."""
    names = parameters.get("ExpressionAttributeNames", {})
    found = [name for item in items for name in item]
    for expression in sorted(_EXPRESSIONS - {"ExpressionAttributeNames", "ExpressionAttributeValues"}):
        found.extend(names.get(token, token) for token in _paths(parameters.get(expression, "")))
    found += parameters.get("AttributesToGet", [])
    for legacy in ("AttributeUpdates", "Expected", "KeyConditions", "QueryFilter", "ScanFilter"):
        found += parameters.get(legacy, {})
    return {"dynamodb:attributes": tuple(dict.fromkeys(found))} if found else {}


def _paths(expression: str) -> Iterator[str]:
    """The first name of each document path of an expression."""
    for match in re.finditer(r"(?<![\w:#.])#?[A-Za-z_]\w*", expression, re.ASCII):
        if match[0].lower() not in _WORDS:
            yield match[0]


def _require_one_form(shape: Shape, value: Any) -> None:
    """Refuse both forms of one parameter, and an attribute with several types or none.

    Raises:
        AwsError: ValidationException.
    """
    if isinstance(shape, StructureShape):
        for member, sign in (("ExpressionAttributeNames", "#"), ("ExpressionAttributeValues", ":")):
            if any(not re.fullmatch(rf"{sign}\w+", name, re.ASCII) for name in value.get(member, {})):
                raise AwsError("ValidationException", f"{member} contains invalid key: Syntax error", 400)
        if not _EXPRESSIONS.isdisjoint(value) and not _LEGACY.isdisjoint(value):
            message = "Can not use both expression and non-expression parameters in the same request"
            raise AwsError("ValidationException", message, 400)
        if shape.name in _UNIONS and len(value) != 1:
            raise AwsError("ValidationException", f"{_UNIONS[shape.name]}, must contain exactly one", 400)
        for name, item in value.items():
            _require_one_form(shape.members[name], item)
    elif isinstance(shape, MapShape):
        for item in value.values():
            _require_one_form(shape.value, item)
    elif isinstance(shape, ListShape):
        for item in value:
            _require_one_form(shape.member, item)
