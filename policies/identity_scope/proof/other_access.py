"""What a vended role may do beyond S3 and API calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeclaredAccess:
    """Access that the configuration declares, and why."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str
