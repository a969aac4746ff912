"""What the configuration declares about access: spaces that are shared on purpose, and access beyond S3.

Kept apart from the proofs that read them, so that a configuration can be read before any of these are needed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shared:
    """A space that the configuration declares as shared: a pattern of `BUCKET/KEY`, the actions, and why."""

    pattern: str
    actions: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class DeclaredAccess:
    """Access that the configuration declares, and why."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str
