"""What the engine sends, as plain values: the protocol's structs without its wrappings.

A secret is its value, and a value that is not known yet is `UNKNOWN`. Only resources that say something about roles are
read; a stack has thousands of others.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
"""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct, Value
from pulumi_policy import proxy

from ..inventory.facts import UNKNOWN

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of an object that stands for something else; its value says for what."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

_UNKNOWNS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))


def plain(properties: Struct) -> dict[str, Any]:
    """An object of the protocol as Python values."""
    return {key: _plain(value) for key, value in properties.fields.items()}


def _plain(value: Value) -> Any:
    value = unwrapped(value)
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "struct_value":
        signature = value.struct_value.fields.get(SIGNATURE)
        if signature is None:
            return plain(value.struct_value)
        # An output without a value is not known yet; files and the like are no document.
        return UNKNOWN if signature.string_value == OUTPUT else None
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return None


def unwrapped(value: Value) -> Value:
    """A value without the wrapping that marks it as secret or as an output."""
    while value.WhichOneof("kind") == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE not in fields or fields[SIGNATURE].string_value not in (SECRET, OUTPUT) or "value" not in fields:
            break
        value = fields["value"]
    return value
