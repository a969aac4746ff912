"""The edge to CrossGuard: policies of the SDK that ask the rules.

The SDK hands each rule the same resource anew; they share one memory of what has been analysed in this process, so that a
role is known when the policy that names it comes. A finding is reported once, by the first half that can decide it: the
stack half leaves out what the resource half has said about a resource as it is now.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as SdkSeverity
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from ..inventory.accounts import Origin
from ..inventory.facts import UNKNOWN
from ..inventory.inventory import Inventory
from ..inventory.vended import VendedRole
from ..sources.pulumi import Resource, facts, origin, pool_type, relevant
from .configuration import SCHEMAS, Config, ConfigError, read
from .rules import RULES, Finding, Rule

PACK = "identity-scope"
PAGES = "policies/README.md"
"""Where each rule has a page, from the project's root."""
IN_STACK = "-in-stack"
ROOT = "pulumi:pulumi:Stack"
"""The first resource of every program."""


@dataclass
class Memory:
    """What this process has seen and said.

    `said` holds, by rule and resource, the causes reported when the resource was analysed last.
    """

    estate: Inventory = field(default_factory=Inventory)
    said: dict[tuple[str, str], frozenset[tuple[str, ...]]] = field(default_factory=dict)
    configs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    inputs: dict[str, frozenset[str]] = field(default_factory=dict)
    """By resource, the properties that the program sets."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def known(self, rule: Rule, besides: str = "") -> frozenset[tuple[str, ...]]:
        """Causes that a rule's resource half has reported, about resources as they are now."""
        return frozenset(
            key for (name, urn), keys in self.said.items() if name == rule.name and urn != besides for key in keys
        )

    def forget(self) -> None:
        """A program begins: what an earlier one in the same process registered is no longer known to exist."""
        self.estate = Inventory()
        self.said.clear()
        self.inputs.clear()


def run() -> None:
    """Serve the pack; blocks until the engine is done."""
    PolicyPack(name=PACK, enforcement_level=EnforcementLevel.ADVISORY, policies=policies(Memory()))


def policies(memory: Memory) -> list[Policy]:
    """All policies, resource halves first."""
    found: list[Policy] = [_resource_policy(rule, memory) for rule in RULES]
    found += [_stack_policy(rule, memory) for rule in RULES if rule.halves]
    return found


def _about(rule: Rule, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": rule.description,
        "enforcement_level": EnforcementLevel(rule.level.value),
        "severity": SdkSeverity(rule.severity.value),
        "config_schema": PolicyConfigSchema(properties=SCHEMAS[rule.name]),
        "tags": list(rule.tags),
        "remediation_steps": rule.remedy,
        "url": f"{PAGES}#{rule.name}",
    }


def _resource_policy(rule: Rule, memory: Memory) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type == ROOT:
            with memory.lock:
                memory.forget()
        elif relevant(args.resource_type):
            with memory.lock:
                _validate_resource(rule, memory, args, report)
        memory.configs[rule.name] = args.get_config()

    return ResourceValidationPolicy(validate=validate, remediate=_REMEDIES.get(rule.name), **_about(rule, rule.name))


def _stack_policy(rule: Rule, memory: Memory) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        with memory.lock:
            _validate_stack(rule, memory, args, report)

    return StackValidationPolicy(validate=validate, **_about(rule, f"{rule.name}{IN_STACK}"))


def _validate_resource(rule: Rule, memory: Memory, args: ResourceValidationArgs, report: ReportViolation) -> None:
    if not rule.halves and not pool_type(args.resource_type):
        return
    props = plain(args.props)
    memory.inputs[args.urn] = frozenset(props)
    resource = Resource(args.urn, args.resource_type, args.name, props, origin=_origin(args, props))
    touched = memory.estate.add(facts(resource))
    said = (rule.name, args.urn)
    memory.said.pop(said, None)
    config = _config(rule, args.get_config(), report, None)
    if config is None or config.exempt(args.urn, date.today()):
        return
    only = touched | {args.urn}
    vends = memory.estate.vends(args.urn)
    if rule.halves and not vends and not memory.estate.vended(config.known, touched):
        return
    roles = memory.estate.vended(config.known) if rule.halves else []
    found = list(_judged(rule, memory.estate, roles, config, only))
    known = memory.known(rule, besides=args.urn) if found else frozenset()
    told: set[tuple[str, ...]] = set()
    pending: list[Finding] = []
    for finding in found:
        if finding.key in known or config.exempt(finding.urn, date.today()):
            continue
        if finding.pending:
            pending.append(finding)
            continue
        report(finding.text, None)
        told.add(finding.key)
    if told:
        memory.said[said] = frozenset(told)
    if pending and not rule.halves:  # else the stack half says so
        raise _undecided(pending)


def _validate_stack(rule: Rule, memory: Memory, args: StackValidationArgs, report: ReportViolation) -> None:
    raw = args.get_config() or memory.configs.get(rule.name, {})
    config = _config(rule, raw, report, None)
    if config is None:
        return
    estate = Inventory()
    resources = [_stack_resource(item, memory.inputs) for item in args.resources if relevant(item.resource_type)]
    for resource in resources:
        estate.add(facts(resource))
    known = memory.known(rule)
    pending: list[Finding] = []
    for finding in _judged(rule, estate, estate.vended(config.known), config, None):
        if finding.key in known or config.exempt(finding.urn, date.today()):
            continue
        if finding.pending:
            pending.append(finding)
        else:
            report(finding.text, finding.urn)
    if pending:
        raise _undecided(pending)


def _judged(
    rule: Rule, estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    """A rule's findings. Should the pack itself fail, nothing has been proven, and that is a finding as well."""
    try:
        yield from rule.judge(estate, roles, config, only)
    except Exception as error:
        urn = next(iter(sorted(only or ())), "")
        problem = f"not proven: the rule failed on this input ({type(error).__name__}: {error}); please report it"
        yield Finding(urn, ("failed", urn), problem)


def _undecided(pending: list[Finding]) -> UnknownValueError:
    """The SDK turns this into an advisory, which is what an unknown at preview is: no proof, and no violation."""
    error = UnknownValueError(UNKNOWN_STRING_VALUE, [])
    error.message = "decided at update: " + "; ".join(finding.text for finding in pending)
    return error


def _config(rule: Rule, raw: Mapping[str, Any] | None, report: ReportViolation, urn: str | None) -> Config | None:
    """The rule's configuration; where it is wrong, that is a violation and nothing is decided."""
    try:
        return read(rule.name, raw or {})
    except ConfigError as error:
        for problem in str(error).splitlines():
            report(f"the configuration of this rule is refused, so nothing is proven: {problem}", urn)
        return None


def _stack_resource(item: Any, inputs: Mapping[str, frozenset[str]]) -> Resource:
    depends = {key: tuple(d.urn for d in found) for key, found in item.property_dependencies.items()}
    if not depends and item.dependencies:
        depends = dict.fromkeys(item.props, tuple(d.urn for d in item.dependencies))
    props = plain(item.props)
    return Resource(item.urn, item.resource_type, item.name, props, depends, _origin(item, props), inputs.get(item.urn))


def _origin(item: Any, props: Mapping[str, Any]) -> Origin:
    provider = item.provider
    if provider is None:
        return Origin(region=props["region"] if isinstance(props.get("region"), str) else None)
    return origin(provider.urn, plain(provider.props), props.get("region"))


def plain(value: Any) -> Any:
    """The SDK's proxies as plain values, with UNKNOWN where the SDK would raise."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, str | bytes) or not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        return value
    return [_item(value, index) for index in range(len(value))]


def _item(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def _turn_classic_off(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
    if not pool_type(args.resource_type) or plain(args.props).get("allowClassicFlow") is False:
        return None
    args.props["allowClassicFlow"] = False  # type: ignore[index]
    return args.props


def _turn_check_on(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
    if not pool_type(args.resource_type):
        return None
    providers = plain(args.props).get("cognitoIdentityProviders")
    if providers is UNKNOWN or not providers:
        return None
    changed = False
    for index, provider in enumerate(providers):
        if isinstance(provider, Mapping) and provider.get("serverSideTokenCheck") in (None, False):
            args.props["cognitoIdentityProviders"][index]["serverSideTokenCheck"] = True
            changed = True
    return args.props if changed else None


_REMEDIES: dict[str, Callable[[ResourceValidationArgs], Any]] = {
    "classic-flow-off": _turn_classic_off,
    "server-side-token-check": _turn_check_on,
}
"""Rules that can be mended without judgement."""
