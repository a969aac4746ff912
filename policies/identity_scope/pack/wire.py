"""What the engine sends, as plain values: the protocol's structs without its wrappings.

A secret is its value, and a value that is not known yet is `UNKNOWN`. Only resources that say something about roles are
read; a stack has thousands of others.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
"""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from ..inventory.facts import UNKNOWN
from ..sources.signatures import OUTPUT, SIGNATURE, UNKNOWNS
from .wrapping import unwrapped


def plain(properties: Struct) -> dict[str, Any]:
    """An object of the protocol as Python values."""
    return {key: _plain(value) for key, value in properties.fields.items()}


def _plain(value: Value) -> Any:
    value = unwrapped(value)
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWNS else value.string_value
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
