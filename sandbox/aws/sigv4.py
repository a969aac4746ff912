"""AWS Signature Version 4, from the server's side.

Decides who signed a request and whether the signature is right. moto looks at the access key only; isolation means
nothing where anybody can sign as anybody.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote

from .errors import AwsError

MAX_SKEW = timedelta(minutes=15)
"""How far a request's clock may be off, as AWS has it."""

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came over the wire; header names are lower case, path and query are still encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def parameters(self) -> dict[str, str]:
        """Decoded query parameters; the last one wins."""
        pairs = (item.partition("=") for item in self.query.split("&") if item)
        return {unquote(k): unquote(v.replace("+", " ")) for k, _, v in pairs}

    def decoded_path(self) -> str:
        return unquote(self.path)


@dataclass(frozen=True)
class Signature:
    """What a signed request says about its signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    token: str | None
    expires: int | None = None
    """Seconds that a presigned URL is good for; None where the signature is in a header."""


def read_signature(request: HttpRequest) -> Signature | None:
    """The signature of a request; None where it is not signed.

    Raises:
        Fault: there is something like a signature, but it cannot be read.
    """
    header = request.headers.get("authorization")
    parameters = request.parameters()
    if header is not None:
        match = _HEADER.fullmatch(header.strip())
        if not match:
            raise AwsError("IncompleteSignature", "Authorization header is not an AWS4-HMAC-SHA256 signature", 400)
        timestamp = request.headers.get("x-amz-date", "")
        credential, headers, signature = match["credential"], match["headers"], match["signature"]
        token, expires = request.headers.get("x-amz-security-token"), None
    elif parameters.get("X-Amz-Algorithm") == "AWS4-HMAC-SHA256":
        timestamp = parameters.get("X-Amz-Date", "")
        credential = parameters.get("X-Amz-Credential", "")
        headers, signature = parameters.get("X-Amz-SignedHeaders", ""), parameters.get("X-Amz-Signature", "")
        token = parameters.get("X-Amz-Security-Token")
        given = parameters.get("X-Amz-Expires", "")
        expires = int(given) if given.isdecimal() else 0
    else:
        return None
    fields = credential.split("/")
    if len(fields) != 5 or fields[4] != "aws4_request":
        raise AwsError("IncompleteSignature", "Credential is not KEY/DATE/REGION/SERVICE/aws4_request", 400)
    key, date, region, service, _ = fields
    return Signature(
        key, date, region, service.lower(), tuple(headers.split(";")), signature, timestamp, token, expires
    )


def verify(request: HttpRequest, signature: Signature, secret: str, now: datetime) -> None:
    """Check a signature against the secret key of its access key.

    Raises:
        Fault: with AWS's code: SignatureDoesNotMatch, RequestTimeTooSkewed, or AccessDenied for an expired URL.
    """
    try:
        signed = datetime.strptime(signature.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise AwsError("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", 403) from None
    if not signature.timestamp.startswith(signature.date):
        raise AwsError("SignatureDoesNotMatch", "Date in Credential scope does not match the request's date", 403)
    if signature.expires is None:
        if abs(now - signed) > MAX_SKEW:
            raise AwsError("RequestTimeTooSkewed", "The difference between the request time and the current time", 403)
    elif now > signed + timedelta(seconds=signature.expires):
        raise AwsError("AccessDenied", "Request has expired", 403)
    if "host" not in signature.signed_headers:
        raise AwsError("SignatureDoesNotMatch", "Host must be a signed header", 403)
    hashed = request.headers.get("x-amz-content-sha256", "")
    if re.fullmatch("[0-9a-f]{64}", hashed) and hashed != hashlib.sha256(request.body).hexdigest():
        raise AwsError("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match", 400)
    expected = _sign(_string_to_sign(request, signature), signature, secret)
    if not hmac.compare_digest(expected, signature.signature):
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and "
            "signing method.",
            403,
        )


def _string_to_sign(request: HttpRequest, signature: Signature) -> str:
    canonical = hashlib.sha256(_canonical(request, signature).encode()).hexdigest()
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    return f"AWS4-HMAC-SHA256\n{signature.timestamp}\n{scope}\n{canonical}"


def _canonical(request: HttpRequest, signature: Signature) -> str:
    # S3 signs the path as it is sent; every other service encodes it once more.
    path = request.path or "/"
    if signature.service != "s3":
        path = quote(path, safe="/~")
    pairs = sorted(
        (key, value)
        for key, _, value in (item.partition("=") for item in request.query.split("&") if item)
        if key != "X-Amz-Signature"
    )
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signature.signed_headers
    )
    if signature.expires is not None and signature.service == "s3":
        payload = "UNSIGNED-PAYLOAD"
    else:
        payload = request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    query = "&".join(f"{key}={value}" for key, value in pairs)
    return "\n".join([request.method, path, query, headers, ";".join(signature.signed_headers), payload])


def _sign(text: str, signature: Signature, secret: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (signature.date, signature.region, signature.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
