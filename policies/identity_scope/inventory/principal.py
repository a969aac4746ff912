"""A vended role as the proofs see it: its name, and every document that applies to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..iam.documents import Document

Named: TypeAlias = tuple[str, Document]
"""A document under the name that messages use."""


@dataclass(frozen=True)
class BucketPolicy:
    """A bucket's policy under the name that messages use, and the bucket; None where it is not known."""

    name: str
    document: Document
    bucket: str | None = None


@dataclass(frozen=True)
class Principal:
    """A vended role with every document that applies to it.

    Attributes:
        name: how messages call the role.
        documents: its identity-based policies.
        boundary: its permissions boundary; None where there is none.
        resource: bucket policies of the stack.
        urn: the role's URN, which tells roles apart.
        arns: the role's own ARNs or ARN endings, for bucket policies that name it.
    """

    name: str
    documents: tuple[Named, ...]
    boundary: tuple[Named, ...] | None = None
    resource: tuple[BucketPolicy, ...] = ()
    arns: tuple[str, ...] = ()
    urn: str = ""
