"""What every service module provides, so that one dispatch serves them all (see `dispatch`).

A service module determines the operation of a request from its allow-list (`operation`), says which permissions it needs
(`required_permissions`), and answers it (`answer`), itself or by asking moto.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from . import moto_backend
from .errors import AwsError
from .http import HttpRequest, Response
from .sessions import Session


class Caller(Enum):
    """Who sends a request, by its signature."""

    ANONYMOUS = "anonymous"
    SESSION = "session"
    DEPLOYER = "deployer"  # whoever started the sandbox has the keys


PUBLIC = frozenset(Caller)
SIGNED = frozenset({Caller.SESSION, Caller.DEPLOYER})
DEPLOYER_ONLY = frozenset({Caller.DEPLOYER})


@dataclass(frozen=True)
class Operation:
    """A request as a service reads it. It is all that is authorized, and all that is served.

    Attributes:
        name: AWS's name of the operation.
        region: the region that the request is for.
        callers: who may call the operation at all. A session needs the required permissions as well.
        parameters: by AWS's names.
        service: botocore's name of the service.
    """

    name: str
    region: str
    callers: frozenset[Caller]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    service: str = ""


@dataclass(frozen=True)
class RequiredPermission:
    """One action on one ARN that an operation needs, with the condition keys that the request itself sets."""

    action: str
    resource: str
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Service(ABC):
    """One service.

    Attributes:
        admits: who may call an operation of the service at all; a request of anybody else is not even read.
        access_denied: the code and status of its refusal when IAM denies a permission.
    """

    admits: frozenset[Caller] = SIGNED
    access_denied: tuple[str, int] = ("AccessDenied", 403)

    @abstractmethod
    def operation(self, request: HttpRequest, region: str) -> Operation:
        """Determine the operation of a request from the service's allow-list.

        Args:
            region: the region that the request is signed for; empty if it is not signed.

        Raises:
            AwsError: the request is malformed, or the service does not have the operation.
        """

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        """The permissions that a session needs for an operation: all of them.

        Raises:
            AwsError: the sandbox cannot tell which.
        """
        raise undecidable(f"{operation.service} {operation.name}")

    def answer(self, operation: Operation, session: Session | None) -> Response:
        """The response to an authorized operation.

        Args:
            session: the caller's; None for the deployer and for an anonymous caller.
        """
        return moto_backend.call(operation.service, operation.name, operation.region, operation.parameters)

    def refusal(self, caller: Caller, name: str) -> AwsError:
        """The refusal of a caller who may not call an operation, whatever their permissions.

        Args:
            name: of the service and, where it is known, the operation.
        """
        if caller is Caller.ANONYMOUS:
            return AwsError("AccessDenied", "Access Denied", 403)
        return undecidable(name)


def undecidable(name: str) -> AwsError:
    return AwsError("AccessDenied", f"the sandbox cannot authorize {name} for the session of an identity", 403)
