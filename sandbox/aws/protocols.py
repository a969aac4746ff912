"""How each kind of service writes an error, so that a client understands it."""

from __future__ import annotations

import json
import re
from enum import Enum
from xml.sax.saxutils import escape

from . import api_gateway
from .errors import AwsError
from .http import Head, Response

_SIGNED_FOR = re.compile(r"Credential=[^,/]+/[0-9]{8}/[^,/]+/([^,/]+)/aws4_request")


class Protocol(Enum):
    """A service's protocol."""

    JSON = "json"
    S3 = "s3"
    QUERY = "query"
    API_GATEWAY = "api-gateway"


def protocol_of(request: Head) -> Protocol:
    if request.segments[0] == api_gateway.PREFIX:
        return Protocol.API_GATEWAY
    if "x-amz-target" in request.headers:
        return Protocol.JSON
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Protocol.QUERY
    signed_for = _SIGNED_FOR.search(request.headers.get("authorization", ""))
    return Protocol.JSON if signed_for and signed_for[1] != "s3" else Protocol.S3


def error_response(error: AwsError, protocol: Protocol) -> Response:
    """An error as a response of a protocol."""
    if protocol is Protocol.API_GATEWAY:
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": f"{error.code}Exception"}
        return Response(error.status, json.dumps({"message": error.message}).encode(), headers)
    if protocol is Protocol.JSON:
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": error.code}
        return Response(error.status, json.dumps({"__type": error.code, "message": error.message}).encode(), headers)
    detail = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if protocol is Protocol.S3:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{detail}</Error>'
        return Response(error.status, text.encode(), {"Content-Type": "application/xml"})
    text = f"<ErrorResponse><Error><Type>Sender</Type>{detail}</Error></ErrorResponse>"
    return Response(error.status, text.encode(), {"Content-Type": "text/xml"})
