"""Vended roles without what exempt resources allow them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..iam.documents import Document, Effect
from ..inventory.vended import VendedRole


def without_exempt(roles: Iterable[VendedRole], exempt: Callable[[str], bool]) -> list[VendedRole]:
    """The roles without the Allows of exempt resources.

    Their Denies stay, and so does a boundary: its Allows grant nothing, and without them other findings would go.

    Args:
        exempt: whether a resource, by its URN, is exempt.
    """
    return [_without(role, exempt) for role in roles]


def _without(role: VendedRole, exempt: Callable[[str], bool]) -> VendedRole:
    def kept(label: str, document: Document) -> Document:
        if not exempt(role.sources.get(label, role.urn)):
            return document
        return replace(document, statements=tuple(s for s in document.statements if s.effect is Effect.DENY))

    principal = replace(
        role.principal,
        documents=tuple((label, kept(label, document)) for label, document in role.principal.documents),
        resource=tuple(
            replace(policy, document=kept(policy.name, policy.document)) for policy in role.principal.resource
        ),
    )
    return replace(role, principal=principal)
