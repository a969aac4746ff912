"""What an inventory says: the vended roles of a stack, its pools, and the documents that could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..iam.claims import Login
from ..iam.documents import Document
from .facts import TagMapFact, UserPoolClientFact
from .principal import Principal


@dataclass(frozen=True)
class Declared:
    """What the configuration adds to a stack.

    Attributes:
        managed: managed policies' documents, by ARN.
        vended: names or ARNs of roles that the pools of other stacks vend.
        elsewhere: names or ARNs of roles that this stack's pools vend and another stack makes.
        issuers: issuers of identity pools, by region.
        pools: IDs of identity pools of other stacks that a vended role may trust.
        fixed: claims that no user can change, although nothing in the stack says so.
    """

    managed: Mapping[str, object] = field(default_factory=dict)
    vended: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    issuers: Mapping[str, str] = field(default_factory=dict)
    pools: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


class Reason(Enum):
    """What keeps a document from being read."""

    NO_DOCUMENT = "no document"
    """There is none, or none that is known."""
    MALFORMED = "malformed"
    NOT_KNOWN = "not known"
    """Its source does not say all of it, as where a template depends on a parameter without a value."""
    SECRET = "secret"
    MANAGED_POLICY = "managed policy"
    """It is that of a managed policy, of which only the ARN is known."""
    ROLE_ELSEWHERE = "role elsewhere"
    """It is that of a role which is not in the stack."""


@dataclass(frozen=True)
class Obstacle:
    """Why a document could not be read.

    Attributes:
        problem: the same in words.
        pending: whether it is not known yet, but will be known at update.
        open: whether a resource that is registered later may still remove the obstacle.
        subject: the managed policy's ARN, or the role's name or ARN.
    """

    urn: str
    label: str
    problem: str
    pending: bool = False
    open: bool = False
    reason: Reason = Reason.NO_DOCUMENT
    subject: str = ""


@dataclass(frozen=True)
class StackPools:
    """The identity pools that a vended role may trust.

    Attributes:
        ids: IDs of the pools that the stack makes or attaches roles to, as far as they are known.
        pending: the regions of other pools that the stack makes, whose IDs are not known yet; None: of a region that is not
            known either.
        created: whether the stack makes pools that do not exist yet, so that no document can name their IDs.
    """

    ids: frozenset[str] = frozenset()
    pending: tuple[str | None, ...] = ()
    created: bool = False

    def may_be(self, pools: Collection[str]) -> bool:
        """Whether pool IDs that are in neither `ids` nor the configuration may all turn out to be the stack's own."""
        named = Counter(pool.partition(":")[0] for pool in pools)
        known = Counter(region for region in self.pending if region is not None)
        return (named - known).total() <= self.pending.count(None)


@dataclass(frozen=True)
class PoolLogins:
    """How the identities of one pool get a role.

    Attributes:
        logins: None where they are not known, and any tag may be any string.
        reason: why they are not known, or not for certain.
        pending: whether that will be known at update.
        maps: the tag maps of the pool's providers.
        refused: the providers whose users get no credentials, because the trust policy does not allow their tags.
        asked: whether documents speak of principal tags.
        clients: the app clients of the pool's user pools, where the stack makes these.
    """

    logins: tuple[Login, ...] | None = None
    reason: str = ""
    pending: bool = False
    maps: tuple[TagMapFact, ...] = ()
    refused: tuple[str, ...] = ()
    asked: bool = False
    clients: tuple[UserPoolClientFact, ...] = ()


@dataclass(frozen=True)
class VendedRole:
    """A role that some pool vends, with all that applies to it.

    Attributes:
        urn: the role's URN; of a role that another stack makes, one that is made of a grant's URN.
        label: how messages call the role.
        kinds: how it is vended: `authenticated`, `unauthenticated`, `mapped`, `trusted` (by its trust policy alone), or
            `configured`.
        trust: its trust policy; None where it could not be read, or another stack makes the role.
        trust_obstacle: why the trust policy could not be read.
        principal: its documents, ready for the proofs.
        obstacles: documents that could not be read.
        pools: the pools whose identities can get it, by ID, or by URN while the ID is not known; empty where any can.
        regions: regions of the pools that vend it; empty where one of them is not known.
        sources: each document's label to the URN of the resource that holds it.
        unread_boundary: the policies that its permissions boundary may be, where the text of one is not known.
        logins: how the identities of each of the pools get it, and with which principal tags.
    """

    urn: str
    label: str
    kinds: frozenset[str]
    trust: Document | None
    trust_obstacle: Obstacle | None
    principal: Principal
    obstacles: tuple[Obstacle, ...]
    pools: frozenset[str]
    regions: tuple[str, ...]
    sources: Mapping[str, str]
    logins: Mapping[str, PoolLogins] = field(default_factory=dict)
    unread_boundary: tuple[str, ...] = ()
