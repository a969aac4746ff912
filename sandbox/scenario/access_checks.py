"""Two users sign in and try what they can and cannot do, with real clients and the credentials of the identity pool.

Each attempt is one row: who tries what, the expected result, and the actual one. An attempt counts as denied only if AWS
refuses it; any other failure is a deviation.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from ..aws import tokens
from ..aws.clients import ACCOUNT
from ..aws.server import Sandbox
from . import account
from .account import AppConfig, OffLimits

PART = 5 * 1024 * 1024
"""The smallest part of a multipart upload that S3 accepts, in bytes."""


class Result(Enum):
    ALLOWED = "allowed"
    DENIED = "denied"
    REFUSED = "refused"


@dataclass(frozen=True)
class AccessCheck:
    """One attempt. `got` is the expected word, or the deviation; `note` shows a value that was checked."""

    who: str
    tries: str
    expected: Result
    got: str
    note: str = ""

    @property
    def ok(self) -> bool:
        return self.got == self.expected.value


@dataclass(frozen=True)
class Person:
    """A user or a guest, with the credentials of the identity pool."""

    name: str
    identity: str
    credentials: tuple[str, str, str]


class Deviation(Exception):
    """An attempt succeeded with the wrong result."""


_DENIED = {"AccessDenied", "AccessDeniedException", "403"}


class AccessChecks:
    """The attempts with one deployed pool."""

    def __init__(self, sandbox: Sandbox, app: AppConfig, off_limits: OffLimits, pool_id: str, provider: str) -> None:
        self._sandbox = sandbox
        self._app = app
        self._off_limits = off_limits
        self._pool_id = pool_id
        self._provider = provider
        self._identity = sandbox.client("cognito-identity", app.region)

    def sign_in(self, name: str) -> Person:
        """Sign a user up and in, and get credentials."""
        if not self._app.user_pools:
            return self.vend(name, self.external_token(name))
        pool, (client, *_) = self._app.user_pools[0]
        account.sign_up(self._sandbox, pool, client, name, self._app.claims, self._app.groups)
        return self.vend(name, account.id_token(self._sandbox, pool, client, name))

    def external_token(self, name: str, subject: str | None = None, ahead: float = 3600) -> str:
        """A token of the provider that is not a user pool, for the app that the identity pool accepts."""
        pool = self._sandbox.identity.pools[self._pool_id]
        developer = pool.config.get("DeveloperProviderName")
        if developer and self._provider.startswith("cognito-identity"):
            answer = self._identity.get_open_id_token_for_developer_identity(
                IdentityPoolId=self._pool_id, Logins={developer: subject or name}
            )
            token: str = answer["Token"]
            if ahead > 0:
                return token
            fake_provider = self._sandbox.identity.fake_provider
            return fake_provider.issue(
                f"https://{self._provider}", answer["IdentityId"], self._pool_id, self._sandbox.now() + ahead, {}
            )
        _, apps = self._sandbox.identity.provider(pool, self._provider)
        expires = self._sandbox.now() + ahead
        fake_provider = self._sandbox.identity.fake_provider
        claims = dict(self._app.claims)
        return fake_provider.issue(f"https://{self._provider}", subject or name, sorted(apps)[0], expires, claims)

    def rows(self) -> Iterator[AccessCheck]:
        """Every attempt, in the order of the table."""
        if not self._provider:
            yield from self._guests(f"{self._app.prefix}somebody/secret.txt")
            return
        a, b = self.sign_in("alice"), self.sign_in("bob")
        s3 = self._sandbox.client("s3", self._app.region, a.credentials)
        admin = self._sandbox.client("s3", self._app.region)
        writing = Result.DENIED if self._app.read_only else Result.ALLOWED
        bucket = self._app.bucket
        folder, others = f"{self._app.prefix}{a.identity}/", f"{self._app.prefix}{b.identity}/"
        admin.put_object(Bucket=bucket, Key=f"{others}secret.txt", Body=b"bob's")
        admin.put_object(Bucket=bucket, Key=f"{folder}old", Body=b"old")

        yield self._row(
            "A", "put a file in A's folder", lambda: s3.put_object(Bucket=bucket, Key=f"{folder}a", Body=b"a"), writing
        )
        yield self._row("A", "get A's file", lambda: _same(s3.get_object(Bucket=bucket, Key=f"{folder}old"), b"old"))
        yield self._row(
            "A", "list A's folder", lambda: _lists(s3.list_objects_v2(Bucket=bucket, Prefix=folder), folder)
        )
        yield self._row("A", "upload a large file in parts", lambda: _multipart(s3, bucket, f"{folder}large"), writing)
        yield self._row("A", "delete A's file", lambda: s3.delete_object(Bucket=bucket, Key=f"{folder}old"), writing)

        key = f"{others}secret.txt"
        yield self._row("A", "get B's file", lambda: s3.get_object(Bucket=bucket, Key=key), Result.DENIED)
        yield self._row(
            "A", "put a file in B's folder", lambda: s3.put_object(Bucket=bucket, Key=key, Body=b""), Result.DENIED
        )
        yield self._row("A", "delete B's file", lambda: s3.delete_object(Bucket=bucket, Key=key), Result.DENIED)
        yield self._row(
            "A",
            "copy B's file into A's folder",
            lambda: s3.copy_object(Bucket=bucket, Key=f"{folder}c", CopySource={"Bucket": bucket, "Key": key}),
            Result.DENIED,
        )
        yield self._row("A", "list B's folder", lambda: s3.list_objects_v2(Bucket=bucket, Prefix=others), Result.DENIED)
        yield self._row("A", "list the whole bucket", lambda: s3.list_objects_v2(Bucket=bucket), Result.DENIED)
        yield self._row(
            "A",
            "put a file in another bucket",
            lambda: s3.put_object(Bucket=self._off_limits.bucket, Key=f"{folder}a", Body=b""),
            Result.DENIED,
        )

        yield self._row("A", "call the app's API", lambda: self._call(a, self._app.api), note=a.identity)
        yield self._row("A", "call another API", lambda: self._call(a, self._off_limits.api), Result.DENIED)

        yield from self._guests(key)
        yield from self._refusals() if self._app.user_pools else self._external_refusals()

    def _guests(self, others: str) -> Iterator[AccessCheck]:
        """Attempts of a guest."""
        allowed = Result.ALLOWED if self._app.guests else Result.REFUSED
        yield self._row("guest", "get credentials", lambda: self.vend("guest", None), allowed)
        if self._app.guests:
            guest = self.vend("guest", None)
            s3 = self._sandbox.client("s3", self._app.region, guest.credentials)
            bucket = self._app.bucket
            yield self._row("guest", "get B's file", lambda: s3.get_object(Bucket=bucket, Key=others), Result.DENIED)
            yield self._row("guest", "list the whole bucket", lambda: s3.list_objects_v2(Bucket=bucket), Result.DENIED)

    def _external_refusals(self) -> Iterator[AccessCheck]:
        """Tokens of a provider that is not a user pool for which the pool issues no credentials."""
        for description, token in (
            ("an expired token", self.external_token("bob", ahead=-60)),
            ("a forged token", _forge(self.external_token("bob"))),
        ):
            yield self._row("anyone", f"get credentials with {description}", self._vending(token), Result.REFUSED)

    def _refusals(self) -> Iterator[AccessCheck]:
        """Tokens of user pools for which the pool issues no credentials."""
        user_pool, (client, *_) = self._app.user_pools[0]
        signed_in = account.id_token(self._sandbox, user_pool, client, "bob")
        account.sign_up(self._sandbox, self._off_limits.user_pool, self._off_limits.client, "mallory")
        other_pool = account.id_token(self._sandbox, self._off_limits.user_pool, self._off_limits.client, "mallory")
        unlisted = account.id_token(self._sandbox, user_pool, self._off_limits.unlisted_client, "bob")
        pool = tokens.user_pool(ACCOUNT, user_pool)
        assert pool is not None
        times = {"iat": int(self._sandbox.now()) - 120, "exp": int(self._sandbox.now()) - 60}
        subject = pool._get_user("bob").id
        expired = tokens.issue(pool, {"sub": subject, "aud": client, "token_use": "id", **times})
        for description, token in (
            ("a token of another user pool", other_pool),
            ("a token of another app client", unlisted),
            ("an expired token", expired),
            ("a forged token", _forge(signed_in)),
        ):
            yield self._row("anyone", f"get credentials with {description}", self._vending(token), Result.REFUSED)

    def _vending(self, token: str) -> Callable[[], Person]:
        return lambda: self.vend("anyone", token)

    def vend(self, name: str, token: str | None) -> Person:
        logins = {"Logins": {self._provider: token}} if token else {}
        identity = self._identity.get_id(IdentityPoolId=self._pool_id, **logins)["IdentityId"]
        keys = self._identity.get_credentials_for_identity(IdentityId=identity, **logins)["Credentials"]
        return Person(name, identity, (keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"]))

    def _call(self, person: Person, api: str) -> None:
        url = f"{self._sandbox.endpoint}/execute-api/{api}/{self._app.stage}/{self._app.path}"
        answer = call_api(url, self._app.api_region, person.credentials, self._app.method)
        identity = answer["requestContext"]["identity"]["cognitoIdentityId"]
        if identity != person.identity:
            raise Deviation(f"the API sees {identity}, not {person.identity}")

    def _row(
        self, who: str, tries: str, attempt: Callable[[], Any], expected: Result = Result.ALLOWED, note: str = ""
    ) -> AccessCheck:
        got = Result.ALLOWED.value
        try:
            attempt()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _DENIED:
                got = Result.DENIED.value
            elif code == "NotAuthorizedException":
                got = Result.REFUSED.value
            else:
                got = f"failed: {code}"
        except Deviation as error:
            got = f"failed: {error}"
        return AccessCheck(who, tries, expected, got, note)


def call_api(url: str, region: str, credentials: tuple[str, str, str], method: str = "GET") -> Any:
    """Call an API with a signature.

    Raises:
        ClientError: the API refuses; its error type is the code.
    """
    request = AWSRequest(method, url)
    SigV4Auth(Credentials(*credentials), "execute-api", region).add_auth(request)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers=dict(request.headers.items()), method=method)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        code = (error.headers.get("x-amzn-ErrorType") or str(error.code)).removesuffix("Exception")
        raise ClientError({"Error": {"Code": code, "Message": error.read().decode()}}, "Invoke") from None


def _same(answer: Any, expected: bytes) -> None:
    if answer["Body"].read() != expected:
        raise Deviation("the file has other content")


def _lists(answer: Any, folder: str) -> None:
    keys = [item["Key"] for item in answer.get("Contents", [])]
    if not keys or not all(key.startswith(folder) for key in keys):
        raise Deviation(f"the listing shows {keys}")


def _multipart(s3: Any, bucket: str, key: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    target = {"Bucket": bucket, "Key": key, "UploadId": upload}
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**target, PartNumber=number, Body=body)["ETag"]}
        for number, body in ((1, b"x" * PART), (2, b"end"))
    ]
    if len(s3.list_parts(**target)["Parts"]) != 2:
        raise Deviation("parts are missing")
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    if s3.head_object(Bucket=bucket, Key=key)["ContentLength"] != PART + 3:
        raise Deviation("the size of the file is not that of its parts")
    abandoned = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=abandoned)


def _forge(token: str) -> str:
    """A token with another subject and the old signature."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["sub"] = "00000000-0000-0000-0000-000000000000"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{header}.{forged}.{signature}"
