"""Work, counted in calls of functions: a clock counts what else the machine does as well."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TooMuchWorkError(BaseException):
    """Not an Exception, which the code under test may handle."""


@contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Stop what is done here after that many calls of functions, of Python or built in."""
    left = calls

    def count(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal left
        if event in ("call", "c_call"):
            left -= 1
            if left < 0:
                sys.setprofile(None)
                raise TooMuchWorkError(f"more than {calls:,} calls")

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
