"""Two users sign in and try what they can and cannot do, with real clients and the credentials of the identity pool.

Each attempt is one row: who tries what, the expected result, and the actual one. An attempt counts as denied only if AWS
refuses it; any other failure is a deviation.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from ..aws import tokens
from ..aws.clients import ACCOUNT
from ..aws.server import Sandbox
from . import account, claim_checks
from .account import AppConfig, OffLimits
from .attempts import AccessCheck, Deviation, Person, Result

PART = 5 * 1024 * 1024
"""The smallest part of a multipart upload that S3 accepts, in bytes."""


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

    def sign_in(self, name: str, tenant: str | None = None, claims: Sequence[tuple[str, str]] = ()) -> Person:
        """Sign a user up and in, and get credentials.

        Args:
            tenant: the user's tenant, if the app has tenants; each user is a tenant unless it is given.
            claims: attributes that the user sets.
        """
        tenants = [(self._app.tenant_claim, tenant or f"tenant-of-{name}")] if self._app.tenant_claim else []
        if not self._app.user_pools:
            return self.vend(name, self.external_token(name, claims=tenants))
        pool, (client, *_) = self._app.user_pools[0]
        every = (*self._app.claims, *claims)
        account.sign_up(self._sandbox, pool, client, name, every, self._app.groups, tenants)
        return self.sign_in_again(name)

    def sign_in_again(self, name: str) -> Person:
        """A user of a user pool who has signed up, with a new token and new credentials."""
        pool, (client, *_) = self._app.user_pools[0]
        return self.vend(name, account.id_token(self._sandbox, pool, client, name))

    def folder(self, person: Person) -> str:
        """The folder of a user, as a client computes it."""
        name = person.claims[self._app.folder_claim] if self._app.folder_claim else person.identity
        return f"{self._app.prefix}{name}/"

    def external_token(
        self, name: str, subject: str | None = None, ahead: float = 3600, claims: Sequence[tuple[str, str]] = ()
    ) -> str:
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
        every = dict((*self._app.claims, *claims))
        return fake_provider.issue(f"https://{self._provider}", subject or name, sorted(apps)[0], expires, every)

    def rows(self) -> Iterator[AccessCheck]:
        """Every attempt, in the order of the table."""
        if not self._provider:
            yield from self._guests(f"{self._app.prefix}somebody/secret.txt")
            return
        a, b = self.sign_in("alice"), self.sign_in("bob", claims=[("email", claim_checks.EMAIL)])
        s3 = self._sandbox.client("s3", self._app.region, a.credentials)
        admin = self._sandbox.client("s3", self._app.region)
        writing = Result.DENIED if self._app.read_only else Result.ALLOWED
        bucket = self._app.bucket
        folder, others = self.folder(a), self.folder(b)
        admin.put_object(Bucket=bucket, Key=f"{others}secret.txt", Body=b"bob's")
        admin.put_object(Bucket=bucket, Key=f"{folder}old", Body=b"old")

        yield self.row(
            "A", "put a file in A's folder", lambda: s3.put_object(Bucket=bucket, Key=f"{folder}a", Body=b"a"), writing
        )
        yield self.row("A", "get A's file", lambda: _same(s3.get_object(Bucket=bucket, Key=f"{folder}old"), b"old"))
        yield self.row("A", "list A's folder", lambda: _lists(s3.list_objects_v2(Bucket=bucket, Prefix=folder), folder))
        yield self.row("A", "upload a large file in parts", lambda: _multipart(s3, bucket, f"{folder}large"), writing)
        yield self.row("A", "delete A's file", lambda: s3.delete_object(Bucket=bucket, Key=f"{folder}old"), writing)

        key = f"{others}secret.txt"
        yield self.row("A", "get B's file", lambda: s3.get_object(Bucket=bucket, Key=key), Result.DENIED)
        yield self.row(
            "A", "put a file in B's folder", lambda: s3.put_object(Bucket=bucket, Key=key, Body=b""), Result.DENIED
        )
        yield self.row("A", "delete B's file", lambda: s3.delete_object(Bucket=bucket, Key=key), Result.DENIED)
        yield self.row(
            "A",
            "copy B's file into A's folder",
            lambda: s3.copy_object(Bucket=bucket, Key=f"{folder}c", CopySource={"Bucket": bucket, "Key": key}),
            Result.DENIED,
        )
        yield self.row("A", "list B's folder", lambda: s3.list_objects_v2(Bucket=bucket, Prefix=others), Result.DENIED)
        yield self.row("A", "list the whole bucket", lambda: s3.list_objects_v2(Bucket=bucket), Result.DENIED)
        yield self.row(
            "A",
            "put a file in another bucket",
            lambda: s3.put_object(Bucket=self._off_limits.bucket, Key=f"{folder}a", Body=b""),
            Result.DENIED,
        )

        yield self.row("A", "call the app's API", lambda: self._call(a, self._app.api), note=a.identity)
        yield self.row("A", "call another API", lambda: self._call(a, self._off_limits.api), Result.DENIED)

        if self._app.folder_claim:
            yield from claim_checks.ClaimChecks(self, self._sandbox, self._app, self._pool_id, self._provider).rows(
                a, b
            )
        yield from self._guests(key)
        yield from self._refusals() if self._app.user_pools else self._external_refusals()

    def _guests(self, others: str) -> Iterator[AccessCheck]:
        """Attempts of a guest."""
        allowed = Result.ALLOWED if self._app.guests else Result.REFUSED
        yield self.row("guest", "get credentials", lambda: self.vend("guest", None), allowed)
        if self._app.guests:
            guest = self.vend("guest", None)
            s3 = self._sandbox.client("s3", self._app.region, guest.credentials)
            bucket = self._app.bucket
            yield self.row("guest", "get B's file", lambda: s3.get_object(Bucket=bucket, Key=others), Result.DENIED)
            yield self.row("guest", "list the whole bucket", lambda: s3.list_objects_v2(Bucket=bucket), Result.DENIED)

    def _external_refusals(self) -> Iterator[AccessCheck]:
        """Tokens of a provider that is not a user pool for which the pool issues no credentials."""
        for description, token in (
            ("an expired token", self.external_token("bob", ahead=-60)),
            ("a forged token", _forge(self.external_token("bob"))),
        ):
            yield self.row("anyone", f"get credentials with {description}", self._vending(token), Result.REFUSED)

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
            yield self.row("anyone", f"get credentials with {description}", self._vending(token), Result.REFUSED)

    def _vending(self, token: str) -> Callable[[], Person]:
        return lambda: self.vend("anyone", token)

    def vend(self, name: str, token: str | None) -> Person:
        logins = {"Logins": {self._provider: token}} if token else {}
        identity = self._identity.get_id(IdentityPoolId=self._pool_id, **logins)["IdentityId"]
        keys = self._identity.get_credentials_for_identity(IdentityId=identity, **logins)["Credentials"]
        credentials = (keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
        return Person(name, identity, credentials, _payload(token) if token else {})

    def _call(self, person: Person, api: str) -> None:
        url = f"{self._sandbox.endpoint}/execute-api/{api}/{self._app.stage}/{self._app.path}"
        answer = call_api(url, self._app.api_region, person.credentials, self._app.method)
        identity = answer["requestContext"]["identity"]["cognitoIdentityId"]
        if identity != person.identity:
            raise Deviation(f"the API sees {identity}, not {person.identity}")

    def row(
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
    header, _, signature = token.split(".")
    claims = _payload(token)
    claims["sub"] = "00000000-0000-0000-0000-000000000000"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{header}.{forged}.{signature}"


def _payload(token: str) -> dict[str, Any]:
    """The claims of a token, as a client reads them."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
