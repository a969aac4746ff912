"""Conditions: the keys that AWS has in every request are there, and what cannot be decided is refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from policies.identity_scope.iam.documents import OPERATORS, parse
from sandbox.aws.condition_keys import undecided_keys
from sandbox.aws.server import Sandbox
from tests.sandbox.aws.test_verified import ALLOWED, BUCKET, FOLDER, REGION, User

KEY = f"{FOLDER}x"
OBJECTS = f"arn:aws:s3:::{BUCKET}/*"


@pytest.fixture(scope="module")
def module_user() -> Iterator[User]:
    with Sandbox().running() as sandbox:
        yield User(sandbox)


@pytest.fixture
def user(module_user: User) -> User:
    module_user.allow(ALLOWED)
    return module_user


def denial(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == "AccessDenied"
    return str(error.value.response["Error"]["Message"])


def deny(operator: str, key: str, value: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "s3:*", "Resource": OBJECTS, "Condition": {operator: {key: value}}}


@pytest.mark.parametrize(
    "condition",
    [
        ("StringEquals", "s3:authType", "REST-QUERY-STRING"),
        ("StringNotEquals", "s3:authType", "REST-HEADER"),
        ("NumericGreaterThan", "s3:signatureAge", "999999999"),
        ("NumericLessThan", "s3:TlsVersion", "1.2"),
        ("Bool", "aws:SecureTransport", "false"),
        ("StringNotEquals", "aws:ResourceAccount", "123456789012"),
        ("StringNotEquals", "s3:ResourceAccount", "123456789012"),
        ("Bool", "aws:ViaAWSService", "true"),
    ],
)
def test_a_deny_that_holds_of_no_request_of_an_sdk_denies_nothing(user: User, condition: tuple[str, str, str]) -> None:
    user.allow(ALLOWED, deny(*condition))
    user.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"x")


@pytest.mark.parametrize(
    "condition",
    [
        ("StringEquals", "s3:authType", "REST-HEADER"),
        ("DateLessThan", "aws:TokenIssueTime", "2199-01-01T00:00:00Z"),
        ("StringLike", "aws:UserAgent", "*Botocore*"),
        ("Bool", "aws:MultiFactorAuthPresent", "false"),
        ("StringEquals", "s3:ResourceAccount", "123456789012"),
    ],
)
def test_a_deny_that_holds_in_aws_denies(user: User, condition: tuple[str, str, str]) -> None:
    user.allow(ALLOWED, deny(*condition))
    assert "explicit deny" in denial(user.s3.put_object, Bucket=BUCKET, Key=KEY)


def test_a_deny_of_presigned_urls_denies_them_alone(user: User) -> None:
    user.allow(ALLOWED, deny("StringNotEquals", "s3:authType", "REST-HEADER"))
    url = user.s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": KEY})
    assert user.send("PUT", url, b"x")[0] == 403
    assert user.post(KEY) == 403
    user.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"x")


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "Null", "ForAllValues:StringEquals"])
@pytest.mark.parametrize(
    "key", ["aws:ResourceTag/team", "aws:PrincipalOrgID", "s3:object-lock-remaining-retention-days"]
)
def test_a_key_that_the_sandbox_does_not_know_is_refused_by_its_name(user: User, operator: str, key: str) -> None:
    """An Allow that tests it allows nothing, and a Deny that tests it is not passed over."""
    condition = {operator: {key: "true"}}
    user.allow({**ALLOWED, "Condition": condition})
    assert f"cannot decide a statement that tests {key.lower()}" in denial(user.s3.put_object, Bucket=BUCKET, Key=KEY)
    user.allow(ALLOWED, deny(operator, key, "true"))
    assert f"cannot decide a statement that tests {key.lower()}" in denial(user.s3.put_object, Bucket=BUCKET, Key=KEY)


def test_an_undecided_statement_about_something_else_is_no_obstacle(user: User) -> None:
    other = {**deny("StringEquals", "aws:ResourceTag/team", "a"), "Action": "s3:DeleteObject"}
    elsewhere = {**deny("StringEquals", "aws:ResourceTag/team", "a"), "Resource": "arn:aws:s3:::other/*"}
    unmet = deny("StringEquals", "aws:ResourceTag/team", "a")
    unmet["Condition"]["StringLike"] = {"aws:UserAgent": "curl*"}
    user.allow(ALLOWED, other, elsewhere, unmet)
    user.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"x")


def test_a_variable_that_the_sandbox_does_not_know_is_refused_by_its_name(user: User) -> None:
    user.allow(ALLOWED, {**deny("Null", "aws:sourceip", "false"), "Resource": f"arn:aws:s3:::{BUCKET}/${{ec2:x}}/*"})
    assert "ec2:x" in denial(user.s3.put_object, Bucket=BUCKET, Key=KEY)


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_no_operator_makes_an_unknown_key_decided(operator: str) -> None:
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {operator: {"aws:ResourceTag/a": "1"}}}
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    assert undecided_keys(document.statements[0]) == {"aws:resourcetag/a"}


# KMS

KMS_KEY = f"arn:aws:kms:{REGION}:123456789012:key/00000000-0000-4000-8000-000000000000"


def use_of_key(*actions: str, arn: str = f"arn:aws:s3:::{BUCKET}/{FOLDER}*") -> dict[str, Any]:
    condition = {
        "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": arn},
    }
    return {"Effect": "Allow", "Action": list(actions), "Resource": KMS_KEY, "Condition": condition}


def test_an_encrypted_object_is_written_and_read_with_its_key(user: User) -> None:
    put = {"Bucket": BUCKET, "Key": KEY, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KMS_KEY}
    user.allow(ALLOWED, use_of_key("kms:GenerateDataKey"))
    user.s3.put_object(**put)
    assert "kms:Decrypt" in denial(user.s3.get_object, Bucket=BUCKET, Key=KEY)
    assert "kms:Decrypt" in denial(user.s3.copy_object, Bucket=BUCKET, Key=f"{FOLDER}y", CopySource=f"{BUCKET}/{KEY}")
    user.allow(ALLOWED, use_of_key("kms:Decrypt", arn=f"arn:aws:s3:::{BUCKET}/other/*"))
    assert "kms:Decrypt" in denial(user.s3.get_object, Bucket=BUCKET, Key=KEY)
    user.allow(ALLOWED, use_of_key("kms:Decrypt"))
    user.s3.get_object(Bucket=BUCKET, Key=KEY)
    assert "kms:GenerateDataKey" in denial(user.s3.put_object, **put)


def test_a_bucket_that_encrypts_by_default_asks_for_its_key(user: User) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KMS_KEY}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    user.admin.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": rules})
    try:
        assert "kms:GenerateDataKey" in denial(user.s3.put_object, Bucket=BUCKET, Key=KEY)
        user.allow(ALLOWED, use_of_key("kms:GenerateDataKey", "kms:Decrypt", arn=f"arn:aws:s3:::{BUCKET}"))
        user.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"x")
        assert user.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"x"
    finally:
        user.admin.delete_bucket_encryption(Bucket=BUCKET)


# Policies of resources, and regions


def test_a_bucket_is_asked_for_in_its_own_region(user: User) -> None:
    """Else a condition on `aws:RequestedRegion` would be met by whoever signs for that region."""
    session = user.session
    elsewhere = user.sandbox.client("s3", "eu-west-1", (session.access_key, session.secret, session.token))
    with pytest.raises(ClientError) as error:
        elsewhere.put_object(Bucket=BUCKET, Key=KEY)
    assert error.value.response["Error"]["Code"] == "AuthorizationHeaderMalformed"


def test_an_api_with_a_resource_policy_is_refused_by_name(user: User) -> None:
    gateway = user.sandbox.client("apigateway", REGION)
    api = gateway.create_rest_api(name="notes", policy='{"Version": "2012-10-17", "Statement": []}')["id"]
    user.allow({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"})
    status, body = user.call_api(api)
    assert status == 403
    assert b"resource policy" in body


def test_an_item_without_its_partition_key_has_no_leading_keys_to_hold_of(user: User) -> None:
    admin = user.sandbox.client("dynamodb", REGION)
    admin.create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "owner", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    leading = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ann"]}}
    user.allow({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": leading})
    session = user.session
    rows = user.sandbox.client("dynamodb", REGION, (session.access_key, session.secret, session.token))
    rows.put_item(TableName="rows", Item={"owner": {"S": "ann"}})
    for call, parameters in (
        (rows.get_item, {"Key": {"other": {"S": "x"}}}),
        (rows.put_item, {"Item": {}}),
        (rows.update_item, {"Key": {}}),
        (rows.delete_item, {"Key": {"Owner": {"S": "bob"}}}),
    ):
        with pytest.raises(ClientError) as error:
            call(TableName="rows", **parameters)
        assert error.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError) as error:
        rows.batch_get_item(RequestItems={"rows": {"Keys": [{"owner": {"S": "ann"}}, {"x": {"S": "y"}}]}})
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_tables_policy_counts(user: User) -> None:
    arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/rows"
    statement = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:GetItem", "Resource": arn}
    admin = user.sandbox.client("dynamodb", REGION)
    admin.put_resource_policy(ResourceArn=arn, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    user.allow({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"})
    session = user.session
    rows = user.sandbox.client("dynamodb", REGION, (session.access_key, session.secret, session.token))
    with pytest.raises(ClientError) as error:
        rows.get_item(TableName="rows", Key={"owner": {"S": "ann"}})
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"
