"""Every resource type and function that the sandbox's provider has, by its token.

A type that is not listed here is an error that names it, never a silent success.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ..aws.clients import Aws
from ..errors import CommandError
from . import cognito, iam, s3, schema_check
from .resource_type import NOT_FOUND, Created, ResourceType, physical_name
from .schema_check import InputsRefused, Problem
from .state import Inputs, ResourceState, refreshed

TYPES: dict[str, ResourceType] = {type_.token: type_ for type_ in (*cognito.TYPES, *iam.TYPES, *s3.TYPES)}

_DOCUMENTS = frozenset({"assumeRolePolicy", "policy"})


class UnknownType(CommandError):
    """The sandbox does not have a resource type or function."""

    def __init__(self, token: str) -> None:
        super().__init__(f"the sandbox does not know `{token}`; known: {', '.join(sorted([*TYPES, *_FUNCTIONS]))}")


def type_of(token: str) -> ResourceType:
    """Raises: UnknownType."""
    if token not in TYPES:
        raise UnknownType(token)
    return TYPES[token]


def create(aws: Aws, region: str, token: str, name: str, inputs: Inputs) -> Created:
    """Create a resource by real API calls.

    Args:
        token: type token, such as `aws:iam/role:Role`.
        name: logical name, from which a physical one is generated where AWS requires one and the program has none.
        inputs: the resource's inputs, by the provider's names.

    Raises:
        UnknownType: the sandbox does not have this type.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: there was no answer.
        BrokenAnswer: the answer was incomplete.
    """
    return type_of(token).create(aws, str(inputs.get("region") or region), name, inputs)


def read(aws: Aws, region: str, token: str, state: ResourceState) -> ResourceState | None:
    """A resource as it is now, whoever changed it; None if it does not exist. Raises as `create` does."""
    type_ = type_of(token)
    try:
        current = type_.read(aws, _region(state, region), state)
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return None
        raise
    if not state.inputs and "region" in type_.replaces:  # an import: the provider's region is the resource's
        current = {**current, "region": region}
    return refreshed(state, current)


def update(aws: Aws, region: str, token: str, state: ResourceState, inputs: Inputs) -> Created:
    """Change a resource in place; its ID and new outputs. Raises as `create` does."""
    type_of(token).update(aws, str(inputs.get("region") or region), state, inputs)
    return state.id, {**state.outputs, **inputs}


def delete(aws: Aws, region: str, token: str, state: ResourceState) -> None:
    """Delete a resource, if it exists. Raises as `create` does."""
    try:
        type_of(token).delete(aws, _region(state, region), state)
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_FOUND:
            raise


def _region(state: ResourceState, default: str) -> str:
    return str(state.inputs.get("region") or default)


def problems(token: str, inputs: Inputs) -> list[Problem]:
    """What the real provider's check would refuse of a resource's inputs. Raises: UnknownType."""
    return list(schema_check.problems(type_of(token).args, inputs))


def check(token: str, name: str, inputs: Inputs) -> None:
    """Refuse inputs that the real provider would refuse.

    Raises:
        UnknownType: the sandbox does not have this type.
        InputsRefused: with every problem.
    """
    refused = problems(token, inputs)
    if refused:
        raise InputsRefused(token, name, refused)


def computed(token: str) -> frozenset[str]:
    """Properties that AWS assigns, so that they are unknown before the resource exists. Raises: UnknownType."""
    type_ = type_of(token)
    return schema_check.computed(type_.resource, type_.args)


def schema() -> dict[str, dict[str, Any]]:
    """Every resource type as a package schema describes it, by token."""
    return {token: schema_check.schema(type_.resource, type_.args) for token, type_ in TYPES.items()}


def with_documents_as_text(inputs: Inputs) -> dict[str, Any]:
    """The inputs as the real provider's check returns them: policy documents, which may be objects, as JSON."""
    return {k: json.dumps(v) if k in _DOCUMENTS and isinstance(v, Mapping) else v for k, v in inputs.items()}


def generated_name(token: str, name: str, inputs: Inputs) -> str | None:
    """The name that the real provider's check generates for a resource without one; None where it needs none."""
    if token in TYPES and TYPES[token].needs_name and "name" not in inputs:
        return physical_name(inputs, name)
    return None


def invoke(aws: Aws, region: str, token: str, args: Inputs) -> dict[str, Any]:
    """Call a provider function. Raises as `create` does."""
    if token not in _FUNCTIONS:
        raise UnknownType(token)
    return _FUNCTIONS[token](aws, region, args)


def _get_region(aws: Aws, region: str, args: Inputs) -> dict[str, Any]:
    return {"id": region, "region": region, "name": region}


def _get_caller_identity(aws: Aws, region: str, args: Inputs) -> dict[str, Any]:
    caller = aws.client("sts", region).get_caller_identity()
    account = caller["Account"]
    return {"accountId": account, "arn": caller["Arn"], "userId": caller["UserId"], "id": account}


def _get_user_pool_client(aws: Aws, region: str, args: Inputs) -> dict[str, Any]:
    pool, client_id = args["userPoolId"], args["clientId"]
    client = aws.client("cognito-idp", region).describe_user_pool_client(UserPoolId=pool, ClientId=client_id)
    attributes = {
        "readAttributes": client["UserPoolClient"].get("ReadAttributes") or [],
        "writeAttributes": client["UserPoolClient"].get("WriteAttributes") or [],
    }
    return {"id": client_id, "clientId": client_id, "userPoolId": pool, "region": region, **attributes}


_FUNCTIONS: dict[str, Callable[[Aws, str, Inputs], dict[str, Any]]] = {
    "aws:index/getRegion:getRegion": _get_region,
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller_identity,
    "aws:cognito/getUserPoolClient:getUserPoolClient": _get_user_pool_client,
}
