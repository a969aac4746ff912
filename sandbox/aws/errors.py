"""AWS's own error answers, in the protocol that a client expects."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from xml.sax.saxutils import escape


class Protocol(Enum):
    """How a service writes its errors."""

    JSON = "json"
    S3 = "s3"
    QUERY = "query"
    API_GATEWAY = "api-gateway"


class AwsError(Exception):
    """A refusal. `code` is AWS's error code, `message` what AWS would say."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: object, status: int = 200, content_type: str = "application/x-amz-json-1.1") -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": content_type})


def fault_answer(fault: AwsError, protocol: Protocol) -> Response:
    """A fault in a service's own form."""
    if protocol is Protocol.API_GATEWAY:
        kind = {"x-amzn-ErrorType": f"{fault.code}Exception"}
        return Response(
            fault.status,
            json.dumps({"message": fault.message}).encode(),
            {"Content-Type": "application/json", **kind},
        )
    if protocol is Protocol.JSON:
        body = json.dumps({"__type": fault.code, "message": fault.message}).encode()
        return Response(
            fault.status, body, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": fault.code}
        )
    inner = f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>"
    if protocol is Protocol.S3:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
        return Response(fault.status, text.encode(), {"Content-Type": "application/xml"})
    text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"
    return Response(fault.status, text.encode(), {"Content-Type": "text/xml"})
