"""The most that AWS lets a guest do, whatever the guest role allows.

The enhanced flow adds two session policies to a guest's credentials: an inline one, and the managed policy
`AmazonCognitoUnAuthedIdentitiesSessionPolicy`. A guest has the permissions of the role that at least one of the two
allows. The classic flow, which the sandbox does not have, adds neither.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html
        https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonCognitoUnAuthedIdentitiesSessionPolicy.html
"""

from __future__ import annotations

from fnmatch import fnmatchcase

INLINE_SESSION_POLICY = (
    *("appsync:*", "cloudwatch:*", "codewhisperer:*", "cognito-identity:*", "cognito-idp:*", "cognito-sync:*"),
    *("comprehend:*", "dynamodb:*", "execute-api:*", "firehose:*", "gamelift:*", "iot:*", "kinesis:*", "lambda:*"),
    *("lex:*", "logs:*", "machinelearning:*", "mobileanalytics:*", "mobiletargeting:*", "personalize:*", "polly:*"),
    *("rekognition:*", "s3:*", "sagemaker:InvokeEndpoint", "sdb:*", "ses:*", "sns:*", "sqs:*"),
    *("textract:AnalyzeDocument", "textract:DetectDocumentText", "transcribe:*", "translate:*"),
)
"""Actions that the inline session policy allows on every resource."""

MANAGED_SESSION_POLICY = (
    *("comprehend:*", "firehose:*", "geo:*DevicePosition*", "geo:*Geofence", "geo:*Geofences", "geo:CalculateRoute*"),
    *("geo:GetMap*", "geo:GetPlace", "geo:ListMaps", "geo:SearchPlaceIndex*", "kms:Decrypt", "kms:Encrypt"),
    *("kms:GenerateDataKey", "kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext"),
    *("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo", "mobiletargeting:*"),
    *("personalize:*", "polly:*", "rekognition:*", "rum:PutRumEvents", "sagemaker:InvokeEndpoint", "transcribe:*"),
    *("translate:*",),
)
"""Actions that version 4 of the managed session policy allows on every resource."""

_PATTERNS = tuple(sorted({pattern.lower() for pattern in (*INLINE_SESSION_POLICY, *MANAGED_SESSION_POLICY)}))


def allowed_to_guests(action: str) -> bool:
    """Whether a session policy of the enhanced flow allows an action."""
    return any(fnmatchcase(action.lower(), pattern) for pattern in _PATTERNS)
