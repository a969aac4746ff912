"""The simulator: moto over HTTP on the loopback interface, with authentication and authorization in front of it.

A request is signed by the deployer, signed by a session that an identity pool issued, or one of the few that AWS
accepts without a signature. `dispatch` decides which; moto gets only authorized requests. The server listens on 127.0.0.1
only, and reads nothing of the host's AWS configuration.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from moto.moto_api._internal.models import moto_api_backend

from .api_gateway import ApiGateway
from .authorization import Authorization
from .clients import ACCOUNT, Clients
from .cors import Cors
from .dispatch import Dispatch
from .dynamodb import DynamoDb
from .errors import AwsError
from .http import HttpRequest, Response
from .identity_pools import IdentityPools
from .listener import CannotListen, Listener
from .protocols import error_response, protocol_of
from .s3 import S3
from .sts import Sts
from .user_pools import UserPools

__all__ = ["CannotListen", "Sandbox"]

_RUNNING = threading.Lock()
_LOG = logging.getLogger(__name__)


class Sandbox:
    """An AWS with one account, in this process.

    Args:
        port: the port on 127.0.0.1; 0 chooses a free one.
        now: the clock, in seconds; tests move it.
    """

    def __init__(self, port: int = 0, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.admin_key = "AKIA" + secrets.token_hex(8).upper()
        self.admin_secret = secrets.token_urlsafe(30)
        authorization = Authorization(ACCOUNT)
        self.user_pools = UserPools(ACCOUNT, now)
        self.identity = IdentityPools(ACCOUNT, authorization.assume_role, self.user_pools.is_revoked, now)
        services = {
            "cognito-identity": self.identity,
            "execute-api": ApiGateway(ACCOUNT),
            "cognito-idp": self.user_pools,
            "dynamodb": DynamoDb(ACCOUNT),
            "sts": Sts(ACCOUNT),
            "s3": S3(ACCOUNT),
        }
        deployer = self.admin_key, self.admin_secret
        self._dispatch = Dispatch(services, authorization, deployer, self.identity.session, now)
        self._cors = Cors(ACCOUNT)
        self._listener = Listener(port, lambda request: self.respond(request))
        self._clients = Clients()

    def start(self) -> None:
        """Listen.

        Raises:
            CannotListen: the port is in use.
            RuntimeError: another sandbox is running in this process, whose state moto would share.
        """
        if not _RUNNING.acquire(blocking=False):
            raise RuntimeError("another sandbox is running in this process")
        try:
            moto_api_backend.reset()
            self._listener.start()
        except BaseException:
            _RUNNING.release()
            raise

    def stop(self) -> None:
        self._listener.stop()
        _RUNNING.release()

    @contextmanager
    def running(self) -> Iterator[Sandbox]:
        self.start()
        try:
            yield self
        finally:
            self.stop()

    @property
    def port(self) -> int:
        return self._listener.address[1]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, region: str, credentials: tuple[str, str, str] | None = None) -> Any:
        """A boto3 client of the sandbox.

        Args:
            service: boto3's name of the service, such as `s3`.
            region: the region that the client signs for.
            credentials: access key, secret key and token of a session; None for the deployer.
        """
        return self._clients.get(
            self.endpoint, service, region, credentials or (self.admin_key, self.admin_secret, None)
        )

    def respond(self, request: HttpRequest) -> Response:
        """The response to a request, whatever comes of it."""
        cors: dict[str, str] = {}
        try:
            _require_local(request)
            if request.method == "OPTIONS":
                return self._cors.preflight(request)
            cors = self._cors.headers(request)
            response = self._dispatch.respond(request)
        except AwsError as error:
            response = error_response(error, protocol_of(request))
        except Exception:
            _LOG.error(
                "the sandbox failed on %s %s", request.method, request.path, exc_info=_LOG.isEnabledFor(logging.DEBUG)
            )
            response = error_response(AwsError("InternalFailure", "the sandbox failed", 500), protocol_of(request))
        answered = {name: value for name, value in response.headers.items() if name.lower() != "x-amzn-requestid"}
        headers = {"x-amzn-RequestId": secrets.token_hex(16), **answered, **cors}
        return replace(response, headers=headers)


def _require_local(request: HttpRequest) -> None:
    """Refuse host names that a web page could have resolve to this address."""
    if not re.fullmatch(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?", request.headers["host"]):
        raise AwsError("AccessDenied", "the sandbox accepts requests to 127.0.0.1 only", 403)
