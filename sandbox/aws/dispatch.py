"""One way for every request: parse → authenticate → required permissions → authorize → answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timezone

from .authorization import Authorization
from .errors import AwsError
from .http import HttpRequest, Response
from .regions import is_region
from .service import Caller, Service
from .sessions import Session
from .sigv4 import Signature, read_signature, verify


class Dispatch:
    """The services of one account, behind authentication and authorization.

    Args:
        services: asked in this order whether a request is theirs; the last one takes every request.
        deployer: access key and secret key of the deployer.
        session: the session of an access key.
        now: the clock, in seconds.
    """

    def __init__(
        self,
        services: Sequence[Service],
        authorization: Authorization,
        deployer: tuple[str, str],
        session: Callable[[str], Session | None],
        now: Callable[[], float],
    ) -> None:
        self._services = services
        self._authorization = authorization
        self._deployer = deployer
        self._session = session
        self._now = now

    def respond(self, request: HttpRequest) -> Response | None:
        """The response to a request; None if moto answers it, which is then authorized.

        Raises:
            AwsError: the refusal.
        """
        signature = read_signature(request)
        service = next(service for service in self._services if service.handles(request, signature))
        operation = service.operation(request, signature)
        caller, session = self._authenticate(request, signature)
        if caller not in operation.callers:
            raise service.refusal(caller, operation)
        if session is not None:
            for permission in service.required_permissions(operation):
                message = self._authorization.refusal(session, permission, operation.region, self._now())
                if message is not None:
                    code, status = service.access_denied
                    raise AwsError(code, message, status)
        return service.answer(operation, session)

    def _authenticate(self, request: HttpRequest, signature: Signature | None) -> tuple[Caller, Session | None]:
        if signature is None:
            return Caller.ANONYMOUS, None
        if not is_region(signature.region):
            raise AwsError("SignatureDoesNotMatch", "Credential should be scoped to a valid region.", 403)
        time = datetime.fromtimestamp(self._now(), timezone.utc)
        key, secret = self._deployer
        if signature.access_key == key:
            verify(request, signature, secret, time)
            return Caller.DEPLOYER, None
        session = self._session(signature.access_key)
        if session is None:
            message = "The AWS Access Key Id you provided does not exist in our records."
            raise AwsError("InvalidAccessKeyId", message, 403)
        verify(request, signature, session.secret, time)
        if not secrets.compare_digest((signature.token or "").encode(), session.token.encode()):
            raise AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
        if session.expires <= self._now():
            raise AwsError("ExpiredToken", "The provided token has expired.", 400)
        return Caller.SESSION, session
