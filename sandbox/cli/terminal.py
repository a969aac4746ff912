"""Output for people: progress, tables, colours. There are no colours in a pipe, or if NO_COLOR is set."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from ..engine.policy_gate import PolicyViolation
from ..engine.policy_pack import Diagnostic
from ..scenario.attempts import AccessCheck


class Terminal:
    """Writes results and progress to standard output, and problems to standard error; quiet under `--json`."""

    def __init__(self, quiet: bool = False) -> None:
        self._out: TextIO = sys.stdout
        self._err: TextIO = sys.stderr
        self._quiet = quiet
        self._open_line = False
        self._colours = "NO_COLOR" not in os.environ and self._out.isatty()

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text

    def green(self, text: str) -> str:
        return self._paint("32", text)

    def red(self, text: str) -> str:
        return self._paint("31", text)

    def bold(self, text: str) -> str:
        return self._paint("1", text)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show a step, and on a terminal its duration."""
        start = time.perf_counter()
        self.say(f"  {what} …", end="" if self._colours else "\n")
        self._open_line = self._colours
        try:
            yield
        except BaseException:
            self._end_line()
            raise
        if self._open_line:
            took = self._paint("2", f"{time.perf_counter() - start:.1f} s")
            self._open_line = False
            self.say(f"\r  {what} {took}\x1b[K")

    def _end_line(self) -> None:
        """Finish the line of a step that waits for its duration."""
        if self._open_line:
            self._open_line = False
            self.say("")

    def say(self, text: str, end: str = "\n") -> None:
        self._end_line()
        if not self._quiet:
            print(text, end=end, file=self._out, flush=True)

    def problem(self, text: str) -> None:
        with suppress(OSError):  # standard error is closed; the exit code remains
            self._end_line()
            print(text, file=self._err, flush=True)

    def cannot_write(self, error: OSError) -> int:
        """Report that standard output is full or closed; the exit code."""
        # The buffered rest must not fail again when the interpreter exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
        if not isinstance(error, BrokenPipeError):
            with suppress(OSError):
                print(f"error: cannot write the report: {error.strerror or error}", file=self._err, flush=True)
        return 1

    def machine(self, value: Mapping[str, Any]) -> None:
        print(json.dumps(value, indent=2), file=self._out, flush=True)

    def outputs(self, outputs: Mapping[str, Any]) -> None:
        self.say(f"\n{self.bold('Outputs')}")
        width = max(map(len, outputs))
        for name, value in outputs.items():
            shown = value if isinstance(value, str) else json.dumps(value)
            self.say(f"  {name:<{width}}  {shown}")
        self.say("")

    def resource(self, type_: str, name: str) -> None:
        """A resource that is about to be created."""
        self.say(f"    + {type_} {name}")

    def advisories(self, diagnostics: Sequence[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.say(f"    {self._paint('33', 'advisory')} {diagnostic.policy}: {diagnostic.text}")

    def violation(self, violation: PolicyViolation) -> None:
        """The findings of mandatory rules."""
        for diagnostic in violation.diagnostics:
            self.problem(f"\n{self.red('policy violation')} {diagnostic.policy} (mandatory)\n  {diagnostic.text}")
        self.problem("")

    def hint(self, required: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        """The policy pack's config for what the stack declares as shared, if the pack does not have it."""
        missing = {rule: settings for rule, settings in required.items() if rule not in config}
        if missing:
            self.problem(
                "the stack's config declares this access; to allow it, review this configuration of the policy pack, and "
                "pass it in a file: --policy-pack-config FILE, or make up PACK_CONFIG=FILE"
            )
            self.problem(json.dumps(missing, indent=2))

    def table(self, rows: Sequence[AccessCheck]) -> None:
        heads = ("who", "tries", "expected", "got")
        lines = [(r.who, r.tries, r.expected.value, r.got) for r in rows]
        widths = [max(len(line[i]) for line in [heads, *lines]) for i in range(4)]
        self.say(self.bold("  ".join(h.ljust(w) for h, w in zip(heads, widths, strict=True)).rstrip()))
        for row, line in zip(rows, lines, strict=True):
            cells = "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True))
            mark = self.green("✓") if row.ok else self.red("✗")
            note = f"  {row.note}" if row.note else ""
            self.say(f"{self.green(cells) if row.ok else self.red(cells)} {mark}{note}")
