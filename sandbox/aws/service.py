"""What every service module provides, so that one dispatch serves them all (see `dispatch`).

A service module reads a request (`operation`), says which permissions it needs (`required_permissions`), and answers it
(`answer`) or leaves the answer to moto.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .errors import AwsError
from .http import HttpRequest, Response
from .sessions import Session
from .sigv4 import Signature


class Caller(Enum):
    """Who sends a request, by its signature."""

    ANONYMOUS = "anonymous"
    SESSION = "session"
    DEPLOYER = "deployer"  # whoever started the sandbox has the keys


@dataclass(frozen=True)
class Operation:
    """A request as a service reads it.

    Attributes:
        name: AWS's name of the operation.
        region: the region that the request is for.
        callers: who may call the operation at all. A session needs the required permissions as well.
    """

    name: str
    region: str
    callers: frozenset[Caller]
    request: HttpRequest
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RequiredPermission:
    """One action on one ARN that an operation needs, with the condition keys that the request itself sets."""

    action: str
    resource: str
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Service(ABC):
    """One service.

    Attributes:
        access_denied: the code and status of its refusal when IAM denies a permission.
    """

    access_denied: tuple[str, int] = ("AccessDenied", 403)

    @abstractmethod
    def handles(self, request: HttpRequest, signature: Signature | None) -> bool:
        """Whether a request is for this service. The dispatch asks the services in order."""

    @abstractmethod
    def operation(self, request: HttpRequest, signature: Signature | None) -> Operation:
        """Read a request.

        Raises:
            AwsError: the request is malformed.
        """

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        """The permissions that a session needs for an operation: all of them.

        Raises:
            AwsError: the sandbox cannot tell which.
        """
        raise _undecidable(operation.name)

    def answer(self, operation: Operation, session: Session | None) -> Response | None:
        """The response to an authorized operation; None if moto answers it.

        Args:
            session: the caller's; None for the deployer and for an anonymous caller.
        """
        return None

    def refusal(self, caller: Caller, operation: Operation) -> AwsError:
        """The refusal of a caller who may not call an operation, whatever their permissions."""
        if caller is Caller.ANONYMOUS:
            return AwsError("AccessDenied", "Access Denied", 403)
        return _undecidable(operation.name)


def _undecidable(name: str) -> AwsError:
    return AwsError("AccessDenied", f"the sandbox cannot authorize {name} for the session of an identity", 403)
