"""A policy pack as the engine uses it: a process of its own, called over gRPC.

The pack is started with its folder and prints its port. It is then asked for its policies, configured, and asked about
each resource and about the whole stack. A pack that does not start, or dies, is an error and never a pass.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from ..errors import CommandError
from .in_process import Registration

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes text that is not known yet."""

_UNTIL_STDIN_ENDS = """\
import os, runpy, sys, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a pack in Python that ends with whoever started it, however that ends, and at whatever moment."""
START_SECONDS = 30
CALL_SECONDS = 60


class AnalyzerFailed(CommandError):
    """The policy pack failed; nothing is proven."""


@dataclass(frozen=True)
class Diagnostic:
    """One finding of a policy pack."""

    policy: str
    mandatory: bool
    message: str
    urn: str

    @property
    def text(self) -> str:
        """The message without the rule's description, with which the SDK begins it."""
        return self.message.partition("\n")[2] or self.message


class Analyzer:
    """A running pack."""

    def __init__(self, folder: Path, python: str = sys.executable, command: Sequence[str] | None = None) -> None:
        """Start a pack.

        Args:
            folder: the pack's folder.
            python: the interpreter of a pack in Python.
            command: what to run in the folder for a pack in another language.

        Raises:
            AnalyzerFailed: the policy pack does not start.
        """
        self._process = subprocess.Popen(
            command or [python, "-c", _UNTIL_STDIN_ENDS, str(folder), "127.0.0.1:0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder if command else None,
        )
        try:
            port = self._port()
        except BaseException:
            self._process.kill()
            raise
        options = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)

    def _port(self) -> int:
        watchdog = threading.Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        try:
            assert self._process.stdout is not None
            line = self._process.stdout.readline().strip()
        finally:
            watchdog.cancel()
        if line.isdecimal():
            return int(line)
        self._process.kill()
        _, errors = self._process.communicate()
        last = errors.strip().splitlines()[-1:] or ["it printed nothing"]
        raise AnalyzerFailed(f"the policy pack did not start: {last[0]}")

    def __enter__(self) -> Analyzer:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()

    def info(self) -> Any:
        """AnalyzerInfo: the pack's name and policies."""
        return self._call(self._stub.GetAnalyzerInfo, empty_pb2.Empty())

    def configure(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """Configure policies, by name; `enforcementLevel` is taken out of the properties, as the engine does."""
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        levels = {p.name: p.enforcementLevel for p in self.info().policies}
        for name, level in levels.items():
            settings = dict(config.get(name, {}))
            chosen = settings.pop("enforcementLevel", None)
            entry = request.policyConfig[name]
            entry.enforcementLevel = level if chosen is None else analyzer_pb2.EnforcementLevel.Value(chosen.upper())
            json_format.ParseDict(settings, entry.properties)
        self.send_configuration(request)

    def send_configuration(self, request: Any) -> None:
        """Configure policies by a request as it stands."""
        self._call(self._stub.Configure, request)

    def analyze(self, resource: Registration) -> list[Diagnostic]:
        """The findings for a resource that is about to be created."""
        return _diagnostics(self._call(self._stub.Analyze, _request(resource)))

    def not_applicable(self, resource: Registration) -> set[str]:
        """The policies that say that a resource is none of their business."""
        return {entry.policy_name for entry in self._call(self._stub.Analyze, _request(resource)).not_applicable}

    def remediate(self, resource: Registration) -> list[dict[str, Any]]:
        """The properties that remediating policies would give a resource, one set for each that changed it."""
        answer = self._call(self._stub.Remediate, _request(resource))
        return [json_format.MessageToDict(r.properties) for r in answer.remediations]

    def analyze_stack(self, resources: Iterable[tuple[Registration, Mapping[str, Any]]]) -> list[Diagnostic]:
        """The findings for the whole stack, each resource with its outputs."""
        request = analyzer_pb2.AnalyzeStackRequest()
        for resource, outputs in resources:
            entry = request.resources.add(
                type=resource.type_,
                urn=resource.urn,
                name=resource.name,
                parent=resource.parent,
                options=_options(resource),
            )
            entry.properties.CopyFrom(_struct(outputs))
            entry.dependencies.extend(resource.dependencies)
            for key, urns in resource.property_dependencies.items():
                entry.propertyDependencies[key].urns.extend(urns)
        return _diagnostics(self._call(self._stub.AnalyzeStack, request))

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            code, detail = error.code().name, error.details()
            raise AnalyzerFailed(f"the policy pack failed ({code.lower()}): {detail}") from None


def _request(resource: Registration) -> Any:
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type_,
        urn=resource.urn,
        name=resource.name,
        properties=_struct(resource.wire),
        options=_options(resource),
    )


def _options(resource: Registration) -> Any:
    """The options as the engine sends them; a pack on Node.js requires them."""
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=resource.protect,
        parent=resource.parent,
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(),
    )


def _struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    json_format.ParseDict({key: item for key, item in value.items() if item is not None}, struct)
    return struct


def _diagnostics(response: Any) -> list[Diagnostic]:
    mandatory = analyzer_pb2.EnforcementLevel.MANDATORY
    return [Diagnostic(d.policyName, d.enforcementLevel == mandatory, d.message, d.urn) for d in response.diagnostics]
