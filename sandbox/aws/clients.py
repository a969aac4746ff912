"""boto3 clients of a sandbox, in this process or in another one, that read nothing of the host's AWS configuration."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Protocol

import boto3
import botocore.session
from botocore.config import Config

ACCOUNT = "123456789012"
"""The sandbox's account, moto's default."""

ATTEMPTS = 5
"""The number of attempts for a call that is throttled, gets a server error or no answer; a client waits up to 1, 2, 4 …
seconds between them, as AWS's clients do.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

Credentials = tuple[str, str, str | None]
"""Access key, secret key, and the token of a session."""


class Aws(Protocol):
    """A source of AWS clients."""

    def client(self, service: str, region: str) -> Any:
        """A boto3 client that signs as the deployer."""


class Clients:
    """Clients, each created once."""

    def __init__(self) -> None:
        self._cache: dict[tuple[str, str, str, str], Any] = {}
        self._lock = threading.Lock()

    def get(self, endpoint: str, service: str, region: str, credentials: Credentials) -> Any:
        key, secret, token = credentials
        with self._lock:
            client = self._cache.get((endpoint, service, region, key))
            if client is None:
                client = _session().client(
                    service,
                    region_name=region,
                    endpoint_url=endpoint,
                    aws_access_key_id=key,
                    aws_secret_access_key=secret,
                    aws_session_token=token,
                    config=Config(
                        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                        s3={"addressing_style": "path"},
                        ignore_configured_endpoint_urls=True,
                        proxies={},
                    ),
                )
                self._cache[endpoint, service, region, key] = client
        return client


class Remote:
    """A sandbox that another process serves."""

    def __init__(self, endpoint: str, key: str, secret: str) -> None:
        self._endpoint = endpoint
        self._credentials = (key, secret, None)
        self._clients = Clients()

    def client(self, service: str, region: str) -> Any:
        return self._clients.get(self._endpoint, service, region, self._credentials)


@lru_cache(maxsize=1)
def _session() -> boto3.session.Session:
    """A boto3 session that reads none of the host's profiles and credentials, and no metadata service."""
    core = botocore.session.Session(
        session_vars={
            "profile": (None, ["SCOPED_IDENTITY_NO_PROFILE"], None, None),
            "config_file": (None, None, "/dev/null", None),
            "credentials_file": (None, None, "/dev/null", None),
        }
    )
    return boto3.session.Session(botocore_session=core)
