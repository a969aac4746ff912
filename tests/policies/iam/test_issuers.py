"""The forms that an identity ID can have, by region."""

from __future__ import annotations

from policies.identity_scope.iam.documents import parse
from policies.identity_scope.iam.issuers import BY_LENGTH, NAMED, Shape, shape_of
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.regions import by_length
from policies.identity_scope.proof.scope import Scope
from tests.policies.pack.engine import allow, document


def scope(text: str, *regions: str, **issuers: str) -> Scope:
    access = parse(document([allow(text)]))
    named = tuple((region.replace("_", "-"), issuer) for region, issuer in issuers.items())
    return Scope((Principal("role", (("access", access),), urn="role"),), regions, issuers=named)


def regions(text: str) -> list[str]:
    return [shape.region for shape in scope(text).shapes()]


def test_a_known_region_is_the_only_one() -> None:
    assert scope("us-gov ?", "eu-west-1").shapes() == [Shape("eu-west-1", "aws", "cognito-identity.amazonaws.com")]
    assert scope("", "cn-north-1").shapes() == [Shape("cn-north-1", "aws-cn", None)]
    assert scope("", "cn-north-1", cn_north_1="issuer.cn").shapes() == [Shape("cn-north-1", "aws-cn", "issuer.cn")]


def test_where_no_region_is_known_those_that_the_documents_speak_of_are_asked_about() -> None:
    assert regions("arn:aws:s3:::bkt/*") == ["us-east-1"]
    assert regions("a eu-west-1 b ap-south-1 eu-west-1") == ["us-east-1", "ap-south-1", "eu-west-1"]
    assert regions("cognito-identity-us-gov.amazonaws.com") == ["us-east-1", "us-gov-west-1", "us-gov-east-1"]
    assert regions("arn:aws-cn:s3:::x arn:aws-eusc:s3:::x arn:aws-mars:s3:::x") == [
        "us-east-1",
        "cn-north-1",
        "eusc-de-east-1",
    ]
    assert regions("bkt/????") == ["us-east-1", *by_length()]
    assert set(BY_LENGTH.values()) <= set(by_length())
    assert scope("cn-north-1", cn_north_1="issuer.cn").shapes()[1].issuer == "issuer.cn"


def test_there_is_a_region_of_each_length() -> None:
    assert {length: len(region) for length, region in BY_LENGTH.items()} == {n: n for n in range(9, 16)}
    assert shape_of("us-gov-east-1").issuer == "cognito-identity.us-gov-east-1.amazonaws.com"


def test_an_id_is_a_region_and_groups_of_digits() -> None:
    assert shape_of("eu-west-1").size == 32
    assert NAMED.fullmatch(shape_of("eu-west-1").identity("0123456789abcdef" * 2))
    assert Shape("r", "aws", None, "01", (1, 2)).identity("011") == "r:0-11"
