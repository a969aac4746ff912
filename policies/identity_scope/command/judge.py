"""The verdict: every rule asked about what was loaded, each finding with the place that it is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..findings.finding import Finding
from ..findings.fix import Fix
from ..inventory.labels import unmarked
from ..inventory.vended import VendedRole
from ..pack.configuration import Config, Exemption
from ..pack.rules import RULES, Level, Rule
from ..pack.session import RolesByDeclaration, judge_rule
from ..pack.settings import Settings
from ..sources.files import Place
from . import samples
from .load import Loaded

_PARAMETER = re.compile(r"--parameter ([A-Za-z0-9]+)=VALUE")
_STATE_IT = "state it in the file, or, if a parameter decides it, give that a value with --parameter NAME=VALUE"
"""What to do about something that nothing will decide, as an update would."""


@dataclass(frozen=True)
class Located:
    """A finding at the level that is set for its rule, and where its statement stands."""

    rule: Rule
    level: Level
    finding: Finding
    place: Place
    document: str = ""
    statement: int | None = None

    @property
    def mandatory(self) -> bool:
        return self.level in (Level.MANDATORY, Level.REMEDIATE)


@dataclass(frozen=True)
class Verdict:
    """What the rules say of one inventory.

    Attributes:
        roles: the vended roles that were judged.
        undecided: what a preview or a plan does not know yet; decided when the change is made.
        exempt: findings that are not reported, each with its exemption.
    """

    loaded: Loaded
    roles: tuple[VendedRole, ...]
    findings: tuple[Located, ...]
    undecided: tuple[Located, ...] = ()
    exempt: tuple[tuple[Located, Exemption], ...] = ()

    @property
    def pools(self) -> int:
        return len(self.loaded.inventory.pools)


def judge(loaded: Loaded, settings: Settings, progress: Callable[[str], None] = lambda _: None) -> Verdict:
    """Ask every rule that is not disabled, of each way that conditions may turn out."""
    first = _judge(loaded, settings, progress)
    found = {(each.rule.name, each.finding.identity): each for each in first.findings}
    more: list[Located] = []
    roles = {role.urn: role for role in first.roles}
    for alternative in loaded.alternatives:
        verdict = _judge(alternative, settings, progress)
        roles = {**{role.urn: role for role in verdict.roles}, **roles}
        for each in verdict.findings:
            cause = each.rule.name, each.finding.identity
            if cause not in found:
                found[cause] = each
                head, *rest = each.finding.text.split("\n")
                text = "\n".join([head, f"  This is so if {alternative.condition}.", *rest])
                more.append(replace(each, finding=replace(each.finding, text=text)))
    return replace(first, findings=tuple(_ordered([*first.findings, *more])), roles=tuple(roles.values()))


def _judge(loaded: Loaded, settings: Settings, progress: Callable[[str], None]) -> Verdict:
    verdict = _asked(loaded, settings, progress)
    if loaded.sampled is None or not verdict.findings:
        return verdict
    sampled = _asked(loaded.sampled, settings, progress)
    parameters = [name for note in loaded.notes for name in _PARAMETER.findall(note.text)]
    with_value = {(each.rule.name, each.finding.identity): each for each in sampled.findings}
    found: list[Located] = []
    for each in verdict.findings:
        other = with_value.pop((each.rule.name, each.finding.identity), None)
        if samples.depends(each.finding, other is not None, loaded.unknown):
            where = f"`{each.document}`" if each.document else ""
            where += f" statement {each.statement + 1}" if where and each.statement is not None else ""
            finding = samples.not_known(each.finding, each.rule.name, where, loaded.unknown, parameters)
            found.append(replace(each, finding=finding))
        else:
            found.append(other or each)
    found = [
        replace(each, finding=samples.named(each.finding, loaded.samples)) for each in (*found, *with_value.values())
    ]
    return replace(verdict, findings=tuple(_ordered(found)))


def _asked(loaded: Loaded, settings: Settings, progress: Callable[[str], None]) -> Verdict:
    roles = RolesByDeclaration(loaded.inventory)
    findings: list[Located] = []
    undecided: list[Located] = []
    exempt: list[tuple[Located, Exemption]] = []
    judged: dict[str, VendedRole] = {}
    for rule in RULES:
        rule_settings = settings.rules[rule.name]
        if rule_settings.level is Level.DISABLED:
            continue
        progress(f"{loaded.name}: {rule.name}")
        config = _with_roles(rule_settings.config, loaded.vended)
        vended = [] if rule.of_pools else roles.of(config.known)
        judged.update({role.urn: role for role in vended})
        judgement = judge_rule(rule, loaded.inventory, vended, config, None)
        for finding in judgement.findings:
            located = _located(loaded, rule, rule_settings.level, finding)
            (undecided if finding.pending and loaded.planned else findings).append(located)
        exempt += [(_located(loaded, rule, rule_settings.level, finding), by) for finding, by in judgement.exempt]
    return Verdict(loaded, tuple(judged.values()), tuple(_ordered(findings)), tuple(undecided), tuple(exempt))


def _with_roles(config: Config, vended: tuple[str, ...]) -> Config:
    return replace(config, known=replace(config.known, vended=(*config.known.vended, *vended)))


def _located(loaded: Loaded, rule: Rule, level: Level, finding: Finding) -> Located:
    if finding.pending and not loaded.planned:
        text = f"not proven: {finding.text} is not known.\n  Fix: {_STATE_IT}."
        finding = replace(finding, text=text, fix=Fix(advice=_STATE_IT))
    document, statement = _statement(loaded, finding)
    return Located(rule, level, finding, loaded.place(finding.urn, document, statement), document, statement)


def _statement(loaded: Loaded, finding: Finding) -> tuple[str, int | None]:
    """The document and the statement that a finding's cause names."""
    resource = loaded.resources.get(finding.urn)
    if resource is None:
        return "", None
    key = finding.key
    if key[0] == "trust":
        labels = [label for label in resource.documents if label.endswith("trust policy")] or list(resource.documents)
        return labels[0] if labels else "", int(key[2]) if key[2:3] and key[2].isdigit() else None
    for part, following in zip(key, (*key[1:], ""), strict=True):
        if unmarked(part) in resource.documents and part != finding.urn:
            return unmarked(part), int(following) if following.isdigit() else None
    return "", None


def _ordered(findings: Sequence[Located]) -> Iterator[Located]:
    """The worst first, then in the order of the files."""
    rules = [rule.name for rule in RULES]
    yield from sorted(
        findings,
        key=lambda f: (not f.mandatory, rules.index(f.rule.name), f.place.file, f.place.line, f.place.column),
    )
