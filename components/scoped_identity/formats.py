"""The formats of the AWS identifiers and names in a stack's config.

Each check takes a string and returns None or an error message that says what is expected. Common mistakes (a name instead
of an ID, an ARN or a URL instead of a name) have a message of their own.
"""

import re
from collections.abc import Callable

from .aws import is_region

Check = Callable[[str], str | None]
"""From a string to the error message, or None."""

_USER_POOL_ID = re.compile(r"([\w-]+)_([0-9A-Za-z]+)")
_CLIENT_ID = re.compile(r"[\w+]{1,128}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_API_ID = re.compile(r"[a-z0-9]{1,32}")
_POOL_NAME = re.compile(r"[\w\s+=,.@-]{1,128}")
_POLICY_ARN = re.compile(r"arn:aws(-[a-z]+)*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+")
_ROLE_PATH = re.compile(r"/([\w+=,.@-]+/)*")
_ROLE_ARN = re.compile(r"arn:aws(-[a-z]+)*:iam::\d{12}:role/[\w+=,.@/-]{1,576}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_NAME_PREFIX = re.compile(r"[\w+=,.@-]{1,20}")
_KMS_KEY = re.compile(r"arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+")
_GRAPHQL_API = re.compile(r"[a-z0-9]{20,32}")
_GRAPHQL_FIELD = re.compile(r"[A-Za-z_]\w*\.(\*|[A-Za-z_]\w*)")
_TABLE = re.compile(r"[\w.-]{3,255}")
_FUNCTION = re.compile(r"[\w-]{1,64}")
_QUALIFIER = re.compile(r"[\w$-]{1,128}")
_IDENTITY_POOL_ID = re.compile(r"[a-z0-9-]+:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OIDC_ARN = re.compile(r"arn:aws(-[a-z]+)*:iam::\d{12}:oidc-provider/[\w.:/-]+")
_SAML_ARN = re.compile(r"arn:aws(-[a-z]+)*:iam::\d{12}:saml-provider/[\w._-]+")
_DEVELOPER = re.compile(r"[\w._-]{1,100}")
_APPLE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TWITTER = re.compile(r"[A-Za-z0-9]{10,100}")
_ACCOUNT = re.compile(r"\d{12}")
_STAGE = re.compile(r"[\w-]{1,128}|\$default|\*")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "*"})


def region_of_user_pool(pool_id: str) -> str:
    """`eu-west-1` of `eu-west-1_AbCdEf123`."""
    return pool_id.split("_", 1)[0]


def user_pool_id(text: str) -> str | None:
    """Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html"""
    bare = re.sub(r"^(https?://)?cognito-idp\.[\w-]+\.amazonaws\.com(\.cn)?/", "", text)
    if bare != text:
        return f"`{text}` is a provider name or URL; use only the user pool ID, `{bare}`"
    if text.startswith("arn:"):
        return f"`{text}` is an ARN; use only the user pool ID, `{text.rpartition('/')[2]}`"
    match = _USER_POOL_ID.fullmatch(text)
    if match and is_region(match.group(1)):
        return None
    if match and "-" in match.group(1):
        return f"`{text}` does not begin with a region; a user pool ID looks like `eu-west-1_AbCdEf123`"
    return f"`{text}` is not a user pool ID (is it the name?); an ID looks like `eu-west-1_AbCdEf123`"


def client_id(text: str) -> str | None:
    if text.startswith(("http://", "https://")):
        return f"`{text}` is a URL; use the app client ID, such as `1h57kf5cpq17m0eml12EXAMPLE`"
    if not _CLIENT_ID.fullmatch(text):
        return f"`{text}` is not an app client ID; an ID looks like `1h57kf5cpq17m0eml12EXAMPLE`"
    return None


def bucket(text: str) -> str | None:
    """Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""
    if text.startswith("arn:"):
        return f"`{text}` is an ARN; use only the bucket name, `{text.rpartition(':')[2].split('/')[0]}`"
    if text.startswith("s3://"):
        return f"`{text}` is a URL; use only the bucket name, `{text[5:].split('/')[0]}`"
    if "/" in text:
        return f"`{text}` contains `/`; use only the bucket name, and put the folder into `prefix`"
    if not _BUCKET.fullmatch(text) or ".." in text:
        return f"`{text}` is not a bucket name: 3 to 63 lowercase letters, digits, `-` and `.`"
    return None


def prefix(text: str) -> str | None:
    if text.startswith("/"):
        return f"`{text}` begins with `/`; S3 keys have no leading slash: `{text.lstrip('/')}`"
    if text and not text.endswith("/"):
        return f"`{text}` must end with `/`: `{text}/`"
    for letter in "*?$":
        if letter in text:
            return (
                f"`{text}` contains `{letter}`, which is special in IAM policies; use a plain folder such as `users/`"
            )
    if len(text) > 512 or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        return f"`{text[:40]}` is too long or contains control characters; use a plain folder such as `users/`"
    return None


def api_id(text: str) -> str | None:
    if text.startswith(("http://", "https://")) or ".execute-api." in text:
        bare = re.sub(r"^https?://", "", text).split(".")[0]
        return f"`{text}` is an endpoint; use only the API ID, `{bare}`"
    if text.startswith("arn:"):
        return f"`{text}` is an ARN; use only the API ID, such as `a1b2c3d4e5`"
    if not _API_ID.fullmatch(text):
        return f"`{text}` is not an API ID (is it the name?); an ID looks like `a1b2c3d4e5`"
    return None


def region(text: str) -> str | None:
    return None if is_region(text) else f"`{text}` is not a region; a region looks like `eu-west-1`"


def pool_name(text: str) -> str | None:
    """Source: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_CreateIdentityPool.html"""
    if _POOL_NAME.fullmatch(text):
        return None
    return f"`{text[:60]}` is not a valid identity pool name: 1 to 128 letters, digits, spaces and `_+=,.@-`"


def policy_arn(text: str) -> str | None:
    if _POLICY_ARN.fullmatch(text):
        return None
    return f"`{text}` is not the ARN of a managed policy, such as `arn:aws:iam::123456789012:policy/boundary`"


def role_path(text: str) -> str | None:
    """Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    if _ROLE_PATH.fullmatch(text) and len(text) <= 512:
        return None
    return f"`{text}` is not a role path; a path begins and ends with `/`, such as `/app-users/`"


def role_arn(text: str) -> str | None:
    if _ROLE_ARN.fullmatch(text):
        return None
    return f"`{text}` is not a role ARN, such as `arn:aws:iam::123456789012:role/app-users`"


def role_arn_or_name(text: str) -> str | None:
    """The name of a role of the settings, or the ARN of any role."""
    return role_arn(text) if text.startswith("arn:") else name(text)


def name(text: str) -> str | None:
    """The name of a role in the settings, which becomes part of resource names."""
    if _NAME.fullmatch(text):
        return None
    return f"`{text}` is not a valid name: 1 to 32 letters, digits and `-`, such as `editors`"


def name_prefix(text: str) -> str | None:
    """AWS allows 38 characters before the random suffix, and the role's own name needs some of them."""
    if _NAME_PREFIX.fullmatch(text):
        return None
    return f"`{text}` is not a valid name prefix: 1 to 20 letters, digits and `_+=,.@-`, such as `acme-notes-`"


def group(text: str) -> str | None:
    """Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html"""
    if 1 <= len(text) <= 128 and not any(c.isspace() for c in text):
        return None
    return f"`{text}` is not a valid group name: 1 to 128 characters without spaces"


def claim(text: str) -> str | None:
    """Source: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_MappingRule.html"""
    return None if 1 <= len(text) <= 64 else f"`{text[:40]}` is not a valid claim name: 1 to 64 characters"


def anything(text: str) -> str | None:
    return None if len(text) <= 128 else f"`{text[:40]}…` is too long: at most 128 characters"


def kms_key(text: str) -> str | None:
    if _KMS_KEY.fullmatch(text):
        return None
    return f"`{text}` is not a KMS key ARN, such as `arn:aws:kms:eu-west-1:123456789012:key/1234abcd-…`"


def sentence(text: str) -> str | None:
    return None if len(text.strip()) >= 10 else f"`{text}` must be a sentence of 10 characters or more"


def graphql_api(text: str) -> str | None:
    if text.startswith(("http://", "https://")):
        return f"`{text}` is an endpoint; use only the AppSync API ID, such as `2f4ocabc5nhqrlfdoz7example`"
    if not _GRAPHQL_API.fullmatch(text):
        return f"`{text}` is not an AppSync API ID; an ID looks like `2f4ocabc5nhqrlfdoz7example`"
    return None


def graphql_field(text: str) -> str | None:
    if _GRAPHQL_FIELD.fullmatch(text):
        return None
    return f"`{text}` is not a field; use TYPE.FIELD, such as `Query.listNotes` or `Mutation.*`"


def table(text: str) -> str | None:
    """Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html"""
    if text.startswith("arn:"):
        return f"`{text}` is an ARN; use only the name, `{text.rpartition('/')[2]}`"
    if not _TABLE.fullmatch(text):
        return f"`{text}` is not a valid table or index name: 3 to 255 letters, digits, `_`, `-` and `.`"
    return None


def function(text: str) -> str | None:
    if text.startswith("arn:"):
        return f"`{text}` is an ARN; use only the function name, and set `region` and `account` if they differ"
    if not _FUNCTION.fullmatch(text):
        return f"`{text}` is not a valid function name: 1 to 64 letters, digits, `_` and `-`"
    return None


def qualifier(text: str) -> str | None:
    return None if _QUALIFIER.fullmatch(text) else f"`{text}` is not a function version or alias"


def identity_pool_id(text: str) -> str | None:
    if _IDENTITY_POOL_ID.fullmatch(text) and is_region(text.partition(":")[0]):
        return None
    return (
        f"`{text}` is not an identity pool ID (is it the name?); an ID looks like "
        "`eu-west-1:12345678-1234-1234-1234-123456789012`"
    )


def oidc_arn(text: str) -> str | None:
    if text.startswith(("http://", "https://")):
        return f"`{text}` is the issuer URL; use the ARN of the IAM OIDC provider"
    if not _OIDC_ARN.fullmatch(text):
        example = "arn:aws:iam::123456789012:oidc-provider/login.example.com"
        return f"`{text}` is not the ARN of an IAM OIDC provider, such as `{example}`"
    return None


def saml_arn(text: str) -> str | None:
    if _SAML_ARN.fullmatch(text):
        return None
    return f"`{text}` is not the ARN of an IAM SAML provider, such as `arn:aws:iam::123456789012:saml-provider/staff`"


def developer_provider(text: str) -> str | None:
    """Source: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_CreateIdentityPool.html"""
    if _DEVELOPER.fullmatch(text):
        return None
    return f"`{text}` is not a developer provider name: 1 to 100 letters, digits and `_.-`, such as `login.example.app`"


def google_client(text: str) -> str | None:
    if text.endswith(".apps.googleusercontent.com"):
        return None
    return f"`{text}` is not a Google client ID; a client ID ends with `.apps.googleusercontent.com`"


def facebook_app(text: str) -> str | None:
    return None if text.isdecimal() else f"`{text}` is not a Facebook app ID, which is a number"


def apple_services(text: str) -> str | None:
    return None if _APPLE.fullmatch(text) else f"`{text}` is not a Services ID, such as `com.example.app.web`"


def amazon_app(text: str) -> str | None:
    if text.startswith(("amzn1.application.", "amzn1.application-oa2-client.")):
        return None
    return f"`{text}` is not a Login with Amazon app ID; an ID begins with `amzn1.application.`"


def twitter_key(text: str) -> str | None:
    return None if _TWITTER.fullmatch(text) else "is not a consumer key or secret: 10 to 100 letters and digits"


def account(text: str) -> str | None:
    return None if _ACCOUNT.fullmatch(text) else f"`{text}` is not an account ID: 12 digits"


def stage(text: str) -> str | None:
    if _STAGE.fullmatch(text):
        return None
    return f"`{text}` is not a valid stage name; use a name such as `prod`, or `*` for every stage"


def method(text: str) -> str | None:
    if text in _METHODS:
        return None
    if text.upper() in _METHODS:
        return f"`{text}` must be uppercase: `{text.upper()}`"
    return f"`{text}` is not an HTTP method; use GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or `*`"


def path(text: str) -> str | None:
    if text.startswith("http"):
        return f"`{text}` is a URL; use the path within the stage, such as `/notes/*`"
    if text != "*" and not text.startswith("/"):
        return f"`{text}` must begin with `/`: `/{text}`"
    if "${" in text or "?" in text or ":" in text:
        return f"`{text}` contains characters that are special in IAM policies; only `*` is supported as a wildcard"
    return None
