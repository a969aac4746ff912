"""What moto answers: a request to it is written from an operation and its parameters, never from the bytes that came in.

The request is the one that AWS's SDK for Python would send for the same operation, by AWS's model of the service. It goes
to the handler of one service directly, so nothing of it chooses another: not a header, the host, or the path of moto's own
API.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast
from urllib.parse import quote, unquote_to_bytes, urlencode

from botocore.exceptions import ClientError
from moto import backends
from moto.core.base_backend import BackendDict
from moto.core.exceptions import ServiceException
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, Request
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from werkzeug.exceptions import HTTPException

from .errors import AwsError
from .http import Response
from .models import known, serializer, service_model

Handler = Callable[[Request, str, Any], Any]

_LOG = logging.getLogger(__name__)

# moto evaluates policies of buckets itself, without their principals and conditions. What it is given has been authorized.
FakeBucket.get_permission = lambda *_: PermissionResult.PERMITTED  # type: ignore[method-assign]

_NOT_PASSED_ON = frozenset(
    {"status", "date", "server", "content-length", "transfer-encoding", "connection", "keep-alive", "vary"}
)
"""Headers of moto's answers that this server writes itself, or that mean nothing to a client."""


class RebuiltRequest(Request):
    """A request for moto. The body of an S3 object is never read as a form, whatever its content type says."""

    @property
    def want_form_data_parsed(self) -> bool:
        return bool(self.environ["sandbox.form"])


def call(service: str, name: str, region: str, parameters: Mapping[str, Any]) -> Response:
    """Have moto answer an operation.

    Raises:
        AwsError: NotImplemented, if moto does not have the operation or fails on it.
    """
    return _handled(service, rebuild(service, name, region, parameters))


def rebuild(service: str, name: str, region: str, parameters: Mapping[str, Any]) -> RebuiltRequest:
    """The request that moto is given for an operation."""
    written = serializer(service).serialize_to_request(dict(parameters), known(service, name))
    path, _, fixed = written["url_path"].partition("?")
    query = "&".join(part for part in (fixed, _query(written["query_string"] or {})) if part)
    body = written["body"]
    if isinstance(body, dict):
        body = urlencode(body).encode()
    headers = dict(written["headers"])
    if service != "s3":
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return plain_request(service, region, written["method"], path or "/", query, headers, bytes(body))


def plain_request(
    service: str, region: str, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> RebuiltRequest:
    """A request for moto whose path and query are percent-encoded."""
    model = service_model(service)
    assert model is not None
    scope = f"20260101/{region}/{model.signing_name}/aws4_request"
    # moto takes the region and the kind of caller from here.
    credential = f"AWS4-HMAC-SHA256 Credential=AKIASANDBOX000000000/{scope}, SignedHeaders=host, Signature=0"
    host = f"{model.endpoint_prefix}.{region}.amazonaws.com"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": path,
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": host,
        "HTTP_AUTHORIZATION": credential,
        "sandbox.form": service != "s3",
    }
    preserved = {}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = str(value)
        if "_" in name:
            preserved[key] = name
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = preserved
    return RebuiltRequest(environ)


def _query(parameters: Mapping[str, Any]) -> str:
    pairs = [(name, value) for name, values in parameters.items() for value in _values(values)]
    return "&".join(f"{quote(name, safe='-_.~')}={quote(str(value), safe='-_.~')}" for name, value in pairs)


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _handled(service: str, request: RebuiltRequest) -> Response:
    return handle(handler(service, request.raw_path), request)


def handle(handler: Handler, request: RebuiltRequest) -> Response:
    """Call a handler of moto.

    Raises:
        AwsError: NotImplemented, if moto does not have the operation or fails on it.
    """
    try:
        result = handler(request, request.raw_url, request.headers)
    except HTTPException as error:
        result = error.code or 400, dict(error.get_headers() or []), error.get_body() or ""
    except ServiceException as error:
        raise AwsError(error.code, error.message) from None
    except ClientError as error:
        raise AwsError(str(error.response["Error"].get("Code")), str(error.response["Error"].get("Message"))) from None
    except Exception as error:
        _LOG.debug("moto failed on %s %s", request.method, request.raw_path, exc_info=True)
        reason = f"{type(error).__name__}: {error}"[:200] if str(error) else type(error).__name__
        raise AwsError(
            "NotImplemented", f"moto, which the sandbox asks, cannot answer this request: {reason}"
        ) from None
    status, headers, content = result if isinstance(result, tuple) and len(result) == 3 else (200, {}, result)
    body = content.encode() if isinstance(content, str) else bytes(content or b"")
    return Response(int(status), body, _passed_on(headers, request.method))


def _passed_on(headers: Mapping[str, Any], method: str) -> dict[str, str]:
    passed = {}
    for name, value in headers.items():
        lower = str(name).lower()
        if lower == "content-length" and method == "HEAD":
            passed["Content-Length"] = str(value)
        elif lower not in _NOT_PASSED_ON and not lower.startswith("access-control-"):
            passed[str(name)] = str(value)
    return passed


def handler(service: str, path: str) -> Handler:
    """The handler of a path of one service.

    Raises:
        AwsError: NotImplemented.
    """
    if service == "s3":
        _, slash, key = path[1:].partition("/")
        return cast(Handler, S3Response.key_dispatch if slash and key else S3Response.bucket_dispatch)
    for pattern, found in _handlers(service):
        if pattern.match(path):
            return found
    raise AwsError("NotImplemented", f"the sandbox has no {service} {path}")


@cache
def _handlers(service: str) -> tuple[tuple[re.Pattern[str], Handler], ...]:
    """The paths of a service that moto has, with their handlers."""
    try:
        backend_dict = cast(Any, backends).get_backend(service)
    except ImportError:
        raise AwsError("NotImplemented", f"the sandbox has no {service}") from None
    if not isinstance(backend_dict, BackendDict):
        raise AwsError("NotImplemented", f"the sandbox has no {service}")
    regions = cast(Any, backend_dict["123456789012"])
    backend = regions["us-east-1" if "us-east-1" in regions else "aws"]
    return tuple((re.compile(path), found) for path, found in backend.url_paths.items())


def has(service: str) -> bool:
    """Whether moto has a service."""
    try:
        return bool(_handlers(service))
    except AwsError:
        return False
