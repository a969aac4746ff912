"""Amazon Cognito user pools: which operations need no signature; moto answers them all.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-public-server-side.html
"""

from __future__ import annotations

from . import json_requests, tokens
from .errors import AwsError
from .http import HttpRequest, Response, json_response
from .regions import partition_of
from .service import DEPLOYER_ONLY, PUBLIC, Caller, Operation, Service
from .sessions import Session

PUBLIC_OPERATIONS = frozenset(
    {
        *("SignUp", "ConfirmSignUp", "ResendConfirmationCode", "InitiateAuth", "RespondToAuthChallenge"),
        *("ForgotPassword", "ConfirmForgotPassword", "GetUser", "UpdateUserAttributes", "DeleteUser"),
        *("ChangePassword", "GlobalSignOut", "RevokeToken", "AssociateSoftwareToken", "VerifySoftwareToken"),
    }
)
"""Operations that a user's app calls without a signature."""


class UserPools(Service):
    """Requests for user pools, and for the metadata that they publish."""

    admits = PUBLIC

    def __init__(self, account: str) -> None:
        self._account = account

    def operation(self, request: HttpRequest, region: str) -> Operation:
        if len(request.segments) == 3:
            pool, _, document = request.segments
            return Operation("Metadata", region, PUBLIC, {"pool": pool, "document": document}, "cognito-idp")
        public = json_requests.named(request, "cognito-idp").name in PUBLIC_OPERATIONS
        if not region and not public:
            raise AwsError("AccessDenied", "Access Denied", 403)
        model, parameters = json_requests.read(request, "cognito-idp")
        callers = frozenset({Caller.DEPLOYER, Caller.ANONYMOUS}) if public else DEPLOYER_ONLY
        return Operation(model.name, region or "us-east-1", callers, parameters, "cognito-idp")

    def answer(self, operation: Operation, session: Session | None) -> Response:
        if operation.name == "Metadata":
            return json_response(self._metadata(**operation.parameters), content_type="application/json")
        tokens.replace_published_keys(self._account)
        return super().answer(operation, session)

    def _metadata(self, pool: str, document: str) -> dict[str, object]:
        """A user pool's keys, or its OpenID configuration.

        Source: https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
        """
        model = tokens.user_pool(self._account, pool)
        if model is None:
            raise AwsError("ResourceNotFoundException", f"User pool {pool[:100]} does not exist.", 400)
        if document == "jwks.json":
            return {"keys": [tokens.signing_key(model).as_dict(private=False)]}
        issuer = f"https://cognito-idp.{model.region}.{partition_of(model.region).dns_suffix}/{pool}"
        return {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
        }
