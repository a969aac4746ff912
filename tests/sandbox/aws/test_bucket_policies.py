"""A bucket's policy is evaluated with its principals and conditions, by the evaluator alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.aws.server import Sandbox
from tests.sandbox.aws.test_verified import BUCKET, FOLDER, User, refused

KEY = f"{FOLDER}x"


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with Sandbox().running() as sandbox:
        yield User(sandbox)


def put_policy(user: User, **statement: Any) -> None:
    found = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*", **statement}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [found]})
    user.admin.put_bucket_policy(Bucket=BUCKET, Policy=policy)


@pytest.mark.parametrize(
    "statement",
    [
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}},
        {"Action": "s3:DeleteObject"},
        {"Resource": f"arn:aws:s3:::{BUCKET}/other/*"},
    ],
)
def test_a_deny_of_something_else_denies_nothing(user: User, statement: dict[str, Any]) -> None:
    put_policy(user, **statement)
    user.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"x")
    assert user.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"x"


def test_a_deny_denies(user: User) -> None:
    put_policy(user)
    assert refused(user.s3.get_object, Bucket=BUCKET, Key=KEY) == "AccessDenied"


def test_an_allow_to_the_role_allows(user: User) -> None:
    allow = {"Effect": "Allow", "Principal": {"AWS": user.session.role_arn}}
    put_policy(user, **allow)
    user.s3.delete_object(Bucket=BUCKET, Key=KEY)
    put_policy(user, **{**allow, "Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}})
    assert refused(user.s3.delete_object, Bucket=BUCKET, Key=KEY) == "AccessDenied"
