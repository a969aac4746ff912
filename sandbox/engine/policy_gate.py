"""Run a program under a policy pack, as the engine does: each resource before it is created, the stack at the end.

A mandatory violation stops the run before the resource is created; advisory ones are collected.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import CommandError
from .in_process import Registration, Run
from .policy_pack import Analyzer, Diagnostic


class PolicyViolation(CommandError):
    """A mandatory rule is violated; the resource was not created."""

    def __init__(self, urn: str | None, diagnostics: list[Diagnostic]) -> None:
        """The resource's URN, or None for the stack as a whole."""
        super().__init__("\n".join(d.text for d in diagnostics))
        self._urn = urn
        self.diagnostics = diagnostics

    @property
    def summary(self) -> str:
        if self._urn is None:
            return "the stack violates the policy pack"
        *_, types, name = self._urn.split("::", 3)
        type_ = types.rpartition("$")[2]
        return f"the policy pack stopped the deployment: `{name}` ({type_}) was not created"


class PolicyGate:
    """A watcher for `in_process.run` that asks a policy pack."""

    def __init__(self, analyzer: Analyzer, announce: Callable[[Registration], None] = lambda _: None) -> None:
        self._analyzer = analyzer
        self._announce = announce
        self.advisories: list[Diagnostic] = []

    def __call__(self, resource: Registration) -> None:
        """Raises: PolicyViolation, before the resource is created."""
        self._judge(resource, self._analyzer.analyze(resource))
        self._announce(resource)

    def finish(self, run: Run) -> None:
        """Check the whole stack.

        Raises:
            PolicyViolation: the stack violates a mandatory rule.
        """
        stack = [(r, run.states.get(r.urn, r.wire)) for r in run.registrations]
        self._judge(None, self._analyzer.analyze_stack(stack))

    def _judge(self, resource: Registration | None, diagnostics: list[Diagnostic]) -> None:
        self.advisories += [d for d in diagnostics if not d.mandatory]
        mandatory = [d for d in diagnostics if d.mandatory]
        if mandatory:
            raise PolicyViolation(resource.urn if resource is not None else None, mandatory)
