"""The pack and its rules as the protocol describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from .rules import RULES, Level, Rule
from .sdk import protocol

PACK = "identity-scope"
DISPLAY_NAME = "Identity scope"
DESCRIPTION = "Proves that the users of a Cognito identity pool cannot reach each other's files in S3."
NOTICES = "Reports what is decided at update, which findings are exempt, and errors in the configuration of the pack."
VERSION = "0.0.1"
"""The engine takes the version of PulumiPolicy.yaml in its place."""

LEVELS: Mapping[Level, protocol.EnforcementLevel.ValueType] = {
    Level.ADVISORY: protocol.ADVISORY,
    Level.MANDATORY: protocol.MANDATORY,
    Level.REMEDIATE: protocol.REMEDIATE,
    Level.DISABLED: protocol.DISABLED,
}


def pack_info() -> protocol.AnalyzerInfo:
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


def _info(rule: Rule) -> protocol.PolicyInfo:
    schema = Struct()
    json_format.ParseDict({setting.name: setting.schema for setting in rule.settings}, schema)
    return protocol.PolicyInfo(
        name=rule.name,
        displayName=rule.display_name,
        description=rule.description,
        enforcementLevel=LEVELS[rule.level],
        severity=severity(rule),
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


def not_applicable(rules: Iterable[tuple[Rule, str]]) -> list[protocol.PolicyNotApplicable]:
    return [protocol.PolicyNotApplicable(policy_name=rule.name, reason=reason) for rule, reason in rules]


def severity(rule: Rule) -> protocol.PolicySeverity.ValueType:
    return protocol.PolicySeverity.Value(f"POLICY_SEVERITY_{rule.severity.name}")
