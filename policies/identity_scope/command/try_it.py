"""The command that asks a finding's example again, to paste into a shell."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from .explain import ANONYMOUS
from .judge import Located, Verdict

TryIt = Callable[[Verdict, Located], str]
"""The command for a finding; empty where there is none to give."""


@dataclass(frozen=True)
class Again:
    """How the input was named, so that `explain` reads the same."""

    options: argparse.Namespace

    def __call__(self, verdict: Verdict, finding: Located) -> str:
        example = finding.finding.example
        if example is None or not example.exists:
            return ""
        paths = [verdict.loaded.name] if self.options.each else list(self.options.paths)
        settings = [word for given in self.options.parameter for word in ("--parameter", given)]
        for name in ("config", "region", "account"):
            value = getattr(self.options, name)
            settings += [f"--{name}", value] if value and value != self.options.defaults.get(name) else []
        words = [*(f"./{path}" if path.startswith("-") else path for path in paths), *settings]
        words += [word for key, value in example.tags for word in ("--tag", f"{key}={value}")]
        words += ["--identity", example.identity or ANONYMOUS, "--request", example.request]
        if "-" in paths or not all(word.isprintable() for word in words):
            return ""
        return shlex.join(["identity-scope", "explain", *words])
