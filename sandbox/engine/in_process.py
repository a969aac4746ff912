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
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime.settings import SETTINGS, get_root_resource, set_root_resource
from pulumi.runtime.stack import run_pulumi_func

from ..aws.clients import ACCOUNT
from ..aws.server import Sandbox
from ..errors import CommandError
from ..provider import resources
from ..provider.state import ResourceState, changed

PREVIEW_ID = ""
"""The ID of a resource in a preview: not known."""


_StackOutputs = Mapping[str, Mapping[str, Any]]
"""Outputs of other stacks, by `ORGANISATION/PROJECT/STACK`."""


class Step(Enum):
    """What the engine does for a resource."""

    CREATE = "create"
    SAME = "same"
    UPDATE = "update"
    REPLACE = "replace"


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


class Protected(CommandError):
    """A protected resource would have to be deleted or replaced."""

    def __init__(self, urn: str, how: str) -> None:
        super().__init__(f"`{urn}` is protected and cannot be {how}; it was not changed")


Watcher = Callable[[Registration], None]
"""Called with each resource before it is created; raises to prevent it."""

Keeper = Callable[["Run"], None]
"""Called with the resources that exist when a run fails, so that the next run can continue."""


@dataclass(frozen=True)
class Run:
    """The result of running a program. In a preview, outputs that are not known are left out."""

    outputs: Mapping[str, Any]
    registrations: tuple[Registration, ...]
    states: Mapping[str, Mapping[str, Any]]
    """Each resource's outputs, by URN; empty in a preview."""
    steps: Mapping[str, Step] = field(default_factory=dict)
    """The step taken for each resource, by URN."""
    pending: tuple[tuple[Registration, ResourceState], ...] = ()
    """Resources still to be deleted, after a run that failed."""

    def state(self, urn: str) -> ResourceState:
        """The state of a resource."""
        registration = next(r for r in self.registrations if r.urn == urn)
        return ResourceState(str(self.states[urn]["id"]), registration.inputs, self.states[urn])


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
    previous: Run | None = None,
    failed: Keeper | None = None,
) -> Run:
    """Run a program once: the first time, or after an earlier run.

    Args:
        main: the program's file, or a function in its place.
        config: values as text, by fully qualified key, as the engine passes them.
        before: called with each resource before it is created.
        stack_outputs: outputs of other stacks, by `ORGANISATION/PROJECT/STACK`.
        preview: create nothing; what AWS would assign stays unknown.
        previous: the earlier run, whose resources are kept, updated, replaced or deleted in the engine's order.
        failed: called with the resources that exist when the run fails.

    Raises:
        pulumi.RunError: the program refuses its config.
        InputsRefused: the provider would refuse a resource's inputs.
        Protected: a protected resource would have to be deleted.
        Exception: whatever AWS, the sandbox or `before` raises.
    """
    context = contextvars.copy_context()
    outputs = stack_outputs or {}
    return context.run(_run, sandbox, main, project, stack, config, before, outputs, preview, previous, failed)


def destroy(sandbox: Sandbox, run: Run, region: str) -> None:
    """Delete every resource of a run, the last first.

    Raises:
        Protected: a resource is protected; nothing was deleted.
    """
    resources_of_run = [(r, run.state(r.urn)) for r in run.registrations if r.custom and r.urn in run.states]
    _delete(sandbox, region, [*run.pending, *resources_of_run])


def _run(
    sandbox: Sandbox | None,
    main: Path | Callable[[], None],
    project: str,
    stack: str,
    config: Mapping[str, str],
    before: Watcher | None,
    stack_outputs: _StackOutputs,
    preview: bool,
    previous: Run | None = None,
    failed: Keeper | None = None,
) -> Run:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    region = config.get("aws:region", "us-east-1")
    monitor = _Monitor(_Aws(sandbox, region, stack_outputs, preview), before, previous)
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
        if failed is not None and not preview:
            failed(monitor.existing())
        raise monitor.failure or error from None
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    result = Run(outputs, tuple(monitor.registrations), {} if preview else monitor.states(), monitor.steps)
    if sandbox is not None and not preview:
        obsolete = monitor.obsolete()
        try:
            _delete(sandbox, region, obsolete)
        except Exception:
            if failed is not None:
                failed(replace(result, pending=tuple(obsolete)))
            raise
    return result


def _file(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


class _Aws(mocks.Mocks):
    """The provider's role: resources and functions as calls to the sandbox."""

    def __init__(self, sandbox: Sandbox | None, region: str, stack_outputs: _StackOutputs, preview: bool) -> None:
        self._sandbox = sandbox
        self._region = region
        self._stack_outputs = stack_outputs
        self._preview = preview
        self.step: tuple[Step, ResourceState | None] = (Step.CREATE, None)
        """The step for the next resource, and its state before."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        if self._sandbox is None:
            return {"accountId": ACCOUNT, "region": self._region}
        return resources.invoke(self._sandbox, str(args.args.get("region") or self._region), args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs: dict[str, Any] = resources.with_documents_as_text(_plain(args.inputs))
        if args.typ == "pulumi:pulumi:StackReference":
            return self._stack_reference(str(inputs.get("name") or args.name))
        if not args.custom:
            return "", inputs
        step, old = self.step
        if self._preview or self._sandbox is None:
            if old is None or step is Step.REPLACE:
                return PREVIEW_ID, inputs
            return old.id, {**old.outputs, **inputs}
        if old is not None and step is Step.SAME:
            return old.id, dict(old.outputs)
        if old is not None and step is Step.UPDATE:
            return resources.update(self._sandbox, self._region, args.typ, old, inputs)
        return resources.create(self._sandbox, self._region, args.typ, args.name, inputs)

    def _stack_reference(self, name: str) -> tuple[str, dict[str, Any]]:
        if name not in self._stack_outputs:
            raise pulumi.RunError(f"stack `{name}` does not exist in the sandbox")
        return name, {"name": name, "outputs": dict(self._stack_outputs[name]), "secretOutputNames": []}


class _Monitor(mocks.MockMonitor):
    """The engine's role: one resource after another, each passed to the watcher before it is created."""

    def __init__(self, aws: _Aws, before: Watcher | None, previous: Run | None) -> None:
        super().__init__(aws)
        self._aws = aws
        self._previous = previous
        self._replaced: list[tuple[Registration, ResourceState]] = []
        self.steps: dict[str, Step] = {}
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
            old = self._old(urn)
            generated = resources.generated_name(request.type, request.name, request.object) if request.custom else None
            if generated is not None:
                request.object["name"] = str(old.inputs["name"]) if old is not None else generated
            registration = _registration(request, urn)
            if request.custom and request.type.startswith("aws:"):
                resources.check(registration.type_, registration.name, registration.inputs)
            step = self._step(registration, old)
            if step is Step.REPLACE and generated is not None:
                request.object["name"] = generated  # the old resource keeps its name until it is deleted at the end
                registration = _registration(request, urn)
            self.registrations.append(registration)
            self.steps[urn] = step
            if self._before is not None:
                self._before(registration)
            self._aws.step = (step, old)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def _old(self, urn: str) -> ResourceState | None:
        if self._previous is None or urn not in self._previous.states:
            return None
        return self._previous.state(urn)

    def _step(self, new: Registration, old: ResourceState | None) -> Step:
        """The engine's decision: which inputs changed, and whether the provider can change them in place."""
        if old is None or not new.custom or new.type_ == "pulumi:pulumi:StackReference":
            return Step.CREATE
        diffs = changed(old.inputs, new.inputs)
        if not diffs:
            return Step.SAME
        if not diffs & resources.type_of(new.type_).replaces:
            return Step.UPDATE
        before = next(r for r in self._previous.registrations if r.urn == new.urn) if self._previous else new
        if before.protect:
            raise Protected(new.urn, f"replaced, as a change of {', '.join(sorted(diffs))} requires")
        self._replaced.append((before, old))
        return Step.REPLACE

    def states(self) -> dict[str, Mapping[str, Any]]:
        """The outputs of each resource that was created or kept, by URN."""
        return {urn: {**resource.state, "id": resource.id} for urn, resource in self.resources.items()}

    def existing(self) -> Run:
        """The resources that exist after a failure: those of this run, and earlier ones that it did not reach."""
        states = self.states()
        registered = [r for r in self.registrations if r.urn in states]
        before = [r for r in (self._previous.registrations if self._previous else ()) if r.urn not in states]
        if self._previous is not None:
            states = {**{r.urn: self._previous.states[r.urn] for r in before}, **states}
        unreached = {r.urn for r in before}
        replaced = [(r, state) for r, state in self._replaced if r.urn not in unreached]
        return Run({}, (*registered, *before), states, self.steps, (*self._pending(), *replaced))

    def _pending(self) -> tuple[tuple[Registration, ResourceState], ...]:
        return self._previous.pending if self._previous else ()

    def obsolete(self) -> list[tuple[Registration, ResourceState]]:
        """The resources to delete after the program: those that were replaced or are no longer registered."""
        urns = {r.urn for r in self.registrations}
        before = self._previous.registrations if self._previous else ()
        dropped = [r for r in before if r.custom and r.urn not in urns and r.type_ != "pulumi:pulumi:StackReference"]
        unregistered = [(r, self._previous.state(r.urn)) for r in dropped if self._previous]
        return [*self._pending(), *unregistered, *self._replaced]


def _delete(sandbox: Sandbox, region: str, obsolete: list[tuple[Registration, ResourceState]]) -> None:
    """Delete resources, the last first, and remove each from the list; if one is protected, delete none."""
    for registration, _ in obsolete:
        if registration.protect:
            raise Protected(registration.urn, "deleted")
    while obsolete:
        registration, state = obsolete[-1]
        if not registration.retain_on_delete:
            resources.delete(sandbox, region, registration.type_, state)
        obsolete.pop()


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
