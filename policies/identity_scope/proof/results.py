"""What a proof says: nothing where the invariant holds, else one value for each thing that is wrong or not decided.

Every result names the role and the document it is about, and its cause: two results of one cause are one mistake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from ..iam.documents import Condition, Statement

Cause: TypeAlias = tuple[str, ...]
"""What tells one mistake from another, whichever example shows it."""


@dataclass(frozen=True)
class Access:
    """One allowed request: who does what to which object, by which statement, and what had to be assumed for it.

    `prefix` is the `s3:prefix` of a listing; None where the request names none. `exact` says that the request is allowed
    whatever AWS means where its documentation leaves something open.
    """

    identity: str
    principal: str
    role: str
    action: str
    arn: str
    listing: bool
    prefix: str | None
    document: str
    statement: Statement
    assumed: tuple[Condition, ...]
    exact: bool
    resource: str = ""
    """The entry of Resource that matched; empty for NotResource."""
    anonymous: bool = False
    """Whether the request comes without credentials, so that `identity` is nobody's."""
    doubtful: tuple[tuple[str, Statement], ...] = ()
    """Denies, each with its document, that would take the request away if they applied, which they may or may not."""
    tags: tuple[tuple[str, str], ...] = ()
    """The principal tags of the session that documents speak of, by their names as these write them."""

    @property
    def cause(self) -> Cause:
        return self.role, self.document, str(self.statement.index)


@dataclass(frozen=True)
class Violation:
    """Two identities reach one object, `arn`."""

    mine: Access
    theirs: Access
    arn: str

    @property
    def role(self) -> str:
        return self.mine.role

    @property
    def document(self) -> str:
        return self.mine.document

    @property
    def cause(self) -> Cause:
        return "violated", *self.mine.cause, *self.theirs.cause

    @property
    def statements(self) -> tuple[Cause, ...]:
        return self.mine.cause, self.theirs.cause


@dataclass(frozen=True)
class _ByOneRequest:
    """A result that one allowed request shows."""

    access: Access
    kind: ClassVar[str] = "violated"

    @property
    def role(self) -> str:
        return self.access.role

    @property
    def document(self) -> str:
        return self.access.document

    @property
    def cause(self) -> Cause:
        return self.kind, *self.access.cause


@dataclass(frozen=True)
class OutsideFolder(_ByOneRequest):
    """An identity reaches an object, `arn`, outside `folder`; no folder where none holds anything that it reaches."""

    arn: str
    folder: str = ""


@dataclass(frozen=True)
class Escalation(_ByOneRequest):
    """An identity may make a request by which it can widen its role's permissions."""


@dataclass(frozen=True)
class UnnamedApi(_ByOneRequest):
    """An identity may call an API, at `access.arn`, that is not one of those it should call."""

    kind = "api"


@dataclass(frozen=True)
class OtherAccess:
    """A statement allows `actions` on `resources`, which no other proof says anything about."""

    role: str
    document: str
    statement: Statement
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    @property
    def cause(self) -> Cause:
        return "other access", self.role, self.document, str(self.statement.index)


@dataclass(frozen=True)
class DeadGrant:
    """A statement that can never apply: because of a condition, or of a variable that no request has a value for.

    `actions` are the entries of Action to which it cannot, where it can to others.
    """

    role: str
    document: str
    statement: Statement
    condition: Condition | None = None
    variable: str = ""
    actions: tuple[str, ...] = ()

    @property
    def cause(self) -> Cause:
        return "dead grant", self.role, self.document, str(self.statement.index)


@dataclass(frozen=True)
class NotProven:
    """What was asked is neither proven nor refuted, and why; about a role, a document or a statement where one is known."""

    reason: str
    role: str = ""
    document: str = ""
    statement: Statement | None = None
    pending: bool = False
    """Not known yet, but known at update."""
    open: bool = False
    """A resource that is registered later may still decide it."""
    region: str = ""
    """The region whose identity issuer is not known, if that is why."""

    @property
    def cause(self) -> Cause:
        place = (self.document, str(self.statement.index)) if self.statement is not None else ()
        return "not proven", self.role, self.reason, *place

    @property
    def statements(self) -> tuple[Cause, ...]:
        return ()


Result: TypeAlias = Violation | OutsideFolder | Escalation | UnnamedApi | OtherAccess | DeadGrant | NotProven
