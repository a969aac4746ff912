"""The provider `aws` of a served sandbox, for a real engine: the provider protocol, over the calls of the in-process run.

`bin/pulumi-resource-aws` starts it; on PATH, the engine takes it in place of the real plugin. It speaks to nothing but a
sandbox on this machine: without an endpoint there, it refuses to be configured.

Source: https://pulumi-developer-docs.readthedocs.io/latest/docs/architecture/providers/README.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from concurrent import futures
from functools import wraps
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from ..aws.clients import Aws, Remote
from . import resources, schema_check
from .state import Existing

_FAILURES = (ClientError, BotoCoreError, ResponseParserError, resources.BrokenAnswer, resources.UnknownType)
Method = Callable[[Any, Any, Any], Any]


class NotConfigured(Exception):
    """What the stack's config must have, in a line."""


def configured(config: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[Aws, str]:
    """The sandbox that a stack's config names, and its region.

    Args:
        config: the provider's config, without `aws:`; nested values are JSON, and secrets wrapped, as the engine hands
            them over.
        environment: for what the config leaves out, with the names that AWS's tools know.

    Raises:
        NotConfigured: no endpoint, one that is not on this machine, or no keys.
    """
    config = {key: rpc.unwrap_rpc_secret(value) for key, value in config.items()}
    endpoint = _endpoint(config.get("endpoints")) or environment.get("AWS_ENDPOINT_URL", "")
    if urlsplit(endpoint).hostname not in ("127.0.0.1", "localhost"):
        given = f"`{endpoint}` is not on this machine" if endpoint else "there is none"
        raise NotConfigured(f"this provider serves a sandbox alone: aws:endpoints must name `make serve`'s; {given}")
    key = config.get("accessKey") or environment.get("AWS_ACCESS_KEY_ID")
    secret = config.get("secretKey") or environment.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        raise NotConfigured("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be those that `make serve` printed")
    return Remote(endpoint, str(key), str(secret)), str(config.get("region") or "us-east-1")


def _endpoint(written: Any) -> str:
    """The first endpoint of the provider's list of them."""
    try:
        found = json.loads(written) if isinstance(written, str) and written else written
    except ValueError:
        return str(written)
    items = found if isinstance(found, list) else [found]
    return next((str(url) for item in items if isinstance(item, Mapping) for url in item.values() if url), "")


def _told(method: Method) -> Method:
    """AWS's refusals, and the sandbox's, as an error with words."""

    @wraps(method)
    def told(self: Any, request: Any, context: Any) -> Any:
        try:
            return method(self, request, context)
        except NotConfigured as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except _FAILURES as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return told


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider protocol. What the sandbox does not have is left unimplemented, which the engine understands."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._aws: Aws | None = None
        self._region = ""

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    @_told
    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        config = _dict(request.args) or {k.rpartition(":")[2]: v for k, v in request.variables.items()}
        self._aws, self._region = configured(config, self._environment)
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True, acceptResources=False)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The inputs with a name where the provider invents one: the old one, where there is one."""
        kind, name = _kind_and_name(request.urn)
        try:
            resources.type_of(kind)
        except resources.UnknownType as error:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        inputs = resources.with_documents_as_text(_dict(request.news))
        problems = list(schema_check.found(kind, inputs))
        invented = resources.checked_name(kind, name, inputs)
        if invented is not None:
            inputs["name"] = _dict(request.olds).get("name") or invented
        failures = [provider_pb2.CheckFailure(property=place, reason=said) for place, said in problems]
        return provider_pb2.CheckResponse(inputs=_struct(inputs), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind, _ = _kind_and_name(request.urn)
        old = _existing(kind, request.id, request.old_inputs, request.olds)
        changed = resources.changed(old.inputs, _dict(request.news)) - set(request.ignoreChanges)
        kinds = provider_pb2.DiffResponse
        replaces = sorted(changed & resources.type_of(kind).replaces)
        changes = kinds.DIFF_SOME if changed else kinds.DIFF_NONE
        return kinds(changes=changes, diffs=sorted(changed), replaces=replaces)

    @_told
    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind, name = _kind_and_name(request.urn)
        inputs = _dict(request.properties)
        if request.preview:
            unknown = dict.fromkeys(schema_check.computed(kind), schema_check.UNKNOWN)
            return provider_pb2.CreateResponse(properties=_struct({**inputs, **unknown}))
        made, outputs = resources.create(self._there(), self._region, kind, name, inputs)
        return provider_pb2.CreateResponse(id=made, properties=_struct(outputs))

    @_told
    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind, _ = _kind_and_name(request.urn)
        old = _existing(kind, request.id, request.inputs, request.properties)
        now = resources.read(self._there(), self._region, kind, old)
        if now is None:
            return provider_pb2.ReadResponse(id="")
        return provider_pb2.ReadResponse(id=now.id, properties=_struct(now.outputs), inputs=_struct(now.inputs))

    @_told
    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind, _ = _kind_and_name(request.urn)
        old, inputs = _existing(kind, request.id, request.old_inputs, request.olds), _dict(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_struct({**old.outputs, **inputs}))
        _, outputs = resources.update(self._there(), self._region, kind, old, inputs)
        return provider_pb2.UpdateResponse(properties=_struct(outputs))

    @_told
    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        kind, _ = _kind_and_name(request.urn)
        old = _existing(kind, request.id, request.old_inputs, request.properties)
        resources.delete(self._there(), self._region, kind, old)
        return empty_pb2.Empty()

    @_told
    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        args = _dict(request.args)
        found = resources.invoke(self._there(), str(args.get("region") or self._region), request.tok, args)
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").CopyFrom(_struct(found))
        return answer

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def _there(self) -> Aws:
        if self._aws is None:
            raise NotConfigured("the provider has not been configured")
        return self._aws


def _kind_and_name(urn: str) -> tuple[str, str]:
    *_, types, name = urn.split("::", 3)
    return types.rpartition("$")[2], name


def _existing(kind: str, made: str, old_inputs: Any, olds: Any) -> Existing:
    """What the engine knows of a resource; where it does not send the inputs, they are taken from the outputs."""
    outputs = _dict(olds)
    own = schema_check.computed(kind)
    return Existing(made, _dict(old_inputs) or {k: v for k, v in outputs.items() if k not in own}, outputs)


def _dict(struct: Any) -> dict[str, Any]:
    found: dict[str, Any] = json_format.MessageToDict(struct)
    return {key: value for key, value in found.items() if key != "__defaults"}


def _struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    json_format.ParseDict({key: item for key, item in value.items() if item is not None}, struct)
    return struct


def serve(environment: Mapping[str, str]) -> tuple[grpc.Server, int]:
    """Start a provider on a free port of 127.0.0.1."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(environment), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main() -> None:
    """Serve until the engine ends this process; it reads the port from standard output."""
    server, port = serve(os.environ)
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
