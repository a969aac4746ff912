"""Run a Pulumi program in this process, each resource made by calls to the sandbox.

The program, its config and the Pulumi SDK are the real ones; only the engine is not there. Its place takes the SDK's own
hook for tests, a monitor that hears of each resource and answers with what AWS returned.
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
from pulumi.runtime.settings import get_root_resource, set_root_resource
from pulumi.runtime.stack import run_pulumi_func

from . import resources
from .server import Sandbox

PREVIEW_ID = ""
"""A resource's id in a preview: not known."""


_StackOutputs = Mapping[str, Mapping[str, Any]]
"""Outputs of other stacks, by `ORGANISATION/PROJECT/STACK`."""


@dataclass(frozen=True)
class Registration:
    """One resource as the program registered it."""

    urn: str
    kind: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    wire: Mapping[str, Any]
    """The inputs as the engine passes them on, with unknown values as its own marks."""
    parent: str
    protect: bool
    delete_before_replace: bool
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]


Watcher = Callable[[Registration], None]
"""Hears of each resource before it is made; raises to stop it."""


@dataclass(frozen=True)
class Run:
    """What a program did."""

    outputs: Mapping[str, Any]
    registrations: tuple[Registration, ...]
    states: Mapping[str, Mapping[str, Any]]
    """Each resource's outputs, by URN; empty in a preview."""


def check(main: Path, project: str, stack: str, config: Mapping[str, str], outputs: _StackOutputs) -> None:
    """Let a program judge its config, in a preview that makes nothing and reaches nothing.

    Raises:
        pulumi.RunError: the program refused its config.
    """
    contextvars.copy_context().run(_run, None, main, project, stack, config, None, outputs, True)


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
    """Run a program once.

    Args:
        main: the program's file, or a function that stands for it.
        config: fully qualified keys to values as text, as the engine hands them over.
        before: hears of each resource before it is made.
        stack_outputs: outputs of other stacks, by `ORGANISATION/PROJECT/STACK`.
        preview: make nothing; whatever AWS would have given out stays unknown.

    Raises:
        pulumi.RunError: the program refused its config.
        Exception: whatever AWS, the sandbox or `before` raised.
    """
    context = contextvars.copy_context()
    return context.run(_run, sandbox, main, project, stack, config, before, stack_outputs or {}, preview)


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
    monitor = _Monitor(_Aws(sandbox, config.get("aws:region", "us-east-1"), stack_outputs, preview), before)
    program = main if callable(main) else lambda: _file(main)

    async def everything() -> Mapping[str, Any]:
        set_root_resource(None)  # type: ignore[arg-type]
        pulumi.runtime.set_mocks(monitor.mocks, project, stack, preview, monitor=monitor)
        set_all_config(dict(config))
        await run_pulumi_func(program)
        root = get_root_resource()
        exported = pulumi.Output.from_input(dict(getattr(root, "outputs", {})))
        found = await exported.future()
        return found or {}

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        outputs = loop.run_until_complete(everything())
    except Exception as error:
        raise monitor.failure or error from None
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    states = {} if preview else {urn: {**found.state, "id": found.id} for urn, found in monitor.resources.items()}
    return Run(outputs, tuple(monitor.registrations), states)


def _file(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


class _Aws(mocks.Mocks):
    """The provider's part: resources and functions as calls to the sandbox."""

    def __init__(self, sandbox: Sandbox | None, region: str, stack_outputs: _StackOutputs, preview: bool) -> None:
        self._sandbox = sandbox
        self._region = region
        self._stack_outputs = stack_outputs
        self._preview = preview

    def call(self, args: mocks.MockCallArgs) -> Any:
        if self._sandbox is None:
            return {}
        return resources.invoke(self._sandbox, str(args.args.get("region") or self._region), args.token, args.args)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.typ == "pulumi:pulumi:StackReference":
            return self._stack_reference(str(args.inputs.get("name") or args.name))
        if not args.custom:
            return "", dict(args.inputs)
        if self._preview or self._sandbox is None:
            return PREVIEW_ID, dict(args.inputs)
        return resources.create(self._sandbox, self._region, args.typ, args.name, args.inputs)

    def _stack_reference(self, name: str) -> tuple[str, dict[str, Any]]:
        if name not in self._stack_outputs:
            raise pulumi.RunError(f"stack `{name}` does not exist in the sandbox")
        return name, {"name": name, "outputs": dict(self._stack_outputs[name]), "secretOutputNames": []}


class _Monitor(mocks.MockMonitor):
    """The engine's part: one resource after the other, watched before it is made."""

    def __init__(self, aws: _Aws, before: Watcher | None) -> None:
        super().__init__(aws)
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
            if request.custom:
                name = resources.checked_name(request.type, request.name, request.object)
                if name is not None:
                    request.object["name"] = name
            registration = Registration(
                urn=self.make_urn(request.parent, request.type, request.name),
                kind=request.type,
                name=request.name,
                custom=request.custom,
                inputs=rpc.deserialize_properties(request.object),
                wire=json_format.MessageToDict(request.object),
                parent=request.parent,
                protect=request.protect,
                delete_before_replace=request.deleteBeforeReplace,
                dependencies=tuple(request.dependencies),
                property_dependencies={k: tuple(v.urns) for k, v in request.propertyDependencies.items()},
            )
            self.registrations.append(registration)
            if self._before is not None:
                self._before(registration)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def _root(urn: str, name: str) -> Registration:
    return Registration(urn, "pulumi:pulumi:Stack", name, False, {}, {}, "", False, False, (), {})
