"""What AWS verifies of a request is verified: forms, presigned URLs, chunks, uploads, sessions, and types of parameters."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox.aws import models
from sandbox.aws.server import Sandbox
from sandbox.aws.sessions import Session
from tests.conftest import refusal

REGION, BUCKET = "us-east-1", "notes"
FOLDER = f"{REGION}:00000000-0000-4000-8000-00000000000a/"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
ALLOWED = {
    "Effect": "Allow",
    "Action": ["s3:PutObject", "s3:GetObject"],
    "Resource": f"arn:aws:s3:::{BUCKET}/{FOLDER}*",
}


class User:
    """A session whose role may read and write one folder."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.iam, self.admin = sandbox.client("iam", REGION), sandbox.client("s3", REGION)
        self.make_role()
        self.admin.create_bucket(Bucket=BUCKET)
        self.session = self._session()
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, signature_version="s3v4")
        self.s3 = boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=sandbox.endpoint,
            config=config,
            aws_access_key_id=self.session.access_key,
            aws_secret_access_key=self.session.secret,
            aws_session_token=self.session.token,
        )

    def make_role(self) -> None:
        self.iam.create_role(RoleName="user", AssumeRolePolicyDocument=TRUST)
        self.allow(ALLOWED)

    def allow(self, *statements: dict[str, Any]) -> None:
        """Replace the role's policy."""
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.iam.put_role_policy(RoleName="user", PolicyName="folder", PolicyDocument=policy)

    def _session(self) -> Session:
        role = self.iam.get_role(RoleName="user")["Role"]
        values = {"access_key": "ASIAUSER000000000000", "secret": "secret", "token": "token", "expires": 4e9}
        session = Session(
            **values,  # type: ignore[arg-type]
            identity=FOLDER[:-1],
            pool=f"{REGION}:pool",
            issuer="cognito-identity.amazonaws.com",
            amr=("authenticated",),
            role_arn=role["Arn"],
            role_id=role["RoleId"],
            provider="",
        )
        self.sandbox.identity.sessions[session.access_key] = session
        return session

    def send(self, method: str, url: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox.port, timeout=10)
        path = url.removeprefix(self.sandbox.endpoint)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def call_api(self, api: str) -> tuple[int, bytes]:
        request = AWSRequest("GET", f"{self.sandbox.endpoint}/execute-api/{api}/dev/notes")
        credentials = Credentials(self.session.access_key, self.session.secret, self.session.token)
        SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
        return self.send("GET", request.url, **dict(request.headers.items()))

    def post(self, key: str, changes: dict[str, str | None] | None = None, file: bytes = b"file") -> int:
        """Upload with a form that allows keys of the folder; some of its fields changed."""
        conditions = [["starts-with", "$key", FOLDER], ["content-length-range", 0, 10]]
        form = self.s3.generate_presigned_post(BUCKET, f"{FOLDER}${{filename}}", None, conditions, 60)
        fields = {
            **form["fields"],
            "key": key,
            **{name.replace("_", "-"): value for name, value in (changes or {}).items()},
        }
        parts = [f'name="{name}"\r\n\r\n{value}' for name, value in fields.items() if value is not None]
        parts.append(f'name="file"; filename="f.txt"\r\n\r\n{file.decode()}')
        body = "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts) + "--b--\r\n"
        path = urlsplit(form["url"]).path
        return self.send("POST", path, body.encode(), Content_Type="multipart/form-data; boundary=b")[0]


@pytest.fixture
def user() -> Iterator[User]:
    with Sandbox().running() as sandbox:
        yield User(sandbox)


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return refusal(error.value)


def test_a_form_uploads_what_its_policy_allows(user: User) -> None:
    assert user.post(f"{FOLDER}${{filename}}") == 204
    assert user.s3.get_object(Bucket=BUCKET, Key=f"{FOLDER}f.txt")["Body"].read() == b"file"


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("other/x", {}),
        (f"{FOLDER}x", {"acl": "public-read"}),
        (f"{FOLDER}x", {"x_amz_storage_class": "GLACIER"}),
        (f"{FOLDER}x", {"x_amz_signature": "0" * 64}),
        (f"{FOLDER}x", {"x_amz_signature": None}),
        (f"{FOLDER}x", {"policy": "e30="}),
        (f"{FOLDER}x", {"x_amz_security_token": "other"}),
    ],
)
def test_a_form_that_its_policy_does_not_allow_is_refused(user: User, key: str, changes: dict[str, str | None]) -> None:
    assert user.post(key, changes) in (400, 403)
    assert "Contents" not in user.admin.list_objects_v2(Bucket=BUCKET)


def test_a_form_has_a_file_of_the_size_that_its_policy_allows(user: User) -> None:
    assert user.post(f"{FOLDER}x", file=b"x" * 11) == 400


def test_a_forms_signer_needs_the_permission(user: User) -> None:
    user.iam.delete_role_policy(RoleName="user", PolicyName="folder")
    assert user.post(f"{FOLDER}x") == 403


def presigned(user: User, **parameters: Any) -> str:
    return str(
        user.s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": f"{FOLDER}p"}, **parameters)
    )


def test_a_presigned_url_signs_only_what_it_signs(user: User) -> None:
    url = presigned(user)
    assert user.send("PUT", url, b"x", x_amz_acl="public-read")[0] == 403
    assert user.send("PUT", url, b"x", x_amz_copy_source=f"{BUCKET}/other")[0] == 403
    assert user.send("PUT", f"{url}&acl", b"x")[0] == 403
    assert user.send("GET", url)[0] == 403
    assert user.send("PUT", url, b"x")[0] == 200


def test_a_presigned_url_is_valid_for_a_week_at_most(user: User) -> None:
    assert user.send("PUT", presigned(user, ExpiresIn=604800), b"x")[0] == 200
    assert user.send("PUT", presigned(user, ExpiresIn=604801), b"x")[0] == 400


def test_a_checksum_in_a_presigned_url_is_of_no_body(user: User) -> None:
    """The SDK for JavaScript signs the checksum of an empty body; S3 ignores it."""
    parameters = {"Bucket": BUCKET, "Key": f"{FOLDER}p", "ChecksumCRC32": "AAAAAA=="}
    url = user.s3.generate_presigned_url("put_object", Params=parameters)
    if "x-amz-checksum-crc32=" in url.lower():
        assert user.send("PUT", url, b"x")[0] == 200


def test_an_upload_belongs_to_its_key(user: User) -> None:
    upload = user.admin.create_multipart_upload(Bucket=BUCKET, Key="other/x")["UploadId"]
    parameters = {"Bucket": BUCKET, "Key": f"{FOLDER}x", "UploadId": upload}
    assert refused(user.s3.upload_part, PartNumber=1, Body=b"x", **parameters) == "NoSuchUpload"


@pytest.mark.parametrize(
    "headers",
    [
        {"ACL": "public-read"},
        {"GrantRead": "uri=http://acs.amazonaws.com/groups/global/AllUsers"},
        {"Tagging": "a=b"},
        {"ObjectLockLegalHoldStatus": "ON"},
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "00000000-0000-4000-8000-000000000000"},
    ],
)
def test_what_a_header_sets_needs_its_own_permission(user: User, headers: dict[str, str]) -> None:
    for call in (user.s3.put_object, user.s3.create_multipart_upload):
        assert refused(call, Bucket=BUCKET, Key=f"{FOLDER}x", **headers) == "AccessDenied"


@pytest.mark.parametrize(
    "query", ["versionId=", "versionId", "retention", "torrent", "acl&tagging", "policy", "x-id=PutObject"]
)
def test_a_sub_resource_is_no_plain_object(user: User, query: str) -> None:
    user.s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}x", Body=b"content")
    assert _signed_with(user, "") == (200, b"content")
    status, body = _signed_with(user, query)
    assert status in (400, 403)
    assert b"SignatureDoesNotMatch" not in body
    assert b"content" not in body


def _signed_with(user: User, query: str) -> tuple[int, bytes]:
    """A GET of the user's own object with more in its query, which the user has signed."""

    request = AWSRequest("GET", f"{user.sandbox.endpoint}/{BUCKET}/{quote(FOLDER)}x?{query}")
    session = user.session
    S3SigV4Auth(Credentials(session.access_key, session.secret, session.token), "s3", REGION).add_auth(request)
    headers = dict(request.headers.items())
    connection = http.client.HTTPConnection("127.0.0.1", user.sandbox.port, timeout=10)
    connection.request("GET", request.url.removeprefix(user.sandbox.endpoint), headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_session_ends_with_its_role_even_if_one_of_the_name_is_made_again(user: User) -> None:
    user.s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}x")
    user.iam.delete_role_policy(RoleName="user", PolicyName="folder")
    user.iam.delete_role(RoleName="user")
    assert refused(user.s3.put_object, Bucket=BUCKET, Key=f"{FOLDER}x") == "InvalidClientTokenId"
    user.make_role()
    assert refused(user.s3.put_object, Bucket=BUCKET, Key=f"{FOLDER}x") == "InvalidClientTokenId"


IDP, IDENTITY = "AWSCognitoIdentityProviderService", "AWSCognitoIdentityService"
VALUES = ["null", "1", "-1", "1e400", "true", '""', '"x"', "[]", "[1]", "{}", '{"a":1}', '"\\ud800"', "NaN", "9" * 400]


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (f"{IDENTITY}.GetId", ["IdentityPoolId", "Logins", "AccountId"]),
        (f"{IDENTITY}.GetCredentialsForIdentity", ["IdentityId", "Logins", "CustomRoleArn"]),
        (f"{IDENTITY}.UnlinkIdentity", ["IdentityId", "Logins", "LoginsToRemove"]),
        (f"{IDP}.InitiateAuth", ["AuthFlow", "ClientId", "AuthParameters"]),
        (f"{IDP}.RespondToAuthChallenge", ["ClientId", "ChallengeName", "Session", "ChallengeResponses"]),
        (f"{IDP}.SignUp", ["ClientId", "Username", "Password", "UserAttributes"]),
        (f"{IDP}.ConfirmSignUp", ["ClientId", "Username", "ConfirmationCode"]),
        (f"{IDP}.GetUser", ["AccessToken"]),
        (f"{IDP}.VerifySoftwareToken", ["AccessToken", "Session", "UserCode"]),
    ],
)
def test_wrong_types_are_the_clients_error(
    user: User, caplog: pytest.LogCaptureFixture, target: str, names: list[str]
) -> None:
    """In the service's own form, with nothing in the log, and nothing kept."""
    kept = len(user.sandbox.identity.identities), len(user.sandbox.identity.sessions)
    with caplog.at_level(logging.WARNING):
        for name in names:
            for value in VALUES:
                rest = ",".join(f'"{other}":"x"' for other in names if other != name)
                body = f'{{"{name}":{value}{"," if rest else ""}{rest}}}'.encode()
                headers = {"X_Amz_Target": target, "Content_Type": "application/x-amz-json-1.1"}
                status, answer = user.send("POST", "/", body, **headers)
                assert status == 400, (body, answer)
                assert json.loads(answer)["__type"].endswith("Exception")
    assert caplog.records == []
    assert kept == (len(user.sandbox.identity.identities), len(user.sandbox.identity.sessions))


def test_names_of_an_expression_are_what_they_look_like(user: User) -> None:
    """A name without `#` would rename an attribute for the authorizer alone."""
    call = user.sandbox.client("dynamodb", REGION).query
    parameters = {"KeyConditionExpression": "owner = :o", "ExpressionAttributeValues": {":o": {"S": "a"}}}
    assert (
        refused(call, TableName="rows", ExpressionAttributeNames={"owner": "x"}, **parameters) == "ValidationException"
    )


def test_names_of_no_operation_are_not_kept(user: User) -> None:
    kept = models._operation_model.cache_info().currsize
    for number in range(20):
        headers = {"X_Amz_Target": f"{IDP}.Attack{number}", "Content_Type": "application/x-amz-json-1.1"}
        assert user.send("POST", "/", b"{}", **headers)[0] == 400
    assert models._operation_model.cache_info().currsize == kept
