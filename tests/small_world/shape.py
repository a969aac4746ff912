"""Identity IDs with a handful of digits, so that all of them, and all pairs of them, can be listed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product


@dataclass(frozen=True)
class SmallShape:
    """`REGION:` and groups of digits joined by `-`, as `us-east-1:` and a UUID are."""

    region: str
    digits: str
    groups: tuple[int, ...]

    @cached_property
    def identities(self) -> tuple[str, ...]:
        found = []
        for digits in product(self.digits, repeat=sum(self.groups)):
            rest = iter(digits)
            found.append(f"{self.region}:" + "-".join("".join(next(rest) for _ in range(n)) for n in self.groups))
        return tuple(found)


SHAPES = (
    SmallShape("r", "01", (2,)),
    SmallShape("r", "ab", (1, 1)),
    SmallShape("ab", "ab", (2,)),
)
"""Digits without capitals; digits with capitals, in two groups; and a region that is itself made of digits, so that one ID
can end where another begins."""
