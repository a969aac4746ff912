"""AWS Signature Version 4, from the server's side.

Decides who signed a request and whether the signature covers everything that AWS requires it to cover. moto looks at the
access key only; isolation would mean nothing if anybody could sign as anybody.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from .errors import AwsError
from .http import HttpRequest

MAX_SKEW = timedelta(minutes=15)
"""The largest difference between a request's time and the server's that AWS accepts."""
MAX_EXPIRES = 7 * 24 * 3600
"""The longest validity of a presigned URL, in seconds.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""
PRESIGNABLE = frozenset({"s3", "execute-api"})
"""Services of which the sandbox accepts presigned URLs."""
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
ALGORITHM = "AWS4-HMAC-SHA256"
DATE = "%Y%m%dT%H%M%SZ"
"""How a signature writes its time."""

_HEADER = re.compile(
    rf"{ALGORITHM} +Credential=(?P<credential>[^,\s]+), *SignedHeaders=(?P<headers>[^,\s]+), *"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_IN_QUERY = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
_OPTIONAL_IN_QUERY = ("Security-Token", "Content-Sha256")
_PARAMETERS = frozenset(f"X-Amz-{name}" for name in (*_IN_QUERY, *_OPTIONAL_IN_QUERY))


@dataclass(frozen=True)
class Scope:
    """What a signature is made for: the last fields of its credential."""

    access_key: str
    date: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class Signature:
    """The signature of a request, and what the request says about it.

    Attributes:
        payload: the hash of the body as the request states it, or one of the words that S3 has instead; None if unstated.
        expires: seconds that a presigned URL is valid; None if the signature is in a header.
    """

    scope: Scope
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    token: str | None
    payload: str | None
    expires: int | None = None

    @property
    def region(self) -> str:
        return self.scope.region

    @property
    def service(self) -> str:
        return self.scope.service


def read_signature(request: HttpRequest) -> Signature | None:
    """The signature of a request; None if it is not signed.

    Raises:
        AwsError: IncompleteSignature, and the like.
    """
    header, parameters = request.headers.get("authorization"), request.parameters
    in_query = not _PARAMETERS.isdisjoint(parameters)
    if header is None and not in_query:
        return None
    if header is not None and in_query:
        raise AwsError("InvalidArgument", "Only one auth mechanism allowed", 400)
    signature = _from_query(parameters) if header is None else _from_header(header, request)
    names = signature.signed_headers
    if list(names) != sorted(set(names)) or "host" not in names or not all(name in request.headers for name in names):
        raise AwsError(
            "SignatureDoesNotMatch", "SignedHeaders must be the sorted names of headers, with the host among them", 403
        )
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in names]
    if unsigned:
        message = f"There were headers present in the request which were not signed: {', '.join(unsigned)}"
        raise AwsError("AccessDenied", message, 403)
    return signature


def _from_header(header: str, request: HttpRequest) -> Signature:
    match = _HEADER.fullmatch(header)
    if not match:
        raise AwsError("IncompleteSignature", f"Authorization header is not an {ALGORITHM} signature", 400)
    return Signature(
        scope=read_scope(match["credential"]),
        signed_headers=tuple(match["headers"].split(";")),
        signature=match["signature"],
        timestamp=request.headers.get("x-amz-date", ""),
        token=request.headers.get("x-amz-security-token"),
        payload=request.headers.get("x-amz-content-sha256"),
    )


def _from_query(parameters: dict[str, str]) -> Signature:
    values = {name: parameters.get(f"X-Amz-{name}") for name in (*_IN_QUERY, *_OPTIONAL_IN_QUERY)}
    algorithm, credential, date, expires, headers, signature = (values[name] or "" for name in _IN_QUERY)
    if algorithm != ALGORITHM or not re.fullmatch("[0-9a-f]{64}", signature):
        raise _query_error("X-Amz-Algorithm only supports AWS4-HMAC-SHA256, and X-Amz-Signature is required")
    if not re.fullmatch("[0-9]{1,9}", expires) or not 1 <= int(expires) <= MAX_EXPIRES:
        raise _query_error("X-Amz-Expires must be between 1 second and a week (in seconds), 604800")
    scope = read_scope(credential)
    if scope.service not in PRESIGNABLE:
        raise _query_error(f"the sandbox does not accept presigned URLs of {scope.service}")
    payload = values["Content-Sha256"] or (UNSIGNED_PAYLOAD if scope.service == "s3" else None)
    return Signature(scope, tuple(headers.split(";")), signature, date, values["Security-Token"], payload, int(expires))


def _query_error(message: str) -> AwsError:
    return AwsError("AuthorizationQueryParametersError", message, 400)


def read_scope(credential: str) -> Scope:
    fields = credential.split("/")
    if len(fields) != 5 or fields[4] != "aws4_request" or not re.fullmatch("[0-9]{8}", fields[1]):
        raise AwsError("IncompleteSignature", "Credential must be KEY/DATE/REGION/SERVICE/aws4_request", 400)
    return Scope(*fields[:4])


def without_signature(request: HttpRequest, signature: Signature) -> HttpRequest:
    """The request as its service reads it.

    A presigned URL carries headers that its signer chose as parameters, `x-amz-acl` for example; here they are headers.

    Raises:
        AwsError: such a header is present in both forms.
    """
    if signature.expires is None:
        return request
    query, headers = [], dict(request.headers)
    for name, value in request.query:
        header = name.lower()
        # S3 ignores a checksum here: the SDK for JavaScript signs that of an empty body, whatever is uploaded later.
        # Source: https://github.com/localstack/localstack/issues/12169, https://github.com/aws/aws-sdk-go-v2/issues/2610
        if name in _PARAMETERS or header.startswith(("x-amz-checksum-", "x-amz-sdk-checksum-")):
            continue
        if not header.startswith("x-amz-"):
            query.append((name, value))
        elif header in headers:
            raise AwsError("InvalidArgument", f"{name} is both a header and a query parameter", 400)
        else:
            headers[header] = value
    return replace(request, query=tuple(query), headers=headers)


def verify(request: HttpRequest, signature: Signature, secret: str, now: datetime) -> None:
    """Verify a signature, and that it is neither too old nor expired.

    Raises:
        AwsError: the error that AWS reports.
    """
    if not is_date(signature.timestamp, signature.scope):
        message = "AWS authentication requires a valid Date or x-amz-date header, of the date in the credential's scope"
        raise AwsError("AccessDenied", message, 403)
    signed = datetime.strptime(signature.timestamp, DATE).replace(tzinfo=timezone.utc)
    if signed > now + MAX_SKEW or (signature.expires is None and signed < now - MAX_SKEW):
        raise AwsError("RequestTimeTooSkewed", "The difference between the request time and the current time", 403)
    if signature.expires is not None and now > signed + timedelta(seconds=signature.expires):
        raise AwsError("AccessDenied", "Request has expired", 403)
    expected = Signer(signature, secret).sign(f"{ALGORITHM}\n{{}}\n{_canonical_hash(request, signature)}")
    if not hmac.compare_digest(expected, signature.signature):
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and "
            "signing method.",
            403,
        )


def is_date(text: str, scope: Scope) -> bool:
    """Whether a text is the time of a signature, on the date of its scope."""
    try:
        datetime.strptime(text, DATE)
    except ValueError:
        return False
    return re.fullmatch("[0-9]{8}T[0-9]{6}Z", text) is not None and text.startswith(scope.date)


class Signer:
    """Signs texts with the key of one scope and time."""

    def __init__(self, signature: Signature, secret: str) -> None:
        self._when = f"{signature.timestamp}\n{signature.scope}"
        self._key = signing_key(signature.scope, secret)

    def sign(self, text: str) -> str:
        """The signature of a text, in which `{}` stands for the time and scope."""
        return hmac.new(self._key, text.replace("{}", self._when, 1).encode(), hashlib.sha256).hexdigest()


def signing_key(scope: Scope, secret: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def sign_text(scope: Scope, secret: str, text: str) -> str:
    """The signature of a text as it is, such as the policy of a form."""
    return hmac.new(signing_key(scope, secret), text.encode(), hashlib.sha256).hexdigest()


def _canonical_hash(request: HttpRequest, signature: Signature) -> str:
    path = "/" + "/".join(_encoded(segment) for segment in request.segments)
    if signature.service != "s3":
        # Every service but S3 signs the path percent-encoded twice.
        path = quote(path, safe="/-_.~")
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in request.query if name != "X-Amz-Signature")
    query = "&".join(f"{name}={value}" for name, value in pairs)
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signature.signed_headers)
    payload = signature.payload or hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join([request.method, path, query, headers, ";".join(signature.signed_headers), payload])
    return hashlib.sha256(canonical.encode()).hexdigest()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
