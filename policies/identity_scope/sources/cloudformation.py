"""CloudFormation templates: SAM's, the CDK's, and what Serverless and Amplify synthesize.

A template is evaluated as CloudFormation would: parameters, conditions, mappings, intrinsic functions, nested stacks and
exports. A name that CloudFormation makes up is a constant that is equal to no other name. What is not known, such as a
parameter without a default, may be any string; a condition that depends on it is tried both ways.

INVARIANT (widening). What is not known makes an Allow wider and a Deny narrower: in a document it becomes a policy variable
of which nothing is known, and where variables are not expanded, the statement is widened, left out, or refused.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .files import InputError, Parsed, Place, ValuePath, inside
from .located import Note

MAX_STACKS = 200
MAX_WORLDS = 64
"""How many combinations of undecided conditions are judged."""
MAX_TEXT = 200_000
"""Longest text that functions may build."""

_BEGIN, _END = "\ufdd0", "\ufdd1"
"""What marks the name of something that is not known inside a text; no character has these code points."""
_MARKED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_MACRO = "Fn::Transform"
NO_VALUE = object()
"""What AWS::NoValue evaluates to."""


class Located(dict[str, Any]):
    """An object of a template after evaluation, and where it stands."""

    def __init__(self, members: Mapping[str, Any], at: ValuePath) -> None:
        super().__init__(members)
        self.at = at


@dataclass(frozen=True)
class Assumptions:
    """What a template does not say of its deployment; `region_known` says whether the region was given."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    account: str = "000000000000"
    region_known: bool = False

    @property
    def partition(self) -> str:
        for head, name in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
            if self.region.startswith(head):
                return name
        return "aws"


def is_template(value: Any) -> bool:
    """Whether a value is a CloudFormation template."""
    resources = value.get("Resources") if isinstance(value, dict) else None
    return isinstance(resources, dict) and any(
        isinstance(resource, dict) and isinstance(resource.get("Type"), str) for resource in resources.values()
    )


def unknown(name: str) -> str:
    """A text of which nothing is known, under a name that says where it comes from."""
    return f"{_BEGIN}{re.sub(r'[^A-Za-z0-9._-]', '-', name)[:100]}{_END}"


def is_unknown(value: object) -> bool:
    """Whether something in a text is not known."""
    return isinstance(value, str) and _BEGIN in value


def rendered(text: str) -> str:
    """A text in which what is not known is a policy variable, `${NAME}`."""
    return _MARKED.sub(r"${\1}", text)


def unknown_names(text: str) -> list[str]:
    """What is not known in a text, as policy variables."""
    return [f"${{{name}}}" for name in _MARKED.findall(text)]


class Undecided(Exception):
    """A condition that what is known does not decide: `key` tells it from others.

    Attributes:
        parameter: the parameter that would decide it, and the value that makes it true; None where there is no such one.
    """

    def __init__(self, key: str, parameter: tuple[str, str] | None) -> None:
        super().__init__(key)
        self.key = key
        self.parameter = parameter


@dataclass(frozen=True)
class World:
    """Undecided conditions as they are tried: by their keys, and parameters with the value that makes one true."""

    choices: Mapping[str, bool] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    def fork(self, undecided: Undecided) -> tuple[World, World]:
        """The two ways that an undecided condition can be."""
        false = World({**self.choices, undecided.key: False}, self.parameters)
        if undecided.parameter is not None:
            name, value = undecided.parameter
            return World(self.choices, {**self.parameters, name: value}), false
        return World({**self.choices, undecided.key: True}, self.parameters), false

    def __str__(self) -> str:
        parts = [f"`{name.rpartition(':')[2]}` is `{value}`" for name, value in self.parameters.items()]
        parts += [f"{key} is {str(value).lower()}" for key, value in self.choices.items()]
        return " and ".join(parts)


class Deployment:
    """All templates that are judged together: what they export, and the names that are made up for them.

    Attributes:
        sampled: whether, in a document, a value stands for each that is not known: one as it is likely to be.
        samples: what stands for them, each with the policy variable that stands for it elsewhere.
    """

    def __init__(
        self,
        assumptions: Assumptions,
        world: World,
        find: Callable[[Template, str], Parsed | None],
        sampled: bool = False,
    ) -> None:
        self.sampled = sampled
        self.samples: dict[str, str] = {}
        self.assumptions = assumptions
        self.world = world
        self.find = find
        self.notes: dict[Note, None] = {}
        self.stacks: list[Template] = []
        self._names: set[str] = set()

    def add(self, template: Template) -> None:
        self.stacks.append(template)
        if len(self.stacks) > MAX_STACKS:
            raise InputError(template.file.name, f"has more than {MAX_STACKS} nested stacks")

    def fresh(self, name: str, written: str = "") -> str:
        """A name that nothing else has, and that is not in what is written."""
        found, number = name, 1
        while found.lower() in self._names or found in written:
            number += 1
            found = f"{name}-{number}"
        self._names.add(found.lower())
        return found

    def rendered(self, text: str, service: str = "") -> str:
        """A text of a document: what is not known is a policy variable in it, or has a value that it may have.

        Args:
            service: whose ARN the text is, if it is one.
        """
        found = _MARKED.match(text)
        if found is not None and service:  # what begins an ARN is one
            place = ":" if service == "s3" else f"{self.assumptions.region}:{self.assumptions.account}"
            head = f"arn:{self.assumptions.partition}:{service}:{place}:"
            return self._sample(found.group(1), head) + self.rendered(text[found.end() :])
        return _MARKED.sub(lambda match: self._sample(match.group(1)), text)

    def _sample(self, name: str, head: str = "") -> str:
        variable = f"${{{name}}}"
        if not self.sampled:
            self.samples[variable] = variable
            return variable
        for sample, meant in self.samples.items():
            if meant == variable and sample.startswith("arn:") is bool(head):
                return sample
        plain = re.sub(r"[^a-z0-9]+", "-", f"{name}-arn" if head else name, flags=re.IGNORECASE).strip("-").lower()
        written = "".join(stack.written for stack in self.stacks)
        found = f"{head}{self.fresh(f'example-{plain[:40]}', written)}"
        self.samples[found] = variable
        return found

    def exported(self, name: str) -> Any:
        """The value that a template exports under a name; None if none does."""
        for stack in self.stacks:
            for output in stack.outputs.values():
                export = output.get("Export")
                if isinstance(export, dict) and stack.text(export.get("Name"), ("Outputs",)) == name:
                    return stack.evaluate(output.get("Value"), ("Outputs",))
        return None


class Template:
    """One stack of a template: what its references and functions evaluate to."""

    def __init__(
        self,
        file: Parsed,
        deployment: Deployment,
        name: str = "",
        arguments: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        """Args:
        name: the logical IDs that lead to a nested stack; empty for a stack that is none.
        arguments: a nested stack's parameters, as its parent sets them; None for a stack that is none.
        """
        self.file = file
        self.deployment = deployment
        self.name = name
        self.nested = arguments is not None
        self._arguments = arguments or {}
        self._running: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str], Any] = {}
        self.transformed = "Transform" in file.value
        self.resources: dict[str, Any] = {}
        self.parameters = self._section("Parameters")
        self.outputs: dict[str, Any] = {}
        self._conditions = self._section("Conditions", objects=False)
        self._mappings = self._section("Mappings")
        self.resources = self._expanded(self._section("Resources"), ("Resources",))
        self.outputs = self._expanded(self._section("Outputs"), ("Outputs",))
        self._note_macros()
        self.children: dict[str, Template | None] = {}
        self._identities: dict[str, tuple[Any, dict[str, Any]]] = {}
        deployment.add(self)

    def _section(self, name: str, objects: bool = True) -> dict[str, Any]:
        section = self.file.value.get(name) or {}
        if not isinstance(section, dict):
            raise InputError(self.place((name,)), f"`{name}` must be an object")
        if objects:
            for key, item in section.items():
                if not isinstance(item, dict) and not key.startswith("Fn::"):
                    raise InputError(self.place((name, key)), f"`{name}.{key}` must be an object")
        return section

    def _note_macros(self) -> None:
        macros = self.file.value.get("Transform")
        for macro in macros if isinstance(macros, list) else [macros]:
            if macro is not None and not str(macro).startswith("AWS::"):
                self._note_macro(macro, ("Transform",))
        if _MACRO in self.file.value:
            self._note_macro(self.file.value[_MACRO], (_MACRO,))

    def _note_macro(self, macro: Any, at: ValuePath) -> None:
        name = macro.get("Name") if isinstance(macro, dict) else macro
        self.note(at, f"the macro `{name}` is not evaluated; judge the processed template")

    def _expanded(self, resources: dict[str, Any], at: ValuePath, depth: int = 0) -> dict[str, Any]:
        """The resources or outputs, with those of each `Fn::ForEach`, and without those that a macro adds.

        Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
        """
        found: dict[str, Any] = {}
        for key, value in resources.items():
            if key == _MACRO:
                self._note_macro(value, (*at, key))
                continue
            if not key.startswith("Fn::ForEach::"):
                found[key] = value
                continue
            here = (*at, key)
            loop = value if isinstance(value, list) and len(value) == 3 else ["", None, None]
            values = self.evaluate(loop[1], (*here, 1)) if isinstance(loop[1], list | dict) else None
            if not isinstance(values, list) or any(map(is_unknown, values)) or not isinstance(loop[2], dict):
                raise InputError(self.place(here), f"`{key}` must have a name, a list that is known, and an object")
            if depth > _MAX_LOOPS:
                raise InputError(self.place(here), "loops are nested too deeply")
            for item in values:
                body = _with_item(loop[2], str(loop[0]), str(item))
                found |= self._expanded(body, (*here, 2), depth + 1)
                if len(found) > _MAX_RESOURCES:
                    raise InputError(self.place(here), f"makes more than {_MAX_RESOURCES} {str(at[0]).lower()}")
        for key, value in found.items():
            if not isinstance(value, dict):
                raise InputError(self.place((*at, key)), f"`{'.'.join(map(str, at))}.{key}` must be an object")
        return found

    @cached_property
    def written(self) -> str:
        """All that the template says, as one text."""
        return json.dumps(self.file.value, ensure_ascii=False)

    def place(self, path: ValuePath) -> Place:
        return self.file.place(path)

    def note(self, path: ValuePath, text: str) -> None:
        self.deployment.notes[Note(self.place(path), text)] = None

    # --- values

    def evaluate(self, value: Any, at: ValuePath) -> Any:
        """A value with its functions evaluated; `NO_VALUE` where it is AWS::NoValue."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((key, argument),) = value.items()
                if key in _FUNCTIONS:
                    return _FUNCTIONS[key](self, argument, (*at, key))
            # A macro, or a loop, may add to the members beside it and change them.
            function = next((key for key in value if isinstance(key, str) and key.startswith("Fn::")), None)
            if function is not None:
                return self._not_supported(function, at)
            members = {key: self.evaluate(member, (*at, key)) for key, member in value.items()}
            if isinstance(value.get("Statement"), list):
                # Statements keep their numbers.
                members["Statement"] = self._items(value["Statement"], (*at, "Statement"))
            return Located({key: member for key, member in members.items() if member is not NO_VALUE}, at)
        if isinstance(value, list):
            return [item for item in self._items(value, at) if item is not NO_VALUE]
        if isinstance(value, str):
            if _BEGIN in value or _END in value:
                raise InputError(self.place(at), "has a code point that is no character")
            if "{{resolve:" in value:
                return self._dynamic(value)
        return value

    def _items(self, value: list[Any], at: ValuePath) -> list[Any]:
        return [self.evaluate(item, (*at, number)) for number, item in enumerate(value)]

    def _dynamic(self, value: str) -> str:
        return re.sub(r"\{\{resolve:([^{}]*)\}\}", lambda match: unknown(match.group(1)), value)

    def _not_supported(self, name: str, at: ValuePath) -> str:
        self.note(at, f"`{name}` is not evaluated, so its value may be anything")
        return unknown(name)

    def text(self, value: Any, at: ValuePath) -> str | None:
        """A value as text; None where it is not there."""
        found = self.evaluate(value, at)
        if found is None or found is NO_VALUE or isinstance(found, dict):
            return None
        if isinstance(found, list):
            return ",".join(self._scalar(item, at, "a list") for item in found)
        if isinstance(found, bool):
            return "true" if found else "false"
        return str(found)

    def _texts(self, value: Any, at: ValuePath, function: str) -> list[str] | str:
        """A list of texts, or a text of which nothing is known."""
        found = self.evaluate(value, at)
        if is_unknown(found):
            return str(found)
        if not isinstance(found, list):
            raise InputError(self.place(at), f"`{function}` must have a list")
        return [self._scalar(item, at, function) for item in found]

    def _scalar(self, value: Any, at: ValuePath, function: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise InputError(self.place(at), f"`{function}` must have strings")

    def _arguments_of(self, value: Any, at: ValuePath, function: str, *counts: int) -> list[Any]:
        if not isinstance(value, list) or len(value) not in counts:
            wanted = " or ".join(map(str, counts))
            raise InputError(self.place(at), f"`{function}` must have a list of {wanted} values")
        return value

    # --- references

    def ref(self, name: Any, at: ValuePath) -> Any:
        if not isinstance(name, str):
            raise InputError(self.place(at), "`Ref` must name a parameter or a resource")
        if name in self.parameters:
            return self._parameter(name)
        if name in self.resources:
            return self.identity(name)[0]
        pseudo = self._pseudo(name)
        return self._missing(name, at) if pseudo is None else pseudo

    def _pseudo(self, name: str) -> Any:
        assumptions = self.deployment.assumptions
        stack = "STACK" if not self.name else f"STACK-{self.name.replace('.', '-')}"
        return {
            "AWS::AccountId": assumptions.account,
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": unknown("AWS--NotificationARNs"),
            "AWS::Partition": assumptions.partition,
            "AWS::Region": assumptions.region,
            "AWS::StackId": f"arn:{assumptions.partition}:cloudformation:{assumptions.region}:{assumptions.account}:"
            f"stack/{stack}",
            "AWS::StackName": stack,
            "AWS::URLSuffix": "amazonaws.com.cn" if assumptions.partition == "aws-cn" else "amazonaws.com",
        }.get(name)

    def _missing(self, name: str, at: ValuePath) -> Any:
        """A name that the template does not have; a transform may add it."""
        if self.transformed:
            if name in ("ServerlessRestApi", "ServerlessHttpApi"):
                return name
            return unknown(name)
        problem = f"`{name}` is neither a parameter nor a resource of the template"
        if ":" in name and not name.startswith("AWS::"):
            problem += f"; write `${{!{name}}}` for a policy variable"
        raise InputError(self.place(at), problem)

    def _parameter(self, name: str) -> Any:
        given = self._given(name)
        declared = self.parameters[name]
        type_ = str(declared.get("Type", "String"))
        if given is None:
            if type_.startswith("AWS::SSM::Parameter::Value"):
                self.note(("Parameters", name), f"the value of `{name}` is in Systems Manager, so it may be any string")
                return unknown(name)
            if "Default" not in declared:
                how = "" if self.nested else f"; set it with `--parameter {name}=VALUE`"
                self.note(("Parameters", name), f"`{name}` has no default, so it may be any string{how}")
                return unknown(name)
            given = declared["Default"]
        if isinstance(given, bool):
            given = "true" if given else "false"
        if type_.startswith(("List<", "CommaDelimitedList")) and isinstance(given, str) and not is_unknown(given):
            return [item.strip() for item in given.split(",")]
        return given

    def _given(self, name: str) -> Any:
        if self.nested:
            if name not in self._arguments:
                return None
            return self._once("parameter", name, self._arguments[name])
        world = self.deployment.world.parameters
        return world.get(f"{self.file.name}:{name}", self.deployment.assumptions.parameters.get(name))

    def _once(self, kind: str, name: str, evaluate: Callable[[], Any]) -> Any:
        """A value that many may refer to, evaluated once; one that depends on itself is not known."""
        if (kind, name) in self._running:
            return unknown(name)
        if (kind, name) not in self._known:
            self._running.add((kind, name))
            try:
                self._known[kind, name] = evaluate()
            finally:
                self._running.discard((kind, name))
        return self._known[kind, name]

    def get_att(self, value: Any, at: ValuePath) -> Any:
        parts = value.split(".", 1) if isinstance(value, str) else value
        if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], str):
            raise InputError(self.place(at), "`Fn::GetAtt` must name a resource and an attribute")
        name = parts[0]
        attribute = ".".join(str(self.text(part, at)) for part in parts[1:])
        if name not in self.resources:
            return self._missing(name, at)
        child = self.child(name)
        if child is not None and attribute.startswith("Outputs."):
            output = child.outputs.get(attribute.removeprefix("Outputs."))
            if output is not None:
                at_output: ValuePath = ("Outputs", attribute.removeprefix("Outputs."), "Value")
                found = child._once("output", attribute, lambda: child.evaluate(output.get("Value"), at_output))
                return unknown(f"{name}.{attribute}") if found is None or found is NO_VALUE else found
        attributes = self.identity(name)[1]
        return attributes.get(attribute, unknown(f"{name}.{attribute}"))

    def identity(self, name: str) -> tuple[Any, dict[str, Any]]:
        """What `Ref` and `Fn::GetAtt` give of a resource."""
        if name not in self._identities:
            if ("identity", name) in self._running:
                return unknown(name), {}
            self._running.add(("identity", name))
            try:
                self._identities[name] = identity_of(self, name)
            finally:
                self._running.discard(("identity", name))
        return self._identities[name]

    def property(self, name: str, key: str) -> str | None:
        """A property of a resource as text."""
        properties = self.resources[name].get("Properties")
        if not isinstance(properties, dict) or key not in properties:
            return None
        return self.text(properties[key], ("Resources", name, "Properties", key))

    def qualified(self, name: str) -> str:
        return f"{self.name}.{name}" if self.name else name

    # --- nested stacks

    def child(self, name: str) -> Template | None:
        """The stack that a resource nests; None where it nests none, or its template is not given."""
        if name in self.children:
            return self.children[name]
        self.children[name] = None
        resource = self.resources[name]
        location = _NESTED.get(str(resource.get("Type")))
        if location is None:
            return None
        metadata = resource.get("Metadata")
        asset = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
        source = asset if isinstance(asset, str) else self.property(name, location)
        file = self.deployment.find(self, source) if source and not is_unknown(source) else None
        at: ValuePath = ("Resources", name)
        if file is None or not is_template(file.value):
            self.note(
                at, f"the template of the nested stack `{name}` is not among the given files, so it is not judged"
            )
            return None
        if self.name.count(".") >= 8:
            raise InputError(self.place(at), "stacks are nested too deeply")
        arguments = resource.get("Properties", {}).get("Parameters") or {}
        if not isinstance(arguments, dict):
            raise InputError(self.place(at), "`Parameters` must be an object")

        def argument(key: str) -> Callable[[], Any]:
            return lambda: self.evaluate(arguments[key], (*at, "Properties", "Parameters", key))

        values = {key: argument(key) for key in arguments}
        self.children[name] = Template(file, self.deployment, self.qualified(name), values)
        return self.children[name]

    # --- functions

    def sub(self, value: Any, at: ValuePath) -> str:
        variables: Mapping[str, Any] = {}
        if isinstance(value, list):
            value, variables = self._arguments_of(value, at, "Fn::Sub", 2)
        if not isinstance(value, str) or not isinstance(variables, dict):
            raise InputError(self.place(at), "`Fn::Sub` must be a string, or a list of a string and an object")
        value = self.evaluate(value, at)  # which may hold a dynamic reference

        def part(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                found = self.evaluate(variables[name], (*at, 1, name))
            elif "." in name and name not in self.parameters and not name.startswith("AWS::"):
                if name.partition(".")[0] not in self.resources and ":" in name:
                    found = self._missing(name, at)
                else:
                    found = self.get_att(name, at)
            else:
                found = self.ref(name, at)
            return self._scalar(unknown(name) if found is NO_VALUE else found, at, "Fn::Sub")

        return self._bounded(_PLACEHOLDER.sub(part, value), at)

    def _bounded(self, text: str, at: ValuePath) -> str:
        if len(text) > MAX_TEXT:
            raise InputError(self.place(at), f"makes a text of more than {MAX_TEXT} characters")
        return text

    def join(self, value: Any, at: ValuePath) -> str:
        delimiter, items = self._arguments_of(value, at, "Fn::Join", 2)
        texts = self._texts(items, (*at, 1), "Fn::Join")
        if isinstance(texts, str) or not isinstance(delimiter, str):
            return unknown("Fn-Join")
        return self._bounded(delimiter.join(texts), at)

    def select(self, value: Any, at: ValuePath) -> Any:
        index, items = self._arguments_of(value, at, "Fn::Select", 2)
        number = self.text(index, (*at, 0))
        found = self.evaluate(items, (*at, 1))
        if is_unknown(found) or is_unknown(number):
            return unknown("Fn-Select")
        if not isinstance(found, list) or number is None or not number.isdecimal() or int(number[:9]) >= len(found):
            raise InputError(self.place(at), "`Fn::Select` must have an index and a list that has it")
        return found[int(number)]

    def split(self, value: Any, at: ValuePath) -> Any:
        delimiter, source = self._arguments_of(value, at, "Fn::Split", 2)
        text = self.text(source, (*at, 1))
        if text is None or not isinstance(delimiter, str) or not delimiter:
            raise InputError(self.place(at), "`Fn::Split` must have a delimiter and a string")
        return unknown("Fn-Split") if is_unknown(text) else text.split(delimiter)

    def find_in_map(self, value: Any, at: ValuePath) -> Any:
        arguments = self._arguments_of(value, at, "Fn::FindInMap", 3, 4)
        keys = [self.text(key, (*at, number)) for number, key in enumerate(arguments[:3])]
        if any(key is None or is_unknown(key) for key in keys):
            return unknown("Fn-FindInMap")
        found: Any = self._mappings
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            default = (
                arguments[3].get("DefaultValue") if len(arguments) == 4 and isinstance(arguments[3], dict) else None
            )
            if default is not None:
                return self.evaluate(default, (*at, 3, "DefaultValue"))
            if self.transformed or keys[1] == self.deployment.assumptions.region:
                return unknown("Fn-FindInMap")
            raise InputError(self.place(at), f"`{'.'.join(map(str, keys))}` is not in `Mappings`")
        return self.evaluate(found, ("Mappings", *(str(key) for key in keys)))

    def import_value(self, value: Any, at: ValuePath) -> Any:
        name = self.text(value, at) or ""

        def find() -> Any:
            return None if is_unknown(name) else self.deployment.exported(name)

        found = self._once("import", name, find)
        if found is None:
            shown = rendered(name)
            self.note(at, f"`{shown}` is exported by a stack that is not among the given files: it may be any string")
            return unknown(f"ImportValue-{shown}")
        return found

    def choose(self, value: Any, at: ValuePath) -> Any:
        name, yes, no = self._arguments_of(value, at, "Fn::If", 3)
        chosen = 1 if self.condition(name, at) else 2
        return self.evaluate(yes if chosen == 1 else no, (*at, chosen))

    def encode(self, value: Any, at: ValuePath) -> Any:
        text = self.text(value, at) or ""
        return unknown("Fn-Base64") if is_unknown(text) else base64.b64encode(text.encode("utf-8", "replace")).decode()

    def to_json(self, value: Any, at: ValuePath) -> str:
        return self._bounded(json.dumps(self.evaluate(value, at)), at)

    def length(self, value: Any, at: ValuePath) -> Any:
        found = self.evaluate(value, at)
        return len(found) if isinstance(found, list) else unknown("Fn-Length")

    # --- conditions

    def condition(self, name: Any, at: ValuePath) -> bool:
        """Whether a condition of the template holds.

        Raises:
            Undecided: it depends on what is not known.
        """
        if not isinstance(name, str) or name not in self._conditions:
            raise InputError(self.place(at), f"`{name}` is not a condition of the template")
        path: ValuePath = ("Conditions", name)
        if ("condition", name) in self._running:
            raise InputError(self.place(path), f"the condition `{name}` depends on itself")
        return bool(self._once("condition", name, lambda: self._holds(self._conditions[name], path)))

    def _holds(self, value: Any, at: ValuePath) -> bool:
        if isinstance(value, dict) and len(value) == 1:
            ((key, argument),) = value.items()
            here = (*at, key)
            if key == "Condition":
                return self.condition(argument, here)
            if key == "Fn::Equals":
                return self._equals(argument, here)
            if key in ("Fn::And", "Fn::Or", "Fn::Not") and isinstance(argument, list) and argument:
                if key == "Fn::Not":
                    return not self._holds(argument[0], (*here, 0))
                parts = (self._holds(item, (*here, number)) for number, item in enumerate(argument))
                return all(parts) if key == "Fn::And" else any(parts)
        raise InputError(self.place(at), "is not a condition: Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition")

    def _equals(self, value: Any, at: ValuePath) -> bool:
        pair = self._arguments_of(value, at, "Fn::Equals", 2)
        one, other = (self.text(side, (*at, number)) or "" for number, side in enumerate(pair))
        if one == other:
            return True
        if not is_unknown(one) and not is_unknown(other):
            return False
        key = f"`{rendered(one)}` = `{rendered(other)}`"
        if key in self.deployment.world.choices:
            return self.deployment.world.choices[key]
        decides: tuple[str, str] | None = None
        for side, text in ((pair[0], other), (pair[1], one)):
            if (
                isinstance(side, dict)
                and side.get("Ref") in self.parameters
                and not self.nested
                and not is_unknown(text)
            ):
                decides = f"{self.file.name}:{side['Ref']}", text
        raise Undecided(key, decides)


_MAX_LOOPS = 5
_MAX_RESOURCES = 2_000


def _with_item(value: Any, name: str, item: str) -> Any:
    """The body of a loop for one item: `${NAME}` and `&{NAME}`, which leaves out what is no letter or digit."""
    if isinstance(value, str):
        plain = re.sub("[^A-Za-z0-9]", "", item)
        return value.replace(f"${{{name}}}", item).replace(f"&{{{name}}}", plain)
    if isinstance(value, list):
        return [_with_item(each, name, item) for each in value]
    if isinstance(value, dict):
        found = {_with_item(key, name, item): _with_item(member, name, item) for key, member in value.items()}
        # A reference to the loop's own name is the item.
        return item if found == {"Ref": name} else found
    return value


def _condition_value(template: Template, value: Any, at: ValuePath) -> Any:
    """A `Condition` of a resource's or a policy statement's own, which is no function where it is an object."""
    if isinstance(value, str) and value in template._conditions:
        return template.condition(value, at)
    return Located({"Condition": template.evaluate(value, at)}, at[:-1])


_FUNCTIONS: dict[str, Callable[[Template, Any, ValuePath], Any]] = {
    "Ref": Template.ref,
    "Condition": _condition_value,
    "Fn::Base64": Template.encode,
    "Fn::FindInMap": Template.find_in_map,
    "Fn::GetAtt": Template.get_att,
    "Fn::If": Template.choose,
    "Fn::ImportValue": Template.import_value,
    "Fn::Join": Template.join,
    "Fn::Length": Template.length,
    "Fn::Select": Template.select,
    "Fn::Split": Template.split,
    "Fn::Sub": Template.sub,
    "Fn::ToJsonString": Template.to_json,
}
_NESTED = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}


# --- what CloudFormation calls a resource

_IDS = re.compile(r"AWS::(ApiGateway::RestApi|ApiGatewayV2::Api|Serverless::(Api|HttpApi)|AppSync::GraphQLApi)")
_ARNS: dict[str, tuple[str, str, str]] = {
    "AWS::DynamoDB::Table": ("TableName", "dynamodb", "table/{}"),
    "AWS::DynamoDB::GlobalTable": ("TableName", "dynamodb", "table/{}"),
    "AWS::Serverless::SimpleTable": ("TableName", "dynamodb", "table/{}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda", "function:{}"),
    "AWS::Serverless::Function": ("FunctionName", "lambda", "function:{}"),
    "AWS::SNS::Topic": ("TopicName", "sns", "{}"),
    "AWS::SQS::Queue": ("QueueName", "sqs", "{}"),
    "AWS::KMS::Key": ("", "kms", "key/{}"),
    "AWS::Cognito::UserPool": ("", "cognito-idp", "userpool/{}"),
    "AWS::Kinesis::Stream": ("Name", "kinesis", "stream/{}"),
    "AWS::KinesisFirehose::DeliveryStream": ("DeliveryStreamName", "firehose", "deliverystream/{}"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "states", "stateMachine:{}"),
    "AWS::AppSync::GraphQLApi": ("", "appsync", "apis/{}"),
    "AWS::Location::PlaceIndex": ("IndexName", "geo", "place-index/{}"),
    "AWS::Location::Map": ("MapName", "geo", "map/{}"),
}
"""By type: the property that holds the name, the service, and the ARN's end."""


def identity_of(template: Template, name: str) -> tuple[Any, dict[str, Any]]:
    """What `Ref` and `Fn::GetAtt` give of a resource: its name or ID, and attributes.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
    """
    type_ = str(template.resources[name].get("Type"))
    assumed = template.deployment.assumptions
    partition, region, account = assumed.partition, assumed.region, assumed.account

    def called(key: str) -> str:
        given = template.property(name, key) if key else None
        return given or template.deployment.fresh(f"{template.qualified(name)}-generated", template.written)

    if type_ == "AWS::IAM::Role":
        role = called("RoleName")
        path = template.property(name, "Path") or "/"
        return role, {"Arn": f"arn:{partition}:iam::{account}:role{path}{role}", "RoleId": unknown(f"{name}.RoleId")}
    if type_ == "AWS::IAM::ManagedPolicy":
        policy = called("ManagedPolicyName")
        path = template.property(name, "Path") or "/"
        arn = f"arn:{partition}:iam::{account}:policy{path}{policy}"
        return arn, {"PolicyArn": arn}
    if type_ == "AWS::IAM::User":
        user = called("UserName")
        path = template.property(name, "Path") or "/"
        return user, {"Arn": f"arn:{partition}:iam::{account}:user{path}{user}"}
    if type_ == "AWS::S3::Bucket":
        bucket = template.property(name, "BucketName") or _bucket_name(template, name)
        return bucket, {"Arn": f"arn:{partition}:s3:::{bucket}"}
    if type_ == "AWS::S3Express::DirectoryBucket":
        directory = template.property(name, "BucketName") or f"{_bucket_name(template, name)}--x-s3"
        return directory, {"Arn": f"arn:{partition}:s3express:{region}:{account}:bucket/{directory}"}
    if type_ in ("AWS::S3::AccessPoint", "AWS::S3Express::AccessPoint"):
        point = called("Name")
        service = type_.split("::")[1].lower()
        arn = f"arn:{partition}:{service}:{region}:{account}:accesspoint/{point}"
        return point, {"Arn": arn, "Name": point, "Alias": f"{point}-generated-s3alias"}
    if type_ == "AWS::Cognito::IdentityPool":
        pool = f"{region}:{_uuid(template.deployment.fresh(template.qualified(name) + '-pool'))}"
        return pool, {"Name": unknown(f"{name}.Name"), "Id": pool}
    if _IDS.fullmatch(type_):
        api = re.sub(r"[^A-Za-z0-9]", "", template.qualified(name))
        attributes = {"ApiId": api, "RestApiId": api, "RootResourceId": unknown(f"{name}.RootResourceId")}
        arn = f"arn:{partition}:appsync:{region}:{account}:apis/{api}"
        return (arn, {**attributes, "Arn": arn}) if "AppSync" in type_ else (api, attributes)
    if type_ in _ARNS:
        key, service, end = _ARNS[type_]
        own = called(key)
        if type_ == "AWS::Cognito::UserPool":
            own = f"{region}_{re.sub(r'[^A-Za-z0-9]', '', own)}"
        arn = f"arn:{partition}:{service}:{region}:{account}:{end.format(own)}"
        attributes = {"Arn": arn}
        if type_ == "AWS::Cognito::UserPool":
            attributes["ProviderName"] = f"cognito-idp.{region}.amazonaws.com/{own}"
        if type_ == "AWS::SNS::Topic":
            return arn, {"TopicArn": arn, "TopicName": own}
        return own, attributes
    return unknown(name), {}


def _bucket_name(template: Template, name: str) -> str:
    """A name that no bucket has which is named: names of buckets have no capitals."""
    qualified = template.qualified(name)
    bucket = qualified[:1].upper() + qualified[1:]
    if len(bucket) < 3 or bucket == qualified.lower():
        bucket = f"Bucket-{bucket}"
    taken = f":::{bucket}" in template.written
    return template.deployment.fresh(f"{bucket}-generated" if taken else bucket)


def _uuid(seed: str) -> str:
    digits = hashlib.sha256(seed.encode("utf-8", "replace")).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def near(
    template: Template, source: str, files: Mapping[Path, Parsed], parse: Callable[[Path], Parsed]
) -> Parsed | None:
    """The file that a template's own reference to another template names, among the given files or in a given folder."""
    path = Path(template.file.name).parent / _asset(template, source, parse)
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    if resolved in files:
        return files[resolved]
    return parse(path) if _may_read(template, path) else None


def _may_read(template: Template, path: Path) -> bool:
    root = template.file.root
    return root is not None and inside(path, root) and path.is_file()


def _asset(template: Template, source: str, parse: Callable[[Path], Parsed]) -> str:
    """The file that the CDK uploads to a URL, as its list of assets says; the source itself if it is no URL."""
    if "://" not in source:
        return source
    own = Path(template.file.name)
    listed = own.with_name(f"{own.name.removesuffix('.template.json')}.assets.json")
    assets: Any = parse(listed).value if own.name.endswith(".template.json") and _may_read(template, listed) else None
    for key in ("files", source.rpartition("/")[2].partition(".")[0], "source", "path"):
        assets = assets.get(key) if isinstance(assets, dict) else None
    return assets if isinstance(assets, str) else "\0"
