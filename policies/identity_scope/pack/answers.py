"""What the engine is told of a resource, and of the whole stack: the part of the pack that needs inventory and proofs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..findings.escaping import escaped
from ..inventory.accounts import Origin
from ..sources.pulumi import Resource, origin
from ..sources.types import relevant
from .description import LEVELS, NOTICES, PACK, VERSION, not_applicable, severity
from .rules import Level
from .sdk import protocol
from .session import Notice, Report, Session, Violation
from .settings import Settings
from .wire import plain


class Answers:
    """One session's answers, in the protocol's words."""

    def __init__(self, settings: Settings, preview: bool) -> None:
        self._session = Session(settings, preview)

    def resource(self, request: protocol.AnalyzeRequest) -> protocol.AnalyzeResponse:
        properties = plain(request.properties)
        resource = Resource(request.urn, request.type, request.name, properties, origin=_origin(request, properties))
        return _response(self._session.resource(resource))

    def stack(self, request: protocol.AnalyzeStackRequest) -> protocol.AnalyzeResponse:
        resources = [_stack_resource(item) for item in request.resources if relevant(item.type)]
        return _response(self._session.stack(resources))


def _response(report: Report) -> protocol.AnalyzeResponse:
    return protocol.AnalyzeResponse(
        diagnostics=[*map(_violation, report.violations), *map(_notice, report.notices)],
        not_applicable=not_applicable(report.not_applicable),
    )


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
        enforcementLevel=LEVELS[level],
        urn=violation.urn,
        severity=severity(rule),
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
