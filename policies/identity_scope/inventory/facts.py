"""Facts about roles, documents, pools and buckets, as a source states them.

A value that is not known yet is `UNKNOWN`. A reference keeps the resources that it depends on, so that it can be resolved
while names and IDs are not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from ..iam.claims import IssuerKind
from .accounts import Origin


class Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN
"""A value that is not known at preview."""

SECRET = "[secret]"
"""What stands for a secret value in a state that is analysed without its passphrase."""


SECRET_PROBLEM = "secret, cannot be read here"


@dataclass(frozen=True)
class Unreadable:
    """What stands for a document or a setting that its source cannot give, and why."""

    reason: str


@dataclass(frozen=True)
class Reference:
    """A role, policy, pool or bucket that is meant: its name, ARN or ID where known, else the resources it may be.

    Attributes:
        value: the name, ARN or ID; None where it is not known.
        urns: the resources that the value comes from.
        secret: whether the value is not known because it is secret.
        malformed: whether it is a list or an object, which no provider takes for a name.
    """

    value: str | None
    urns: tuple[str, ...] = ()
    secret: bool = False
    malformed: bool = False


@dataclass(frozen=True)
class Source:
    """A document's source text or object, or UNKNOWN; with its resource and the label that messages use."""

    urn: str
    label: str
    source: object


@dataclass(frozen=True)
class InlinePolicy:
    """An inline policy and its name; None where the name is not known."""

    name: str | None
    source: Source


@dataclass(frozen=True)
class RoleFact:
    """A role.

    Attributes:
        name: its name; None where it is not known.
        prefix: the beginning of a name that is completed when the role is created.
        inline: the inline policies of the role's own resource.
        inline_exclusive: whether that resource removes every other inline policy.
        managed: the managed policies that the role's own resource attaches.
        managed_exclusive: whether that resource detaches every other managed policy.
        tags: the role's own tags, which its sessions have as well; UNKNOWN at preview, None where they are secret.
    """

    urn: str
    label: str
    name: str | None
    arn: str | None
    trust: Source
    inline: tuple[InlinePolicy, ...] = ()
    managed: tuple[Reference, ...] = ()
    boundary: Reference | None = None
    prefix: str | None = None
    inline_exclusive: bool = False
    managed_exclusive: bool = False
    origin: Origin = field(default_factory=Origin)
    tags: tuple[tuple[str, str], ...] | Unknown | None = ()


@dataclass(frozen=True)
class GrantFact:
    """An inline policy that a resource of its own gives to a role."""

    urn: str
    label: str
    role: Reference
    policy: InlinePolicy
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True)
class InlineListFact:
    """The names of the only inline policies that a role keeps.

    Attributes:
        complete: whether all of them are known.
        secret: whether some are not known because they are secret.
    """

    urn: str
    label: str
    role: Reference
    names: frozenset[str]
    complete: bool = True
    secret: bool = False
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True)
class PolicyFact:
    """A managed policy, which grants nothing until it is attached."""

    urn: str
    arn: str | None
    name: str | None
    source: Source
    prefix: str | None = None
    origin: Origin = field(default_factory=Origin)


class Exclusive(Enum):
    """What an attachment resource removes."""

    NOTHING = "nothing"
    POLICIES_OF_ROLE = "every other managed policy of the role"
    ROLES_OF_POLICY = "the policy from every other role"


@dataclass(frozen=True)
class AttachmentFact:
    """Managed policies that are attached to roles."""

    urn: str
    label: str
    roles: tuple[Reference, ...]
    policies: tuple[Reference, ...]
    exclusive: Exclusive = Exclusive.NOTHING
    origin: Origin = field(default_factory=Origin)


NOT_KNOWN = "\0"
"""What stands in a mapping's text for what is not known."""


@dataclass(frozen=True)
class VendingFact:
    """A pool's roles, or a group's: each with `authenticated`, `unauthenticated`, or `mapped`.

    `mapping` is the text of the rules, or of the group, by which users get those that are mapped; with `NOT_KNOWN` in the
    place of what is not known.
    """

    urn: str
    label: str
    pool: Reference | None
    roles: tuple[tuple[str, Reference], ...]
    origin: Origin = field(default_factory=Origin)
    mapping: str = ""


@dataclass(frozen=True)
class BucketFact:
    """A bucket's name; None where it is not known."""

    urn: str
    name: str | None


@dataclass(frozen=True)
class BucketPolicyFact:
    """A bucket's policy."""

    source: Source
    bucket: Reference

    @property
    def urn(self) -> str:
        return self.source.urn


@dataclass(frozen=True)
class AccessPointFact:
    """An access point, or a Multi-Region Access Point, which shows several buckets' objects under its own ARN.

    Attributes:
        network_origin: `Internet` or `VPC`; None where it is not known.
        single: whether it is in one region, for one bucket.
    """

    urn: str
    label: str
    name: str | None
    arn: str | None
    alias: str | None
    buckets: tuple[Reference, ...]
    origin: Origin = field(default_factory=Origin)
    network_origin: str | None = "Internet"
    single: bool = True


@dataclass(frozen=True)
class AccessPointPolicyFact:
    """An access point's policy."""

    source: Source
    access_point: Reference

    @property
    def urn(self) -> str:
        return self.source.urn


@dataclass(frozen=True)
class Provider:
    """A provider that users of an identity pool sign in with.

    Attributes:
        name: its name or ARN.
        client: the app client that its tokens are for; None where it is not known.
    """

    kind: IssuerKind
    name: Reference
    client: str | None = None


Switch: TypeAlias = "bool | Unknown | Unreadable | None"
"""A setting that is on or off."""


@dataclass(frozen=True)
class PoolFact:
    """An identity pool's own settings; each may be UNKNOWN, Unreadable, or None where it is not set."""

    urn: str
    label: str
    id: str | None
    name: str | Unknown | None
    guests: Switch
    classic: Switch
    unchecked: tuple[str, ...] | Unknown | Unreadable
    """User pool providers whose tokens are not checked with the user pool, as messages call them."""
    logins: tuple[str, ...] = ()
    """The providers that users sign in with, by name, as far as they are known."""
    origin: Origin = field(default_factory=Origin)
    new: bool = False
    """Whether it does not exist yet, so that no document can name its ID."""
    providers: tuple[Provider, ...] | Unknown | None = None
    """The providers that users sign in with; UNKNOWN at preview, None where they are secret or not stated."""
    all_maps: bool = True
    """Whether a provider without a tag map has none; else its map is one that the source does not show."""


@dataclass(frozen=True)
class TagMapFact:
    """Which claims of a provider's tokens become principal tags of its users' sessions.

    Attributes:
        tags: each tag's key and the claim that it comes from; UNKNOWN at preview, None where they are secret.
        defaults: whether AWS's default map is in force instead; None where that is not stated.
    """

    urn: str
    label: str
    pool: Reference
    provider: Reference
    tags: tuple[tuple[str, str], ...] | Unknown | None
    defaults: bool | Unknown | None
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True)
class UserPoolFact:
    """A user pool that the stack makes; its ID is None where it is not known."""

    urn: str
    id: str | None


@dataclass(frozen=True)
class UserPoolClientFact:
    """An app client of a user pool.

    Attributes:
        writes: the attributes that its users can write for themselves; None where that is not known.
    """

    urn: str
    label: str
    user_pool: Reference
    writes: frozenset[str] | None


Fact: TypeAlias = (
    "RoleFact | GrantFact | InlineListFact | PolicyFact | AttachmentFact | VendingFact | BucketFact | BucketPolicyFact"
    " | AccessPointFact | AccessPointPolicyFact | PoolFact | TagMapFact | UserPoolFact | UserPoolClientFact"
)
