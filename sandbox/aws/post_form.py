"""Uploads with an HTML form: a POST to a bucket, whose signed policy says what the form may have.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html,
        https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from xml.sax.saxutils import escape

from .errors import AwsError
from .http import HttpRequest, Response
from .shapes import json_object
from .sigv4 import ALGORITHM, Scope, is_date, read_scope, sign_text

_BOUNDARY = re.compile(r'multipart/form-data; ?boundary="?([A-Za-z0-9\'()+_,./:=? -]{1,70}?)"?')
_DISPOSITION = re.compile(r'form-data; name="([^"\r\n]{1,200})"(?:; filename="([^"\r\n]{0,1024})")?')
_NOT_COVERED = frozenset({"policy", "x-amz-signature", "file"})
"""Fields that need no condition, besides those that begin with `x-ignore-`."""
_HEADERS = frozenset({"content-type", "cache-control", "content-disposition", "content-encoding", "expires"})


@dataclass(frozen=True)
class PostForm:
    """A form.

    Attributes:
        fields: by lower-case name, without the file.
    """

    bucket: str
    fields: Mapping[str, str]
    file: bytes

    @property
    def scope(self) -> Scope:
        return read_scope(self._needed("x-amz-credential"))

    @property
    def token(self) -> str | None:
        return self.fields.get("x-amz-security-token")

    @property
    def signed_at(self) -> str:
        return self._needed("x-amz-date")

    def verify(self, secret: str, now: float) -> None:
        """Verify the signature of the policy, and that the form is what the policy allows.

        Raises:
            AwsError: the error that S3 reports.
        """
        scope, date, text = self.scope, self.signed_at, self._needed("policy")
        if self._needed("x-amz-algorithm") != ALGORITHM or scope.service != "s3" or not is_date(date, scope):
            raise AwsError("InvalidRequest", "The form must be signed for s3, with AWS4-HMAC-SHA256, on its date")
        if not hmac.compare_digest(sign_text(scope, secret, text).encode(), self._needed("x-amz-signature").encode()):
            message = "The request signature we calculated does not match the signature you provided."
            raise AwsError("SignatureDoesNotMatch", message, 403)
        policy = _policy(text)
        if policy.expires <= now:
            raise AwsError("AccessDenied", "Invalid according to Policy: Policy expired.", 403)
        self._require_allowed(policy)

    def _require_allowed(self, policy: _Policy) -> None:
        values = {**self.fields, "bucket": self.bucket}
        covered = set()
        for operator, name, value in policy.conditions:
            actual = values.get(name)
            covered.add(name)
            if actual is None or (actual != value if operator == "eq" else not actual.startswith(value)):
                raise AwsError("AccessDenied", f"Invalid according to Policy: Policy Condition failed: {name}", 403)
        if not all(low <= len(self.file) <= high for low, high in policy.lengths):
            raise AwsError("EntityTooLarge", "Your proposed upload is not within the allowed size")
        extra = [
            name for name in self.fields if name not in covered | _NOT_COVERED and not name.startswith("x-ignore-")
        ]
        if extra:
            raise AwsError("AccessDenied", f"Invalid according to Policy: Extra input fields: {', '.join(extra)}", 403)

    def upload(self, request: HttpRequest) -> HttpRequest:
        """The PutObject that the form stands for.

        Raises:
            AwsError: a field is not one of PutObject.
        """
        headers = {"host": request.headers["host"]}
        for name, value in self.fields.items():
            if name in _HEADERS or (name.startswith("x-amz-") and name not in _OF_THE_SIGNATURE):
                headers[name] = value
            elif name == "acl":
                headers["x-amz-acl"] = value
            elif name not in _OTHER and not name.startswith("x-ignore-") and name not in _OF_THE_SIGNATURE:
                raise AwsError("InvalidArgument", f"the sandbox does not have the form field {name[:60]}")
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise AwsError("InvalidArgument", "a form field that becomes a header must be printable ASCII")
        key = self._needed("key")
        return replace(
            request, method="PUT", segments=(self.bucket, *key.split("/")), query=(), headers=headers, body=self.file
        )

    def response(self, response: Response) -> Response:
        """The response to the form, once the object is there."""
        if response.status != 200:
            return response
        etag = next((value for name, value in response.headers.items() if name.lower() == "etag"), "")
        where = {"bucket": self.bucket, "key": self.fields["key"], "etag": etag}
        target = urlsplit(self.fields.get("success_action_redirect", ""))
        if target.scheme in ("http", "https"):
            query = "&".join(filter(None, [target.query, urlencode(where, quote_via=quote)]))
            return Response(303, b"", {"Location": urlunsplit(target._replace(query=query)), "ETag": etag})
        status = self.fields.get("success_action_status", "")
        if status != "201":
            return Response(200 if status == "200" else 204, b"", {"ETag": etag})
        tags = "".join(f"<{tag}>{escape(where[tag.lower()])}</{tag}>" for tag in ("Bucket", "Key", "ETag"))
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{tags}</PostResponse>'
        return Response(201, text.encode(), {"ETag": etag, "Content-Type": "application/xml"})

    def _needed(self, name: str) -> str:
        value = self.fields.get(name)
        if not value:
            raise AwsError("AccessDenied", f"Bucket POST must contain a field named '{name}'.", 403)
        return value


_OF_THE_SIGNATURE = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"}
)
_OTHER = frozenset({"key", "policy", "bucket", "success_action_status", "success_action_redirect"})


def is_form(request: HttpRequest) -> bool:
    """Whether a request uploads with a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return request.method == "POST" and kind == "multipart/form-data" and "authorization" not in request.headers


def read_form(request: HttpRequest) -> PostForm:
    """Read a form: fields, none of them repeated, and the file, which comes last.

    Raises:
        AwsError: MalformedPOSTRequest.
    """
    malformed = AwsError(
        "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data."
    )
    boundary = _BOUNDARY.fullmatch(request.headers.get("content-type", ""))
    foreign = [name for name in request.headers if name.startswith("x-amz-") and name != "x-amz-user-agent"]
    segments = [segment for segment in request.segments if segment]
    if boundary is None or len(segments) != 1 or request.query or foreign:
        raise malformed
    mark = b"--" + boundary[1].encode()
    begin, *parts = (b"\r\n" + request.body).split(b"\r\n" + mark)
    if begin or len(parts) < 2 or parts[-1] not in (b"--", b"--\r\n"):
        raise malformed
    fields: dict[str, str] = {}
    for index, part in enumerate(parts[:-1]):
        name, file_name, data = _part(part, malformed)
        if name in fields or (name == "file") != (index == len(parts) - 2):
            raise malformed
        if name == "file":
            if "key" in fields:
                fields["key"] = fields["key"].replace("${filename}", re.split(r"[/\\]", file_name)[-1])
            return PostForm(segments[0], fields, data)
        try:
            fields[name] = data.decode("utf-8")
        except UnicodeDecodeError:
            raise malformed from None
    raise malformed


def _part(part: bytes, malformed: AwsError) -> tuple[str, str, bytes]:
    """The lower-case name, the file's name and the data of a part."""
    head, end, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise malformed from None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    match = _DISPOSITION.fullmatch(headers.pop("content-disposition", ""))
    if not part.startswith(b"\r\n") or not end or match is None or len(headers) + 1 != len(lines):
        raise malformed
    if headers.keys() - {"content-type", "content-length"}:
        raise malformed
    return match[1].lower(), match[2] or "", data


@dataclass(frozen=True)
class _Policy:
    """What a signed policy allows: conditions by operator, field and value; ranges of the file's length; until when."""

    expires: float
    conditions: list[tuple[str, str, str]]
    lengths: list[tuple[int, int]]


def _policy(text: str) -> _Policy:
    malformed = AwsError("InvalidPolicyDocument", "Invalid Policy: Invalid JSON or an unknown condition.")
    try:
        document = json_object(base64.b64decode(text, validate=True))
        moment = datetime.fromisoformat(str(document.get("expiration")).replace("Z", "+00:00"))
    except (ValueError, binascii.Error, AwsError):
        raise malformed from None
    if document.keys() != {"expiration", "conditions"} or not isinstance(document["conditions"], list):
        raise malformed
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    conditions: list[tuple[str, str, str]] = []
    lengths: list[tuple[int, int]] = []
    for item in document["conditions"]:
        match item:
            case {**pairs} if len(pairs) == 1:
                name, value = next(iter(pairs.items()))
                conditions.append(("eq", str(name).lower(), _string(value, malformed)))
            case ["content-length-range", int(low), int(high)]:
                lengths.append((low, high))
            case ["eq" | "starts-with" as operator, str(name), value] if name[:1] == "$":
                conditions.append((str(operator), name[1:].lower(), _string(value, malformed)))
            case _:
                raise malformed
    return _Policy(moment.timestamp(), conditions, lengths)


def _string(value: Any, malformed: AwsError) -> str:
    if not isinstance(value, str):
        raise malformed
    return value
