"""Amazon Cognito user pools: signing up and in is done here, and so are the tokens; moto keeps the pools and their users.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-public-server-side.html
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from moto.cognitoidp.models import (
    CognitoIdpUser,
    CognitoIdpUserPool,
    CognitoIdpUserPoolAttribute,
    CognitoIdpUserPoolClient,
    UserStatus,
    cognitoidp_backends,
)
from moto.core.exceptions import ServiceException

from . import json_requests, moto_backend, sign_in, tokens
from .errors import AwsError
from .http import HttpRequest, Response, json_response
from .regions import is_region
from .service import DEPLOYER_ONLY, PUBLIC, Caller, Operation, Service
from .sessions import Session
from .shapes import json_object
from .sign_in import App, SignIn, needed

Parameters = Mapping[str, Any]

UNSIGNED = frozenset({Caller.DEPLOYER, Caller.ANONYMOUS})
FLOWS = frozenset({"USER_SRP_AUTH", "USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"})
ADMIN_FLOWS = frozenset({"ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"})


class UserPools(Service):
    """Requests for user pools, and for the metadata that they publish.

    Attributes:
        messages: the codes that Cognito would have sent by e-mail: the user's name and the code, the latest last.
    """

    admits = PUBLIC

    def __init__(self, account: str, now: Callable[[], float]) -> None:
        self._account = account
        self.messages: deque[tuple[str, str]] = deque(maxlen=100)
        self._now = now
        self._sign_in = SignIn(now, lambda name, code: self.messages.append((name, code)))
        self._lock = threading.RLock()

    def is_revoked(self, origin: str) -> bool:
        """Whether a sign-in has ended, by the `origin_jti` of its tokens."""
        return self._sign_in.is_revoked(origin)

    def operation(self, request: HttpRequest, region: str) -> Operation:
        if len(request.segments) == 3:
            pool, _, document = request.segments
            return Operation("Metadata", region, PUBLIC, {"pool": pool, "document": document}, "cognito-idp")
        name = json_requests.named(request, "cognito-idp").name
        if not region and name not in PUBLIC_OPERATIONS:
            raise AwsError("AccessDenied", "Access Denied", 403)
        model, parameters = json_requests.read(request, "cognito-idp")
        callers = UNSIGNED if name in PUBLIC_OPERATIONS else DEPLOYER_ONLY
        return Operation(model.name, region, callers, parameters, "cognito-idp")

    def answer(self, operation: Operation, session: Session | None) -> Response:
        if operation.name == "Metadata":
            return json_response(self._metadata(**operation.parameters), content_type="application/json")
        perform = _OPERATIONS.get(operation.name)
        with self._lock:
            if perform is None:
                return super().answer(operation, session)
            try:
                return json_response(perform(self, operation.parameters))
            except ServiceException as error:
                raise AwsError(error.code, error.message) from None

    def _metadata(self, pool: str, document: str) -> dict[str, object]:
        """A user pool's keys, or its OpenID configuration.

        Source: https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
        """
        model = tokens.user_pool(self._account, pool)
        if model is None:
            raise AwsError("ResourceNotFoundException", f"User pool {pool[:100]} does not exist.", 400)
        if document == "jwks.json":
            return {"keys": [tokens.signing_key(model).as_dict(private=False)]}
        issuer = tokens.issuer_of_user_pool(pool)
        return {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
        }

    def _app(self, client_id: str) -> App:
        for backend in cognitoidp_backends[self._account].values():
            for pool in backend.user_pools.values():
                if client_id in pool.clients:
                    return App(pool, pool.clients[client_id])
        raise AwsError("ResourceNotFoundException", f"User pool client {client_id[:128]} does not exist.")

    def _admin_app(self, parameters: Parameters) -> App:
        app = self._app(parameters["ClientId"])
        if app.pool.id != parameters["UserPoolId"]:
            raise AwsError("ResourceNotFoundException", "User pool client does not exist in this user pool.")
        return app

    def _user(self, app: App, parameters: Parameters) -> CognitoIdpUser:
        sign_in.require_secret_hash(app, parameters["Username"], parameters.get("SecretHash"))
        user: CognitoIdpUser | None = app.pool._get_user(parameters["Username"])
        if user is None:
            raise sign_in.unknown_user()
        return user

    def _signed_in(self, parameters: Parameters) -> tuple[CognitoIdpUserPool, CognitoIdpUser]:
        """The pool and the user of an access token."""
        token = parameters["AccessToken"]
        pool = tokens.user_pool(self._account, _issuing_pool(token))
        user = self._sign_in.user_of_access_token(pool, token)
        assert pool is not None
        return pool, user

    # Signing up

    def sign_up(self, parameters: Parameters) -> dict[str, Any]:
        app = self._app(parameters["ClientId"])
        sign_in.require_secret_hash(app, parameters["Username"], parameters.get("SecretHash"))
        settings = app.pool.extended_config.get("AdminCreateUserConfig") or {}
        if settings.get("AllowAdminCreateUserOnly"):
            raise sign_in.not_authorized("SignUp is not permitted for this user pool")
        names = ("ClientId", "Username", "Password", "UserAttributes")
        wanted = {name: parameters[name] for name in names if name in parameters}
        _require_writable(app.pool, app.client, wanted.get("UserAttributes", []))
        response = moto_backend.call("cognito-idp", "SignUp", app.pool.region, wanted)
        if response.status != 200:
            raise _moto_error(response)
        user = app.pool._get_user(parameters["Username"])
        confirmed = user.status == UserStatus.CONFIRMED
        answer: dict[str, Any] = {"UserConfirmed": confirmed, "UserSub": user.id}
        if not confirmed:
            answer["CodeDeliveryDetails"] = self._sign_in.send_code(app.pool, user, "sign-up")
        return answer

    def confirm_sign_up(self, parameters: Parameters) -> dict[str, Any]:
        app = self._app(parameters["ClientId"])
        user = self._user(app, parameters)
        if user.status != UserStatus.UNCONFIRMED:
            raise sign_in.not_authorized(f"User cannot be confirmed. Current status is {user.status}")
        self._sign_in.require_code(app.pool, user, "sign-up", parameters["ConfirmationCode"])
        user.status = UserStatus.CONFIRMED
        if "email" in (app.pool.extended_config.get("AutoVerifiedAttributes") or []):
            user.update_attributes([{"Name": "email_verified", "Value": "true"}])
        return {}

    def resend_confirmation_code(self, parameters: Parameters) -> dict[str, Any]:
        app = self._app(parameters["ClientId"])
        user = self._user(app, parameters)
        if user.status != UserStatus.UNCONFIRMED:
            raise sign_in.invalid("User is already confirmed.")
        return {"CodeDeliveryDetails": self._sign_in.send_code(app.pool, user, "sign-up")}

    # Signing in

    def initiate_auth(self, parameters: Parameters) -> dict[str, Any]:
        flow = parameters["AuthFlow"]
        if flow not in FLOWS:
            raise sign_in.invalid(f"the sandbox does not have the flow {flow[:60]}; it has {', '.join(sorted(FLOWS))}")
        return self._sign_in.initiate(self._app(parameters["ClientId"]), flow, parameters.get("AuthParameters", {}))

    def admin_initiate_auth(self, parameters: Parameters) -> dict[str, Any]:
        app, flow = self._admin_app(parameters), parameters["AuthFlow"]
        if flow not in ADMIN_FLOWS | FLOWS:
            raise sign_in.invalid(f"the sandbox does not have the flow {flow[:60]}")
        return self._sign_in.initiate(app, flow, parameters.get("AuthParameters", {}))

    def respond_to_auth_challenge(self, parameters: Parameters) -> dict[str, Any]:
        return self._respond(self._app(parameters["ClientId"]), parameters)

    def admin_respond_to_auth_challenge(self, parameters: Parameters) -> dict[str, Any]:
        return self._respond(self._admin_app(parameters), parameters)

    def _respond(self, app: App, parameters: Parameters) -> dict[str, Any]:
        session = needed(parameters, "Session")
        return self._sign_in.answer(app, parameters["ChallengeName"], session, parameters.get("ChallengeResponses", {}))

    def get_tokens_from_refresh_token(self, parameters: Parameters) -> dict[str, Any]:
        app = self._app(parameters["ClientId"])

        def require_secret(_: str) -> None:
            if app.client.generate_secret and parameters.get("ClientSecret") != app.client.secret:
                raise sign_in.not_authorized("Invalid client secret")

        return self._sign_in.refresh(app, parameters["RefreshToken"], require_secret)

    def global_sign_out(self, parameters: Parameters) -> dict[str, Any]:
        _, user = self._signed_in(parameters)
        self._sign_in.sign_out(user)
        return {}

    def admin_user_global_sign_out(self, parameters: Parameters) -> dict[str, Any]:
        pool = tokens.user_pool(self._account, parameters["UserPoolId"])
        if pool is None:
            raise AwsError("ResourceNotFoundException", "User pool does not exist.")
        user = pool._get_user(parameters["Username"])
        if user is None:
            raise sign_in.unknown_user()
        self._sign_in.sign_out(user)
        return {}

    def revoke_token(self, parameters: Parameters) -> dict[str, Any]:
        app = self._app(parameters["ClientId"])
        if app.client.generate_secret and parameters.get("ClientSecret") != app.client.secret:
            raise AwsError("UnauthorizedException", "Invalid client secret")
        self._sign_in.revoke(app, parameters["Token"])
        return {}

    # A user's own data

    def get_user(self, parameters: Parameters) -> dict[str, Any]:
        _, user = self._signed_in(parameters)
        shown = user.to_json(extended=True, attributes_key="UserAttributes")
        names = ("Username", "UserAttributes", "MFAOptions", "PreferredMfaSetting", "UserMFASettingList")
        return {name: shown[name] for name in names if shown.get(name)}

    def update_user_attributes(self, parameters: Parameters) -> dict[str, Any]:
        pool, user = self._signed_in(parameters)
        attributes = parameters["UserAttributes"]
        claims = tokens.claims_of(pool, parameters["AccessToken"], self._now())
        _require_writable(pool, pool.clients.get(str(claims.get("client_id"))), attributes)
        _require_changeable(pool, user, attributes)
        # A new address is not verified, whatever the old one was.
        changed = {attribute["Name"] for attribute in attributes}
        reset = [f"{name}_verified" for name in ("email", "phone_number") if name in changed]
        user.update_attributes([*attributes, *({"Name": name, "Value": "false"} for name in reset)])
        return {}

    def delete_user(self, parameters: Parameters) -> dict[str, Any]:
        pool, user = self._signed_in(parameters)
        self._sign_in.sign_out(user)
        pool.backend.admin_delete_user(pool.id, user.username)
        return {}

    def change_password(self, parameters: Parameters) -> dict[str, Any]:
        pool, user = self._signed_in(parameters)
        if user.password is None or user.password != parameters.get("PreviousPassword"):
            raise sign_in.wrong_password()
        sign_in.set_password(pool, user, parameters["ProposedPassword"])
        return {}

    def forgot_password(self, parameters: Parameters) -> dict[str, Any]:
        app = self._app(parameters["ClientId"])
        return {"CodeDeliveryDetails": self._sign_in.send_code(app.pool, self._user(app, parameters), "password")}

    def confirm_forgot_password(self, parameters: Parameters) -> dict[str, Any]:
        app = self._app(parameters["ClientId"])
        user = self._user(app, parameters)
        self._sign_in.require_code(app.pool, user, "password", parameters["ConfirmationCode"])
        sign_in.set_password(app.pool, user, parameters["Password"])
        user.status = UserStatus.CONFIRMED
        return {}

    # Authenticator apps

    def associate_software_token(self, parameters: Parameters) -> dict[str, Any]:
        if "AccessToken" in parameters:
            _, user = self._signed_in(parameters)
            return {"SecretCode": self._sign_in.new_totp(user)}
        challenge, user = self._sign_in.challenged_user(needed(parameters, "Session"))
        return {"SecretCode": self._sign_in.new_totp(user), "Session": self._sign_in.again(challenge)}

    def verify_software_token(self, parameters: Parameters) -> dict[str, Any]:
        if "AccessToken" in parameters:
            _, user = self._signed_in(parameters)
            challenge = None
        else:
            challenge, user = self._sign_in.challenged_user(needed(parameters, "Session"))
        self._sign_in.require_totp(user, parameters["UserCode"])
        user.token_verified = True
        return {"Status": "SUCCESS", **({"Session": self._sign_in.again(challenge, set_up=True)} if challenge else {})}

    def set_user_mfa_preference(self, parameters: Parameters) -> dict[str, Any]:
        _, user = self._signed_in(parameters)
        settings = parameters.get("SoftwareTokenMfaSettings", {})
        if any(parameters.get(name, {}).get("Enabled") for name in parameters if name.endswith("Settings")) and (
            not settings.get("Enabled") or not user.token_verified
        ):
            raise sign_in.invalid("the sandbox has software tokens only, and the user has verified none")
        user.software_token_mfa_enabled = bool(settings.get("Enabled", user.software_token_mfa_enabled))
        user.preferred_mfa_setting = "SOFTWARE_TOKEN_MFA" if settings.get("PreferredMfa") else ""
        return {}


def _issuing_pool(token: str) -> str:
    """The user pool that a token names as its issuer; the token is not verified yet."""
    try:
        payload = token.split(".")[1]
        claims = json_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error, AwsError):
        claims = {}
    pool = str(claims.get("iss", "")).rpartition("/")[2]
    return pool if is_region(pool.partition("_")[0]) else ""


def _require_writable(
    pool: CognitoIdpUserPool, client: CognitoIdpUserPoolClient | None, attributes: list[dict[str, str]]
) -> None:
    """Refuse attributes that a user may not set: what is not in the pool's schema, or not writable for the app.

    Raises:
        AwsError: NotAuthorizedException.
    """
    names = [attribute["Name"] for attribute in attributes]
    writable = client.extended_config.get("WriteAttributes") if client is not None else None
    known = {*CognitoIdpUserPoolAttribute.STANDARD_SCHEMA, *pool.schema_attributes} - {"sub"}
    for name in names:
        if (
            name not in known
            or name.endswith("_verified")
            or name.startswith("dev:")
            or (writable and name not in writable)
        ):
            raise sign_in.not_authorized(f"A client attempted to write unauthorized attribute: {name[:60]}")
    if len(set(names)) != len(names):
        raise sign_in.invalid("an attribute is repeated")


def _require_changeable(pool: CognitoIdpUserPool, user: CognitoIdpUser, attributes: list[dict[str, str]]) -> None:
    """Refuse to change attributes that do not change, and names by which another user signs in.

    Raises:
        AwsError: InvalidParameterException, AliasExistsException.
    """
    standard = CognitoIdpUserPoolAttribute.STANDARD_SCHEMA
    for attribute in attributes:
        name, value = attribute["Name"], attribute.get("Value")
        schema = pool.schema_attributes.get(name)
        if not (schema.mutable if schema is not None else standard[name]["Mutable"]):
            raise sign_in.invalid(f"user.{name[:60]}: Attribute cannot be updated.")
        names = pool.extended_config.get("UsernameAttributes") or pool.extended_config.get("AliasAttributes") or []
        others = (other for other in pool.users.values() if other is not user)
        if name in names and any(other.attribute_lookup.get(name) == value for other in others):
            raise AwsError("AliasExistsException", "Already found an entry for username.")


def _moto_error(response: Response) -> AwsError:
    body = json_object(response.body)
    code = str(body.get("__type", "InvalidParameterException")).rpartition("#")[2]
    return AwsError(code, str(body.get("message", body.get("Message", ""))))


_UNSIGNED_OPERATIONS: dict[str, Callable[[UserPools, Parameters], dict[str, Any]]] = {
    "AssociateSoftwareToken": UserPools.associate_software_token,
    "ChangePassword": UserPools.change_password,
    "ConfirmForgotPassword": UserPools.confirm_forgot_password,
    "ConfirmSignUp": UserPools.confirm_sign_up,
    "DeleteUser": UserPools.delete_user,
    "ForgotPassword": UserPools.forgot_password,
    "GetTokensFromRefreshToken": UserPools.get_tokens_from_refresh_token,
    "GetUser": UserPools.get_user,
    "GlobalSignOut": UserPools.global_sign_out,
    "InitiateAuth": UserPools.initiate_auth,
    "ResendConfirmationCode": UserPools.resend_confirmation_code,
    "RespondToAuthChallenge": UserPools.respond_to_auth_challenge,
    "RevokeToken": UserPools.revoke_token,
    "SetUserMFAPreference": UserPools.set_user_mfa_preference,
    "SignUp": UserPools.sign_up,
    "UpdateUserAttributes": UserPools.update_user_attributes,
    "VerifySoftwareToken": UserPools.verify_software_token,
}
PUBLIC_OPERATIONS = frozenset(_UNSIGNED_OPERATIONS)
"""Operations that a user's app calls without a signature. Each of them proves its caller by a password, token or code."""

_OPERATIONS = {
    **_UNSIGNED_OPERATIONS,
    "AdminInitiateAuth": UserPools.admin_initiate_auth,
    "AdminRespondToAuthChallenge": UserPools.admin_respond_to_auth_challenge,
    "AdminUserGlobalSignOut": UserPools.admin_user_global_sign_out,
}
