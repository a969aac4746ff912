"""Identities as the prover needs them: the shapes that an identity id can have, and ids to try.

An identity id is `REGION:UUID`, assigned by the pool. Whether two identities are isolated does not depend on which two they
are, as long as no document names either or a part of it (`symbols`); so two that none names are enough, together with each
one that a document does name. The two that stand in examples are chosen to be no prefix of anything in the documents, and,
where the region's name allows it, to end as region names begin: the only way in which one id can overlap another's head.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

NAMED = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,2}-\d:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An identity id, or a pool's; both have the same shape."""

REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,2}-\d")
_PARTITION = re.compile(r"arn:(aws-[a-z-]+):")

DEFAULT_REGION = "us-east-1"
BY_LENGTH = {
    9: "us-west-2",
    10: "eu-north-1",
    11: "xx-middle-1",
    12: "eu-central-1",
    13: "us-gov-west-1",
    14: "ap-southeast-1",
    15: "xx-southernmo-1",
}
"""One region's name, real or not, for each length that names have."""

ISSUERS = {
    "us-gov-west-1": "cognito-identity-us-gov.amazonaws.com",
    "us-gov-east-1": "cognito-identity.us-gov-east-1.amazonaws.com",
}
"""Issuers outside the `aws` partition. China's exact key is not settled in public material.

Source: https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html
"""
COMMERCIAL_ISSUER = "cognito-identity.amazonaws.com"


@dataclass(frozen=True)
class Shape:
    """The form of a pool's identity IDs, and what its region says about them.

    An ID is `region`, a colon, and groups of digits joined by dashes. Other digits and groups than AWS's make a world so
    small that every identity in it can be tried.

    Attributes:
        issuer: the issuer of the pool's condition keys; None where it is not known.
        digits: the characters that a digit of an ID can be.
        groups: how many digits each group has.
    """

    region: str
    partition: str
    issuer: str | None
    digits: str = "0123456789abcdef"
    groups: tuple[int, ...] = (8, 4, 4, 4, 12)

    @property
    def size(self) -> int:
        """How many digits an ID has."""
        return sum(self.groups)

    def identity(self, digits: str) -> str:
        """The ID with some digits."""
        parts: list[str] = []
        begin = 0
        for size in self.groups:
            parts.append(digits[begin : begin + size])
            begin += size
        return f"{self.region}:{'-'.join(parts)}"


PARTITIONS = {
    "aws-cn": ("cn-", "cn-north-1"),
    "aws-us-gov": ("us-gov-", "us-gov-west-1"),
    "aws-iso": ("us-iso-", "us-iso-east-1"),
    "aws-iso-b": ("us-isob-", "us-isob-east-1"),
    "aws-iso-e": ("eu-isoe-", "eu-isoe-west-1"),
    "aws-iso-f": ("us-isof-", "us-isof-south-1"),
    "aws-eusc": ("eusc-", "eusc-de-east-1"),
}
"""Partitions beside `aws`: how their regions begin, and one of them."""


def partition_of(region: str) -> str:
    return next((name for name, (head, _) in PARTITIONS.items() if region.startswith(head)), "aws")


def issuer_of(region: str, overrides: dict[str, str] | None = None) -> str | None:
    """The issuer of a region's identity pools; None where it is not known."""
    if overrides and region in overrides:
        return overrides[region]
    if region in ISSUERS:
        return ISSUERS[region]
    return COMMERCIAL_ISSUER if partition_of(region) == "aws" else None


def shape_of(region: str, overrides: dict[str, str] | None = None) -> Shape:
    return Shape(region, partition_of(region), issuer_of(region, overrides))


def known_issuers(overrides: dict[str, str] | None = None) -> frozenset[str]:
    return frozenset({COMMERCIAL_ISSUER, *ISSUERS.values(), *(overrides or {}).values()})


def shapes(region: str | None, text: str, overrides: dict[str, str] | None = None) -> list[Shape]:
    """The shapes to look at: the pool's own region where it is known; else the default one, each region that the
    documents' text speaks of, and, where it counts characters with `?`, one of each length."""
    if region is not None:
        return [shape_of(region, overrides)]
    regions = [DEFAULT_REGION]
    if "us-gov" in text:
        regions += list(ISSUERS)
    regions += [PARTITIONS[name][1] for name in sorted(set(_PARTITION.findall(text))) if name in PARTITIONS]
    regions += sorted(set(REGION.findall(text)))
    if "?" in text:
        regions += BY_LENGTH.values()
    return [shape_of(r, overrides) for r in dict.fromkeys(regions)]


def named_in(text: str) -> list[str]:
    """Identity ids that a text names, also those that it names in capitals for a test that ignores case."""
    return sorted({*NAMED.findall(text), *NAMED.findall(text.lower())})


def fresh(region: str, text: str) -> tuple[str, str]:
    """Two identity ids of a region that a text neither names nor begins to name."""
    found: list[str] = []
    tail = overlap(region)
    # Digits with which a document begins or ends to name an identity (`REGION:1*`, `*1`) come last.
    begun = {d for d in "123456789abcdef0" if any(part in text for part in (f":{d}", f"{d}*", f"*{d}"))}
    digits = sorted("123456789abcdef0", key=lambda d: d in begun)
    for first, second in [*((d, d) for d in digits), *product(digits, repeat=2)]:
        block = (first + second) * 6
        uuid = f"{block[:8]}-{block[:4]}-{block[:4]}-{block[:4]}-{block[: 12 - len(tail)]}{tail}"
        if block[:4] not in text:
            found.append(f"{region}:{uuid}")
        if len(found) == 2:
            return found[0], found[1]
    return f"{region}:{'1' * 8}-1111-1111-1111-{'1' * 12}", f"{region}:{'2' * 8}-2222-2222-2222-{'2' * 12}"


def overlap(region: str) -> str:
    """The longest head of a region's name that consists of hexadecimal digits."""
    match = re.match("[0-9a-f]+", region)
    return match.group(0)[:12] if match else ""
