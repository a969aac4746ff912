"""The simulator: moto over HTTP on the loopback interface, with authentication and authorization in front of it.

A request is signed by the deployer, signed by a session that an identity pool issued, or one of the few that AWS
accepts without a signature. `dispatch` decides which; moto gets only authorized requests. The server listens on 127.0.0.1
only, and reads nothing of the host's AWS configuration.
"""

from __future__ import annotations

import io
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from ..errors import InputError
from .api_gateway import ApiGateway
from .authorization import Authorization
from .clients import ACCOUNT, Clients
from .dispatch import Dispatch
from .dynamodb import DynamoDb
from .errors import AwsError
from .http import Response, read_request, send
from .identity_pools import IdentityPools
from .other_services import OtherServices
from .protocols import Protocol, error_response, protocol_of
from .s3 import S3
from .sts import Sts
from .user_pools import UserPools

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_RUNNING = threading.Lock()


class CannotListen(InputError):
    """The port is in use, or this user may not listen on it."""


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
        self.identity = IdentityPools(ACCOUNT, authorization.assume_role, now)
        services = (
            self.identity,
            ApiGateway(ACCOUNT),
            UserPools(),
            DynamoDb(ACCOUNT),
            Sts(),
            S3(),
            OtherServices(),
        )
        self._dispatch = Dispatch(
            services, authorization, (self.admin_key, self.admin_secret), self.identity.session, now
        )
        self._port = port
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._clients = Clients()

    def start(self) -> None:
        """Listen.

        Raises:
            CannotListen: the port is in use.
            RuntimeError: another sandbox is running in this process, whose state moto would share.
        """
        if not _RUNNING.acquire(blocking=False):
            raise RuntimeError("another sandbox is running in this process")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto_api_backend.reset()
        # werkzeug would end the process if the port is in use, so the socket is created here.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait for old connections
        try:
            listener.bind(("127.0.0.1", self._port))
        except OSError as error:
            listener.close()
            _RUNNING.release()
            reason = error.strerror or error
            raise CannotListen(
                f"cannot listen on 127.0.0.1:{self._port}: {reason}; choose another port with --port or PORT="
            ) from None
        listener.listen(128)
        self._server = make_server(
            "127.0.0.1", 0, self, threaded=True, request_handler=_KeepAliveHandler, fd=listener.detach()
        )
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None
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
        if self._server is None:
            raise RuntimeError("the sandbox has not been started")
        return int(self._server.socket.getsockname()[1])

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

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request (WSGI)."""
        protocol = Protocol.S3
        try:
            _require_local(environ)
            request = read_request(environ)
            if request.method == "OPTIONS":
                return send(Response(200), start_response)
            protocol = protocol_of(request)
            response = self._dispatch.respond(request)
        except AwsError as error:
            return send(error_response(error, protocol), start_response)
        if response is not None:
            return send(response, start_response)
        environ["wsgi.input"] = io.BytesIO(request.body)
        environ["CONTENT_LENGTH"] = str(len(request.body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        body: Iterable[bytes] = self._moto(environ, start_response)
        return body


class _KeepAliveHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"


def _require_local(environ: WSGIEnvironment) -> None:
    """Refuse other machines, and host names that a web page could have resolve to this address."""
    host = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or str(environ.get("HTTP_HOST", ""))
    if environ.get("REMOTE_ADDR") != "127.0.0.1" or host not in ("127.0.0.1", "localhost"):
        raise AwsError("AccessDenied", "the sandbox accepts requests to 127.0.0.1 only", 403)
