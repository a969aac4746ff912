"""Which documents guard a role or a bucket: those that no other resource of the stack overwrites, removes or detaches.

AWS keeps one policy for each bucket, one inline policy for each name and role, and Pulumi's provider keeps only what an
exclusive list names. Which resource wins depends on the order of the updates, so a Deny in a document that may be lost
guards nothing, and an Allow in it still counts.

Source: https://www.pulumi.com/registry/packages/aws/api-docs/iam/rolepoliciesexclusive/
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ..iam.documents import Document
from .facts import InlineListFact
from .resolution import folded


@dataclass(frozen=True)
class Inline:
    """An inline policy of a role.

    Attributes:
        name: its name; None where it is not known.
        document: None where it could not be read.
        own: whether the role's own resource holds it.
    """

    name: str | None
    document: Document | None
    own: bool


def inline_kept(policies: Sequence[Inline], exclusive: bool, lists: Sequence[InlineListFact]) -> list[bool]:
    """Whether each inline policy stays as it is.

    Args:
        policies: the inline policies that the stack gives to one role.
        exclusive: whether the role's own resource removes those that are not its own.
        lists: the lists of the only inline policies that the role keeps.
    """
    versions: dict[str, list[Inline]] = {}
    for policy in policies:
        if policy.name:
            versions.setdefault(folded(policy.name), []).append(policy)
    kept: list[bool] = []
    for policy in policies:
        same = versions[folded(policy.name)] if policy.name else [policy]
        alike = policy.document is not None and all(other.document == policy.document for other in same)
        listed = all(
            not each.complete or (policy.name is not None and folded(policy.name) in map(folded, each.names))
            for each in lists
        )
        removed = exclusive and not any(other.own for other in same)
        kept.append((len(same) == 1 or alike) and listed and not removed)
    return kept


def attachments_kept(
    attached: Sequence[Hashable], lists: Sequence[frozenset[Hashable]], elsewhere: Sequence[Hashable]
) -> list[bool]:
    """Whether each attachment stays.

    Args:
        attached: the managed policies that the stack attaches to one role.
        lists: each exclusive list of the role's managed policies.
        elsewhere: policies that a resource attaches to other roles only, and detaches from this one.
    """
    return [all(policy in names for names in lists) and policy not in elsewhere for policy in attached]


def one_document(documents: Sequence[Document | None]) -> bool:
    """Whether several resources that write one policy write the same document."""
    return len(documents) == 1 or (documents[0] is not None and all(d == documents[0] for d in documents))
