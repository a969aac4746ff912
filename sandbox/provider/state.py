"""A resource that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Inputs = Mapping[str, Any]
"""Properties by the provider's names."""


@dataclass(frozen=True)
class Existing:
    """A resource that an earlier run made.

    Attributes:
        id: the provider's id of it.
        inputs: what it was made from.
        outputs: its properties, those that AWS gave out among them.
    """

    id: str
    inputs: Inputs
    outputs: Inputs
