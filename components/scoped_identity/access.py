"""Where a policy document applies, and what a grant may allow there: the words that grants and documents share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .aws import Partition


class Access(str, Enum):
    """What may be done with files or rows."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    LIST = "list"


READ_ONLY = frozenset({Access.READ, Access.LIST})
READ_WRITE = frozenset(Access)


class Login(str, Enum):
    """The `amr` value that tells how an identity signed in."""

    AUTHENTICATED = "authenticated"
    GUEST = "unauthenticated"


@dataclass(frozen=True)
class Where:
    """The place that documents are written for.

    Attributes:
        issuer: the identity service's name there, the prefix of its variables.
        region: the pool's region, for ARNs that name no other.
        account: the account that is deployed to, for ARNs that name no other.
    """

    partition: Partition
    issuer: str
    region: str
    account: str

    def arn(self, service: str, resource: str, region: str | None = None, account: str | None = None) -> str:
        return f"arn:{self.partition.name}:{service}:{region or self.region}:{account or self.account}:{resource}"

    def s3(self, path: str) -> str:
        return f"arn:{self.partition.name}:s3:::{path}"

    @property
    def own_id(self) -> str:
        """The policy variable that stands for the caller's identity id."""
        return f"${{{self.issuer}:sub}}"

    @property
    def own_pool(self) -> str:
        """The policy variable that stands for the caller's identity pool."""
        return f"${{{self.issuer}:aud}}"
