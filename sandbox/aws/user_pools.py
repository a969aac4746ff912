"""Amazon Cognito user pools: which operations need no signature; moto answers them all.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-public-server-side.html
"""

from __future__ import annotations

from .http import HttpRequest
from .service import Caller, Operation, Service
from .sigv4 import Signature

TARGET = "AWSCognitoIdentityProviderService."

PUBLIC_OPERATIONS = frozenset(
    {
        *("SignUp", "ConfirmSignUp", "ResendConfirmationCode", "InitiateAuth", "RespondToAuthChallenge"),
        *("ForgotPassword", "ConfirmForgotPassword", "GetUser", "UpdateUserAttributes", "DeleteUser"),
        *("ChangePassword", "GlobalSignOut", "RevokeToken", "AssociateSoftwareToken", "VerifySoftwareToken"),
    }
)
"""Operations that a user's app calls without a signature."""

_METADATA = "/.well-known/"


class UserPools(Service):
    """Requests for user pools, and for the metadata that they publish."""

    def handles(self, request: HttpRequest, signature: Signature | None) -> bool:
        return request.target.startswith(TARGET) or (signature is None and _is_metadata(request))

    def operation(self, request: HttpRequest, signature: Signature | None) -> Operation:
        name = request.target.removeprefix(TARGET)
        public = name in PUBLIC_OPERATIONS or _is_metadata(request)
        callers = frozenset({Caller.DEPLOYER, Caller.ANONYMOUS} if public else {Caller.DEPLOYER})
        return Operation(f"cognito-idp {name}", signature.region if signature else "", callers, request)


def _is_metadata(request: HttpRequest) -> bool:
    """Whether a request reads a pool's keys or its OpenID configuration."""
    return request.method == "GET" and _METADATA in request.path
