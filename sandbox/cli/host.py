"""What every command of the sandbox settles with its host: the port of `serve`, and no AWS settings."""

from __future__ import annotations

import argparse
import os

PORT = 4566
"""Port of `serve`, which docs/sandbox.md and the example stack name."""


def port(text: str) -> int:
    """The value of `--port`, for argparse."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"`{text}` is not a port: 0 to 65535")
    return int(text)


def forget_aws() -> None:
    """Remove the host's AWS settings, so that the sandbox cannot reach the host's accounts."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
