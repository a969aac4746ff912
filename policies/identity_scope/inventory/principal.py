"""A vended role as the proofs see it: its name, and every document that applies to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ..iam.claims import Login, Session
from ..iam.documents import Document, Statement
from .accounts import Origin

Named: TypeAlias = tuple[str, Document]
"""A document under the name that messages use."""


@dataclass(frozen=True)
class AccessPoint:
    """An access point of the stack.

    Attributes:
        label: how messages call it.
        name: its name; None where it is not known.
        arn: its ARN; None where it is not known.
        alias: the name by which it can stand in the place of a bucket's; None where it is not known.
        buckets: the buckets whose objects it shows; None for one that is not known.
        network_origin: where requests may come from, `Internet` or `VPC`; None where it is not known.
        single: whether it is in one region, for one bucket, and in the stack.
        origin: where it is made.
    """

    label: str
    name: str | None
    arn: str | None
    alias: str | None
    buckets: tuple[str | None, ...]
    network_origin: str | None = "Internet"
    single: bool = True
    origin: Origin = field(default_factory=Origin)

    @property
    def bucket(self) -> str | None:
        """The bucket, where there is one and it is known."""
        return self.buckets[0] if self.single and len(self.buckets) == 1 else None


@dataclass(frozen=True)
class BucketPolicy:
    """A bucket's policy under the name that messages use, and the bucket; None where it is not known.

    The policy of an access point, which is not None then, is one of each of its buckets. `by_name` is whether it may allow
    something to principals by their names: roles, sessions, or all of an issuer.
    """

    name: str
    document: Document
    bucket: str | None = None
    access_point: AccessPoint | None = None
    by_name: bool = True


@dataclass(frozen=True)
class Principal:
    """A vended role with every document that applies to it.

    Attributes:
        name: how messages call the role.
        documents: its identity-based policies.
        boundary: its permissions boundary; None where there is none.
        resource: policies of the stack's buckets and access points.
        urn: the role's URN, which tells roles apart.
        arns: the role's own ARNs or ARN endings, for bucket policies that name it.
        access_points: access points of the stack.
        through: the access point through which the role's requests come; None where they name the bucket.
        logins: the ways to get the role, with the principal tags that each sends; None where they are not known, and any
            tag may be any string, or absent.
        session: the kind of its sessions that is looked at; None: all, and any tag may be any string, or absent.
    """

    name: str
    documents: tuple[Named, ...]
    boundary: tuple[Named, ...] | None = None
    resource: tuple[BucketPolicy, ...] = ()
    arns: tuple[str, ...] = ()
    urn: str = ""
    access_points: tuple[AccessPoint, ...] = ()
    through: AccessPoint | None = None
    logins: tuple[Login, ...] | None = None
    session: Session | None = None

    @property
    def statements(self) -> Iterator[Statement]:
        """Every statement of every document."""
        for _, document in (*self.documents, *(self.boundary or ())):
            yield from document.statements
        for policy in self.resource:
            yield from policy.document.statements
