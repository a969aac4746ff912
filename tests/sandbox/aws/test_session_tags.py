"""Session tags as AWS makes them: from the token, by the tag map of its provider, into the session's condition keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws import session_tags
from sandbox.aws.errors import AwsError
from sandbox.aws.session_tags import principal_tags
from sandbox.aws.tokens import VerifiedToken
from sandbox.scenario.attempts import Person
from tests.conftest import Deployed, identity_client, refusal, s3_of

CUSTOM = {
    "sub": "0a",
    "email": "ann@example.com",
    "email_verified": True,
    "level": 7,
    "groups": ["a", "b"],
    "aud": "c1",
}


def tags(tag_map: Mapping[str, Any], claims: Mapping[str, Any] = CUSTOM) -> dict[str, str]:
    return dict(session_tags.of({"p": tag_map}, [VerifiedToken("p", "0a", dict(claims))]))


def refused(tag_map: Mapping[str, str], claims: Mapping[str, Any]) -> str:
    with pytest.raises(AwsError) as error:
        tags({"PrincipalTags": tag_map}, claims)
    return error.value.code


def test_the_default_map_and_a_custom_one() -> None:
    assert tags({"UseDefaults": True}) == {"username": "0a", "client": "c1"}
    assert tags({"UseDefaults": False, "PrincipalTags": {"who": "sub", "Mail": "email"}}) == {
        "who": "0a",
        "Mail": "ann@example.com",
    }
    assert tags({}) == tags({"UseDefaults": False, "PrincipalTags": {}}) == {}


def test_another_providers_map_does_not_apply() -> None:
    assert session_tags.of({"q": {"UseDefaults": True}}, [VerifiedToken("p", "0a", dict(CUSTOM))]) == ()


def test_a_claim_that_the_token_does_not_have_is_no_tag() -> None:
    assert tags({"PrincipalTags": {"plan": "custom:plan", "who": "sub"}}) == {"who": "0a"}


def test_a_claim_that_is_no_text_becomes_one() -> None:
    assert tags({"PrincipalTags": {"a": "email_verified", "b": "level"}}) == {"a": "true", "b": "7"}


@pytest.mark.parametrize("value", ["auth0|5f7c", "a!", "x" * 257, "a\n", "a*", "${x}", ["a", "b"]])
def test_sts_refuses_a_value_that_a_tag_cannot_have(value: object) -> None:
    assert refused({"who": "sub"}, {"sub": value}) == "InvalidIdentityPoolConfigurationException"


@pytest.mark.parametrize("value", ["", "ann/x", "a b", "ä_.:/=+-@", "x" * 256])
def test_sts_takes_these_values(value: str) -> None:
    assert tags({"PrincipalTags": {"who": "sub"}}, {"sub": value}) == {"who": value}


def test_sts_refuses_keys_that_a_tag_cannot_have_or_that_differ_in_case_only() -> None:
    assert refused({"aws:x": "sub"}, CUSTOM) == "InvalidIdentityPoolConfigurationException"
    assert refused({"who": "sub", "WHO": "email"}, CUSTOM) == "InvalidIdentityPoolConfigurationException"
    assert refused({f"t{i}": "sub" for i in range(51)}, CUSTOM) == "InvalidIdentityPoolConfigurationException"


def test_a_tag_of_the_role_is_a_principal_tag_unless_the_session_has_one_of_that_key() -> None:
    assert principal_tags({"Team": "ops", "Who": "role"}, [("who", "ann")]) == {
        "aws:principaltag/team": ("ops",),
        "aws:principaltag/who": ("ann",),
    }


@contextmanager
def tagged(dev: Deployed, tag_map: Mapping[str, str], resource: str) -> Iterator[None]:
    """Map tags for the pool's first provider, and let users read a resource."""
    client, outputs = identity_client(dev), dev.run.outputs
    at = {"IdentityPoolId": outputs["identityPoolId"], "IdentityProviderName": outputs["logins"][0]}
    role = {"RoleName": outputs["roleArns"]["authenticated"].rpartition("/")[2], "PolicyName": "tags"}
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{dev.app.bucket}/{resource}"}
    iam = dev.sandbox.client("iam", dev.app.region)
    client.set_principal_tag_attribute_map(**at, PrincipalTags=dict(tag_map))
    iam.put_role_policy(**role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    try:
        yield
    finally:
        client.set_principal_tag_attribute_map(**at, PrincipalTags={})
        iam.delete_role_policy(**role)


def reads(dev: Deployed, person: Person, key: str) -> bool:
    dev.sandbox.client("s3", dev.app.region).put_object(Bucket=dev.app.bucket, Key=key, Body=b"")
    try:
        s3_of(dev, person).get_object(Bucket=dev.app.bucket, Key=key)
    except ClientError as error:
        if refusal(error) == "AccessDenied":
            return False
        raise
    return True


def test_a_tag_flows_from_the_token_into_the_policy_of_that_session_only(dev: Deployed) -> None:
    checks = dev.access_checks()
    before = checks.sign_in("tag-ann")
    with tagged(dev, {"who": "cognito:username"}, "by/${aws:PrincipalTag/WHO}/*"):
        ann, bob = checks.sign_in_again("tag-ann"), checks.sign_in("tag-bob")
        assert [reads(dev, each, "by/tag-ann/a") for each in (ann, bob)] == [True, False]
        assert not reads(dev, before, "by/tag-ann/a"), "a session that began before has no tag"


def test_without_the_claim_the_variable_matches_nothing(dev: Deployed) -> None:
    with tagged(dev, {"mail": "email"}, "mail/${aws:PrincipalTag/mail}/*"):
        checks = dev.access_checks()
        without, with_ = checks.sign_in("no-mail"), checks.sign_in("mail", claims=[("email", "m@example.com")])
        for key in ("mail//a", "mail/m@example.com/a"):
            assert not reads(dev, without, key), key
        assert reads(dev, with_, "mail/m@example.com/a")


def test_a_tag_of_the_role_stands_for_a_tag_that_the_session_does_not_have(dev: Deployed) -> None:
    iam = dev.sandbox.client("iam", dev.app.region)
    role = dev.run.outputs["roleArns"]["authenticated"].rpartition("/")[2]
    with tagged(dev, {"mail": "email"}, "role/${aws:PrincipalTag/mail}/*"):
        iam.tag_role(RoleName=role, Tags=[{"Key": "Mail", "Value": "everybody"}])
        try:
            checks = dev.access_checks()
            without, with_ = checks.sign_in("role-1"), checks.sign_in("role-2", claims=[("email", "r@example.com")])
            assert reads(dev, without, "role/everybody/a")
            assert not reads(dev, with_, "role/everybody/a")
        finally:
            iam.untag_role(RoleName=role, TagKeys=["Mail"])


def test_a_claim_with_a_character_that_no_tag_has_gets_no_credentials(dev: Deployed) -> None:
    with tagged(dev, {"name": "name"}, "x"), pytest.raises(ClientError) as error:
        dev.access_checks().sign_in("odd", claims=[("name", "Ann!")])
    assert refusal(error.value) == "InvalidIdentityPoolConfigurationException"
