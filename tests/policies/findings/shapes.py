"""Shapes of policies as they are often written for the users of an identity pool: a policy's statements, by name."""

from __future__ import annotations

from typing import Any

from tests.policies.pack.engine import ME, allow

S3 = "arn:aws:s3:::"
SHAPES: dict[str, list[dict[str, Any]]] = {
    "public folder": [
        allow(S3 + "media/public/*", ["s3:GetObject", "s3:PutObject"]),
        allow(S3 + f"media/private/{ME}/*", "s3:*"),
    ],
    "amplify": [
        allow(
            [S3 + "up/public/*", S3 + f"up/protected/{ME}/*", S3 + f"up/private/{ME}/*"],
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        ),
        allow(S3 + "up/uploads/*", "s3:PutObject"),
        allow(S3 + "up/protected/*", "s3:GetObject"),
        allow(
            S3 + "up",
            "s3:ListBucket",
            Condition={
                "StringLike": {
                    "s3:prefix": [
                        "public/",
                        "public/*",
                        "protected/",
                        "protected/*",
                        f"private/{ME}/",
                        f"private/{ME}/*",
                    ]
                }
            },
        ),
    ],
    "whole bucket s3:*": [allow([S3 + "app-data", S3 + "app-data/*"], "s3:*")],
    "s3 star on star": [allow("*", "s3:*")],
    "cognito old guide": [allow("*", ["mobileanalytics:PutEvents", "cognito-sync:*", "cognito-identity:*"])],
    "list no cond": [
        allow(S3 + "docs", "s3:ListBucket"),
        allow(S3 + f"docs/users/{ME}/*", ["s3:GetObject", "s3:PutObject"]),
    ],
    "misspelt": [allow(S3 + "docs/${cognito-identity.amazon.com:sub}/*")],
    "misspelt2": [allow(S3 + "docs/${cognito-identity.amazonaws.com.sub}/*")],
    "username": [allow(S3 + "docs/${aws:username}/*")],
    "no slash": [allow(S3 + f"docs/{ME}*")],
    "star app": [allow(S3 + f"docs/*/{ME}/*")],
    "payslips": [allow(S3 + f"docs/payslips/*/{ME}/*")],
    "multi esc": [
        allow(
            "*",
            [
                "iam:PassRole",
                "lambda:UpdateFunctionCode",
                "s3:ListAllMyBuckets",
                "dynamodb:Query",
                "cognito-idp:AdminCreateUser",
            ],
        )
    ],
    "notresource": [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": S3 + "docs/secret/*"}],
    "notaction": [{"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}],
    "bucket wildcard": [allow(S3 + "prod-*/*")],
    "leading": [allow(S3 + "docs/*/public/*")],
    "mid": [allow(S3 + "docs/app/*/x")],
    "q": [allow(S3 + "docs/?/x")],
    "bucket*": [allow(S3 + "docs*")],
    "prefix on get": [
        allow(
            [S3 + "docs", S3 + "docs/*"],
            ["s3:GetObject", "s3:ListBucket"],
            Condition={"StringLike": {"s3:prefix": f"home/{ME}/*"}},
        )
    ],
    "prefx": [allow(S3 + "docs", "s3:ListBucket", Condition={"StringLike": {"s3:prefx": f"home/{ME}/*"}})],
    "get*list*": [allow("*", ["s3:Get*", "s3:List*"])],
    "tag": [allow(S3 + "docs/${aws:PrincipalTag/userSub}/*")],
    "bucket of a tag": [allow(S3 + "*-${aws:PrincipalTag/department}/*")],
    "bucket of a tag, folder": [allow(S3 + "app-*-${aws:PrincipalTag/team}/up/*")],
    "a colon is missing": [allow(f"arn:aws:s3::docs/home/{ME}/*")],
    "avatars": [allow(S3 + f"img/avatars/{ME}.jpg", ["s3:PutObject"])],
    "sqs etc": [allow("*", ["sqs:*", "sns:*", "polly:SynthesizeSpeech"])],
    "api": [allow("arn:aws:execute-api:*:*:*", "execute-api:Invoke")],
    "api2": [allow("arn:aws:execute-api:us-east-1:123456789012:*/prod/GET/*", "execute-api:Invoke")],
    "admin": [allow("*", "*")],
    "shared root file+list": [allow([S3 + "site/config.json", S3 + f"site/u/{ME}/*"])],
    "multipart": [allow(S3 + "docs", ["s3:ListBucketMultipartUploads", "s3:ListBucket"])],
    "listmybuckets": [
        allow("*", ["s3:ListAllMyBuckets", "s3:GetBucketLocation"]),
        allow([S3 + "docs/*"], ["s3:PutObject"]),
    ],
    "dynamo": [allow("arn:aws:dynamodb:us-east-1:123456789012:table/t", ["dynamodb:GetItem", "dynamodb:PutItem"])],
    "grantRead of the CDK": [allow([S3 + "docs", S3 + "docs/*"], ["s3:GetObject*", "s3:GetBucket*", "s3:List*"])],
    "ip": [allow(S3 + "docs/*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})],
}
