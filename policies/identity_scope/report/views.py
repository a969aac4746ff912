"""What a report shows, as values: stacks, with their pools, logins, roles, access and findings.

Nothing here knows how a page is written, and nothing that writes a page knows how a stack is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

EVERYTHING = "everything"
"""Where access goes whose resource is `*`."""


class Kind(Enum):
    """What some access of a role is about, in the order in which a reader looks at it."""

    LEAK = "leak"
    ESCALATION = "privilege escalation"
    OWN = "user's own"
    SHARED = "shared"
    API = "API"
    OTHER = "other access"


class Verdict(Enum):
    """What a stack's findings come to."""

    PASSED = "passed"
    ADVISORY = "advisory findings"
    NOT_PROVEN = "not proven"
    VIOLATED = "violated"
    EMPTY = "no identity pool"


@dataclass(frozen=True)
class Access:
    """What one statement lets a role do.

    Attributes:
        kind: what it is about.
        words: what users may do there, such as `read, write`.
        place: where: a folder, an API, a service's resources.
        source: the document and the statement.
        limits: conditions and Denies that take a part of it away, in words; empty where there are none.
    """

    kind: Kind
    words: str
    place: str
    source: str
    limits: str = ""


@dataclass(frozen=True)
class Request:
    """A request that shows a finding: who, the action, and where; IDs are short."""

    who: str
    action: str
    place: str


@dataclass(frozen=True)
class Report:
    """A finding as the page shows it.

    Attributes:
        rule: the rule's name.
        level: `mandatory`, `advisory`, or `exempt`.
        headline: the sentence to act on.
        proof: further lines: requests and the statements that allow them.
        fix: the change that makes the finding go away; empty where there is none.
        role: the label of the role that it is about; empty where it is about a pool or the whole stack.
        place: the file and line, or the resource, that holds it.
        source: the document and the statement, in the form of `Access.source`.
        request: a request that shows it; None where there is none.
        proven: whether it is a violation that a request shows, and not a question that stayed open.
    """

    rule: str
    level: str
    headline: str
    proof: tuple[str, ...] = ()
    fix: str = ""
    role: str = ""
    place: str = ""
    source: str = ""
    request: Request | None = None
    proven: bool = True


@dataclass(frozen=True)
class Role:
    """A role that a pool vends.

    Attributes:
        name: how messages call it.
        who: who gets it: `signed-in users`, `guests`, `a group or a rule`, …
        access: what it lets them do.
        trust: who may assume it, one sentence a statement.
        boundary: whether a permissions boundary limits it.
        unread: documents that could not be read, each with the reason.
    """

    name: str
    who: str
    access: tuple[Access, ...] = ()
    trust: tuple[str, ...] = ()
    boundary: bool = False
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pool:
    """An identity pool.

    Attributes:
        name: how messages call it.
        id: its ID; empty while it is not known.
        logins: how users sign in, each the name of a provider.
        guests: whether guests get credentials.
        roles: the names of its roles.
    """

    name: str
    id: str = ""
    logins: tuple[str, ...] = ()
    guests: bool = False
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stack:
    """One stack, template or folder of documents: whatever was judged as one inventory."""

    name: str
    pools: tuple[Pool, ...] = ()
    roles: tuple[Role, ...] = ()
    findings: tuple[Report, ...] = ()

    @property
    def verdict(self) -> Verdict:
        mandatory = [finding for finding in self.findings if finding.level == "mandatory"]
        if any(finding.proven for finding in mandatory):
            return Verdict.VIOLATED
        if mandatory:
            return Verdict.NOT_PROVEN
        if not self.pools and not self.roles:
            return Verdict.EMPTY
        return Verdict.ADVISORY if any(f.level == "advisory" for f in self.findings) else Verdict.PASSED

    def count(self, level: str) -> int:
        return sum(finding.level == level for finding in self.findings)

    def about(self, role: str) -> tuple[Report, ...]:
        return tuple(finding for finding in self.findings if finding.role == role)
