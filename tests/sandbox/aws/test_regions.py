"""What the sandbox knows of AWS by itself: regions, partitions, issuers, and the most that guests get."""

from __future__ import annotations

import pytest

from sandbox.aws.guest_services import allowed_to_guests
from sandbox.aws.regions import is_region, issuer_of, partition_of

CHINA = ("aws-cn", "amazonaws.com.cn", None)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu-central-1", ("aws", "amazonaws.com", "cognito-identity.amazonaws.com")),
        ("us-gov-west-1", ("aws-us-gov", "amazonaws.com", "cognito-identity-us-gov.amazonaws.com")),
        ("us-gov-east-1", ("aws-us-gov", "amazonaws.com", "cognito-identity.us-gov-east-1.amazonaws.com")),
        ("cn-north-1", CHINA),
        ("cn-northwest-1", CHINA),
    ],
)
def test_a_region_has_a_partition_and_an_issuer(region: str, expected: tuple[str, str, str | None]) -> None:
    partition = partition_of(region)
    assert (partition.name, partition.dns_suffix, issuer_of(region)) == expected


@pytest.mark.parametrize("name", ["us-east-9", "aws-global", "", "US-EAST-1", "us-east-1\n", "mars-1"])
def test_another_name_is_no_region(name: str) -> None:
    assert not is_region(name)


@pytest.mark.parametrize("action", ["s3:GetObject", "S3:getobject", "dynamodb:Query", "geo:GetMapTile", "kms:Decrypt"])
def test_a_guest_may_be_allowed(action: str) -> None:
    assert allowed_to_guests(action)


@pytest.mark.parametrize(
    "action", ["iam:CreateRole", "sts:AssumeRole", "kms:CreateKey", "textract:GetAdapter", "s3", ""]
)
def test_a_guest_is_never_allowed(action: str) -> None:
    assert not allowed_to_guests(action)
