"""The process in which a sandbox runs: each has its own, so that several in one test run do not meet."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("program.py")
_STOP_SECONDS = 10


class SandboxError(Exception):
    """The sandbox cannot be set up, and why."""


class Process:
    """A running sandbox. It ends when this process does, however that ends."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        """Start a sandbox.

        Args:
            wanted: what to set up; see `sandbox.cli.hosted`.

        Raises:
            SandboxError: with every problem, one per line.
        """
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - it lives as long
        self._process = subprocess.Popen(
            [sys.executable, str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,  # Ctrl-C is for the test run, which stops the sandbox
        )
        try:
            self.facts = self.ask(wanted)
        except BaseException:
            self.stop()
            raise

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Write a line and read the answer.

        Raises:
            SandboxError: the answer is an error, or there is none.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
        except OSError:
            raise SandboxError(self._ended()) from None
        line = process.stdout.readline()
        if not line:
            raise SandboxError(self._ended())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SandboxError(answer["error"])
        return answer

    def _ended(self) -> str:
        """Why the process ended."""
        self._process.wait(_STOP_SECONDS)
        self._log.seek(0)
        lines = [line.rstrip() for line in self._log if line.strip()]
        return "the sandbox ended" + "".join(f"\n  {line}" for line in lines[-20:])

    def stop(self) -> None:
        """Stop the sandbox; a second time, do nothing."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                with suppress(OSError):  # it has ended by itself
                    stream.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
