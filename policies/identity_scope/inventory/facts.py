"""Facts about roles, documents, pools and buckets, as a source states them.

A value that is not known yet is `UNKNOWN`. A reference keeps the resources that it depends on, so that it can be resolved
while names and ids are not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN
"""A value that is not known at preview."""


@dataclass(frozen=True)
class Reference:
    """A role, policy or pool that is meant: its name, ARN or id where known, else the resources it may be."""

    value: str | None
    urns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A document's source text or object, or UNKNOWN; with the resource and what messages call it."""

    urn: str
    label: str
    source: object


@dataclass(frozen=True)
class RoleFact:
    urn: str
    label: str
    name: str | None
    arn: str | None
    trust: Source
    inline: tuple[Source, ...]
    managed: tuple[Reference, ...]
    boundary: Reference | None


@dataclass(frozen=True)
class GrantFact:
    """A document that is attached to roles by a resource of its own."""

    roles: tuple[Reference, ...]
    source: Source


@dataclass(frozen=True)
class PolicyFact:
    """A managed policy, which grants nothing until it is attached."""

    urn: str
    arn: str | None
    name: str | None
    source: Source


@dataclass(frozen=True)
class AttachmentFact:
    roles: tuple[Reference, ...]
    policies: tuple[Reference, ...]
    urn: str
    label: str


@dataclass(frozen=True)
class VendingFact:
    """A pool's roles, or a group's: each with `authenticated`, `unauthenticated`, or `mapped`."""

    urn: str
    label: str
    pool: Reference | None
    roles: tuple[tuple[str, Reference], ...]


@dataclass(frozen=True)
class BucketPolicyFact:
    """A bucket's policy; the bucket's name is None where it is not known."""

    source: Source
    bucket: str | None


@dataclass(frozen=True)
class PoolFact:
    """An identity pool's own settings; each may be UNKNOWN, or None where it is not set."""

    urn: str
    label: str
    id: str | None
    name: object
    guests: object
    classic: object
    unchecked: tuple[str, ...] | Unknown
    """User pool providers whose tokens are not checked with the user pool, as messages call them."""


Fact: TypeAlias = "RoleFact | GrantFact | PolicyFact | AttachmentFact | VendingFact | BucketPolicyFact | PoolFact"
