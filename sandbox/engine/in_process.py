"""Run a Pulumi program in this process; each resource is created by calls to the sandbox.

The program, its config and the Pulumi SDK are the real ones; only the engine is replaced, through the SDK's own hook for
tests: a monitor that receives each registration and answers with what AWS returned.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import runpy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime.settings import SETTINGS, get_root_resource, set_root_resource
from pulumi.runtime.stack import run_pulumi_func

from ..aws.clients import ACCOUNT
from ..aws.server import Sandbox
from ..provider import resources

PREVIEW_ID = ""
"""The ID of a resource in a preview: not known."""


_StackOutputs = Mapping[str, Mapping[str, Any]]
"""Outputs of other stacks, by `ORGANIZATION/PROJECT/STACK`."""


@dataclass(frozen=True)
class Registration:
    """One resource as the program registered it."""

    urn: str
    type_: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    wire: Mapping[str, Any]
    """The inputs as the engine sends them, with its markers for unknown values."""
    parent: str
    protect: bool
    retain_on_delete: bool
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]


Watcher = Callable[[Registration], None]
"""Called with each resource before it is created; raises to prevent it."""


@dataclass(frozen=True)
class Run:
    """The result of running a program. In a preview, outputs that are not known are left out."""

    outputs: Mapping[str, Any]
    registrations: tuple[Registration, ...]
    states: Mapping[str, Mapping[str, Any]]
    """Each resource's outputs, by URN; empty in a preview."""


def check(main: Path, project: str, stack: str, config: Mapping[str, str], outputs: _StackOutputs) -> Run:
    """Have a program validate its config, in a preview that creates nothing and calls no service.

    Raises:
        pulumi.RunError: the program refuses its config.
    """
    return contextvars.copy_context().run(_run, None, main, project, stack, config, None, outputs, True)


def run(
    sandbox: Sandbox,
    main: Path | Callable[[], None],
    project: str,
    stack: str,
    config: Mapping[str, str],
    before: Watcher | None = None,
    stack_outputs: _StackOutputs | None = None,
    preview: bool = False,
) -> Run:
    """Run a program once, in an account in which none of its resources exists.

    Args:
        main: the program's file, or a function in its place.
        config: values as text, by fully qualified key, as the engine passes them.
        before: called with each resource before it is created.
        stack_outputs: outputs of other stacks, by `ORGANIZATION/PROJECT/STACK`.
        preview: create nothing; what AWS would assign stays unknown.

    Raises:
        pulumi.RunError: the program refuses its config.
        InputsRefused: the provider would refuse a resource's inputs.
        Exception: whatever AWS, the sandbox or `before` raises.
    """
    context = contextvars.copy_context()
    outputs = stack_outputs or {}
    return context.run(_run, sandbox, main, project, stack, config, before, outputs, preview)


def _run(
    sandbox: Sandbox | None,
    main: Path | Callable[[], None],
    project: str,
    stack: str,
    config: Mapping[str, str],
    before: Watcher | None,
    stack_outputs: _StackOutputs,
    preview: bool,
) -> Run:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    region = config.get("aws:region", "us-east-1")
    monitor = _Monitor(_Aws(sandbox, region, stack_outputs, preview), before)
    program = main if callable(main) else lambda: _file(main)

    async def program_outputs() -> Mapping[str, Any]:
        # A run that failed leaves tasks behind that belong to its own loop and cannot be awaited here.
        SETTINGS.outputs.clear()
        SETTINGS.rpc_manager.clear()
        set_root_resource(None)  # type: ignore[arg-type]
        pulumi.runtime.set_mocks(monitor.mocks, project, stack, preview, monitor=monitor)
        set_all_config(dict(config))
        await run_pulumi_func(program)
        root = get_root_resource()
        exported = {k: pulumi.Output.from_input(v) for k, v in dict(getattr(root, "outputs", {})).items()}
        return {name: await output.future() for name, output in exported.items() if await output.is_known()}

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        outputs = loop.run_until_complete(program_outputs())
    except Exception as error:
        raise monitor.failure or error from None
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return Run(outputs, tuple(monitor.registrations), {} if preview else monitor.states())


def _file(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


class _Aws(mocks.Mocks):
    """The provider's role: resources and functions as calls to the sandbox."""

    def __init__(self, sandbox: Sandbox | None, region: str, stack_outputs: _StackOutputs, preview: bool) -> None:
        self._sandbox = sandbox
        self._region = region
        self._stack_outputs = stack_outputs
        self._preview = preview

    def call(self, args: mocks.MockCallArgs) -> Any:
        if self._sandbox is None:
            return {"accountId": ACCOUNT, "region": self._region, "writeAttributes": ["email"]}
        region = str(args.args.get("region") or self._region)
        return resources.invoke(self._sandbox, region, args.token, args.args)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs: dict[str, Any] = resources.with_documents_as_text(_plain(args.inputs))
        if args.typ == "pulumi:pulumi:StackReference":
            return self._stack_reference(str(inputs.get("name") or args.name))
        if not args.custom:
            return "", inputs
        if self._preview or self._sandbox is None:
            return PREVIEW_ID, inputs
        return resources.create(self._sandbox, self._region, args.typ, args.name, inputs)

    def _stack_reference(self, name: str) -> tuple[str, dict[str, Any]]:
        if name not in self._stack_outputs:
            raise pulumi.RunError(f"stack `{name}` does not exist in the sandbox")
        return name, {"name": name, "outputs": dict(self._stack_outputs[name]), "secretOutputNames": []}


class _Monitor(mocks.MockMonitor):
    """The engine's role: one resource after another, each passed to the watcher before it is created."""

    def __init__(self, aws: _Aws, before: Watcher | None) -> None:
        super().__init__(aws)
        self._aws = aws
        self.registrations: list[Registration] = []
        self.failure: Exception | None = None
        self._before = before
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 the SDK's name
        with self._lock:
            if self.failure is not None:
                raise self.failure
            try:
                return self._register(request)
            except Exception as error:
                self.failure = error
                raise

    def _register(self, request: Any) -> Any:
        if request.type == "pulumi:pulumi:Stack":
            if self._before is not None:
                self._before(_root(self.make_urn("", request.type, request.name), request.name))
        else:
            urn = self.make_urn(request.parent, request.type, request.name)
            generated = resources.generated_name(request.type, request.name, request.object) if request.custom else None
            if generated is not None:
                request.object["name"] = generated
            registration = _registration(request, urn)
            if request.custom and request.type.startswith("aws:"):
                resources.check(registration.type_, registration.name, registration.inputs)
            self.registrations.append(registration)
            if self._before is not None:
                self._before(registration)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def states(self) -> dict[str, Mapping[str, Any]]:
        """The outputs of each resource that was created, by URN."""
        return {urn: {**resource.state, "id": resource.id} for urn, resource in self.resources.items()}


def _registration(request: Any, urn: str) -> Registration:
    return Registration(
        urn=urn,
        type_=request.type,
        name=request.name,
        custom=request.custom,
        inputs=_plain(rpc.deserialize_properties(request.object)),
        wire=json_format.MessageToDict(request.object),
        parent=request.parent,
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        dependencies=tuple(request.dependencies),
        property_dependencies={k: tuple(v.urns) for k, v in request.propertyDependencies.items()},
    )


def _plain(value: Any) -> Any:
    """A value without the wrapping of secrets: AWS gets the plain value."""
    value = rpc.unwrap_rpc_secret(value) if rpc.is_rpc_secret(value) else value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _root(urn: str, name: str) -> Registration:
    return Registration(urn, "pulumi:pulumi:Stack", name, False, {}, {}, "", False, False, (), {})
