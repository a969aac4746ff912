"""Sessions: credentials that an identity pool issued, and the identity that they stand for."""

from __future__ import annotations

from dataclasses import dataclass

SESSION_SECONDS = 3600
"""Credentials of the enhanced flow are valid for an hour, whatever the role allows."""


@dataclass(frozen=True)
class Session:
    """Temporary credentials of a vended role.

    Attributes:
        expires: in seconds since the epoch.
        identity: the identity ID.
        pool: the identity pool's ID.
        issuer: the pool's issuer, which prefixes its condition keys.
        provider: how the user signed in, as API Gateway shows it; empty for a guest.
        tags: principal tags, from the claims of the user's token.
    """

    access_key: str
    secret: str
    token: str
    expires: float
    identity: str
    pool: str
    issuer: str
    amr: tuple[str, ...]
    role_arn: str
    role_id: str
    provider: str
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def is_guest(self) -> bool:
        return self.amr[0] == "unauthenticated"

    @property
    def user_arn(self) -> str:
        """The session's ARN, as AWS names it in errors and to an API."""
        fields = self.role_arn.split(":")
        role = fields[5].rpartition("/")[2]
        return f"{fields[0]}:{fields[1]}:sts::{fields[4]}:assumed-role/{role}/CognitoIdentityCredentials"

    @property
    def user_id(self) -> str:
        """The session's unique ID: that of the role, and the session's name."""
        return f"{self.role_id}:CognitoIdentityCredentials"
