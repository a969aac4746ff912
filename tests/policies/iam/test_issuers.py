"""The shapes that an identity id can have, and the ids that examples use."""

from __future__ import annotations

from policies.identity_scope.iam.issuers import BY_LENGTH, Shape, fresh, named_in, shape_of, shapes

ALICE = "eu-west-1:1f1f1f1f-1111-4222-8333-bbbbbbbbbbbb"


def test_a_known_region_is_the_only_one() -> None:
    assert shapes("eu-west-1", "us-gov ?") == [Shape("eu-west-1", "aws", "cognito-identity.amazonaws.com")]
    assert shapes("cn-north-1", "") == [Shape("cn-north-1", "aws-cn", None)]
    assert shapes("cn-north-1", "", {"cn-north-1": "issuer.cn"}) == [Shape("cn-north-1", "aws-cn", "issuer.cn")]


def regions(text: str) -> list[str]:
    return [shape.region for shape in shapes(None, text)]


def test_where_no_region_is_known_those_that_the_documents_speak_of_are_looked_at() -> None:
    assert regions("arn:aws:s3:::bkt/*") == ["us-east-1"]
    assert regions("a eu-west-1 b ap-south-1 eu-west-1") == ["us-east-1", "ap-south-1", "eu-west-1"]
    assert regions("cognito-identity-us-gov.amazonaws.com") == ["us-east-1", "us-gov-west-1", "us-gov-east-1"]
    assert regions("arn:aws-cn:s3:::x arn:aws-eusc:s3:::x arn:aws-mars:s3:::x") == [
        "us-east-1",
        "cn-north-1",
        "eusc-de-east-1",
    ]
    assert regions("bkt/????") == ["us-east-1", *BY_LENGTH.values()]
    assert shapes(None, "cn-north-1", {"cn-north-1": "issuer.cn"})[1].issuer == "issuer.cn"


def test_there_is_a_region_of_each_length() -> None:
    assert {length: len(region) for length, region in BY_LENGTH.items()} == {n: n for n in range(9, 16)}
    assert shape_of("us-gov-east-1").issuer == "cognito-identity.us-gov-east-1.amazonaws.com"


def test_ids_are_named_in_small_letters_and_in_capitals() -> None:
    assert named_in(f"a/{ALICE}/b/{ALICE.upper()}") == [ALICE]
    assert named_in("eu-west-1:1f1f1f1f-1111") == []


def test_ids_of_examples_are_named_by_nothing() -> None:
    first, second = fresh("us-west-2", "")
    assert first != second
    text = " ".join(fresh("us-west-2", "")) + "us-west-2:1* *2 f*"
    for identity in fresh("us-west-2", text):
        assert named_in(identity) == [identity]
        assert not any(identity[n : n + 8] in text for n in range(10, len(identity) - 8))
        assert identity[10] not in "12f"
    assert fresh("ca-central-1", "")[0].endswith("ca")  # so that one may run into the other's head
