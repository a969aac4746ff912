"""Every other service that moto has: only the deployer may call it."""

from __future__ import annotations

from .http import HttpRequest
from .service import Caller, Operation, Service
from .sigv4 import Signature


class OtherServices(Service):
    """Requests that no other service handles."""

    def handles(self, request: HttpRequest, signature: Signature | None) -> bool:
        return True

    def operation(self, request: HttpRequest, signature: Signature | None) -> Operation:
        name, region = (signature.service, signature.region) if signature else ("", "")
        return Operation(name, region, frozenset({Caller.DEPLOYER}), request)
