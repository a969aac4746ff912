"""Requests of the AWS JSON protocol: the operation is in a header, its parameters in a JSON body.

Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

from typing import Any

from botocore.model import OperationModel

from .errors import AwsError
from .http import HttpRequest
from .models import operation_model, service_model
from .shapes import from_json, json_object

CONTENT_TYPES = frozenset({"application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/json"})


def named(request: HttpRequest, service: str) -> OperationModel:
    """The operation that a request names.

    Raises:
        AwsError: UnknownOperationException.
    """
    model = service_model(service)
    assert model is not None
    prefix, dot, name = request.target.rpartition(".")
    operation = operation_model(service, name) if dot and prefix == model.metadata.get("targetPrefix") else None
    if operation is None:
        raise AwsError("UnknownOperationException", f"{service} has no operation {request.target[:100]}")
    return operation


def read(request: HttpRequest, service: str) -> tuple[OperationModel, dict[str, Any]]:
    """The operation of a request and its parameters.

    Raises:
        AwsError: the request is not one of this service, or a parameter is wrong.
    """
    operation = named(request, service)
    if request.method != "POST" or request.segments != ("",) or request.query:
        raise AwsError("UnknownOperationException", "a JSON request is POST / without a query")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in CONTENT_TYPES or "content-encoding" in request.headers:
        raise AwsError("SerializationException", "the Content-Type must be application/x-amz-json-1.1")
    return operation, from_json(operation, json_object(request.body))
