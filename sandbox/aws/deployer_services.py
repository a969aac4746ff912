"""Every other service that moto has: only the deployer may call it.

The allow-list of a service is AWS's model of it. The protocols are AWS JSON, Query, and REST with JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

from botocore.model import OperationModel, ServiceModel

from . import json_requests, moto_backend
from .errors import AwsError
from .http import HttpRequest, Response
from .models import operation_model, service_model
from .service import DEPLOYER_ONLY, Operation, Service
from .sessions import Session
from .shapes import json_object

SHARED_SIGNING_NAMES = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "ses": ("ses", "sesv2"),
    "states": ("stepfunctions",),
}
"""botocore's names of the services that one name is signed for, where they differ."""

_FIELD = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)


class DeployerServices(Service):
    """Requests that are signed for one service, by its signing name."""

    admits = DEPLOYER_ONLY

    def __init__(self, signing_name: str) -> None:
        self._services = SHARED_SIGNING_NAMES.get(signing_name, (signing_name,))

    def operation(self, request: HttpRequest, region: str) -> Operation:
        for service in self._services:
            model = service_model(service)
            if model is None or not moto_backend.has(service):
                raise AwsError(
                    "AccessDenied", f"the sandbox has no service {service[:60]}, and cannot authorize it", 403
                )
            read = _READERS.get(model.resolved_protocol)
            found = read(request, model) if read else None
            if found is not None:
                return Operation(found[0].name, region, DEPLOYER_ONLY, found[1], service)
        raise AwsError("UnknownOperationException", f"the sandbox has no such operation of {self._services[0]}", 400)

    def answer(self, operation: Operation, session: Session | None) -> Response:
        values = operation.parameters
        request = moto_backend.plain_request(
            operation.service,
            operation.region,
            values["method"],
            values["path"],
            urlencode(values["query"], quote_via=quote),
            values["headers"],
            values["body"],
        )
        return moto_backend.handle(moto_backend.handler(operation.service, request.raw_path), request)


_Found = tuple[OperationModel, Mapping[str, Any]] | None


def _request(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: tuple[tuple[str, str], ...] = ()
) -> Mapping[str, Any]:
    return {"method": method, "path": path, "query": query, "headers": headers, "body": body}


def _json(request: HttpRequest, model: ServiceModel) -> _Found:
    if request.target.rpartition(".")[0] != model.metadata.get("targetPrefix"):
        return None
    operation, _ = json_requests.read(request, model.service_name)
    headers = {
        "X-Amz-Target": f"{model.metadata['targetPrefix']}.{operation.name}",
        "Content-Type": f"application/x-amz-json-{model.metadata['jsonVersion']}",
    }
    return operation, _request("POST", "/", headers, json.dumps(json_object(request.body)).encode())


def _query(request: HttpRequest, model: ServiceModel) -> _Found:
    """Read a request of the AWS Query protocol: its body is a form, one field of which is the operation.

    Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
    """
    fields = form_fields(request)
    operation = operation_model(model.service_name, fields.get("Action", ""))
    if operation is None or fields.get("Version") != model.api_version:
        raise AwsError("InvalidAction", f"Could not find operation {fields.get('Action', '')[:100]}", 400)
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return operation, _request("POST", "/", headers, urlencode(fields).encode())


def form_fields(request: HttpRequest) -> dict[str, str]:
    """The fields of a form in the body, none of them repeated.

    Raises:
        AwsError: MalformedInput.
    """
    malformed = AwsError("MalformedInput", "the request must be POST / with a form without repeated fields", 400)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or request.segments != ("",) or request.query or "x-amz-target" in request.headers:
        raise malformed
    if content_type != "application/x-www-form-urlencoded" or "content-encoding" in request.headers:
        raise malformed
    fields: dict[str, str] = {}
    try:
        text = request.body.decode("ascii")
        for item in text.split("&") if text else ():
            name, _, value = item.partition("=")
            name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
            if not _FIELD.fullmatch(name) or name in fields:
                raise malformed
            fields[name] = value
    except UnicodeDecodeError:
        raise malformed from None
    return fields


def _rest_json(request: HttpRequest, model: ServiceModel) -> _Found:
    """Read a REST request with a JSON body; the operation is that of its method and path."""
    matches = [name for name in model.operation_names if _fits(request, model.operation_model(name))]
    if not matches or "x-amz-target" in request.headers:
        return None
    operation = max((model.operation_model(name) for name in matches), key=_literals)
    body = json.dumps(json_object(request.body)).encode() if request.body else b""
    path = "/" + "/".join(quote(segment, safe="-_.~") for segment in request.segments)
    headers = {"Content-Type": "application/json"} if body else {}
    return operation, _request(request.method, path, headers, body, request.query)


def _fits(request: HttpRequest, operation: OperationModel) -> bool:
    """Whether a request has the method, the path and only parameters of an operation."""
    template, _, query = operation.http["requestUri"].partition("?")
    parts = template.strip("/").split("/")
    segments = [segment for segment in request.segments if segment] or [""]
    if request.method != operation.http["method"] or len(request.segments) - len(segments) > 1:
        return False
    if parts[-1].endswith("+}"):
        parts[-1:] = ["{rest}"] * max(1, len(segments) - len(parts) + 1)
    members = operation.input_shape.members.items() if operation.input_shape else ()
    names = {
        m.serialization.get("name", name) for name, m in members if m.serialization.get("location") == "querystring"
    }
    fixed = dict(item.partition("=")[::2] for item in query.split("&") if item)
    return (
        len(parts) == len(segments)
        and all(part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True))
        and all(name in names or fixed.get(name) == value for name, value in request.query)
        and all(request.parameters.get(name) == value for name, value in fixed.items())
    )


def _literals(operation: OperationModel) -> int:
    return sum(not part.startswith("{") for part in operation.http["requestUri"].split("/"))


_READERS = {"json": _json, "query": _query, "ec2": _query, "rest-json": _rest_json}
