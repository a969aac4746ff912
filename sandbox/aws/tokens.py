"""ID tokens of users who have signed in, verified as an identity pool verifies them.

moto signs real JWTs for user pools, but its identity pools never look at them. Here a user pool's token is accepted only
if it is an ID token that the pool signed and issued for one of the app clients that the identity pool names, and has not
expired. Other providers, such as Google or a company's SAML provider, are replaced by `FakeIdentityProvider`, whose tokens
are verified in the same way; the sandbox does not test the form of a real provider's token.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import errors, jwt
from joserfc.jwk import RSAKey
from moto.cognitoidp.models import CognitoIdpUserPool, cognitoidp_backends

from .errors import AwsError
from .regions import is_region, region_of_user_pool


@dataclass(frozen=True)
class VerifiedToken:
    """A user as a provider knows them.

    Attributes:
        provider: the provider's name in the pool.
        subject: the provider's own ID of the user.
        client: the app for which the token was issued.
        signs_in: the sign-in method that `amr` shows after the provider's name.
    """

    provider: str
    subject: str
    claims: dict[str, Any]
    client: str = ""
    signs_in: str = ""

    def amr(self) -> tuple[str, ...]:
        return (self.provider, f"{self.provider}:{self.signs_in}") if self.signs_in else (self.provider,)


_PUBLISHED_KEY_ID = "dummy"
"""`kid` of the key that moto ships."""


def user_pool(account: str, pool_id: str) -> CognitoIdpUserPool | None:
    """A user pool of the simulator."""
    region = region_of_user_pool(pool_id)
    pool = cognitoidp_backends[account][region].user_pools.get(pool_id) if is_region(region) else None
    return pool if isinstance(pool, CognitoIdpUserPool) else None


_GENERATING = threading.Lock()


def signing_key(pool: CognitoIdpUserPool) -> RSAKey:
    """The key that a user pool signs with. moto has one for all pools, and publishes it; here each pool gets its own."""
    with _GENERATING:
        if pool.json_web_key.kid == _PUBLISHED_KEY_ID:
            parameters: Any = {"kid": secrets.token_urlsafe(32), "use": "sig", "alg": "RS256"}
            pool.json_web_key = RSAKey.generate_key(2048, parameters)
        key: RSAKey = pool.json_web_key
        return key


def replace_published_keys(account: str) -> None:
    """Give each user pool a key of its own before moto signs with it."""
    for backend in cognitoidp_backends[account].values():
        for pool in backend.user_pools.values():
            signing_key(pool)


def verify(
    account: str, provider: str, token: str, clients: Collection[str], check_user: bool, now: float
) -> VerifiedToken:
    """Verify an ID token that was passed under a user pool's name.

    Args:
        provider: `cognito-idp.REGION.amazonaws.com/POOL_ID`.
        clients: app client IDs that the identity pool accepts for this provider.
        check_user: ask the user pool whether the user still exists and is enabled (ServerSideTokenCheck).
        now: the time, in seconds.

    Raises:
        AwsError: NotAuthorizedException.
    """
    pool = user_pool(account, provider.rpartition("/")[2])
    if pool is None:
        raise _invalid("Token is not from a supported provider of this identity pool.")
    claims = _claims(token, signing_key(pool))
    if claims.get("token_use") != "id":
        raise _invalid("Invalid login token. Not an ID token.")
    _check(claims, f"https://{provider}", clients, now)
    subject = str(claims.get("sub"))
    user = next((u for u in pool.users.values() if u.id == subject), None)
    if check_user and (user is None or not user.enabled):
        raise _invalid("Invalid login token. User is disabled or does not exist.")
    # Cognito's tokens name the roles of the user's groups and the preferred role; moto's do not.
    groups = sorted(user.groups, key=_precedence) if user is not None else []
    roles = [str(group.role_arn) for group in groups if group.role_arn]
    if roles:
        claims["cognito:roles"] = roles
        if len(groups) == 1 or _precedence(groups[0]) < _precedence(groups[1]):
            claims["cognito:preferred_role"] = roles[0]
    return VerifiedToken(provider, subject, claims, str(claims["aud"]), f"CognitoSignIn:{subject}")


def _precedence(group: Any) -> float:
    return float("inf") if group.precedence is None else float(group.precedence)


class FakeIdentityProvider:
    """Every provider that is not a user pool, and the back end of a developer provider; all sign with one key."""

    def __init__(self) -> None:
        self._key: RSAKey | None = None

    def issue(self, issuer: str, subject: str, audience: str, expires: float, claims: Mapping[str, Any]) -> str:
        """A token for a user, as the provider `issuer` would issue it to the app `audience`."""
        payload = {"iss": issuer, "sub": subject, "aud": audience, "exp": int(expires), **claims}
        return str(jwt.encode({"alg": "RS256"}, payload, self._signing()))

    def verify(self, issuer: str, token: str, audiences: Collection[str], now: float) -> dict[str, Any]:
        """The claims of a token that `issuer` issued to one of the audiences.

        Raises:
            AwsError: NotAuthorizedException.
        """
        claims = _claims(token, self._signing())
        _check(claims, issuer, audiences, now)
        return claims

    def _signing(self) -> RSAKey:
        if self._key is None:
            self._key = RSAKey.generate_key(2048)
        return self._key


def _claims(token: str, key: Any) -> dict[str, Any]:
    try:
        return dict(jwt.decode(token, key, algorithms=["RS256"]).claims)
    except (errors.JoseError, ValueError):
        raise _invalid("Invalid login token. Couldn't verify signed token.") from None


def _check(claims: Mapping[str, Any], issuer: str, audiences: Collection[str], now: float) -> None:
    if claims.get("iss") != issuer:
        raise _invalid("Invalid login token. Issuer doesn't match providerName")
    if claims.get("aud") not in audiences:
        raise _invalid("Invalid login token. Incorrect token audience.")
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or expires <= now:
        raise _invalid(f"Invalid login token. Token expired: {expires} < {int(now)}")


def _invalid(message: str) -> AwsError:
    return AwsError("NotAuthorizedException", message, 400)
