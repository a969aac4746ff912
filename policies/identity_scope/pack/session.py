"""One run of the engine: what it has registered so far, what has been reported of it, and how the rules are configured.

The rules share one inventory, so that a role is known when the policy that names it comes. A finding is reported once, when
it can first be decided: what was reported about a resource as it is now is left out of the report on the whole stack.

INVARIANT. Nothing that a program registers makes a session forget what is made in AWS; only the engine begins a new one, by
configuring it. A component can have any type and any properties, and makes nothing: what it states does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ..findings.finding import Finding
from ..inventory.inventory import Inventory
from ..inventory.vended import Declared, VendedRole
from ..sources.pulumi import Resource, facts
from ..sources.types import pool_type
from .configuration import Config, Exemption
from .exemptions import without_exempt
from .judges import JUDGES
from .rules import RULES, Level, Rule
from .settings import RuleSettings, Settings

Key = tuple[str, ...]


@dataclass(frozen=True)
class Violation:
    """A finding of a rule, at the level that is set for the rule."""

    rule: Rule
    level: Level
    text: str
    urn: str = ""


@dataclass(frozen=True)
class Notice:
    """What is no violation of a rule: what is decided at update, or exempt; or an error in the configuration."""

    text: str
    urn: str = ""
    error: bool = False


@dataclass
class Report:
    violations: list[Violation] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    not_applicable: list[tuple[Rule, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Judgement:
    """A rule's findings, and those that are exempt, each with its exemption."""

    findings: list[Finding]
    exempt: list[tuple[Finding, Exemption]]


class Session:
    """One run of the engine.

    Args:
        preview: whether nothing is made in this run.
    """

    def __init__(self, settings: Settings, preview: bool = True) -> None:
        self._settings = settings
        self._preview = preview
        self._inventory = self._empty()
        self._provided = False
        """Whether resources come with their providers."""
        self._reported: dict[tuple[str, str], frozenset[Key]] = {}
        """By rule and resource, the causes reported when the resource was last analyzed."""
        self._inputs: dict[str, frozenset[str]] = {}
        """By resource, the properties that the program sets."""
        self._refused: set[str] = set()
        """Configuration errors that have been reported."""

    def resource(self, resource: Resource) -> Report:
        """What the rules say of a resource that is about to be made."""
        report = Report()
        self._report_configuration(report)
        if resource.origin.provider and not self._provided:
            self._provided = True
            # What came before is components.
            self._inventory = self._empty()
            self._reported.clear()
        if self._provided and not resource.origin.provider:
            enabled = [rule for rule, _ in self._decided(report)]
            report.not_applicable += [(rule, "a component makes nothing itself") for rule in enabled]
            return report
        self._inputs[resource.urn] = frozenset(resource.props)
        touched = self._inventory.add(facts(resource))
        only = touched | {resource.urn}
        vends = self._inventory.vends(resource.urn)
        roles = RolesByDeclaration(self._inventory)
        for rule, settings in self._decided(report):
            known = settings.config.known
            self._reported.pop((rule.name, resource.urn), None)
            if rule.of_pools is not pool_type(resource.type_):
                report.not_applicable.append((rule, "the rule does not apply to this resource"))
                continue
            if not rule.of_pools and not vends and not self._inventory.vended(known, touched):
                report.not_applicable.append((rule, "no identity pool is known to vend the role"))
                continue
            vended = [] if rule.of_pools else roles.of(known)
            found = judge_rule(rule, self._inventory, vended, settings.config, only).findings
            earlier = self._earlier(rule) if found else frozenset()
            new = [finding for finding in found if not finding.pending and finding.identity not in earlier]
            report.violations += [Violation(rule, settings.level, finding.text) for finding in new]
            if new:
                self._reported[rule.name, resource.urn] = frozenset(finding.identity for finding in new)
        return report

    def stack(self, resources: Sequence[Resource]) -> Report:
        """What the rules say of the whole stack, less what they have said of its resources."""
        report = Report()
        self._report_configuration(report)
        inventory = Inventory.of(
            facts(replace(resource, inputs=self._inputs.get(resource.urn)))
            for resource in without_components(resources)
        )
        roles = RolesByDeclaration(inventory)
        pending: list[tuple[Rule, Finding]] = []
        for rule, settings in self._decided(report):
            vended = [] if rule.of_pools else roles.of(settings.config.known)
            judgement = judge_rule(rule, inventory, vended, settings.config, None)
            earlier = self._earlier(rule)
            for finding in judgement.findings:
                if finding.pending:
                    pending.append((rule, finding))
                elif finding.identity not in earlier:
                    report.violations.append(Violation(rule, settings.level, finding.text, finding.urn))
            report.notices += _exempt_notices(rule, judgement.exempt)
        if pending:
            report.notices.append(Notice(_decided_at_update(pending)))
        return report

    def _empty(self) -> Inventory:
        inventory = Inventory(whole=False, preview=self._preview)
        for rule in self._settings.rules.values():
            # So that roles which only the configuration knows are asked about.
            inventory.vended(rule.config.known)
        return inventory

    def _decided(self, report: Report) -> Iterator[tuple[Rule, RuleSettings]]:
        """The rules that decide something, with their settings."""
        for rule in RULES:
            settings = self._settings.rules[rule.name]
            if settings.level is Level.DISABLED:
                continue
            if not settings.problems:
                yield rule, settings
            elif rule.name not in self._refused:
                self._refused.add(rule.name)
                report.violations += [
                    Violation(rule, settings.level, f"configuration error, so nothing is proven: {problem}")
                    for problem in settings.problems
                ]

    def _report_configuration(self, report: Report) -> None:
        if "" not in self._refused:
            self._refused.add("")
            report.notices += [Notice(problem, error=True) for problem in self._settings.problems]

    def _earlier(self, rule: Rule) -> frozenset[Key]:
        """The causes that a rule has reported, about resources as they are now."""
        return frozenset(key for (name, _), keys in self._reported.items() if name == rule.name for key in keys)


def without_components(resources: Sequence[Resource]) -> list[Resource]:
    """The resources that have a provider; all, where providers are not told."""
    provided = [resource for resource in resources if resource.origin.provider]
    return provided or list(resources)


class RolesByDeclaration:
    """An inventory's vended roles, resolved once for all rules with equal declarations."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._resolved: list[tuple[Declared, list[VendedRole]]] = []

    def of(self, declared: Declared) -> list[VendedRole]:
        for known, roles in self._resolved:
            if known == declared:
                return roles
        roles = list(self._inventory.vended(declared))
        self._resolved.append((declared, roles))
        return roles


def judge_rule(
    rule: Rule, inventory: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Judgement:
    """A rule's findings, and those that are exempt.

    A proof shows the simplest example, and so a finding that is exempt may stand for one that is not: where something is
    exempt, the rule is asked again without what the exempt resources allow. What was not decided as a whole is exempt where
    it is decided then, or where nothing is left that is not exempt.
    """
    today = date.today()

    def exemption_of(urn: str) -> Exemption | None:
        return config.exemption(urn, today)

    findings: dict[Key, Finding] = {}
    exempt: dict[Key, tuple[Finding, Exemption]] = {}
    undecided: dict[Key, tuple[Finding, Exemption]] = {}
    for finding in _answers(rule, inventory, roles, config, only):
        exemptions = [exemption_of(urn) for urn in sorted(finding.about or {finding.urn})]
        some = next((each for each in exemptions if each is not None), None)
        if some is None:
            findings.setdefault(finding.identity, finding)
        elif None in exemptions:
            undecided.setdefault(finding.identity, (finding, some))
        else:
            exempt.setdefault(finding.identity, (finding, some))
    if exempt or undecided:
        for finding in _answers(
            rule, inventory, without_exempt(roles, lambda urn: exemption_of(urn) is not None), config, only
        ):
            if not all(exemption_of(urn) for urn in finding.about or {finding.urn}):
                findings.setdefault(finding.identity, finding)
    exempt |= {identity: each for identity, each in undecided.items() if identity not in findings}
    return Judgement(list(findings.values()), list(exempt.values()))


def _answers(
    rule: Rule, inventory: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    """A rule's findings. Should the pack itself fail, nothing has been proven, and that is a finding as well."""
    try:
        yield from JUDGES[rule.name](inventory, roles, config, only)
    except Exception as error:
        problem = f"not proven: the rule failed on this input ({type(error).__name__}: {error}); please report it"
        yield Finding("", ("failed", min(only, default="") if only else ""), problem)


def _exempt_notices(rule: Rule, exempt: Iterable[tuple[Finding, Exemption]]) -> Iterator[Notice]:
    for finding, exemption in exempt:
        until = f"exempt until {exemption.expires.isoformat()} ({exemption.reason})"
        yield Notice(f"{rule.name}: {until}: {finding.text.partition(chr(10))[0]}", finding.urn)


def _decided_at_update(pending: Iterable[tuple[Rule, Finding]]) -> str:
    waiting: dict[str, list[str]] = {}
    for rule, finding in pending:
        waiting.setdefault(finding.text, []).append(rule.name)
    return "decided at update: " + "; ".join(f"{text} ({', '.join(rules)})" for text, rules in waiting.items())
