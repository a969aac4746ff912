"""What a question is asked about."""

from __future__ import annotations

from dataclasses import dataclass

from ..iam.issuers import Shape, known_issuers, shape_of, shapes
from ..inventory.principal import Principal
from .reach import Caller, Shared

STEPS = 40_000
"""Steps that one question may cost; a canonical role needs none, a hostile one is stopped in under a second."""


@dataclass(frozen=True)
class Scope:
    """What the question is asked about.

    Attributes:
        principals: the vended roles.
        regions: the pools' regions; none where they are not known.
        focus: URNs of the roles that the question is about; None: all. Pairs without any of them are left out.
        shared: spaces that the configuration declares as shared.
        issuers: issuers by region, beside the known ones.
        folders: the only folders that an organisation allows, as `BUCKET/PREFIX`; empty: any one folder will do.
        steps: budget of the question.
        shape: the only form of IDs that is asked about; None: those of the regions.
    """

    principals: tuple[Principal, ...]
    regions: tuple[str, ...] = ()
    shared: tuple[Shared, ...] = ()
    issuers: tuple[tuple[str, str], ...] = ()
    folders: tuple[str, ...] = ()
    steps: int = STEPS
    focus: frozenset[str] | None = None
    shape: Shape | None = None

    def text(self) -> str:
        """Everything that the documents say about resources and values, to see whom and what they name."""
        parts: list[str] = []
        for principal in self.principals:
            resource = [(policy.name, policy.document) for policy in principal.resource]
            for _, document in (*principal.documents, *(principal.boundary or ()), *resource):
                for statement in document.statements:
                    parts.extend(statement.resources)
                    for condition in statement.conditions:
                        parts.extend(condition.values)
        parts.extend(space.pattern for space in self.shared)
        return "\n".join(parts)

    def shapes(self, text: str) -> list[Shape]:
        if self.shape is not None:
            return [self.shape]
        if self.regions:
            return [shape_of(region, dict(self.issuers)) for region in self.regions]
        return shapes(None, text, dict(self.issuers))

    def asks_about(self, principal: Principal) -> bool:
        return self.focus is None or principal.urn in self.focus

    def caller(self, identity: str, shape: Shape) -> Caller:
        return Caller(identity, shape, known_issuers(dict(self.issuers)))
