"""The edge to the engine: the protocol that it speaks with policy packs.

The SDK's own server is not used. It does not tell a policy at which level it is set, so that a rule that is decided in
several places cannot be governed by one entry of the configuration. It reads each resource again for each rule. And it
reports what is not known at preview as a policy that cannot run.

Source: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2 as protocol
from pulumi.runtime.proto import analyzer_pb2_grpc, plugin_pb2

from ..findings.escaping import escaped
from ..inventory.accounts import Origin
from ..sources.pulumi import Resource, origin, pool_type, relevant
from .configuration import read
from .rules import RULES, Level, Rule
from .session import Notice, Report, RuleSettings, Session, Settings, Violation
from .wire import plain

PACK = "identity-scope"
DISPLAY_NAME = "Identity scope"
DESCRIPTION = "Proves that the users of a Cognito identity pool cannot reach each other's files in S3."
NOTICES = "Reports what is decided at update, which findings are exempt, and errors in the configuration of the pack."
VERSION = "0.0.1"
"""The engine takes the version of PulumiPolicy.yaml in its place."""
MAX_MESSAGE_BYTES = 400 << 20

_LEVELS: Mapping[Level, protocol.EnforcementLevel.ValueType] = {
    Level.ADVISORY: protocol.ADVISORY,
    Level.MANDATORY: protocol.MANDATORY,
    Level.REMEDIATE: protocol.REMEDIATE,
    Level.DISABLED: protocol.DISABLED,
}


def run() -> None:
    """Serve the pack until the engine ends it; the engine reads the port from the first line."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=4),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(grace=None)


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine. Each configuration begins a session; the engine says first whether it is a preview."""

    def __init__(self) -> None:
        self._settings = Settings()
        self._preview = True
        self._session = Session(self._settings)
        self._lock = threading.Lock()
        self._irrelevant = _irrelevant(self._settings)

    def GetAnalyzerInfo(self, request: empty_pb2.Empty, context: Any) -> protocol.AnalyzerInfo:  # noqa: N802
        return protocol.AnalyzerInfo(
            name=PACK,
            displayName=DISPLAY_NAME,
            description=DESCRIPTION,
            version=VERSION,
            provider="AWS",
            tags=sorted({tag for rule in RULES for tag in rule.tags}),
            supportsConfig=True,
            policies=[
                *map(_info, RULES),
                protocol.PolicyInfo(
                    name=PACK,
                    displayName="Notices of identity scope",
                    description=NOTICES,
                    enforcementLevel=protocol.ADVISORY,
                    severity=protocol.POLICY_SEVERITY_LOW,
                    policy_type=protocol.POLICY_TYPE_STACK,
                    tags=["cognito", "iam"],
                    remediation_steps="Read what each notice says.",
                ),
            ],
        )

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> plugin_pb2.PluginInfo:  # noqa: N802
        return plugin_pb2.PluginInfo(version=VERSION)

    def ConfigureStack(  # noqa: N802
        self, request: protocol.AnalyzerStackConfigureRequest, context: Any
    ) -> protocol.AnalyzerStackConfigureResponse:
        with self._lock:
            self._preview = request.dry_run
            self._session = Session(self._settings, self._preview)
        return protocol.AnalyzerStackConfigureResponse()

    def Configure(self, request: protocol.ConfigureAnalyzerRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        entries = {
            name: (Level(protocol.EnforcementLevel.Name(entry.enforcementLevel).lower()), entry.properties)
            for name, entry in request.policyConfig.items()
        }
        with self._lock:
            self._settings = _settings(entries)
            self._session = Session(self._settings, self._preview)
            self._irrelevant = _irrelevant(self._settings)
        return empty_pb2.Empty()

    def Analyze(self, request: protocol.AnalyzeRequest, context: Any) -> protocol.AnalyzeResponse:  # noqa: N802
        if not relevant(request.type):
            return self._irrelevant
        properties = plain(request.properties)
        resource = Resource(request.urn, request.type, request.name, properties, origin=_origin(request, properties))
        with self._lock:
            return self._response(self._session.resource(resource))

    def AnalyzeStack(self, request: protocol.AnalyzeStackRequest, context: Any) -> protocol.AnalyzeResponse:  # noqa: N802
        resources = [_stack_resource(item) for item in request.resources if relevant(item.type)]
        with self._lock:
            return self._response(self._session.stack(resources))

    def Remediate(self, request: protocol.AnalyzeRequest, context: Any) -> protocol.RemediateResponse:  # noqa: N802
        response = protocol.RemediateResponse()
        properties = request.properties
        for rule in RULES:
            if rule.remedy is None or self._settings.rules[rule.name].level is not Level.REMEDIATE:
                continue
            if pool_type(request.type) and rule.remedy(properties):
                response.remediations.add(
                    policyName=rule.name,
                    policyPackName=PACK,
                    policyPackVersion=VERSION,
                    description=rule.description,
                    properties=properties,
                )
        return response

    def _response(self, report: Report) -> protocol.AnalyzeResponse:
        return protocol.AnalyzeResponse(
            diagnostics=[*map(_violation, report.violations), *map(_notice, report.notices)],
            not_applicable=_not_applicable(report.not_applicable),
        )


def _info(rule: Rule) -> protocol.PolicyInfo:
    schema = Struct()
    json_format.ParseDict({setting.name: setting.schema for setting in rule.settings}, schema)
    return protocol.PolicyInfo(
        name=rule.name,
        displayName=rule.display_name,
        description=rule.description,
        enforcementLevel=_LEVELS[rule.level],
        severity=_severity(rule),
        policy_type=protocol.POLICY_TYPE_RESOURCE,
        configSchema=protocol.PolicyConfigSchema(properties=schema),
        framework=protocol.PolicyComplianceFramework(
            name=rule.framework.name,
            version=rule.framework.version,
            reference=rule.framework.reference,
            specification=rule.framework.specification,
        ),
        tags=rule.tags,
        remediation_steps=rule.advice,
    )


def _settings(entries: Mapping[str, tuple[Level, Struct]]) -> Settings:
    """The configuration as the engine hands it over: for every policy, with its defaults filled in."""
    rules = {}
    for rule in RULES:
        level, properties = entries.get(rule.name, (rule.level, Struct()))
        problems: list[str] = []
        config = read(rule.settings, json_format.MessageToDict(properties), problems)
        rules[rule.name] = RuleSettings(level, config, tuple(problems))
    names = [rule.name for rule in RULES]
    unknown = [name for name in entries if name not in names and name != PACK]
    problems = [
        f"configuration error: `{name}` is not a rule of this pack; its rules are {', '.join(names)}"
        for name in unknown
    ]
    if PACK in entries and entries[PACK][1].fields:
        problems.append(f"configuration error: `{PACK}` has no settings; configure the rules")
    return Settings(rules, tuple(problems))


def _irrelevant(settings: Settings) -> protocol.AnalyzeResponse:
    """The answer to a resource that says nothing of pools, roles or buckets; made once, because most resources do."""
    enabled = [rule for rule in RULES if settings.rules[rule.name].level is not Level.DISABLED]
    return protocol.AnalyzeResponse(not_applicable=_not_applicable((rule, "") for rule in enabled))


def _not_applicable(rules: Iterable[tuple[Rule, str]]) -> list[protocol.PolicyNotApplicable]:
    return [protocol.PolicyNotApplicable(policy_name=rule.name, reason=reason) for rule, reason in rules]


def _violation(violation: Violation) -> protocol.AnalyzeDiagnostic:
    rule = violation.rule
    # What could not be fixed is a violation, whatever the level would fix.
    level = Level.MANDATORY if violation.level is Level.REMEDIATE else violation.level
    return protocol.AnalyzeDiagnostic(
        policyName=rule.name,
        policyPackName=PACK,
        policyPackVersion=VERSION,
        description=rule.description,
        message=f"{rule.description}\n{escaped(violation.text)}",
        enforcementLevel=_LEVELS[level],
        urn=violation.urn,
        severity=_severity(rule),
    )


def _notice(notice: Notice) -> protocol.AnalyzeDiagnostic:
    return protocol.AnalyzeDiagnostic(
        policyName=PACK,
        policyPackName=PACK,
        policyPackVersion=VERSION,
        description=NOTICES,
        message=escaped(notice.text),
        enforcementLevel=protocol.MANDATORY if notice.error else protocol.ADVISORY,
        urn=notice.urn,
        severity=protocol.POLICY_SEVERITY_HIGH if notice.error else protocol.POLICY_SEVERITY_LOW,
    )


def _severity(rule: Rule) -> protocol.PolicySeverity.ValueType:
    return protocol.PolicySeverity.Value(f"POLICY_SEVERITY_{rule.severity.name}")


def _stack_resource(item: protocol.AnalyzerResource) -> Resource:
    properties = plain(item.properties)
    depends = {key: tuple(value.urns) for key, value in item.propertyDependencies.items()}
    if not depends and item.dependencies:
        depends = dict.fromkeys(properties, tuple(item.dependencies))
    return Resource(item.urn, item.type, item.name, properties, depends, _origin(item, properties))


def _origin(item: protocol.AnalyzeRequest | protocol.AnalyzerResource, properties: Mapping[str, Any]) -> Origin:
    region = properties.get("region")
    if not item.HasField("provider"):
        return Origin(region=region if isinstance(region, str) else None)
    return origin(item.provider.urn, plain(item.provider.properties), region)
