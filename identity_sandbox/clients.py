"""boto3 clients of a sandbox, which read nothing of the host's AWS configuration."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

Credentials = tuple[str, str, str | None]
"""Access key, secret key, and the token of a session."""


def client(endpoint: str, service: str, region: str, credentials: Credentials, attempts: int = 1) -> Any:
    """A boto3 client of a sandbox."""
    key, secret, token = credentials
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "path"},
        signature_version="s3v4" if service == "s3" else None,
        ignore_configured_endpoint_urls=True,
        proxies={},
    )
    return _session().client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=config,
    )


@lru_cache(maxsize=1)
def _session() -> boto3.session.Session:
    core = botocore.session.Session(
        session_vars={
            "profile": (None, ["IDENTITY_SANDBOX_NO_PROFILE"], None, None),
            "config_file": (None, None, "/dev/null", None),
            "credentials_file": (None, None, "/dev/null", None),
        }
    )
    return boto3.session.Session(botocore_session=core)
