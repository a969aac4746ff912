"""What Terraform and OpenTofu write: `show -json` of a state or a plan, and state files.

The types of Pulumi's classic provider are Terraform's, and those of `aws-native` are `awscc`'s, so that one reader serves
both. What a plan does not know is `UNKNOWN`, and refers to the resources that its configuration names.

Source: https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..inventory.accounts import Origin
from ..inventory.facts import UNKNOWN
from .files import InputError, Parsed, ValuePath
from .located import DocumentPlaces, LocatedFacts, document_sources, path_to, statement_count
from .pulumi import Resource, facts, origin
from .types import TERRAFORM, relevant

MAX_MODULES = 50
"""How deeply modules may be nested."""

_PLURALS = {"inlinePolicy": "inlinePolicies", "roleMapping": "roleMappings", "mappingRule": "mappingRules"}
"""Blocks that Terraform names by one, and Pulumi by many."""
_MAPS = frozenset({"roles", "tags", "tags_all", "principal_tags", "supported_login_providers"})
"""Properties that are maps, whose keys are no properties."""


def is_terraform(value: Any) -> bool:
    """Whether a value is what Terraform writes of a state or a plan."""
    return isinstance(value, dict) and isinstance(value.get("terraform_version"), str)


def is_plan(value: Any) -> bool:
    """Whether a value is a plan."""
    return is_terraform(value) and isinstance(value.get("planned_values"), dict)


@dataclass(frozen=True)
class _Instance:
    """A resource of a state or a plan.

    Attributes:
        address: what Terraform calls it, with the modules that it is in.
        path: where its values are.
        unknown: which of them are not known, as `after_unknown` says.
        depends: the addresses that each property refers to.
        inputs: the properties that its configuration sets; None where that is not known.
        deposed: whether it is an older object of the address, which the next change deletes.
    """

    address: str
    type_: str
    provider: Origin
    path: ValuePath
    values: Mapping[str, Any]
    unknown: Any = None
    depends: Mapping[str, tuple[str, ...]] | None = None
    inputs: frozenset[str] | None = None
    deposed: bool = False

    @property
    def identity(self) -> tuple[str, str]:
        """What tells its object in AWS from others of its type."""
        return self.type_, str(self.values.get("id", self.address))


def read_terraform(file: Parsed) -> list[LocatedFacts]:
    """The resources of a state, or of a plan as applying it would leave them."""
    value = file.value
    if is_plan(value):
        instances = list(_of_plan(file))
    elif isinstance(value.get("values"), dict):
        instances = list(_of_module(file, ("values", "root_module"), value["values"].get("root_module"), 0))
    elif isinstance(value.get("resources"), list):
        instances = list(_of_state_file(file))
    elif "format_version" in value:
        return []  # the state of nothing
    else:
        raise InputError(file.name, "must be the output of `terraform show -json`, or a state file")
    # What is deposed is still there until the next change deletes it, unless the new object has taken its place.
    live = {each.identity for each in instances if not each.deposed}
    instances = [each for each in instances if not each.deposed or each.identity not in live]
    by_base: dict[str, list[str]] = {}
    for instance in instances:
        by_base.setdefault(_base(instance.address), []).append(_urn(file, instance))
    return [found for instance in instances if (found := _located(file, instance, by_base)) is not None]


# --- instances


def _of_module(file: Parsed, path: ValuePath, module: Any, depth: int) -> Iterator[_Instance]:
    """The resources of a module and of those that it calls."""
    if module is None:
        return
    if not isinstance(module, dict) or depth > MAX_MODULES:
        raise InputError(file.place(path), f"must be a module, and at most {MAX_MODULES} levels deep")
    for number, resource in enumerate(_objects(file, (*path, "resources"), module.get("resources"))):
        if resource.get("mode") == "managed":
            at: ValuePath = (*path, "resources", number)
            yield _instance(file, at, resource, resource.get("values"), (*at, "values"))
    for number, child in enumerate(_objects(file, (*path, "child_modules"), module.get("child_modules"))):
        yield from _of_module(file, (*path, "child_modules", number), child, depth + 1)


def _objects(file: Parsed, path: ValuePath, value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError(file.place(path), f"`{path[-1]}` must be a list of objects")
    return value


def _instance(file: Parsed, at: ValuePath, resource: Mapping[str, Any], values: Any, path: ValuePath) -> _Instance:
    address, type_ = resource.get("address"), resource.get("type")
    if not isinstance(address, str) or not isinstance(type_, str):
        raise InputError(file.place(at), "must be a resource with `address` and `type`")
    deposed = resource.get("deposed_key")
    if deposed is not None:
        address += f" (deposed {deposed})"
    provider = resource.get("provider_name")
    known = values if isinstance(values, dict) else {}
    needs = resource.get("depends_on")
    depends = {_property(key): tuple(map(str, needs)) for key in known} if isinstance(needs, list) else None
    place = Origin(provider if isinstance(provider, str) else "")
    return _Instance(address, type_, place, path, known, depends=depends, deposed=deposed is not None)


def _of_state_file(file: Parsed) -> Iterator[_Instance]:
    for number, resource in enumerate(_objects(file, ("resources",), file.value["resources"])):
        if resource.get("mode") != "managed":
            continue
        at: ValuePath = ("resources", number)
        module = f"{resource['module']}." if isinstance(resource.get("module"), str) else ""
        for index, instance in enumerate(_objects(file, (*at, "instances"), resource.get("instances"))):
            key = instance.get("index_key")
            suffix = "" if key is None else f"[{key}]" if isinstance(key, int) else f'["{key}"]'
            named = {
                "address": f"{module}{resource.get('type')}.{resource.get('name')}{suffix}",
                "type": resource.get("type"),
                "provider_name": resource.get("provider"),
                "depends_on": instance.get("dependencies"),
                "deposed_key": instance.get("deposed"),
            }
            where: ValuePath = (*at, "instances", index, "attributes")
            yield _instance(file, at, named, instance.get("attributes"), where)


def _of_plan(file: Parsed) -> Iterator[_Instance]:
    value = file.value
    changes: dict[str, Any] = {}
    inline: set[tuple[str, str]] = set()
    for change in _objects(file, ("resource_changes",), value.get("resource_changes")):
        # What is deposed is an older object of the address, which the plan deletes.
        if isinstance(change.get("change"), dict) and "deposed" not in change:
            changes[str(change.get("address"))] = change["change"]
            if change.get("type") == "aws_iam_role_policy":
                inline |= set(_inline_names(change["change"]))
    configuration = _Configuration(value.get("configuration"))
    root: ValuePath = ("planned_values", "root_module")
    for planned in _of_module(file, root, value["planned_values"].get("root_module"), 0):
        configured = configuration.resource(planned.address)
        values, inputs = _configured(planned, configured, inline)
        yield replace(
            planned,
            provider=configuration.provider(planned.provider.provider, configured.get("provider_config_key")),
            values=values,
            unknown=changes.get(planned.address, {}).get("after_unknown"),
            depends=configuration.depends(planned.address, configured),
            inputs=inputs,
        )


def _inline_names(change: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The role and the name of an inline policy, before and after a change."""
    for values in (change.get("before"), change.get("after")):
        if isinstance(values, dict):
            yield str(values.get("role")).casefold(), str(values.get("name")).casefold()


def _configured(
    planned: _Instance, configured: Mapping[str, Any], inline: Collection[tuple[str, str]]
) -> tuple[Mapping[str, Any], frozenset[str] | None]:
    """A resource's values, and the properties that its configuration sets; what the provider adds is not among them.

    A plan does not show what `dynamic` blocks set. Inline policies that are known and that no other resource writes, or has
    written, are those of such blocks, or are on the role and stay there.
    """
    if not configured:
        return planned.values, None
    expressions = configured.get("expressions")
    inputs = frozenset(map(_property, expressions if isinstance(expressions, dict) else ()))
    policies = planned.values.get("inline_policy")
    if planned.type_ != "aws_iam_role" or "inlinePolicies" in inputs or not isinstance(policies, list):
        return planned.values, inputs
    role = str(planned.values.get("name")).casefold()
    own = [p for p in policies if isinstance(p, dict) and (role, str(p.get("name")).casefold()) not in inline]
    if not own:
        return planned.values, inputs
    return {**planned.values, "inline_policy": own}, inputs | {"inlinePolicies"}


# --- what a plan's configuration refers to


class _Configuration:
    """The configuration of a plan: what the expressions of each resource refer to, through variables and outputs."""

    def __init__(self, configuration: Any) -> None:
        root = configuration.get("root_module") if isinstance(configuration, dict) else None
        self._root: dict[str, Any] = root if isinstance(root, dict) else {}
        providers = configuration.get("provider_config") if isinstance(configuration, dict) else None
        self._providers: dict[str, Any] = providers if isinstance(providers, dict) else {}
        self._resources: dict[tuple[str, ...], dict[str, dict[str, Any]]] = {}

    def provider(self, name: str, key: Any) -> Origin:
        """Where a provider makes its resources, as far as its configuration says."""
        found = self._providers.get(key) if isinstance(key, str) else None
        expressions = found.get("expressions") if isinstance(found, dict) else None
        return origin(f"{name} {key or ''}".strip(), _renamed(_constants(expressions or {}, 0)))

    def _module(self, names: tuple[str, ...]) -> dict[str, Any]:
        module: Any = self._root
        for name in names:
            calls = module.get("module_calls") if isinstance(module, dict) else None
            call = calls.get(name) if isinstance(calls, dict) else None
            module = call.get("module") if isinstance(call, dict) else None
        return module if isinstance(module, dict) else {}

    def resource(self, address: str) -> dict[str, Any]:
        """The configuration of a resource; an empty one where there is none."""
        names, rest = _modules(_base(address))
        if names not in self._resources:
            listed = self._module(names).get("resources")
            objects = [each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)]
            self._resources[names] = {str(each.get("address")): each for each in objects}
        return self._resources[names].get(rest, {})

    def depends(self, address: str, configured: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """The resources, without their indexes, that each property of a resource refers to."""
        names, _ = _modules(_base(address))
        expressions = configured.get("expressions")
        found: dict[str, tuple[str, ...]] = {}
        for key, expression in expressions.items() if isinstance(expressions, dict) else ():
            found[_property(key)] = tuple(dict.fromkeys(self._targets(names, expression, 0, set())))
        return found

    def _targets(
        self, names: tuple[str, ...], expression: Any, depth: int, seen: set[tuple[tuple[str, ...], str]]
    ) -> Iterator[str]:
        if depth > MAX_MODULES:
            return
        if isinstance(expression, list):
            for item in expression:
                yield from self._targets(names, item, depth + 1, seen)
        if not isinstance(expression, dict):
            return
        references = expression.get("references")
        if not isinstance(references, list):
            for member in expression.values():
                yield from self._targets(names, member, depth + 1, seen)
            return
        for reference in references:
            if (names, str(reference)) not in seen:
                seen.add((names, str(reference)))
                yield from self._target(names, str(reference), depth, seen)

    def _target(
        self, names: tuple[str, ...], reference: str, depth: int, seen: set[tuple[tuple[str, ...], str]]
    ) -> Iterator[str]:
        parts = _base(reference).split(".")
        if parts[0] == "var" and len(parts) > 1 and names:
            calls = self._module(names[:-1]).get("module_calls", {})
            call = calls.get(names[-1]) if isinstance(calls, dict) else None
            expressions = call.get("expressions") if isinstance(call, dict) else None
            if isinstance(expressions, dict):
                yield from self._targets(names[:-1], expressions.get(parts[1]), depth + 1, seen)
        elif parts[0] == "module" and len(parts) > 2:
            outputs = self._module((*names, parts[1])).get("outputs")
            output = outputs.get(parts[2]) if isinstance(outputs, dict) else None
            if isinstance(output, dict):
                yield from self._targets((*names, parts[1]), output.get("expression"), depth + 1, seen)
        elif len(parts) > 1 and parts[0] not in ("var", "local", "each", "count", "path", "terraform", "data", "self"):
            yield ".".join([*(f"module.{name}" for name in names), *parts[:2]])


def _constants(expression: Any, depth: int) -> Any:
    """The values of expressions; UNKNOWN where they refer to anything."""
    if isinstance(expression, list):
        return [_constants(item, depth + 1) for item in expression] if depth < MAX_MODULES else UNKNOWN
    if not isinstance(expression, dict) or "references" in expression or depth >= MAX_MODULES:
        return UNKNOWN
    if "constant_value" in expression:
        return expression["constant_value"]
    return {key: _constants(member, depth + 1) for key, member in expression.items()}


def _base(address: str) -> str:
    """An address without the indexes of its instances."""
    return re.sub(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]', "", address)


def _modules(address: str) -> tuple[tuple[str, ...], str]:
    """The modules that an address leads through, and the rest of it."""
    names: list[str] = []
    while address.startswith("module."):
        _, name, address = (*address.split(".", 2), "", "")[:3]
        names.append(name)
    return tuple(names), address


# --- facts


def _urn(file: Parsed, instance: _Instance) -> str:
    return f"urn:terraform:{file.name}::{instance.type_}::{instance.address}"


def _located(file: Parsed, instance: _Instance, by_base: Mapping[str, list[str]]) -> LocatedFacts | None:
    type_ = TERRAFORM.get(instance.type_) or _native(instance.type_)
    if not relevant(type_):
        return None
    values = _with_unknowns(instance.values, instance.unknown)
    props = {key: value for key, value in _renamed(values).items() if value is not None}
    if isinstance(details := props.get("details"), list):
        props["details"] = details[0] if details else {}  # a block that stands once
    depends = {
        key: tuple(urn for base in bases for urn in by_base.get(base, ()))
        for key, bases in (instance.depends or {}).items()
    }
    region = props.get("region")
    place = replace(instance.provider, region=region) if isinstance(region, str) else instance.provider
    urn = _urn(file, instance)
    stated = tuple(facts(Resource(urn, type_, instance.address, props or {"": None}, depends, place, instance.inputs)))
    documents: dict[str, DocumentPlaces] = {}
    for source in document_sources(stated):
        way = path_to(source.source, values)
        if way is not None:
            path = (*instance.path, *way)
            count = statement_count(source.source) or 0
            places = tuple(file.place((*path, "Statement", number)) for number in range(count))
            documents[source.label] = DocumentPlaces(file.place(path), places)
    at = file.place(instance.path[:-1])
    return LocatedFacts(urn, instance.type_, instance.address, stated, at, documents, unsettled=instance.deposed)


def _native(type_: str) -> str:
    parts = type_.split("_", 2)
    if len(parts) < 3 or parts[0] != "awscc":
        return ""
    return f"aws-native:{parts[1]}:{''.join(word.capitalize() for word in parts[2].split('_'))}"


def _with_unknowns(value: Any, unknown: Any) -> Any:
    """A value in which what a plan does not know is UNKNOWN."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict) and isinstance(value, dict | None):
        members = dict(value or {})
        return members | {key: _with_unknowns(members.get(key), mark) for key, mark in unknown.items() if mark}
    if isinstance(unknown, list) and isinstance(value, list):
        marks = [*unknown, *[None] * (len(value) - len(unknown))]
        items = [*value, *[None] * (len(unknown) - len(value))]
        return [_with_unknowns(item, mark) for item, mark in zip(items, marks, strict=True)]
    return value


def _property(name: str) -> str:
    """A property or a block as Pulumi calls it."""
    camel = re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), name)
    return _PLURALS.get(camel, camel)


def _renamed(value: Any) -> Any:
    """Values with the names of their properties as Pulumi writes them; the keys of maps are no properties."""
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, member in value.items():
            is_map = key in _MAPS and isinstance(member, dict)
            found[_property(key)] = member if is_map else _renamed(member)
        if isinstance(found.get("region"), list):
            found["regions"] = found.pop("region")
        return found
    return [_renamed(item) for item in value] if isinstance(value, list) else value
