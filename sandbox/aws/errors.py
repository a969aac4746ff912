"""AWS's refusals: an error code, a message and a status, whatever protocol carries them."""

from __future__ import annotations


class AwsError(Exception):
    """A refusal. `code` is AWS's error code, `message` AWS's message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
