"""AWS STS: every signed caller may ask who they are; moto answers.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

from .http import HttpRequest
from .service import Caller, Operation, RequiredPermission, Service
from .sigv4 import Signature


class Sts(Service):
    """Requests that are signed for STS and ask for GetCallerIdentity."""

    def handles(self, request: HttpRequest, signature: Signature | None) -> bool:
        return signature is not None and signature.service == "sts" and _action(request) == "GetCallerIdentity"

    def operation(self, request: HttpRequest, signature: Signature | None) -> Operation:
        region = signature.region if signature else ""
        return Operation("sts GetCallerIdentity", region, frozenset({Caller.SESSION, Caller.DEPLOYER}), request)

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        return []


def _action(request: HttpRequest) -> str:
    """The Action of a query-protocol request."""
    fields = (item.partition("=") for item in request.body.decode("latin-1").split("&"))
    return next((value for name, _, value in fields if name == "Action"), "")
