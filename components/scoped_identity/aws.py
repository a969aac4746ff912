"""Regions, partitions, and the names that differ between them.

Decides which partition a region belongs to, and how the identity service calls itself there: the issuer is the federated
principal of a role's trust policy and the prefix of its condition keys and variables.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
        https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html
"""

import re
from dataclasses import dataclass

REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,2}-\d")
"""The shape of a region's name, such as `eu-central-1`."""


@dataclass(frozen=True)
class Partition:
    """An AWS partition: the second field of its ARNs, and the suffix of its host names."""

    name: str
    dns_suffix: str


AWS = Partition("aws", "amazonaws.com")
CHINA = Partition("aws-cn", "amazonaws.com.cn")
GOVCLOUD = Partition("aws-us-gov", "amazonaws.com")

ISSUERS = {
    "us-gov-west-1": "cognito-identity-us-gov.amazonaws.com",
    "us-gov-east-1": "cognito-identity.us-gov-east-1.amazonaws.com",
}
"""Issuers outside the `aws` partition, by region. China's is not settled in public material, so it is not here."""


def is_region(text: str) -> bool:
    return REGION.fullmatch(text) is not None


def partition_of(region: str) -> Partition:
    """The partition of a region; a region of a partition that is not listed here counts as `aws`."""
    if region.startswith("cn-"):
        return CHINA
    if region.startswith("us-gov-"):
        return GOVCLOUD
    return AWS


def issuer_of(region: str) -> str | None:
    """The issuer of an identity pool's tokens in a region; None where it is not known."""
    if partition_of(region) is AWS:
        return "cognito-identity.amazonaws.com"
    return ISSUERS.get(region)
