"""One way for every request: parse → authenticate → determine the operation → authorize → answer.

INVARIANT (served as authorized): a request is parsed once, into a value (`http`). The service that it is for determines an
operation with its parameters from that value, by an allow-list: what is not on the list is refused. Callers and permissions
are decided by the operation, and it alone is answered; moto gets a request that is written from it (`moto_backend`).

Which service a request is for is decided here: by the path for API calls, else by what the signature is made for, and
without a signature by the few forms that AWS accepts unsigned. No text in a header, a body or a path makes a request
public.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from . import payload
from .api_gateway import PREFIX
from .authorization import Authorization
from .deployer_services import DeployerServices
from .errors import AwsError
from .http import HttpRequest, Response
from .post_form import is_form, read_form
from .regions import is_region
from .service import Caller, Service
from .sessions import Session
from .sigv4 import ALGORITHM, DATE, Scope, Signature, read_signature, verify, without_signature

UNSIGNED_TARGETS = {
    "AWSCognitoIdentityService": "cognito-identity",
    "AWSCognitoIdentityProviderService": "cognito-idp",
}
"""Services some of whose operations need no signature, by the prefix of their operations."""
METADATA = ("jwks.json", "openid-configuration")
"""What every user pool publishes under `/POOL_ID/.well-known/`."""


@dataclass(frozen=True)
class Authenticated:
    """Who sends a request, and the request without its signature.

    Attributes:
        context: the condition keys that come from how the request was sent.
    """

    caller: Caller
    session: Session | None
    request: HttpRequest
    region: str
    signed_for: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Dispatch:
    """The services of one account, behind authentication and authorization.

    Args:
        services: by the name that requests are signed for; the others that moto has are for the deployer only.
        deployer: access key and secret key of the deployer.
        session: the session of an access key.
        now: the clock, in seconds.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        authorization: Authorization,
        deployer: tuple[str, str],
        session: Callable[[str], Session | None],
        now: Callable[[], float],
    ) -> None:
        self._services = services
        self._authorization = authorization
        self._deployer = deployer
        self._session = session
        self._now = now

    def respond(self, request: HttpRequest) -> Response:
        """The response to a request.

        Raises:
            AwsError: the refusal.
        """
        if is_form(request):
            return self._respond_to_form(request)
        signature = read_signature(request)
        return self._serve(self._service(request, signature), self._authenticate(request, signature))

    def _respond_to_form(self, request: HttpRequest) -> Response:
        form = read_form(request)
        session, secret = self._credentials(form.scope)
        form.verify(secret, self._now())
        self._require_current(session, form.token)
        caller = Caller.DEPLOYER if session is None else Caller.SESSION
        context = _context(request, "POST", form.signed_at, self._now())
        authenticated = Authenticated(caller, session, form.upload(request), form.scope.region, "s3", context)
        return form.response(self._serve(self._services["s3"], authenticated))

    def _serve(self, service: Service, authenticated: Authenticated) -> Response:
        caller = authenticated.caller
        if caller not in service.admits:
            raise service.refusal(caller, authenticated.signed_for)
        operation = service.operation(authenticated.request, authenticated.region)
        if caller not in operation.callers:
            raise service.refusal(caller, f"{operation.service} {operation.name}")
        if authenticated.session is not None:
            for permission in service.required_permissions(operation):
                message = self._authorization.refusal(
                    authenticated.session, permission, operation.region, authenticated.context, self._now()
                )
                if message is not None:
                    code, status = service.access_denied
                    raise AwsError(code, message, status)
        return service.answer(operation, authenticated.session)

    def _service(self, request: HttpRequest, signature: Signature | None) -> Service:
        if request.segments[0] == PREFIX:
            if signature is not None and signature.service != PREFIX:
                raise AwsError("InvalidSignatureException", "Credential should be scoped to correct service.", 403)
            return self._services[PREFIX]
        if signature is not None:
            return self._services.get(signature.service) or DeployerServices(signature.service)
        if is_metadata(request):
            return self._services["cognito-idp"]
        return self._services[UNSIGNED_TARGETS.get(request.target.partition(".")[0], "s3")]

    def _authenticate(self, request: HttpRequest, signature: Signature | None) -> Authenticated:
        if signature is None:
            return Authenticated(Caller.ANONYMOUS, None, request, "", "")
        session, secret = self._credentials(signature.scope)
        verify(request, signature, secret, datetime.fromtimestamp(self._now(), timezone.utc))
        self._require_current(session, signature.token)
        verified = payload.verified(without_signature(request, signature), signature, secret)
        caller = Caller.DEPLOYER if session is None else Caller.SESSION
        kind = "REST-HEADER" if signature.expires is None else "REST-QUERY-STRING"
        context = _context(request, kind, signature.timestamp, self._now())
        return Authenticated(caller, session, verified, signature.region, signature.service, context)

    def _credentials(self, scope: Scope) -> tuple[Session | None, str]:
        """The session of an access key, None for the deployer, and the secret key."""
        if not is_region(scope.region):
            raise AwsError("SignatureDoesNotMatch", "Credential should be scoped to a valid region.", 403)
        key, secret = self._deployer
        if scope.access_key == key:
            return None, secret
        session = self._session(scope.access_key)
        if session is None:
            message = "The AWS Access Key Id you provided does not exist in our records."
            raise AwsError("InvalidAccessKeyId", message, 403)
        return session, session.secret

    def _require_current(self, session: Session | None, token: str | None) -> None:
        if session is None:
            if token is not None:
                raise AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
            return
        if not secrets.compare_digest((token or "").encode(), session.token.encode()):
            raise AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
        if session.expires <= self._now():
            raise AwsError("ExpiredToken", "The provided token has expired.", 400)
        if not self._authorization.role_exists(session):
            raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


def is_metadata(request: HttpRequest) -> bool:
    """Whether a request reads a user pool's keys or its OpenID configuration."""
    segments = request.segments
    return request.method == "GET" and len(segments) == 3 and segments[1] == ".well-known" and segments[2] in METADATA


def _context(request: HttpRequest, kind: str, signed_at: str, now: float) -> Mapping[str, tuple[str, ...]]:
    """The condition keys that come from how a request was sent.

    Args:
        kind: S3's name of where the signature is.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
    """
    signed = datetime.strptime(signed_at, DATE).replace(tzinfo=timezone.utc).timestamp()
    context = {
        "s3:authtype": (kind,),
        "s3:signatureversion": (ALGORITHM,),
        "s3:signatureage": (str(max(0, int((now - signed) * 1000))),),
        "s3:tlsversion": ("1.3",),
    }
    headers = {
        "aws:useragent": "user-agent",
        "aws:referer": "referer",
        "s3:x-amz-content-sha256": "x-amz-content-sha256",
    }
    return context | {key: (request.headers[name],) for key, name in headers.items() if name in request.headers}
