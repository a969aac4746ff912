"""AWS Signature Version 4, from the server's side.

Decides who signed a request and whether the signature is valid. moto looks at the access key only; isolation would mean
nothing if anybody could sign as anybody.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from .errors import AwsError
from .http import HttpRequest

MAX_SKEW = timedelta(minutes=15)
"""The largest difference between a request's time and the server's that AWS accepts."""

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Signature:
    """The signature of a request, and what the request says about it."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    token: str | None
    expires: int | None = None
    """Seconds that a presigned URL is valid; None if the signature is in a header."""


def read_signature(request: HttpRequest) -> Signature | None:
    """The signature of a request; None if it is not signed.

    Raises:
        AwsError: IncompleteSignature.
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
        seconds = parameters.get("X-Amz-Expires", "")
        expires = int(seconds) if seconds.isdecimal() else 0
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
    """Verify a signature with the secret key of its access key.

    Raises:
        AwsError: with AWS's code: SignatureDoesNotMatch, RequestTimeTooSkewed, or AccessDenied for an expired URL.
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
    content_hash = request.headers.get("x-amz-content-sha256", "")
    if re.fullmatch("[0-9a-f]{64}", content_hash) and content_hash != hashlib.sha256(request.body).hexdigest():
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
    # S3 signs the path as it is sent; every other service signs it percent-encoded twice.
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
