"""A user who has signed in, with the credentials of the identity pool."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from botocore.exceptions import ClientError

from .clients import Credentials, client

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "Forbidden", "403"})


class NotDenied(AssertionError):
    """A call that should have been denied was allowed, or failed for another reason."""


@dataclass(frozen=True)
class User:
    """A user or a guest.

    Attributes:
        id_token: of the user pool; empty for a guest.
        credentials: access key, secret key and session token.
        api: the app's API.
    """

    name: str
    identity_id: str
    credentials: Credentials
    id_token: str
    endpoint: str
    region: str
    api: Api

    def client(self, service: str) -> Any:
        """A boto3 client with the user's credentials."""
        return client(self.endpoint, service, self.region, self.credentials)

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    def expect_denied(self, call: Callable[..., Any], *args: Any, **parameters: Any) -> str:
        """Make a call that IAM must deny; AWS's message.

        Raises:
            NotDenied: the call was allowed, or failed for another reason.
        """
        name = getattr(call, "__name__", "the call")
        try:
            call(*args, **parameters)
        except ClientError as error:
            found = error.response.get("Error", {})
            if str(found.get("Code")) in _DENIED:
                return str(found.get("Message"))
            raise NotDenied(f"{name} of {self.name} was not denied, but failed: {error}") from error
        raise NotDenied(f"{name} of {self.name} was allowed: {parameters or args}")


@dataclass(frozen=True)
class Api:
    """An API whose methods require AWS_IAM. A response shows the caller as a Lambda proxy handler sees it."""

    url: str
    region: str
    credentials: Credentials

    def request(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Call the API; the response's JSON.

        Raises:
            ClientError: the API refuses.
        """
        url = f"{self.url}/{quote(path.lstrip('/'), safe='/-_.~')}"
        signed = AWSRequest(method, url, data=body)
        SigV4Auth(BotoCredentials(*self.credentials), "execute-api", self.region).add_auth(signed)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(url, body, dict(signed.headers.items()), method=method)
        try:
            with opener.open(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            message = json.load(error).get("message", "")
            raise ClientError({"Error": {"Code": str(error.code), "Message": message}}, f"{method} {path}") from None

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def post(self, path: str, body: bytes = b"") -> Any:
        return self.request("POST", path, body)
