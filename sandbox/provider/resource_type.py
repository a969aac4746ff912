"""A resource type of pulumi_aws: its schema, and the AWS calls that create, read, update and delete a resource of it."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from ..aws.clients import Aws
from ..errors import CommandError
from .state import Inputs, ResourceState

NOT_FOUND = frozenset({"NoSuchEntity", "ResourceNotFoundException", "NoSuchBucket", "NoSuchBucketPolicy"})
"""The services' error codes for a resource that does not exist."""

Created = tuple[str, dict[str, Any]]
"""The ID of a new resource, and its outputs."""


class BrokenAnswer(CommandError):
    """An answer lacks a field that the service always sends."""

    def __init__(self, operation: str, name: str) -> None:
        super().__init__(f"the answer to {operation} is broken: it has no {name}")


class ResourceType(ABC):
    """One resource type. `create`, `read`, `update` and `delete` make real API calls.

    Attributes:
        token: the type token, such as `aws:iam/role:Role`.
        resource: pulumi_aws's class of the resource. The class itself and not its name, because pulumi_aws loads its
            modules lazily: two threads that load one at the same time find it half empty.
        args: pulumi_aws's class of the resource's inputs.
        replaces: inputs whose change replaces the resource (the provider's ForceNew).
        needs_name: whether AWS requires a name, so that the provider generates one where the program has none.
    """

    token: ClassVar[str]
    resource: ClassVar[Any]
    args: ClassVar[Any]
    replaces: ClassVar[frozenset[str]]
    needs_name: ClassVar[bool] = False

    @abstractmethod
    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        """Create a resource; `name` is its logical name."""

    @abstractmethod
    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        """The properties that AWS has now; None for one that is not set.

        Raises:
            ClientError: with a code of `NOT_FOUND` if the resource does not exist.
        """

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        """Change a resource in place. Never called for a type whose every input replaces it."""
        raise NotImplementedError(f"`{self.token}` cannot be changed in place")

    @abstractmethod
    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        """Delete a resource. Raises ClientError as `read` does."""


def physical_name(inputs: Inputs, name: str) -> str:
    """The name that AWS gets: the program's own, or the logical name with a random suffix, as Pulumi generates it."""
    if "name" in inputs:
        return str(inputs["name"])
    head = str(inputs["namePrefix"]) if "namePrefix" in inputs else f"{name}-"
    return head + secrets.token_hex(4)[:7]


def field(operation: str, answer: Mapping[str, Any], *path: str) -> Any:
    """The value at a path of an answer.

    Raises:
        BrokenAnswer: the answer has no such field.
    """
    value: Any = answer
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            raise BrokenAnswer(operation, key)
        value = value[key]
    return value


def not_found(resource: str) -> ClientError:
    return ClientError({"Error": {"Code": "NoSuchEntity", "Message": f"{resource} does not exist"}}, "Read")


def without_none(request: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if value is not None}


def renamed(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Fields of an answer under the provider's names; fields without a value are left out.

    Args:
        names: AWS's name of each field, by the provider's.
    """
    return {ours: item[theirs] for ours, theirs in names.items() if item.get(theirs) is not None}


def tag_list(inputs: Inputs) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (inputs.get("tags") or {}).items()]


def tag_map(tags: Any) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in tags or []}
