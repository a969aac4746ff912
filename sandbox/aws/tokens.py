"""Tokens of users who have signed in: issued by user pools, and verified as an identity pool verifies them.

A user pool's token is accepted only if it is an ID token that this pool signed, with its own key, and issued for one of the
app clients that the identity pool names, and that is valid now. Other providers, such as Google or a company's SAML
provider, are replaced by `FakeIdentityProvider`, whose tokens are verified in the same way; the sandbox does not test the
form of a real provider's token.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from joserfc import errors, jwt
from joserfc.jwk import KeySet, RSAKey
from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPool, cognitoidp_backends

from .errors import AwsError
from .regions import is_region, partition_of, region_of_user_pool

MAX_TOKEN = 16 * 1024
"""Longest token, in characters."""
MAX_SKEW = 300
"""Seconds by which the clock of another provider may be ahead."""

_PUBLISHED_KEY_ID = "dummy"
"""`kid` of the key that moto ships and has every user pool sign with."""


@dataclass(frozen=True)
class VerifiedToken:
    """A user as a provider knows them.

    Attributes:
        provider: the provider's name in the pool.
        subject: the provider's own ID of the user.
        client: the app for which the token was issued.
        signs_in: the sign-in method that `amr` shows after the provider's name.
        name: the provider's key in `logins`.
    """

    provider: str
    subject: str
    claims: dict[str, Any]
    client: str = ""
    signs_in: str = ""
    name: str = ""

    def amr(self) -> tuple[str, ...]:
        return (self.provider, f"{self.provider}:{self.signs_in}") if self.signs_in else (self.provider,)


def user_pool(account: str, pool_id: str) -> CognitoIdpUserPool | None:
    """A user pool of the simulator."""
    region = region_of_user_pool(pool_id)
    pool = cognitoidp_backends[account][region].user_pools.get(pool_id) if is_region(region) else None
    return pool if isinstance(pool, CognitoIdpUserPool) else None


_GENERATING = threading.Lock()


def signing_key(pool: CognitoIdpUserPool) -> RSAKey:
    """The key that a user pool signs with: each pool has its own."""
    with _GENERATING:
        if pool.json_web_key.kid == _PUBLISHED_KEY_ID:
            pool.json_web_key = _new_key()
        return cast(RSAKey, pool.json_web_key)


def _new_key() -> RSAKey:
    parameters: Any = {"kid": secrets.token_urlsafe(32), "use": "sig", "alg": "RS256"}
    return cast(RSAKey, RSAKey.generate_key(2048, parameters))


def issuer_of_user_pool(pool_id: str) -> str:
    region = region_of_user_pool(pool_id)
    return f"https://cognito-idp.{region}.{partition_of(region).dns_suffix}/{pool_id}"


def issue(pool: CognitoIdpUserPool, claims: Mapping[str, Any]) -> str:
    """A token of a user pool."""
    key = signing_key(pool)
    return str(jwt.encode({"alg": "RS256", "kid": str(key.kid)}, {"iss": issuer_of_user_pool(pool.id), **claims}, key))


def claims_of(pool: CognitoIdpUserPool, token: str, now: float) -> dict[str, Any]:
    """The claims of a token that a user pool signed, and that is valid now.

    Raises:
        AwsError: NotAuthorizedException.
    """
    claims = _claims(token, signing_key(pool))
    if claims.get("iss") != issuer_of_user_pool(pool.id):
        raise _invalid("Invalid login token. Issuer doesn't match providerName")
    _check_times(claims, now)
    return claims


def verify(
    account: str,
    provider: str,
    token: str,
    clients: Mapping[str, bool],
    revoked: Callable[[str], bool],
    now: float,
) -> VerifiedToken:
    """Verify an ID token that was passed under a user pool's name.

    Args:
        provider: `cognito-idp.REGION.amazonaws.com/POOL_ID`.
        clients: the app client IDs that the identity pool accepts for this provider, and whether the user pool is asked if
            the user still exists, is enabled, and has not signed out (ServerSideTokenCheck).
        revoked: whether a sign-in has been revoked, by its `origin_jti`.
        now: the time, in seconds.

    Raises:
        AwsError: NotAuthorizedException.
    """
    pool = user_pool(account, provider.rpartition("/")[2])
    if pool is None or issuer_of_user_pool(pool.id) != f"https://{provider}":
        raise _invalid("Token is not from a supported provider of this identity pool.")
    claims = _claims(token, signing_key(pool))
    if claims.get("token_use") != "id":
        raise _invalid("Invalid login token. Not an ID token.")
    _check(claims, f"https://{provider}", clients.keys(), now)
    subject = str(claims["sub"])
    if clients[claims["aud"]]:
        user = user_of(pool, subject)
        if user is None or not user.enabled:
            raise _invalid("Invalid login token. User is disabled or does not exist.")
        if revoked(str(claims.get("origin_jti"))):
            raise _invalid("Invalid login token. Token has been revoked.")
    return VerifiedToken(provider, subject, claims, str(claims["aud"]), f"CognitoSignIn:{subject}")


def user_of(pool: CognitoIdpUserPool, subject: str) -> CognitoIdpUser | None:
    """A user, by the ID that tokens show."""
    return next((user for user in pool.users.values() if user.id == subject), None)


class FakeIdentityProvider:
    """Every provider that is not a user pool, and the back end of a developer provider; all sign with one key."""

    def __init__(self) -> None:
        self._key: RSAKey | None = None

    def issue(self, issuer: str, subject: str, audience: str, expires: float, claims: Mapping[str, Any]) -> str:
        """A token for a user, as the provider `issuer` would issue it to the app `audience`."""
        payload = {"iss": issuer, "sub": subject, "aud": audience, "exp": int(expires), **claims}
        key = self._signing()
        return str(jwt.encode({"alg": "RS256", "kid": str(key.kid)}, payload, key))

    def verify(self, issuer: str, token: str, audiences: Collection[str], now: float) -> dict[str, Any]:
        """The claims of a token that `issuer` issued to one of the audiences.

        Raises:
            AwsError: NotAuthorizedException.
        """
        claims = _claims(token, self._signing())
        _check(claims, issuer, audiences, now)
        return claims

    def _signing(self) -> RSAKey:
        with _GENERATING:
            if self._key is None:
                self._key = _new_key()
            return self._key


def _claims(token: str, key: RSAKey) -> dict[str, Any]:
    """The claims of a token that a key has signed; the token names the key and RS256."""
    invalid = _invalid("Invalid login token. Couldn't verify signed token.")
    if len(token) > MAX_TOKEN or not token.isascii():
        raise invalid
    try:
        decoded = jwt.decode(token, KeySet([key]), algorithms=["RS256"])
        if decoded.header.get("kid") != key.kid or not isinstance(decoded.claims, dict):
            raise invalid
        return dict(decoded.claims)
    except (errors.JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise invalid from None


def _check(claims: Mapping[str, Any], issuer: str, audiences: Collection[str], now: float) -> None:
    if claims.get("iss") != issuer:
        raise _invalid("Invalid login token. Issuer doesn't match providerName")
    audience, subject = claims.get("aud"), claims.get("sub")
    if not isinstance(audience, str) or audience not in audiences:
        raise _invalid("Invalid login token. Incorrect token audience.")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise _invalid("Invalid login token. Missing or malformed subject.")
    _check_times(claims, now)


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    """Check when a token expires, and that neither its issue nor its validity lies in the future."""
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if (value is None and name == "exp") or (value is not None and not _is_time(value)):
            raise _invalid(f"Invalid login token. Token expired: {name} is not a time")
    if claims["exp"] <= now:
        raise _invalid(f"Invalid login token. Token expired: {claims['exp']} < {int(now)}")
    if max(claims.get("iat", 0), claims.get("nbf", 0)) > now + MAX_SKEW:
        raise _invalid("Invalid login token. Token is not valid yet.")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _invalid(message: str) -> AwsError:
    return AwsError("NotAuthorizedException", message, 400)
