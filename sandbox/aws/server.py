"""The simulator: moto over HTTP on the loopback interface, with identity and authorization in front of it.

Every request is either signed by the administrator who deploys, signed by a session that the identity pool vended, or one
of the few that AWS takes unsigned. The first passes to moto, the second is authorised as IAM would, the rest is refused.
Nothing listens beyond 127.0.0.1, and nothing of the host's AWS configuration is read.
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
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from . import api_gateway, dynamodb, s3
from .authorization import Enforcement
from .clients import ACCOUNT, Clients
from .errors import AwsError, Protocol, Response, fault_answer, json_answer
from .identity_pools import PUBLIC_OPERATIONS, CognitoIdentity, Session, pool_arn, read_parameters
from .regions import is_region, partition_of
from .s3 import RequiredPermission
from .sigv4 import HttpRequest, Signature, read_signature, verify

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY = 64 * 1024 * 1024
"""Largest request body, in bytes."""

_ALONE = threading.Lock()
_IDENTITY_TARGET = "AWSCognitoIdentityService."
_USER_POOL_TARGET = "AWSCognitoIdentityProviderService."
_USER_POOL_PUBLIC = frozenset(
    {
        *("SignUp", "ConfirmSignUp", "ResendConfirmationCode", "InitiateAuth", "RespondToAuthChallenge"),
        *("ForgotPassword", "ConfirmForgotPassword", "GetUser", "UpdateUserAttributes", "DeleteUser"),
        *("ChangePassword", "GlobalSignOut", "RevokeToken", "AssociateSoftwareToken", "VerifySoftwareToken"),
    }
)
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": "ETag, x-amz-request-id, x-amz-version-id, x-amzn-ErrorType",
    "Access-Control-Max-Age": "600",
}


class CannotListen(OSError):
    """The port is taken, or may not be taken."""


class Sandbox:
    """An AWS of one account in this process.

    Args:
        port: where to listen on 127.0.0.1; 0 takes a free one.
        now: the clock, in seconds; tests move it.
    """

    def __init__(self, port: int = 0, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.admin_key = "AKIA" + secrets.token_hex(8).upper()
        self.admin_secret = secrets.token_urlsafe(30)
        self.enforcement = Enforcement(ACCOUNT)
        self.identity = CognitoIdentity(ACCOUNT, self.enforcement.assume, now)
        self._port = port
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._clients = Clients()

    def start(self) -> None:
        """Listen.

        Raises:
            CannotListen: the port is taken.
            RuntimeError: another sandbox runs in this process; moto keeps one state for all of it.
        """
        if not _ALONE.acquire(blocking=False):
            raise RuntimeError("a sandbox runs in this process already")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto_api_backend.reset()
        # The socket is made here because werkzeug ends the process where a port is taken.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.bind(("127.0.0.1", self._port))
        except OSError as error:
            listener.close()
            _ALONE.release()
            raise CannotListen(f"cannot listen on 127.0.0.1:{self._port}: {error.strerror or error}") from None
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
            _ALONE.release()

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
            service: boto3's name, such as `s3`.
            region: region that the client signs for.
            credentials: access key, secret key and token of a vended session; None for the administrator.
        """
        return self._clients.get(
            self.endpoint, service, region, credentials or (self.admin_key, self.admin_secret, None)
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request (WSGI)."""
        protocol = Protocol.S3
        try:
            _only_local(environ)
            request = _read(environ)
            if request.method == "OPTIONS":
                return _send(Response(200), start_response)
            protocol = _protocol(request)
            answer = self._serve(request)
        except AwsError as fault:
            return _send(fault_answer(fault, protocol), start_response)
        if answer is not None:
            return _send(answer, start_response)
        environ["wsgi.input"] = io.BytesIO(request.body)
        environ["CONTENT_LENGTH"] = str(len(request.body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        passed: Iterable[bytes] = self._moto(environ, start_response)
        return passed

    def _serve(self, request: HttpRequest) -> Response | None:
        """The sandbox's own answer, or None where moto is to answer an authorised request."""
        signature = read_signature(request)
        session = self._caller(request, signature) if signature else None
        target = request.headers.get("x-amz-target", "")
        if target.startswith(_IDENTITY_TARGET):
            return self._identity_pools(request, target.removeprefix(_IDENTITY_TARGET), signature, session)
        if request.path.startswith(api_gateway.PREFIX):
            return self._api(request, signature, session)
        if signature is None:
            if target.startswith(_USER_POOL_TARGET) and target.removeprefix(_USER_POOL_TARGET) in _USER_POOL_PUBLIC:
                return None
            if request.method == "GET" and "/.well-known/" in request.path:
                return None
            raise AwsError("AccessDenied", "Access Denied", 403)
        if session is None:
            return None
        if signature.service == "dynamodb" and target.startswith(dynamodb.TARGET):
            self._rows(request, target.removeprefix(dynamodb.TARGET), signature, session)
            return None
        if signature.service != "s3":
            if _operation(request) == "GetCallerIdentity":
                return None
            raise AwsError(
                "AccessDenied", f"the sandbox cannot authorise {signature.service} for a vended session", 403
            )
        for question in s3.questions(request, partition_of(signature.region).name):
            self.enforcement.authorise(session, question, signature.region, self.now())
        return None

    def _rows(self, request: HttpRequest, operation: str, signature: Signature, session: Session) -> None:
        arn = f"arn:{partition_of(signature.region).name}:dynamodb:{signature.region}:{ACCOUNT}:table/"
        parameters = read_parameters(request.body)
        try:
            for asked in dynamodb.questions(operation, parameters, arn, ACCOUNT, signature.region):
                self.enforcement.authorise(session, asked, signature.region, self.now())
        except AwsError as fault:
            raise AwsError("AccessDeniedException", fault.message, 400) from None

    def _caller(self, request: HttpRequest, signature: Signature) -> Session | None:
        """The session that signed; None for the administrator."""
        if not is_region(signature.region):
            raise AwsError("InvalidRegion", f"AWS has no region {signature.region}", 400)
        moment = datetime.fromtimestamp(self.now(), timezone.utc)
        if signature.access_key == self.admin_key:
            verify(request, signature, self.admin_secret, moment)
            return None
        session = self.identity.session(signature.access_key)
        if session is None:
            raise AwsError(
                "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403
            )
        verify(request, signature, session.secret, moment)
        if not secrets.compare_digest(signature.token or "", session.token):
            raise AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
        if session.expires <= self.now():
            raise AwsError("ExpiredToken", "The provided token has expired.", 400)
        return session

    def _identity_pools(
        self, request: HttpRequest, operation: str, signature: Signature | None, session: Session | None
    ) -> Response:
        parameters = read_parameters(request.body)
        region = signature.region if signature else str(parameters.get("IdentityPoolId", "")).partition(":")[0]
        if operation not in PUBLIC_OPERATIONS:
            if signature is None:
                raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 400)
            if session is not None:
                pool = parameters.get("IdentityPoolId")
                resource = pool_arn(ACCOUNT, pool, region) if isinstance(pool, str) else "*"
                asked = RequiredPermission(f"cognito-identity:{operation}", resource)
                self.enforcement.authorise(session, asked, region, self.now())
        return json_answer(self.identity.call(operation, parameters, region))

    def _api(self, request: HttpRequest, signature: Signature | None, session: Session | None) -> Response:
        call = api_gateway.read_call(request)
        if signature is None or session is None or signature.service != "execute-api":
            raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403)
        asked = api_gateway.question(call, partition_of(signature.region).name, signature.region, ACCOUNT)
        self.enforcement.authorise(session, asked, signature.region, self.now())
        return api_gateway.answer(call, session, ACCOUNT, signature.region)


class _KeepAliveHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"


def _only_local(environ: WSGIEnvironment) -> None:
    """Refuse other hosts, and names that a web page could point at this address."""
    host = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or str(environ.get("HTTP_HOST", ""))
    if environ.get("REMOTE_ADDR") != "127.0.0.1" or host not in ("127.0.0.1", "localhost"):
        raise AwsError("AccessDenied", "the sandbox answers 127.0.0.1 only", 403)


def _read(environ: WSGIEnvironment) -> HttpRequest:
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/"))
    if raw.startswith("http"):
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    path, _, query = raw.partition("?")
    headers = {
        key[5:].replace("_", "-").lower(): str(value) for key, value in environ.items() if key.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise AwsError("EntityTooLarge", f"the sandbox takes bodies of up to {MAX_BODY} bytes", 400)
    stream = environ["wsgi.input"]
    chunked = "chunked" in headers.get("transfer-encoding", "")
    body = stream.read(MAX_BODY) if chunked else stream.read(int(length))
    return HttpRequest(str(environ["REQUEST_METHOD"]), path, query, headers, body)


def _operation(request: HttpRequest) -> str:
    """The Action of a query-protocol request."""
    for item in request.body.decode("latin-1").split("&"):
        key, _, value = item.partition("=")
        if key == "Action":
            return value
    return ""


def _protocol(request: HttpRequest) -> Protocol:
    if request.path.startswith(api_gateway.PREFIX):
        return Protocol.API_GATEWAY
    if "x-amz-target" in request.headers:
        return Protocol.JSON
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Protocol.QUERY
    return Protocol.S3


def _send(answer: Response, start_response: StartResponse) -> Iterable[bytes]:
    status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    headers = {"Content-Length": str(len(answer.body)), **answer.headers, **_CORS}
    start_response(status, list(headers.items()))
    return [answer.body]
