"""Regions, partitions, and the issuer of an identity pool's tokens.

These facts are written here independently of the component and the policy pack, so that a wrong fact of theirs cannot
agree with itself. Regions and partitions come from botocore, which ships AWS's own list; the issuers are written out
below.

Source: https://docs.aws.amazon.com/general/latest/gr/rande.html
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import botocore.loaders


@dataclass(frozen=True)
class Partition:
    """An AWS partition: the second field of its ARNs, and the suffix of its host names."""

    name: str
    dns_suffix: str


COMMERCIAL_ISSUER = "cognito-identity.amazonaws.com"
"""Issuer in the partition `aws`.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
"""

GOVCLOUD_ISSUERS = {
    "us-gov-east-1": "cognito-identity.us-gov-east-1.amazonaws.com",
    "us-gov-west-1": "cognito-identity-us-gov.amazonaws.com",
}
"""Issuers in the partition `aws-us-gov`, by region.

Source: https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html
"""


@lru_cache(maxsize=1)
def _partitions() -> dict[str, Partition]:
    """The partition of each region."""
    data = botocore.loaders.create_loader().load_data("partitions")
    return {
        region: Partition(partition["id"], partition["outputs"]["dnsSuffix"])
        for partition in data["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")
    }


def is_region(name: str) -> bool:
    """Whether AWS has a region of this name."""
    return name in _partitions()


def is_partition(name: str) -> bool:
    """Whether AWS has a partition of this name."""
    return any(partition.name == name for partition in set(_partitions().values()))


def partition_of(region: str) -> Partition:
    """The partition of a region.

    Raises:
        KeyError: AWS has no such region.
    """
    return _partitions()[region]


def issuer_of(region: str) -> str | None:
    """The issuer of an identity pool's tokens in a region; None where public material does not settle it, as in China."""
    if partition_of(region).name == "aws":
        return COMMERCIAL_ISSUER
    return GOVCLOUD_ISSUERS.get(region)


def region_of_user_pool(pool_id: str) -> str:
    """`eu-west-1` of `eu-west-1_AbCdEf123`.

    Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html
    """
    return pool_id.partition("_")[0]


def region_of_identity_pool(pool_id: str) -> str:
    """`eu-west-1` of `eu-west-1:0a1b2c3d-…`.

    Source: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_CreateIdentityPool.html
    """
    return pool_id.partition(":")[0]
