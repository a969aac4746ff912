"""Identity pools by region: the form of their identity IDs, their partition, and the issuer of their condition keys."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMED = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,2}-\d:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An identity id, or a pool's; both have the same shape."""

REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,2}-\d")

DEFAULT_REGION = "us-east-1"
REGIONS = (
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
    *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
    *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1"),
    *("eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1"),
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
"""The regions of the `aws` partition.

Source: https://docs.aws.amazon.com/general/latest/gr/cognito_identity.html
"""
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
OTHER_PROVIDERS = frozenset(
    {
        *("www.amazon.com:app_id", "www.amazon.com:user_id"),
        *("graph.facebook.com:app_id", "graph.facebook.com:id"),
        *(
            "accounts.google.com:aud",
            "accounts.google.com:oaud",
            "accounts.google.com:sub",
            "accounts.google.com:email",
        ),
    }
)
"""Condition keys of users who assume a role with a provider's own token; an identity pool's sessions have none of them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
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
        short_buckets: names of fewer than the three characters that AWS asks of a bucket's name, where documents use them
            all the same. They are judged as they stand.
    """

    region: str
    partition: str
    issuer: str | None
    digits: str = "0123456789abcdef"
    groups: tuple[int, ...] = (8, 4, 4, 4, 12)
    short_buckets: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many digits an ID has."""
        return sum(self.groups)

    def identity(self, digits: str) -> str:
        """The ID with some digits."""
        return f"{self.region}:{self.uuid(digits)}"

    def uuid(self, digits: str) -> str:
        """The UUID with some digits."""
        parts: list[str] = []
        begin = 0
        for size in self.groups:
            parts.append(digits[begin : begin + size])
            begin += size
        return "-".join(parts)


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
