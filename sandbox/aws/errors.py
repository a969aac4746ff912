"""AWS's refusals: an error code, a message and a status, whatever protocol carries them."""

from __future__ import annotations


class AwsError(Exception):
    """A refusal. `code` is AWS's error code, `message` AWS's message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def misconfigured() -> AwsError:
    """What an identity pool reports when it cannot assume the role, whatever STS's reason."""
    return AwsError(
        "InvalidIdentityPoolConfigurationException",
        "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
    )
