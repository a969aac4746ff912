"""CloudFormation's types and properties as `aws-native` writes them, and the resources that name such a type themselves.

Sources: https://www.pulumi.com/registry/packages/aws/api-docs/cloudcontrol/resource/,
https://www.pulumi.com/registry/packages/aws-native/api-docs/extensionresource/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..inventory.facts import SECRET, UNKNOWN

CLOUD_CONTROL = "aws:cloudcontrol/resource:Resource"
EXTENSION = "aws-native:index:ExtensionResource"
_STATES = {CLOUD_CONTROL: ("typeName", "desiredState", "properties"), EXTENSION: ("type", "properties", "outputs")}
"""The properties that hold the type, what the program sets, and what the provider knows of it."""
_MAPS = frozenset({"PrincipalTags", "SupportedLoginProviders"})
"""Properties that are maps, whose keys are no properties."""


def native_type(type_: str) -> str:
    """The type of `aws-native` for one of CloudFormation's; empty where there is none."""
    parts = type_.split("::")
    return f"aws-native:{parts[1].lower()}:{parts[2]}" if len(parts) == 3 and parts[0] == "AWS" else ""


def lowered(value: Any) -> Any:
    """A value with the names of the AWS API and CloudFormation as `aws-native` writes them; documents stay as they are."""
    if isinstance(value, Mapping):
        return {
            key[:1].lower() + key[1:]: member
            if key in _MAPS or ("Policy" in key and key != "Policies")
            else lowered(member)
            for key, member in value.items()
        }
    return [lowered(item) for item in value] if isinstance(value, list) else value


def named_type(type_: str, props: Mapping[str, Any]) -> str:
    """The type of `aws-native` that a resource names itself."""
    name = props.get(_STATES[type_][0])
    return native_type(name) if isinstance(name, str) else ""


def named_properties(type_: str, props: Mapping[str, Any]) -> tuple[object, object]:
    """What the program sets of such a resource, and what the provider knows of it: objects, UNKNOWN, or SECRET."""
    _, inputs, outputs = _STATES[type_]
    return _object(props.get(inputs)), _object(props.get(outputs))


def _object(value: object) -> object:
    if isinstance(value, str) and value != SECRET:
        try:
            value = json.loads(value)
        except ValueError:
            return {}  # which no provider takes
    return lowered(value) if isinstance(value, Mapping) else value if value in (UNKNOWN, SECRET) else {}
