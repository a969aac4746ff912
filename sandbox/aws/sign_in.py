"""Signing in to a user pool: challenges, tokens, and the codes that a user gets by e-mail.

moto accepts any SRP proof and any confirmation code, and signs with a published key. Here a password is proven, a code is
the one that was sent, and tokens are verified with the pool's own key.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from moto.cognitoidp.models import (
    CognitoIdpUser,
    CognitoIdpUserPool,
    CognitoIdpUserPoolAttribute,
    CognitoIdpUserPoolClient,
    UserStatus,
)

from . import tokens
from .errors import AwsError
from .srp import Exchange

MAX_CHALLENGES = 10_000
"""Most challenges that are kept; the oldest are forgotten."""
MAX_TOKEN = 86_400
"""Longest validity of an ID token or access token, in seconds.

Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
"""
CODE_SECONDS = 3600
"""How long a confirmation code is valid."""
CODE_ATTEMPTS = 5
"""How often a wrong code may be tried before it is forgotten."""

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_TIMESTAMP = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d{1,2} \d{2}:\d{2}:\d{2} UTC \d{4}", re.ASCII)


@dataclass(frozen=True)
class App:
    """An app client of a user pool."""

    pool: CognitoIdpUserPool
    client: CognitoIdpUserPoolClient

    def seconds(self, token: str, default: int, unit: str) -> int:
        """How long a token of this kind is valid: `IdToken`, `AccessToken` or `RefreshToken`."""
        settings = self.client.extended_config
        units = settings.get("TokenValidityUnits") or {}
        length = settings.get(f"{token}Validity")
        return int(length) * _UNITS[units.get(token, unit)] if length else default

    def allows(self, flow: str) -> bool:
        default = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        flows = self.client.extended_config.get("ExplicitAuthFlows") or default
        other = {"REFRESH_TOKEN": "REFRESH_TOKEN_AUTH", "ADMIN_NO_SRP_AUTH": "ADMIN_USER_PASSWORD_AUTH"}.get(flow, flow)
        names = {flow, other, f"ALLOW_{other}"}
        return not names.isdisjoint(flows)


@dataclass(frozen=True)
class Challenge:
    """What a user has to answer next."""

    name: str
    app: App
    user: str
    expires: float
    exchange: Exchange | None = None
    secret_block: bytes = b""
    set_up: bool = False
    """Whether the user has verified an authenticator app since the challenge began."""


@dataclass
class SignedIn:
    """One sign-in, from which tokens come until it ends.

    Attributes:
        origin: the `origin_jti` of its tokens.
    """

    app: App
    user: str
    origin: str
    begun: float
    expires: float


@dataclass
class Code:
    """A code that was sent to a user."""

    text: str
    expires: float
    attempts: int = 0


class SignIn:
    """Challenges, sign-ins and codes of all user pools.

    Args:
        now: the clock, in seconds.
        sent: is called with the user's name and the text of each e-mail.
    """

    def __init__(self, now: Callable[[], float], sent: Callable[[str, str], None]) -> None:
        self._now = now
        self._sent = sent
        self._challenges: OrderedDict[str, Challenge] = OrderedDict()
        self._refresh: dict[str, SignedIn] = {}
        self._revoked: dict[str, float] = {}
        """Until when a token of a revoked sign-in can be valid, by its `origin_jti`."""
        self._codes: dict[tuple[str, str, str], Code] = {}
        self._totp: dict[str, str] = {}

    # Beginning

    def initiate(self, app: App, flow: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Begin to sign in."""
        if not app.allows(flow):
            raise invalid(f"{flow} flow not enabled for this client")
        given = parameters.get("SECRET_HASH")
        if flow in ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"):
            return self.refresh(
                app, needed(parameters, "REFRESH_TOKEN"), lambda name: require_secret_hash(app, name, given)
            )
        name = needed(parameters, "USERNAME")
        require_secret_hash(app, name, given)
        user: CognitoIdpUser | None = app.pool._get_user(name)
        if flow == "USER_SRP_AUTH":
            return self._begin_srp(app, name, user, needed(parameters, "SRP_A"))
        password = needed(parameters, "PASSWORD")
        if user is None and not _hides_users(app):
            raise unknown_user()
        if user is None or not _same(user.password, password):
            raise wrong_password()
        _require_enabled(user)
        return self._after_password(app, user)

    def _begin_srp(self, app: App, name: str, user: CognitoIdpUser | None, public: str) -> dict[str, Any]:
        if user is None and not _hides_users(app):
            raise unknown_user()
        # Whoever does not exist gets a challenge as well, which nobody can answer.
        username, password = (user.username, user.password) if user else (name, None)
        pool = app.pool.id.partition("_")[2]
        exchange = Exchange.begin(pool, username, password or secrets.token_urlsafe(), public)
        if exchange is None:
            raise invalid("SRP_A must be a number that is not a multiple of N")
        block = secrets.token_bytes(64)
        challenge = self._challenge("PASSWORD_VERIFIER", app, user.id if user else "")
        session = self._keep(replace(challenge, exchange=exchange, secret_block=block))
        shown = {
            "SALT": f"{exchange.salt:x}",
            "SRP_B": f"{exchange.server_public:x}",
            "SECRET_BLOCK": base64.b64encode(block).decode(),
            "USERNAME": username,
            "USER_ID_FOR_SRP": username,
        }
        return {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": shown, "Session": session}

    def _after_password(self, app: App, user: CognitoIdpUser) -> dict[str, Any]:
        """The password is right: another challenge, or the tokens."""
        if user.status == UserStatus.UNCONFIRMED:
            raise AwsError("UserNotConfirmedException", "User is not confirmed.")
        if user.status == UserStatus.RESET_REQUIRED:
            raise AwsError("PasswordResetRequiredException", "Password reset required for the user")
        if user.status == UserStatus.FORCE_CHANGE_PASSWORD:
            shown = {"userAttributes": "{}", "requiredAttributes": "[]", "USER_ID_FOR_SRP": user.username}
            return self._ask("NEW_PASSWORD_REQUIRED", app, user, shown)
        if user.software_token_mfa_enabled:
            return self._ask("SOFTWARE_TOKEN_MFA", app, user, {"USER_ID_FOR_SRP": user.username})
        if user.sms_mfa_enabled:
            raise AwsError("InvalidParameterException", "the sandbox sends no SMS; use a software token")
        if app.pool.mfa_config == "ON":
            return self._ask("MFA_SETUP", app, user, {"MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA"]'})
        return self._tokens(self._begin(app, user))

    def _ask(self, name: str, app: App, user: CognitoIdpUser, shown: dict[str, str]) -> dict[str, Any]:
        session = self._keep(self._challenge(name, app, user.id))
        return {"ChallengeName": name, "ChallengeParameters": shown, "Session": session}

    def _challenge(self, name: str, app: App, user: str) -> Challenge:
        minutes = int(app.client.extended_config.get("AuthSessionValidity") or 3)
        return Challenge(name, app, user, self._now() + 60 * minutes)

    def _keep(self, challenge: Challenge) -> str:
        session = secrets.token_urlsafe(96)
        while self._challenges and (
            len(self._challenges) >= MAX_CHALLENGES or next(iter(self._challenges.values())).expires <= self._now()
        ):
            self._challenges.popitem(last=False)
        self._challenges[session] = challenge
        return session

    def _taken(self, session: str, app: App, name: str) -> Challenge:
        """A challenge, which can be answered once."""
        challenge = self._challenges.pop(session, None)
        if challenge is None or challenge.expires <= self._now():
            raise not_authorized("Invalid session for the user, session is expired.")
        if challenge.name != name or challenge.app.client is not app.client:
            raise not_authorized("Invalid session for the user.")
        return challenge

    # Answering

    def answer(self, app: App, name: str, session: str, answers: Mapping[str, str]) -> dict[str, Any]:
        """Answer a challenge."""
        challenge = self._taken(session, app, name)
        require_secret_hash(app, needed(answers, "USERNAME"), answers.get("SECRET_HASH"))
        user = tokens.user_of(app.pool, challenge.user)
        if name == "PASSWORD_VERIFIER":
            self._require_proof(challenge, answers)
        if user is None or (
            answers["USERNAME"] not in (user.username, user.id) and app.pool._get_user(answers["USERNAME"]) is not user
        ):
            raise wrong_password()
        _require_enabled(user)
        if name == "PASSWORD_VERIFIER":
            return self._after_password(app, user)
        if name == "NEW_PASSWORD_REQUIRED":
            set_password(app.pool, user, needed(answers, "NEW_PASSWORD"))
            user.status = UserStatus.CONFIRMED
            return self._after_password(app, user)
        if name == "SOFTWARE_TOKEN_MFA":
            self.require_totp(user, needed(answers, "SOFTWARE_TOKEN_MFA_CODE"))
            return self._tokens(self._begin(app, user))
        if name == "MFA_SETUP" and challenge.set_up:
            user.software_token_mfa_enabled = True
            return self._tokens(self._begin(app, user))
        raise invalid(f"the sandbox does not have the challenge {name[:60]}")

    def _require_proof(self, challenge: Challenge, answers: Mapping[str, str]) -> None:
        try:
            claimed = base64.b64decode(needed(answers, "PASSWORD_CLAIM_SIGNATURE"), validate=True)
            block = base64.b64decode(needed(answers, "PASSWORD_CLAIM_SECRET_BLOCK"), validate=True)
        except (ValueError, binascii.Error):
            raise wrong_password() from None
        timestamp = needed(answers, "TIMESTAMP")
        if not _TIMESTAMP.fullmatch(timestamp):
            raise invalid("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
        exchange = challenge.exchange
        if exchange is None or not hmac.compare_digest(block, challenge.secret_block):
            raise wrong_password()
        if not challenge.user or not exchange.verifies(claimed, block, timestamp):
            raise wrong_password()

    # Tokens

    def _begin(self, app: App, user: CognitoIdpUser) -> str:
        self._refresh = {key: found for key, found in self._refresh.items() if found.expires + MAX_TOKEN > self._now()}
        self._revoked = {origin: until for origin, until in self._revoked.items() if until > self._now()}
        length = app.seconds("RefreshToken", 30 * 86400, "days")
        token, now = secrets.token_urlsafe(96), self._now()
        self._refresh[token] = SignedIn(app, user.id, str(uuid.uuid4()), now, now + length)
        return token

    def refresh(self, app: App, token: str, require_secret: Callable[[str], None]) -> dict[str, Any]:
        """New tokens of a sign-in.

        Args:
            require_secret: checks that the app has its client's secret, for the user of this name.
        """
        signed_in = self._refresh.get(token)
        if signed_in is None or signed_in.expires <= self._now() or signed_in.app.client is not app.client:
            raise not_authorized("Invalid Refresh Token")
        if signed_in.origin in self._revoked:
            raise not_authorized("Refresh Token has been revoked")
        user = tokens.user_of(app.pool, signed_in.user)
        if user is None:
            raise not_authorized("Invalid Refresh Token")
        require_secret(user.username)
        _require_enabled(user)
        result = self._tokens(token)
        del result["AuthenticationResult"]["RefreshToken"]
        return result

    def _tokens(self, refresh_token: str) -> dict[str, Any]:
        signed_in = self._refresh[refresh_token]
        app, now = signed_in.app, int(self._now())
        user = cast(CognitoIdpUser, tokens.user_of(app.pool, signed_in.user))
        lengths = {kind: app.seconds(kind, 3600, "hours") for kind in ("IdToken", "AccessToken")}
        common = {
            "sub": user.id,
            "origin_jti": signed_in.origin,
            "event_id": str(uuid.uuid4()),
            "auth_time": int(signed_in.begun),
            "iat": now,
            **_group_claims(user),
        }
        id_claims = {
            **_attribute_claims(app, user),
            **common,
            "aud": app.client.id,
            "token_use": "id",
            "cognito:username": user.username,
            "exp": now + lengths["IdToken"],
            "jti": str(uuid.uuid4()),
        }
        access_claims = {
            **{name: value for name, value in common.items() if name == "cognito:groups" or ":" not in name},
            "client_id": app.client.id,
            "token_use": "access",
            "scope": "aws.cognito.signin.user.admin",
            "username": user.username,
            "exp": now + lengths["AccessToken"],
            "jti": str(uuid.uuid4()),
        }
        return {
            "ChallengeParameters": {},
            "AuthenticationResult": {
                "IdToken": tokens.issue(app.pool, id_claims),
                "AccessToken": tokens.issue(app.pool, access_claims),
                "RefreshToken": refresh_token,
                "ExpiresIn": lengths["AccessToken"],
                "TokenType": "Bearer",
            },
        }

    def user_of_access_token(self, pool: CognitoIdpUserPool | None, token: str) -> CognitoIdpUser:
        """The user whose access token this is."""
        if pool is None:
            raise not_authorized("Invalid Access Token")
        claims = tokens.claims_of(pool, token, self._now())
        user = tokens.user_of(pool, str(claims.get("sub")))
        if claims.get("token_use") != "access" or user is None:
            raise not_authorized("Invalid Access Token")
        if self.is_revoked(str(claims.get("origin_jti"))):
            raise not_authorized("Access Token has been revoked")
        _require_enabled(user)
        return user

    def is_revoked(self, origin: str) -> bool:
        return origin in self._revoked

    def revoke(self, app: App, token: str) -> None:
        """End the sign-in of a refresh token."""
        signed_in = self._refresh.get(token)
        if signed_in is not None:
            if signed_in.app.client is not app.client:
                raise AwsError("UnauthorizedException", "the token is not of this app client")
            self._end(token)

    def sign_out(self, user: CognitoIdpUser) -> None:
        """End all sign-ins of a user."""
        for token, signed_in in list(self._refresh.items()):
            if signed_in.user == user.id:
                self._end(token)

    def _end(self, token: str) -> None:
        """End the sign-in of a refresh token, and remember it as long as one of its tokens may be valid."""
        self._revoked[self._refresh.pop(token).origin] = self._now() + MAX_TOKEN

    # Codes

    def send_code(self, pool: CognitoIdpUserPool, user: CognitoIdpUser, purpose: str) -> dict[str, str]:
        """Send a user a code; where it went."""
        code = f"{secrets.randbelow(1_000_000):06}"
        self._codes[pool.id, user.id, purpose] = Code(code, self._now() + CODE_SECONDS)
        self._sent(user.username, code)
        address = str(user.attribute_lookup.get("email") or f"{user.username}@example.com")
        name, _, domain = address.partition("@")
        return {"Destination": f"{name[:1]}***@{domain[:1]}***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}

    def require_code(self, pool: CognitoIdpUserPool, user: CognitoIdpUser, purpose: str, text: str) -> None:
        """Check a code, which is then used up.

        Raises:
            AwsError: CodeMismatchException, ExpiredCodeException.
        """
        key = pool.id, user.id, purpose
        code = self._codes.get(key)
        if code is None or code.expires <= self._now() or code.attempts >= CODE_ATTEMPTS:
            self._codes.pop(key, None)
            raise AwsError("ExpiredCodeException", "Invalid code provided, please request a code again.")
        if not _same(code.text, text):
            code.attempts += 1
            raise AwsError("CodeMismatchException", "Invalid verification code provided, please try again.")
        del self._codes[key]

    def new_totp(self, user: CognitoIdpUser) -> str:
        """A new secret for a user's authenticator app."""
        self._totp[user.id] = base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=")
        return self._totp[user.id]

    def require_totp(self, user: CognitoIdpUser, code: str) -> None:
        """Check a code of an authenticator app.

        Raises:
            AwsError: CodeMismatchException.
        """
        secret = self._totp.get(user.id)
        steps = [int(self._now()) // 30 + step for step in (-1, 0, 1)]
        if secret is None or not any(_same(totp(secret, step), code) for step in steps):
            raise AwsError("CodeMismatchException", "Invalid code received for user")

    def challenged_user(self, session: str) -> tuple[Challenge, CognitoIdpUser]:
        """Who sets up an authenticator app while signing in."""
        challenge = self._taken_for_setup(session)
        user = tokens.user_of(challenge.app.pool, challenge.user)
        if user is None:
            raise not_authorized("Invalid session for the user.")
        return challenge, user

    def again(self, challenge: Challenge, set_up: bool = False) -> str:
        return self._keep(replace(challenge, set_up=set_up))

    def _taken_for_setup(self, session: str) -> Challenge:
        challenge = self._challenges.get(session)
        if challenge is None:
            raise not_authorized("Invalid session for the user, session is expired.")
        return self._taken(session, challenge.app, "MFA_SETUP")


def totp(secret: str, step: int) -> str:
    """The code of an authenticator app.

    Source: https://www.rfc-editor.org/rfc/rfc6238
    """
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def set_password(pool: CognitoIdpUserPool, user: CognitoIdpUser, password: str) -> None:
    """Set a password that the pool's policy allows.

    Raises:
        AwsError: InvalidPasswordException.
    """
    pool.backend._validate_password(pool.id, password)
    user.password = password


def require_secret_hash(app: App, username: str, given: str | None) -> None:
    """Check the proof that an app has its client's secret, if the client has one.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html
    """
    if not app.client.generate_secret:
        return
    digest = hmac.new(app.client.secret.encode(), f"{username}{app.client.id}".encode(), hashlib.sha256).digest()
    if given is None or not _same(base64.b64encode(digest).decode(), given):
        raise not_authorized(f"Client {app.client.id} is configured with secret but SECRET_HASH is missing or wrong")


def _group_claims(user: CognitoIdpUser) -> dict[str, Any]:
    """The user's groups, and their roles.

    Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html
    """
    groups = sorted(user.groups, key=lambda group: (_precedence(group), group.group_name))
    with_role = [group for group in groups if group.role_arn]
    claims: dict[str, Any] = {"cognito:groups": [group.group_name for group in groups]} if groups else {}
    if with_role:
        claims["cognito:roles"] = list(dict.fromkeys(str(group.role_arn) for group in with_role))
        first = {str(group.role_arn) for group in with_role if _precedence(group) == _precedence(with_role[0])}
        if len(first) == 1:
            claims["cognito:preferred_role"] = first.pop()
    return claims


def _precedence(group: Any) -> float:
    return float("inf") if group.precedence is None else float(group.precedence)


def _attribute_claims(app: App, user: CognitoIdpUser) -> dict[str, Any]:
    """The attributes of the pool's schema that the app may read; no attribute passes for one of Cognito's own claims."""
    readable = app.client.get_readable_fields()
    schema = {*CognitoIdpUserPoolAttribute.STANDARD_SCHEMA, *app.pool.schema_attributes} - {"sub"}
    claims: dict[str, Any] = {}
    for name, value in user.attribute_lookup.items():
        if name in schema and (not readable or name in readable):
            claims[name] = str(value).lower() == "true" if name.endswith("_verified") else value
    return claims


def _require_enabled(user: CognitoIdpUser) -> None:
    if not user.enabled:
        raise not_authorized("User is disabled.")


def _hides_users(app: App) -> bool:
    return bool(app.client.extended_config.get("PreventUserExistenceErrors") == "ENABLED")


def _same(one: str | None, other: str) -> bool:
    return one is not None and hmac.compare_digest(one.encode(), other.encode())


def needed(parameters: Mapping[str, str], name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise invalid(f"Missing required parameter {name}")
    return value


def unknown_user() -> AwsError:
    return AwsError("UserNotFoundException", "User does not exist.")


def wrong_password() -> AwsError:
    return not_authorized("Incorrect username or password.")


def not_authorized(message: str) -> AwsError:
    return AwsError("NotAuthorizedException", message)


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
