"""What the protocol wraps values in: an object with a signature, which says that it is a secret or an output."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Value

from ..sources.signatures import OUTPUT, SECRET, SIGNATURE


def unwrapped(value: Value) -> Value:
    """A value without the wrapping that marks it as secret or as an output."""
    while value.WhichOneof("kind") == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE not in fields or fields[SIGNATURE].string_value not in (SECRET, OUTPUT) or "value" not in fields:
            break
        value = fields["value"]
    return value
