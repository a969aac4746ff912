"""The provider `aws` of a running sandbox, for the Pulumi CLI: the provider protocol over the calls of the in-process run.

`bin/pulumi-resource-aws` starts it. With that folder first on PATH, the engine uses it instead of the real plugin. It
reaches only a sandbox on this machine: without such an endpoint it refuses to be configured.

Source: https://pulumi-developer-docs.readthedocs.io/latest/docs/architecture/providers/README.html
"""

from __future__ import annotations

import json
import os
import threading
import time
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
from ..errors import CommandError, InputError
from . import resources
from .schema_check import UNKNOWN
from .state import ResourceState, changed

Method = Callable[[Any, Any, Any], Any]


class NotConfigured(InputError):
    """The stack's config does not say where the sandbox is; one line says what it must say."""


def configured(config: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[Aws, str]:
    """The sandbox that a stack's config names, and its region.

    Args:
        config: the provider's config, without `aws:`; nested values are JSON, and secrets are wrapped, as the engine
            passes them.
        environment: for what the config leaves out, under the names that AWS's tools use.

    Raises:
        NotConfigured: no endpoint, one that is not on this machine, or no keys.
    """
    config = {key: rpc.unwrap_rpc_secret(value) for key, value in config.items()}
    endpoint = _endpoint(config.get("endpoints")) or environment.get("AWS_ENDPOINT_URL", "")
    if urlsplit(endpoint).hostname not in ("127.0.0.1", "localhost"):
        problem = f"`{endpoint}` is not on this machine" if endpoint else "it is not set"
        raise NotConfigured(f"aws:endpoints must be the endpoint that `make serve` prints; {problem}")
    key = config.get("accessKey") or environment.get("AWS_ACCESS_KEY_ID")
    secret = config.get("secretKey") or environment.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        raise NotConfigured("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be the keys that `make serve` prints")
    return Remote(endpoint, str(key), str(secret)), str(config.get("region") or "us-east-1")


def _endpoint(text: Any) -> str:
    """The first endpoint of the provider's list of them."""
    try:
        value = json.loads(text) if isinstance(text, str) and text else text
    except ValueError:
        return str(text)
    items = value if isinstance(value, list) else [value]
    return next((str(url) for item in items if isinstance(item, Mapping) for url in item.values() if url), "")


def _reported(method: Method) -> Method:
    """Report what AWS or the sandbox refuses as a gRPC error with its message."""

    @wraps(method)
    def reported(self: Any, request: Any, context: Any) -> Any:
        try:
            return method(self, request, context)
        except InputError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except resources.UnknownType as error:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        except (ClientError, BotoCoreError, ResponseParserError, CommandError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return reported


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider protocol. Methods that the sandbox does not need stay unimplemented, which the engine understands."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._aws: Aws | None = None
        self._region = ""

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 the protocol's name
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Nothing to do: the engine uses a provider that already runs, which `PULUMI_DEBUG_PROVIDERS` names."""
        return empty_pb2.Empty()

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        package = {"name": "aws", "version": version("pulumi-aws"), "resources": resources.schema()}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(package))

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    @_reported
    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        config = _dict(request.args) or {k.rpartition(":")[2]: v for k, v in request.variables.items()}
        self._aws, self._region = configured(config, self._environment)
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True, acceptResources=False)

    @_reported
    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The inputs, with a generated name where the program has none: the old one if there is an old one."""
        type_, name = _type_and_name(request.urn)
        inputs = resources.with_documents_as_text(_dict(request.news))
        problems = resources.problems(type_, inputs)
        generated = resources.generated_name(type_, name, inputs)
        if generated is not None:
            inputs["name"] = _dict(request.olds).get("name") or generated
        failures = [provider_pb2.CheckFailure(property=path, reason=message) for path, message in problems]
        return provider_pb2.CheckResponse(inputs=_struct(inputs), failures=failures)

    @_reported
    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_, _ = _type_and_name(request.urn)
        state = _state(type_, request.id, request.old_inputs, request.olds)
        diffs = changed(state.inputs, _dict(request.news)) - set(request.ignoreChanges)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if diffs else response.DIFF_NONE,
            diffs=sorted(diffs),
            replaces=sorted(diffs & resources.type_of(type_).replaces),
        )

    @_reported
    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_, name = _type_and_name(request.urn)
        inputs = _dict(request.properties)
        if request.preview:
            unknown = dict.fromkeys(resources.computed(type_), UNKNOWN)
            return provider_pb2.CreateResponse(properties=_struct({**inputs, **unknown}))
        resource_id, outputs = resources.create(self._sandbox(), self._region, type_, name, inputs)
        return provider_pb2.CreateResponse(id=resource_id, properties=_properties(resource_id, outputs))

    @_reported
    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_, _ = _type_and_name(request.urn)
        state = _state(type_, request.id, request.inputs, request.properties)
        current = resources.read(self._sandbox(), self._region, type_, state)
        if current is None:
            return provider_pb2.ReadResponse(id="")
        return provider_pb2.ReadResponse(
            id=current.id, properties=_properties(current.id, current.outputs), inputs=_struct(current.inputs)
        )

    @_reported
    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_, _ = _type_and_name(request.urn)
        state, inputs = _state(type_, request.id, request.old_inputs, request.olds), _dict(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_properties(state.id, {**state.outputs, **inputs}))
        _, outputs = resources.update(self._sandbox(), self._region, type_, state, inputs)
        return provider_pb2.UpdateResponse(properties=_properties(state.id, outputs))

    @_reported
    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_, _ = _type_and_name(request.urn)
        state = _state(type_, request.id, request.old_inputs, request.properties)
        resources.delete(self._sandbox(), self._region, type_, state)
        return empty_pb2.Empty()

    @_reported
    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        args = _dict(request.args)
        result = resources.invoke(self._sandbox(), str(args.get("region") or self._region), request.tok, args)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(_struct(result))
        return response

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def _sandbox(self) -> Aws:
        if self._aws is None:
            raise NotConfigured("the provider has not been configured")
        return self._aws


def _type_and_name(urn: str) -> tuple[str, str]:
    *_, types, name = urn.split("::", 3)
    return types.rpartition("$")[2], name


def _state(type_: str, resource_id: str, inputs: Any, outputs: Any) -> ResourceState:
    """A resource as the engine knows it; where the engine does not send the inputs, they are the settable outputs."""
    properties = {key: value for key, value in _dict(outputs).items() if key != "id"}
    computed = resources.computed(type_)
    settable = {key: value for key, value in properties.items() if key not in computed}
    return ResourceState(resource_id, _dict(inputs) or settable, properties)


def _properties(resource_id: str, outputs: Mapping[str, Any]) -> struct_pb2.Struct:
    """A resource's outputs, with its ID as in the real provider: the engine does not pass the ID to a policy pack."""
    return _struct({**outputs, "id": resource_id})


def _dict(struct: Any) -> dict[str, Any]:
    value: dict[str, Any] = json_format.MessageToDict(struct)
    return {key: item for key, item in value.items() if key != "__defaults"}


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


def _end_with(engine: int) -> None:
    """End this process when the engine has ended, as it has no chance to say so where it is killed."""
    while os.getppid() == engine:
        time.sleep(1)
    os._exit(0)


def main() -> None:
    """Serve until the engine ends this process, or has ended; it reads the port from standard output."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    server, port = serve(os.environ)
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
