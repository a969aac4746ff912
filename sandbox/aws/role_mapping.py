"""Which role a user gets: the pool's own, or the one that rules or the user's token choose.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import AwsError
from .tokens import VerifiedToken


def role_of(
    roles: Mapping[str, str], mappings: Mapping[str, Any], logins: Sequence[VerifiedToken], custom: str | None
) -> str | None:
    """The ARN of the role; None if the pool has no role for the user.

    Args:
        roles: the pool's roles, by `authenticated` and `unauthenticated`.
        mappings: by provider; for user pools, by `PROVIDER:CLIENT`.
        custom: the client's CustomRoleArn.

    Raises:
        AwsError: NotAuthorizedException, if a mapping denies.
    """
    if not logins:
        if custom not in (None, roles.get("unauthenticated")):
            raise AwsError("NotAuthorizedException", "Access to the role is forbidden.", 400)
        return roles.get("unauthenticated")
    default = roles.get("authenticated")
    for login in logins:
        mapping = mappings.get(f"{login.provider}:{login.client}") or mappings.get(login.provider)
        if mapping is None:
            continue
        by_rules = mapping.get("Type") == "Rules"
        role = _by_rules(mapping, login) if by_rules else _by_token(login, custom)
        if by_rules and custom is not None and custom != role:
            raise AwsError("NotAuthorizedException", "Access to the role is forbidden.", 400)
        if role is not None:
            return role
        if mapping.get("AmbiguousRoleResolution") == "AuthenticatedRole":
            return default
        raise AwsError(
            "NotAuthorizedException", f"Ambiguous role mapping rules for: {login.provider}, denying access.", 400
        )
    if custom is not None and custom != default:
        raise AwsError("NotAuthorizedException", "Access to the role is forbidden.", 400)
    return default


def _by_rules(mapping: Mapping[str, Any], login: VerifiedToken) -> str | None:
    for rule in mapping.get("RulesConfiguration", {}).get("Rules", []):
        claim = login.claims.get(rule["Claim"])
        if claim is not None and _matches(rule["MatchType"], claim_text(claim), rule["Value"]):
            return str(rule["RoleARN"])
    return None


def claim_text(claim: Any) -> str:
    """A claim as a rule compares it and as a tag has it: a string as it is, anything else as JSON."""
    return claim if isinstance(claim, str) else json.dumps(claim, separators=(",", ":"))


def _matches(match: str, claim: str, value: str) -> bool:
    if match == "NotEqual":
        return claim != value
    if match == "StartsWith":
        return claim.startswith(value)
    if match == "Contains":
        return value in claim
    return claim == value


def _by_token(login: VerifiedToken, custom: str | None) -> str | None:
    roles = login.claims.get("cognito:roles")
    roles = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    if custom is not None:
        if custom not in roles:
            raise AwsError("NotAuthorizedException", "Access to the role is forbidden.", 400)
        return custom
    preferred = login.claims.get("cognito:preferred_role")
    return preferred if isinstance(preferred, str) and preferred else roles[0] if len(roles) == 1 else None
