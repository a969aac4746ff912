"""Identity IDs with a handful of digits, so that all of them, and all pairs of them, can be listed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import product


@dataclass(frozen=True)
class SmallShape:
    """`REGION:` and groups of digits joined by `-`, as `us-east-1:` and a UUID are.

    Attributes:
        some: the identities to look at, where there are too many to list.
    """

    region: str
    digits: str
    groups: tuple[int, ...]
    some: tuple[str, ...] = ()

    @cached_property
    def identities(self) -> tuple[str, ...]:
        return self.some or tuple(map(self.identity, product(self.digits, repeat=sum(self.groups))))

    def identity(self, digits: tuple[str, ...]) -> str:
        rest = iter(digits)
        return f"{self.region}:" + "-".join("".join(next(rest) for _ in range(n)) for n in self.groups)

    def has(self, identity: str) -> bool:
        groups = "-".join(f"[{self.digits}]{{{n}}}" for n in self.groups)
        return re.fullmatch(f"{re.escape(self.region)}:{groups}", identity) is not None


SHAPES = (
    SmallShape("r", "01", (2,)),
    SmallShape("r", "ab", (1, 1)),
    SmallShape("ab", "ab", (2,)),
)
"""Digits without capitals; digits with capitals, in two groups; and a region that is itself made of digits, so that one ID
can end where another begins."""

FULL = SmallShape(
    "us-east-1",
    "0123456789abcdef",
    (8, 4, 4, 4, 12),
    (
        "us-east-1:7f3a0000-1111-4222-8333-b00000000001",
        "us-east-1:7f3a0000-1111-4222-8333-b00000000002",
        "us-east-1:00000000-0000-0000-0000-000000000001",
        "us-east-1:e5a1c9d2-6b7f-4c11-9a90-3f5d2e8c7b64",
    ),
)
"""IDs as AWS makes them. Two differ in their last digit only, and two end alike; all others are left to the proofs."""
