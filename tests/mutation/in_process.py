"""A pytest plugin that runs the pack within the test's own process.

Mutation testing swaps functions in one process; a pack that runs in a process of its own would be out of its sight. The
messages and the servicer are the same, only the socket between them is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from policies.identity_scope.pack import crossguard
from sandbox.engine import policy_pack


class InProcess(policy_pack.Analyzer):
    """The pack's servicer, called directly."""

    def __init__(self, folder: Path, python: str = "", command: Sequence[str] | None = None) -> None:
        servicer = crossguard.Analyzer()
        methods = ("Analyze", "AnalyzeStack", "Remediate", "GetAnalyzerInfo", "Configure")
        stub: Any = SimpleNamespace(**{name: _unary(getattr(servicer, name)) for name in methods})
        self._stub = stub

    def close(self) -> None:
        pass


def _unary(method: Any) -> Any:
    return lambda request, timeout: method(request, None)


def pytest_runtest_setup() -> None:
    """Forget what earlier tests have left in caches: mutants are forked from a process that has run them all."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("policies.", "components.")):
            for each in list(vars(module).values()):
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


policy_pack.Analyzer = InProcess  # type: ignore[misc]
