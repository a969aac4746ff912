"""What AWS fixes and this component relies on: partitions, issuers, and the services that guests can use.

Decides which partition a region belongs to, and the issuer of identity pools there: the federated principal of a role's
trust policy, and the prefix of its condition keys and policy variables.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
        https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

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


class IdentityKind(str, Enum):
    """The `amr` value that tells how an identity signed in."""

    AUTHENTICATED = "authenticated"
    GUEST = "unauthenticated"


@dataclass(frozen=True)
class Environment:
    """The place that documents are written for.

    Attributes:
        issuer: the identity service's name there, the prefix of its variables.
        region: the pool's region, for ARNs that name no other.
        account: the account that is deployed to, for ARNs that name no other.
        uuid_subs: whether the claim `sub` of every provider is a UUID, as that of a user pool is.
    """

    partition: Partition
    issuer: str
    region: str
    account: str
    uuid_subs: bool = True

    def arn(self, service: str, resource: str, region: str | None = None, account: str | None = None) -> str:
        return f"arn:{self.partition.name}:{service}:{region or self.region}:{account or self.account}:{resource}"

    def s3(self, path: str) -> str:
        return f"arn:{self.partition.name}:s3:::{path}"

    @property
    def own_id(self) -> str:
        """The policy variable that stands for the caller's identity id."""
        return f"${{{self.issuer}:sub}}"


GUEST_SERVICES = frozenset(
    {
        *("appsync", "cloudwatch", "codewhisperer", "cognito-identity", "cognito-idp", "cognito-sync", "comprehend"),
        *("dynamodb", "evidently", "execute-api", "firehose", "gamelift", "geo", "iot", "kinesis", "kinesisanalytics"),
        *("kms", "lambda", "lex", "logs", "machinelearning", "mobileanalytics", "mobiletargeting", "personalize"),
        *("polly", "rekognition", "rum", "s3", "sagemaker", "sdb", "ses", "sns", "sqs", "sumerian", "textract"),
        *("transcribe", "translate"),
    }
)
"""Services of which guests may be granted something; of a few of them, only some actions."""


def denied_to_guests(statement: dict[str, Any]) -> Iterator[str]:
    """Services that an Allow names and guests never get to."""
    if statement.get("Effect") != "Allow":
        return
    actions = statement.get("Action", [])
    for action in [actions] if isinstance(actions, str) else actions:
        service = str(action).partition(":")[0].lower()
        if service != "*" and not any(c in service for c in "*?") and service not in GUEST_SERVICES:
            yield service
