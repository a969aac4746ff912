"""What AWS lets guests do at most, whatever their role grants: the session policy of the enhanced flow.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html#access-policies-scope-down-services
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
