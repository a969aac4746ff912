"""ID tokens of user pools: whether a token is one that an identity pool may accept.

moto signs real JWTs but its identity pools never look at them. Here a token counts only if it is an ID token, signed by
the user pool's key, issued by that pool for one of the clients that the identity pool names, and not expired.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from joserfc import errors, jwt
from moto.cognitoidp.models import CognitoIdpUserPool, cognitoidp_backends

from .faults import Fault


@dataclass(frozen=True)
class Login:
    """A person as a user pool knows them: the provider's name, the pool's own `sub`, and the token's claims."""

    provider: str
    subject: str
    claims: dict[str, Any]


def user_pool(account: str, pool_id: str) -> CognitoIdpUserPool | None:
    """A user pool of the simulator; its region is in its id."""
    region = pool_id.partition("_")[0]
    found = cognitoidp_backends[account][region].user_pools.get(pool_id)
    return found if isinstance(found, CognitoIdpUserPool) else None


def verify(account: str, provider: str, token: str, clients: Collection[str], check_user: bool, now: float) -> Login:
    """Check an ID token that is handed over under a provider's name.

    Args:
        provider: `cognito-idp.REGION.amazonaws.com/POOL_ID`.
        clients: app client ids that the identity pool accepts for this provider.
        check_user: ask the user pool whether the user still exists and is enabled (ServerSideTokenCheck).
        now: the time, in seconds.

    Raises:
        Fault: NotAuthorizedException, in AWS's words.
    """
    pool = user_pool(account, provider.rpartition("/")[2])
    if pool is None:
        raise _invalid("Token is not from a supported provider of this identity pool.")
    try:
        decoded = jwt.decode(token, pool.json_web_key, algorithms=["RS256"])
    except (errors.JoseError, ValueError):
        raise _invalid("Invalid login token. Couldn't verify signed token.") from None
    claims = dict(decoded.claims)
    if claims.get("iss") != f"https://{provider}":
        raise _invalid("Invalid login token. Issuer doesn't match providerName")
    if claims.get("token_use") != "id":
        raise _invalid("Invalid login token. Not an ID token.")
    if claims.get("aud") not in clients:
        raise _invalid("Invalid login token. Incorrect token audience.")
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or expires <= now:
        raise _invalid(f"Invalid login token. Token expired: {expires} < {int(now)}")
    subject = str(claims.get("sub"))
    if check_user:
        user = next((u for u in pool.users.values() if u.id == subject), None)
        if user is None or not user.enabled:
            raise _invalid("Invalid login token. User is disabled or does not exist.")
    return Login(provider, subject, claims)


def _invalid(message: str) -> Fault:
    return Fault("NotAuthorizedException", message, 400)
