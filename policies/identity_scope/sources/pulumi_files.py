"""What Pulumi writes of a stack: `pulumi stack export`, a state file, and `pulumi preview --json`.

A secret without its plaintext is `SECRET`; what is not known at preview is `UNKNOWN`.

Sources: https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_export/,
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/core.go,
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/display/json.go
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..inventory.accounts import Origin
from ..inventory.facts import SECRET, UNKNOWN
from ..inventory.labels import distinct
from .files import InputError, Parsed, ValuePath
from .located import DocumentPlaces, LocatedFacts, document_sources, path_to, statement_count
from .pulumi import Resource, facts, origin
from .signatures import OUTPUT, RESOURCE, SIGNATURE, UNKNOWNS
from .signatures import SECRET as SECRET_SIGNATURE
from .types import relevant

_GONE = frozenset({"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})
"""Operations of a preview after which a resource is not there, or that another one replaces."""


def is_state(value: Any) -> bool:
    """Whether a value is what `pulumi stack export` writes, or a state file."""
    return isinstance(value, dict) and (
        isinstance(value.get("deployment"), dict) or isinstance(value.get("checkpoint"), dict)
    )


def is_preview(value: Any) -> bool:
    """Whether a value is what `pulumi preview --json` writes."""
    return isinstance(value, dict) and isinstance(value.get("steps"), list) and "Resources" not in value


def read_state(file: Parsed) -> list[LocatedFacts]:
    """The resources of a stack that is deployed."""
    path: ValuePath = ("deployment",)
    deployment = file.value.get("deployment")
    if not isinstance(deployment, dict):
        path = ("checkpoint", "latest")
        deployment = file.value["checkpoint"].get("latest") or {}
    resources = deployment.get("resources") or []
    if not isinstance(resources, list):
        raise InputError(file.place((*path, "resources")), "must be a list of resources")
    states: list[tuple[ValuePath, dict[str, Any]]] = [
        (at, _checked(file, at, state))
        for at, state in (((*path, "resources", number), state) for number, state in enumerate(resources))
    ]
    live = [(at, state) for at, state in states if state["delete"] is not True]
    identities = {_identity(state) for _, state in live}
    # What is to be deleted is still there, unless a new resource has taken its place.
    older = [
        (at, state)
        for at, state in states
        if state["delete"] is True and state.get("external") is not True and _identity(state) not in identities
    ]
    created = _unfinished(file, path, deployment, "creating")
    # One that was being changed is judged in the place of what it was.
    changed = {
        state["urn"]: (at, {**state, "delete": True}) for at, state in _unfinished(file, path, deployment, "updating")
    }
    unsettled = [*_marked(older, "pending deletion", live), *_marked(created, "not finished", live), *changed.values()]
    return list(_read(file, [*live, *unsettled]))


def _identity(state: Mapping[str, Any]) -> tuple[str, str]:
    """What tells a resource in AWS from others of its type."""
    return state["type"], str(state.get("id") or state["urn"])


def _unfinished(
    file: Parsed, path: ValuePath, deployment: Mapping[str, Any], type_: str
) -> Iterator[tuple[ValuePath, dict[str, Any]]]:
    """Resources of which an interrupted update has begun an operation of a type."""
    operations = deployment.get("pending_operations")
    for number, operation in enumerate(operations if isinstance(operations, list) else ()):
        if isinstance(operation, dict) and operation.get("type") == type_:
            at: ValuePath = (*path, "pending_operations", number, "resource")
            yield at, _checked(file, at, operation.get("resource"))


def _marked(
    states: Iterable[tuple[ValuePath, dict[str, Any]]], mark: str, others: list[tuple[ValuePath, dict[str, Any]]]
) -> Iterator[tuple[ValuePath, dict[str, Any]]]:
    """Resources that are there until they are deleted, or may be there, under names that say so."""
    taken = {state["urn"] for _, state in others}
    for at, state in states:
        urn = distinct(f"{state['urn']} ({mark})", taken)
        taken.add(urn)
        yield at, {**state, "urn": urn, "delete": True}


def read_preview(file: Parsed) -> list[LocatedFacts]:
    """The resources of a stack as an update would leave it."""
    states: list[tuple[ValuePath, Any]] = []
    same = 0
    for number, step in enumerate(file.value["steps"]):
        at: ValuePath = ("steps", number)
        if not isinstance(step, dict):
            raise InputError(file.place(at), "must be an object with `op` and `newState`")
        same += step.get("op") == "same"
        if step.get("op") not in _GONE and step.get("newState") is not None:
            states.append(((*at, "newState"), _checked(file, (*at, "newState"), step["newState"])))
    summary = file.value.get("changeSummary")
    unchanged = summary.get("same", 0) if isinstance(summary, dict) else 0
    if isinstance(unchanged, int) and unchanged > same:
        missing = unchanged - same
        raise InputError(
            file.name, f"leaves out {missing} unchanged resources; write it with `pulumi preview --json --show-sames`"
        )
    # A resource that is replaced has a step for each of its halves.
    last = {state["urn"]: (at, state) for at, state in states}
    return list(_read(file, list(last.values())))


def _checked(file: Parsed, at: ValuePath, state: Any) -> dict[str, Any]:
    if not isinstance(state, dict) or not isinstance(state.get("urn"), str) or not isinstance(state.get("type"), str):
        raise InputError(file.place(at), "must be a resource with `urn` and `type`")
    return {"delete": False, **state}


def _read(file: Parsed, states: list[tuple[ValuePath, dict[str, Any]]]) -> Iterator[LocatedFacts]:
    providers = {
        f"{state['urn']}::{state.get('id', '')}": plain(_object(state, "inputs"))
        for _, state in states
        if state["type"].startswith("pulumi:providers:")
    }
    for at, state in states:
        # A component can have any type and any properties, and makes nothing.
        if not relevant(state["type"]) or state.get("custom") is False:
            continue
        inputs, outputs = plain(_object(state, "inputs")), plain(_object(state, "outputs"))
        props = {**inputs, **{key: value for key, value in outputs.items() if value is not None}}
        if isinstance(state.get("id"), str) and state["id"]:
            props.setdefault("id", state["id"])
        resource = Resource(
            state["urn"],
            state["type"],
            state["urn"].rpartition("::")[2],
            props,
            _depends(state),
            _origin(state, props, providers),
            # Of a resource that a program reads, everything is what the provider tells.
            None if state.get("external") is True else frozenset(inputs),
        )
        stated = tuple(facts(resource))
        documents: dict[str, DocumentPlaces] = {}
        for source in document_sources(stated):
            way = path_to(source.source, props)
            if way:
                side = "outputs" if way[0] in outputs and outputs[str(way[0])] is not None else "inputs"
                documents[source.label] = _document_places(file, (*at, side, *way), source.source)
        unsettled = state["delete"] is True
        yield LocatedFacts(
            state["urn"], state["type"], resource.name, stated, file.place(at), documents, unsettled=unsettled
        )


def _document_places(file: Parsed, path: ValuePath, document: object) -> DocumentPlaces:
    count = statement_count(document) or 0
    places = tuple(file.place((*path, "Statement", number)) for number in range(count))
    return DocumentPlaces(file.place(path), places)


def _object(state: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = state.get(key)
    return value if isinstance(value, dict) else {}


def _depends(state: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    def urns(value: object) -> tuple[str, ...]:
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()

    depends = {key: urns(value) for key, value in _object(state, "propertyDependencies").items()}
    if not depends and urns(state.get("dependencies")):
        depends = dict.fromkeys(_object(state, "inputs"), urns(state["dependencies"]))
    return depends


def _origin(state: Mapping[str, Any], props: Mapping[str, Any], providers: Mapping[str, dict[str, Any]]) -> Origin:
    provider = state.get("provider")
    region = props.get("region")
    if not isinstance(provider, str) or not provider:
        return Origin(region=region if isinstance(region, str) else None)
    return origin(provider.rpartition("::")[0], providers.get(provider, {}), region)


def plain(value: Any) -> Any:
    """A value of a state without what marks it as secret, as an output, or as not known."""
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWNS else value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    signature = value.get(SIGNATURE)
    if signature == SECRET_SIGNATURE:
        text = value.get("plaintext")
        if isinstance(text, str):
            try:
                return plain(json.loads(text))
            except (ValueError, RecursionError):
                return SECRET
        return plain(value["value"]) if "value" in value else SECRET
    if signature == OUTPUT:
        return plain(value["value"]) if "value" in value else UNKNOWN
    if signature == RESOURCE:
        return plain(value["id"]) if value.get("id") else UNKNOWN
    if signature is not None:
        return None  # a file or the like
    return {key: plain(item) for key, item in value.items()}
