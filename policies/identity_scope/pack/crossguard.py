"""The edge to the engine: the protocol that it speaks with policy packs.

The SDK's own server is not used. It does not tell a policy at which level it is set, so that a rule that is decided in
several places cannot be governed by one entry of the configuration. It reads each resource again for each rule. And it
reports what is not known at preview as a policy that cannot run.

Source: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2, json_format
from google.protobuf.struct_pb2 import Struct

from ..sources.types import pool_type, relevant
from .configuration import read
from .description import PACK, VERSION, not_applicable, pack_info
from .rules import RULES, Level
from .sdk import plugin, protocol, services
from .settings import ALL, RuleSettings, Settings

if TYPE_CHECKING:
    from .answers import Answers

MAX_MESSAGE_BYTES = 400 << 20


def run() -> None:
    """Serve the pack until the engine ends it; the engine reads the port from the first line."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=4),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    services.add_AnalyzerServicer_to_server(Analyzer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(grace=None)


class Analyzer(services.AnalyzerServicer):
    """Answers the engine. Each configuration begins a session; the engine says first whether it is a preview."""

    def __init__(self) -> None:
        self._settings = Settings()
        self._preview = True
        self._answers: Answers | None = None
        self._lock = threading.Lock()
        self._irrelevant = _irrelevant(self._settings)

    def GetAnalyzerInfo(self, request: empty_pb2.Empty, context: Any) -> protocol.AnalyzerInfo:  # noqa: N802
        return pack_info()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> plugin.PluginInfo:  # noqa: N802
        return plugin.PluginInfo(version=VERSION)

    def ConfigureStack(  # noqa: N802
        self, request: protocol.AnalyzerStackConfigureRequest, context: Any
    ) -> protocol.AnalyzerStackConfigureResponse:
        with self._lock:
            self._preview = request.dry_run
            self._answers = None
        return protocol.AnalyzerStackConfigureResponse()

    def Configure(self, request: protocol.ConfigureAnalyzerRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        entries = {
            name: (Level(protocol.EnforcementLevel.Name(entry.enforcementLevel).lower()), entry.properties)
            for name, entry in request.policyConfig.items()
        }
        with self._lock:
            self._settings = _settings(entries)
            self._answers = None
            self._irrelevant = _irrelevant(self._settings)
        return empty_pb2.Empty()

    def Analyze(self, request: protocol.AnalyzeRequest, context: Any) -> protocol.AnalyzeResponse:  # noqa: N802
        if not relevant(request.type):
            return self._irrelevant
        with self._lock:
            return self._begun().resource(request)

    def AnalyzeStack(self, request: protocol.AnalyzeStackRequest, context: Any) -> protocol.AnalyzeResponse:  # noqa: N802
        with self._lock:
            return self._begun().stack(request)

    def _begun(self) -> Answers:
        """The session's answers. What they need is most of the pack, and imported when the first of them is asked for."""
        if self._answers is None:
            from .answers import Answers

            self._answers = Answers(self._settings, self._preview)
        return self._answers

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


def _settings(entries: Mapping[str, tuple[Level, Struct]]) -> Settings:
    """The configuration as the engine hands it over: for every policy, with its defaults filled in."""
    rules = {}
    for rule in RULES:
        level, properties = entries.get(rule.name, (rule.level, Struct()))
        problems: list[str] = []
        config = read(rule.settings, json_format.MessageToDict(properties), problems)
        rules[rule.name] = RuleSettings(level, config, tuple(problems))
    names = [rule.name for rule in RULES]
    unknown = [name for name in entries if name not in (*names, PACK, ALL)]
    problems = [
        f"configuration error: `{name}` is not a rule of this pack; its rules are {', '.join(names)}"
        for name in unknown
    ]
    problems += [
        f"configuration error: `{name}` has no settings; configure the rules"
        for name in (PACK, ALL)
        if name in entries and entries[name][1].fields
    ]
    return Settings(rules, tuple(problems))


def _irrelevant(settings: Settings) -> protocol.AnalyzeResponse:
    """The answer to a resource that says nothing of pools, roles or buckets; made once, because most resources do."""
    enabled = [rule for rule in RULES if settings.rules[rule.name].level is not Level.DISABLED]
    return protocol.AnalyzeResponse(not_applicable=not_applicable((rule, "") for rule in enabled))
