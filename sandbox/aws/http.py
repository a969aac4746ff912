"""HTTP requests, parsed once and strictly, and responses.

INVARIANT (one parse): whatever decides about a request or serves it reads the value that is made here, never the bytes
that came in. A request that could be read in two ways is refused: a repeated header or parameter, a folded header, two
lengths, a target that is no absolute path, a percent sign that encodes nothing, text that is not UTF-8.

Source: https://www.rfc-editor.org/rfc/rfc9112 (messages), https://www.rfc-editor.org/rfc/rfc3986#section-3.3 (paths)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from .errors import AwsError

MAX_HEAD = 64 * 1024
"""Largest request line and headers together, in bytes."""
MAX_BODY = 64 * 1024 * 1024
"""Largest request body, in bytes."""

METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"})

_REQUEST_LINE = re.compile(rb"([A-Z]+) (/[!-\"$-~]*) HTTP/1\.[01]")
_PATH = re.compile(r"(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*", re.ASCII)
_QUERY = re.compile(r"(?:[\w\-.~!$'()*+,;:@/?=&]|%[0-9A-Fa-f]{2})*", re.ASCII)
_HEADER = re.compile(rb"([A-Za-z0-9-]+|[Xx]-[Aa][Mm][Zz]-[Mm][Ee][Tt][Aa]-[A-Za-z0-9_.-]+):[ \t]*([\t -~]*?)[ \t]*")


@dataclass(frozen=True)
class Head:
    """The request line and the headers.

    Attributes:
        segments: of the path, percent-decoded; `/a%2Fb/c` has two.
        query: decoded names and values, in order; a parameter without a value has the empty string.
        headers: by lower-case name.
    """

    method: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HttpRequest(Head):
    """A request with its whole body."""

    body: bytes = b""

    @property
    def parameters(self) -> dict[str, str]:
        return dict(self.query)

    @property
    def path(self) -> str:
        """The decoded path; of services whose paths have no encoded slashes."""
        return "/" + "/".join(self.segments)

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


def bad_request(message: str) -> AwsError:
    return AwsError("InvalidRequest", message, 400)


def parse_head(text: bytes) -> Head:
    """Parse the request line and headers, up to and including the empty line.

    Raises:
        AwsError: InvalidRequest.
    """
    if not text.endswith(b"\r\n\r\n"):
        raise bad_request("the headers must end with an empty line")
    first, *lines = text[:-4].split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if not match or match[1].decode() not in METHODS:
        raise bad_request("the request line must be METHOD /PATH HTTP/1.1, with a method that AWS has")
    path, mark, query = match[2].decode("ascii").partition("?")
    if not _PATH.fullmatch(path):
        raise bad_request("the path has a character that must be percent-encoded, or a wrong percent-encoding")
    segments = tuple(_decoded(segment) for segment in path[1:].split("/"))
    return Head(match[1].decode(), segments, _query(query) if mark else (), _headers(lines))


def _query(text: str) -> tuple[tuple[str, str], ...]:
    if not _QUERY.fullmatch(text):
        raise bad_request("the query has a character that must be percent-encoded, or a wrong percent-encoding")
    pairs: dict[str, str] = {}
    for item in text.split("&") if text else ():
        # In a query, unlike a path, `+` is a space: browsers write it so, and S3 reads it so.
        name, _, value = item.replace("+", " ").partition("=")
        name = _decoded(name)
        if not name or name in pairs:
            raise AwsError("InvalidArgument", "a query parameter is repeated or has no name", 400)
        pairs[name] = _decoded(value)
    return tuple(pairs.items())


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    spellings = set()
    for line in lines:
        match = _HEADER.fullmatch(line)
        if not match:
            raise bad_request("a header must be NAME: VALUE on one line of printable ASCII")
        name = match[1].decode().lower()
        # CGI, which moto's requests are modelled on, has one name for `a_b` and `a-b`.
        spelling = name.replace("_", "-")
        if spelling in spellings:
            raise bad_request(f"the header {name} is repeated")
        spellings.add(spelling)
        headers[name] = match[2].decode("ascii")
    if "host" not in headers:
        raise bad_request("the request has no Host header")
    return headers


def _decoded(text: str) -> str:
    try:
        decoded = unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.", 400) from None
    if "\x00" in decoded:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.", 400)
    return decoded


def read_head(stream: BinaryIO) -> bytes | None:
    """The bytes of a request's head; None if the connection ends before it begins.

    Raises:
        AwsError: InvalidRequest.
    """
    lines: list[bytes] = []
    size = 0
    while True:
        line = stream.readline(MAX_HEAD - size + 1)
        if not line and not lines:
            return None
        size += len(line)
        if size > MAX_HEAD or not line.endswith(b"\r\n"):
            raise bad_request(f"the headers must be lines that end with CRLF, {MAX_HEAD} bytes at most")
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)


def body_length(head: Head) -> int | None:
    """The length of the body that follows a head; None if the body is chunked.

    Raises:
        AwsError: the length is not stated, stated twice, or too large.
    """
    length, coding = head.headers.get("content-length"), head.headers.get("transfer-encoding")
    if head.headers.get("expect", "100-continue").lower() != "100-continue":
        raise bad_request("the only expectation is 100-continue")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise bad_request("a body has either a Content-Length or the Transfer-Encoding `chunked`")
        return None
    if length is None:
        return 0
    if not re.fullmatch("[0-9]{1,12}", length):
        raise bad_request("the Content-Length must be a number")
    if int(length) > MAX_BODY:
        raise too_large()
    return int(length)


def read_body(stream: BinaryIO, length: int | None) -> bytes:
    """Read a body of this length; one in chunks, if it is None.

    Raises:
        AwsError: the body is shorter, too large, or not in chunks.
    """
    if length is None:
        return _read_chunks(stream)
    body = stream.read(length)
    if len(body) != length:
        raise AwsError("IncompleteBody", "You did not provide the number of bytes specified by Content-Length", 400)
    return body


def _read_chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    left = MAX_BODY
    while True:
        line = stream.readline(32)
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}\r\n", line):
            raise bad_request("a chunk must begin with its size")
        size = int(line, 16)
        left -= size
        if left < 0:
            raise too_large()
        chunk, end = stream.read(size), stream.readline(3)
        if len(chunk) != size or end != b"\r\n":
            raise AwsError("IncompleteBody", "a chunk is shorter than its size, or the body has trailers", 400)
        if size == 0:
            return bytes(body)
        body += chunk


def too_large() -> AwsError:
    return AwsError("EntityTooLarge", f"the sandbox accepts bodies of up to {MAX_BODY} bytes", 400)
