"""HTTP requests and responses as values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .errors import AwsError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY = 64 * 1024 * 1024
"""Largest request body, in bytes."""

CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": "ETag, x-amz-request-id, x-amz-version-id, x-amzn-ErrorType",
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True)
class HttpRequest:
    """A request; header names are lower case, path and query are still percent-encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def parameters(self) -> dict[str, str]:
        """Decoded query parameters; of repeated ones, the last."""
        pairs = (item.partition("=") for item in self.query.split("&") if item)
        return {unquote(k): unquote(v.replace("+", " ")) for k, _, v in pairs}

    def decoded_path(self) -> str:
        return unquote(self.path)

    @property
    def target(self) -> str:
        """The operation of a JSON request, with the service's prefix."""
        return self.headers.get("x-amz-target", "")


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_response(value: object, status: int = 200, content_type: str = "application/x-amz-json-1.1") -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": content_type})


def json_body(request: HttpRequest) -> dict[str, object]:
    """The parameters of a JSON request.

    Raises:
        AwsError: SerializationException.
    """
    try:
        value = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise AwsError("SerializationException", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise AwsError("SerializationException", "the body is not a JSON object")
    return value


def read_request(environ: WSGIEnvironment) -> HttpRequest:
    """Read a request from a WSGI server.

    Raises:
        AwsError: EntityTooLarge.
    """
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
        raise AwsError("EntityTooLarge", f"the sandbox accepts bodies of up to {MAX_BODY} bytes", 400)
    stream = environ["wsgi.input"]
    chunked = "chunked" in headers.get("transfer-encoding", "")
    body = stream.read(MAX_BODY) if chunked else stream.read(int(length))
    return HttpRequest(str(environ["REQUEST_METHOD"]), path, query, headers, body)


def send(response: Response, start_response: StartResponse) -> Iterable[bytes]:
    """Send a response through a WSGI server."""
    status = f"{response.status} {HTTPStatus(response.status).phrase}"
    headers = {"Content-Length": str(len(response.body)), **response.headers, **CORS_HEADERS}
    start_response(status, list(headers.items()))
    return [response.body]
