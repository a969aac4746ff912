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
"""A resource's id in a preview: not known."""


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
    """The inputs as the engine passes them on, with unknown values as its own marks."""
    parent: str
    protect: bool
    retain_on_delete: bool
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]


class Protected(CommandError):
    """A resource that may not be deleted would be, by itself or to be replaced."""

    def __init__(self, urn: str, how: str) -> None:
        super().__init__(f"`{urn}` is protected and cannot be {how}; nothing was done to it")


Watcher = Callable[[Registration], None]
"""Hears of each resource before it is made; raises to stop it."""

Keeper = Callable[["Run"], None]
"""Hears what is there when a run fails half-way, for the next run to go on from."""


@dataclass(frozen=True)
class Run:
    """What a program did. In a preview, outputs that are not known are left out."""

    outputs: Mapping[str, Any]
    registrations: tuple[Registration, ...]
    states: Mapping[str, Mapping[str, Any]]
    """Each resource's outputs, by URN; empty in a preview."""
    steps: Mapping[str, Step] = field(default_factory=dict)
    """What was done for each resource, by URN."""
    pending: tuple[tuple[Registration, ResourceState], ...] = ()
    """What is still to be deleted, after a run that failed."""

    def state(self, urn: str) -> ResourceState:
        """A resource as it is now."""
        registration = next(r for r in self.registrations if r.urn == urn)
        return ResourceState(str(self.states[urn]["id"]), registration.inputs, self.states[urn])


def check(main: Path, project: str, stack: str, config: Mapping[str, str], outputs: _StackOutputs) -> Run:
    """Let a program judge its config, in a preview that makes nothing and reaches nothing.

    Raises:
        pulumi.RunError: the program refused its config.
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
    """Run a program once, from nothing or from what an earlier run made.

    Args:
        main: the program's file, or a function that stands for it.
        config: fully qualified keys to values as text, as the engine hands them over.
        before: hears of each resource before it is made.
        stack_outputs: outputs of other stacks, by `ORGANISATION/PROJECT/STACK`.
        preview: make nothing; whatever AWS would have given out stays unknown.
        previous: what is there: it is kept, changed in place, replaced or deleted, in the engine's order.
        failed: hears what is there when the run fails half-way.

    Raises:
        pulumi.RunError: the program refused its config.
        InputsRefused: the provider would refuse a resource's inputs.
        Protected: a protected resource would have to go.
        Exception: whatever AWS, the sandbox or `before` raised.
    """
    context = contextvars.copy_context()
    outputs = stack_outputs or {}
    return context.run(_run, sandbox, main, project, stack, config, before, outputs, preview, previous, failed)


def destroy(sandbox: Sandbox, made: Run, region: str) -> None:
    """Delete everything that a run made, the last first.

    Raises:
        Protected: a resource may not be deleted; nothing has been.
    """
    there = [(r, made.state(r.urn)) for r in made.registrations if r.custom and r.urn in made.states]
    _delete(sandbox, region, [*made.pending, *there])


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

    async def everything() -> Mapping[str, Any]:
        # A run that failed leaves tasks of its own loop behind, which nobody could wait for.
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
        outputs = loop.run_until_complete(everything())
    except Exception as error:
        if failed is not None and not preview:
            failed(monitor.left())
        raise monitor.failure or error from None
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    done = Run(outputs, tuple(monitor.registrations), {} if preview else monitor.states(), monitor.steps)
    if sandbox is not None and not preview:
        gone = monitor.gone()
        try:
            _delete(sandbox, region, gone)
        except Exception:
            if failed is not None:
                failed(replace(done, pending=tuple(gone)))
            raise
    return done


def _file(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


class _Aws(mocks.Mocks):
    """The provider's part: resources and functions as calls to the sandbox."""

    def __init__(self, sandbox: Sandbox | None, region: str, stack_outputs: _StackOutputs, preview: bool) -> None:
        self._sandbox = sandbox
        self._region = region
        self._stack_outputs = stack_outputs
        self._preview = preview
        self.step: tuple[Step, ResourceState | None] = (Step.CREATE, None)
        """What to do for the next resource, and what is there of it."""

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
    """The engine's part: one resource after the other, watched before it is made."""

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
                request.object["name"] = generated  # beside the old one, which goes last
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
        """As the engine decides it: by the inputs that changed, and whether the provider can change them in place."""
        if old is None or not new.custom or new.type_ == "pulumi:pulumi:StackReference":
            return Step.CREATE
        diffs = changed(old.inputs, new.inputs)
        if not diffs:
            return Step.SAME
        if not diffs & resources.type_of(new.type_).replaces:
            return Step.UPDATE
        before = next(r for r in self._previous.registrations if r.urn == new.urn) if self._previous else new
        if before.protect:
            raise Protected(new.urn, f"replaced, which a change of {', '.join(sorted(diffs))} asks for")
        self._replaced.append((before, old))
        return Step.REPLACE

    def states(self) -> dict[str, Mapping[str, Any]]:
        """What has been made or kept, by URN."""
        return {urn: {**found.state, "id": found.id} for urn, found in self.resources.items()}

    def left(self) -> Run:
        """What is there after a failure: what this run made, and what it did not come to of what was there before."""
        states = self.states()
        made = [r for r in self.registrations if r.urn in states]
        before = [r for r in (self._previous.registrations if self._previous else ()) if r.urn not in states]
        if self._previous is not None:
            states = {**{r.urn: self._previous.states[r.urn] for r in before}, **states}
        replaced = [(r, old) for r, old in self._replaced if r.urn not in {each.urn for each in before}]
        return Run({}, (*made, *before), states, self.steps, (*self._pending(), *replaced))

    def _pending(self) -> tuple[tuple[Registration, ResourceState], ...]:
        return self._previous.pending if self._previous else ()

    def gone(self) -> list[tuple[Registration, ResourceState]]:
        """What has to be deleted when the program is through: what was replaced, and what is registered no more."""
        now = {r.urn for r in self.registrations}
        before = self._previous.registrations if self._previous else ()
        there = [r for r in before if r.custom and r.urn not in now and r.type_ != "pulumi:pulumi:StackReference"]
        unregistered = [(r, self._previous.state(r.urn)) for r in there if self._previous]
        return [*self._pending(), *unregistered, *self._replaced]


def _delete(sandbox: Sandbox, region: str, there: list[tuple[Registration, ResourceState]]) -> None:
    """Delete, the last first, and take each off the list; where one is protected, none goes."""
    for registration, _ in there:
        if registration.protect:
            raise Protected(registration.urn, "deleted")
    while there:
        registration, old = there[-1]
        if not registration.retain_on_delete:
            resources.delete(sandbox, region, registration.type_, old)
        there.pop()


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
    """A value without the marks of secrets: AWS gets what is in them."""
    value = rpc.unwrap_rpc_secret(value) if rpc.is_rpc_secret(value) else value
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _root(urn: str, name: str) -> Registration:
    return Registration(urn, "pulumi:pulumi:Stack", name, False, {}, {}, "", False, False, (), {})
