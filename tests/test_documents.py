"""The documents, as exact JSON."""

from __future__ import annotations

import json

from components.scoped_identity import documents
from components.scoped_identity.access import READ_ONLY, READ_WRITE, Login, Where
from components.scoped_identity.partitions import AWS, GOVCLOUD
from components.scoped_identity.plan import Plan, plan
from components.scoped_identity.settings import parse
from tests.test_settings import Raw, good

ISSUER = "cognito-identity.amazonaws.com"
ME = "${cognito-identity.amazonaws.com:sub}"
HERE = Where(AWS, ISSUER, "eu-west-1", "123456789012")


def permissions(made: Plan, key: str = "authenticated") -> documents.Document:
    """A role's only permission document."""
    (vended,) = (each for each in made.roles if each.key == key)
    (statements,) = vended.policies
    return documents.document(statements)


def test_trust_names_the_issuer_this_pool_and_the_kind_of_login() -> None:
    assert documents.trust(ISSUER, "eu-west-1:0a", Login.AUTHENTICATED) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:0a"},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
                },
            }
        ],
    }


def test_own_folder_grants_the_folder_and_its_listing() -> None:
    assert documents.own_folder(HERE, "notes", "users/", READ_WRITE) == [
        {
            "Sid": "OwnFolder",
            "Effect": "Allow",
            "Action": [
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
            ],
            "Resource": f"arn:aws:s3:::notes/users/{ME}/*",
        },
        {
            "Sid": "ListOwnFolder",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::notes",
            "Condition": {"StringLike": {"s3:prefix": f"users/{ME}/*"}},
        },
    ]


def test_read_only_grants_nothing_that_writes() -> None:
    statement = documents.own_folder(HERE, "notes", "", READ_ONLY)[0]
    assert statement["Action"] == ["s3:GetObject"]


def test_the_whole_api_is_one_arn() -> None:
    (statement,) = documents.invoke_api(HERE, "a1b2")
    assert statement["Resource"] == "arn:aws:execute-api:eu-west-1:123456789012:a1b2/*"


def test_stage_methods_and_paths_narrow_the_api() -> None:
    methods, paths = ("GET", "POST"), ("/notes", "/notes/*")
    (statement,) = documents.invoke_api(HERE, "a1b2", "v1", methods, paths, "us-east-1", "210987654321")
    assert statement["Resource"] == [
        "arn:aws:execute-api:us-east-1:210987654321:a1b2/v1/GET/notes",
        "arn:aws:execute-api:us-east-1:210987654321:a1b2/v1/GET/notes/*",
        "arn:aws:execute-api:us-east-1:210987654321:a1b2/v1/POST/notes",
        "arn:aws:execute-api:us-east-1:210987654321:a1b2/v1/POST/notes/*",
    ]


def test_a_stage_alone_grants_all_of_it() -> None:
    (statement,) = documents.invoke_api(HERE, "a1b2", "v1")
    assert statement["Resource"] == "arn:aws:execute-api:eu-west-1:123456789012:a1b2/v1/*"


def test_guide_is_the_published_tutorials_three_statements() -> None:
    assert documents.guide(HERE, "notes", "a1b2", "us-east-1") == [
        {
            "Effect": "Allow",
            "Action": ["mobileanalytics:PutEvents", "cognito-sync:*", "cognito-identity:*"],
            "Resource": ["*"],
        },
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": [f"arn:aws:s3:::notes/{ME}*"]},
        {"Effect": "Allow", "Action": ["execute-api:Invoke"], "Resource": ["arn:aws:execute-api:us-east-1:*:a1b2/*"]},
    ]


def _gov() -> Raw:
    pool = {"id": "us-gov-west-1_AbCdEf123", "clients": ["c1"]}
    guests = {"reason": "Visitors look around."}
    return good() | {"region": "us-gov-west-1", "userPools": [pool], "guests": guests}


def test_govcloud_has_its_own_partition_and_issuer() -> None:
    made = plan(parse(_gov()), "us-gov-west-1", "123456789012")
    assert made.where.partition == GOVCLOUD
    document = permissions(made)
    assert document["Statement"][0]["Resource"] == (
        "arn:aws-us-gov:s3:::notes-uploads/${cognito-identity-us-gov.amazonaws.com:sub}/*"
    )
    assert document["Statement"][2]["Resource"].startswith("arn:aws-us-gov:execute-api:us-gov-west-1:")
    trust = json.loads(made.trust("us-gov-west-1:0a", made.roles[1]))["Statement"][0]
    assert trust["Principal"] == {"Federated": "cognito-identity-us-gov.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"cognito-identity-us-gov.amazonaws.com:aud": "us-gov-west-1:0a"}
    assert trust["Condition"]["ForAnyValue:StringLike"] == {
        "cognito-identity-us-gov.amazonaws.com:amr": "unauthenticated"
    }


def test_every_document_says_the_version_that_expands_variables() -> None:
    for raw in (good(), _gov(), good() | {"profile": "guide"}):
        settings = parse(raw)
        document = permissions(plan(settings, settings.region or "", "123456789012"))
        assert document["Version"] == "2012-10-17"


def test_the_front_end_configuration_has_amplifys_shape() -> None:
    raw = good() | {"api": {"id": "a1b2", "stage": "v1"}}
    assert plan(parse(raw), "eu-west-1", "123456789012").amplify("eu-west-1:0a") == {
        "Auth": {
            "Cognito": {
                "userPoolId": "eu-west-1_AbCdEf123",
                "userPoolClientId": "1h57kf5cpq17m0eml12EXAMPLE",
                "identityPoolId": "eu-west-1:0a",
                "allowGuestAccess": False,
            }
        },
        "Storage": {"S3": {"bucket": "notes-uploads", "region": "eu-west-1"}},
        "API": {
            "REST": {
                "a1b2": {
                    "endpoint": "https://a1b2.execute-api.eu-west-1.amazonaws.com/v1",
                    "region": "eu-west-1",
                }
            }
        },
    }
