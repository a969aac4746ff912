"""Run a program under a policy pack, as the engine does: each resource before it is made, the stack at the end.

A mandatory violation stops the run before the resource exists; advisories are collected for the report.
"""

from __future__ import annotations

from collections.abc import Callable

from .in_process import Registration, Run
from .policy_pack import Analyzer, Diagnostic


class PolicyViolation(Exception):
    """A mandatory rule is violated; the resource that it is about was not made."""

    def __init__(self, resource: Registration | None, diagnostics: list[Diagnostic]) -> None:
        super().__init__("\n".join(d.text for d in diagnostics))
        self.resource = resource
        self.diagnostics = diagnostics


class PolicyGate:
    """A watcher for `program.run` that asks a pack."""

    def __init__(self, analyzer: Analyzer, announce: Callable[[Registration], None] = lambda _: None) -> None:
        self._analyzer = analyzer
        self._announce = announce
        self.advisories: list[Diagnostic] = []

    def __call__(self, resource: Registration) -> None:
        """Raises: PolicyViolation, before the resource is made."""
        self._judge(resource, self._analyzer.analyze(resource))
        self._announce(resource)

    def finish(self, run: Run) -> None:
        """Ask about the whole stack.

        Raises:
            PolicyViolation: the stack as it is violates a mandatory rule.
        """
        stack = [(r, run.states.get(r.urn, r.wire)) for r in run.registrations]
        self._judge(None, self._analyzer.analyze_stack(stack))

    def _judge(self, resource: Registration | None, diagnostics: list[Diagnostic]) -> None:
        self.advisories += [d for d in diagnostics if not d.mandatory]
        mandatory = [d for d in diagnostics if d.mandatory]
        if mandatory:
            raise PolicyViolation(resource, mandatory)
