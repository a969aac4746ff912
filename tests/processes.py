"""Processes that a test looks after."""

from __future__ import annotations

import os
import time
from pathlib import Path

_SECONDS = 60


def runs(process: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def expect_end(process: int, what: str) -> None:
    """Wait for a process to end; fails if it does not."""
    end = time.monotonic() + _SECONDS
    while runs(process):
        assert time.monotonic() < end, f"{what} still runs"
        time.sleep(0.05)
