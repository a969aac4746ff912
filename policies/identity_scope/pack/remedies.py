"""What the pack can fix by itself, because no judgement is needed; on the properties as the engine sends them."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.struct_pb2 import Struct

from .wrapping import unwrapped

Remedy = Callable[[Struct], bool]
"""Fixes an identity pool's properties in place; whether anything was changed."""


def turn_classic_flow_off(properties: Struct) -> bool:
    field = properties.fields["allowClassicFlow"]
    if field.WhichOneof("kind") == "bool_value" and not field.bool_value:
        return False
    field.bool_value = False
    return True


def turn_token_check_on(properties: Struct) -> bool:
    if "cognitoIdentityProviders" not in properties.fields:
        return False
    changed = False
    for item in unwrapped(properties.fields["cognitoIdentityProviders"]).list_value.values:
        provider = unwrapped(item)
        if provider.WhichOneof("kind") != "struct_value":
            continue
        fields = provider.struct_value.fields
        if "serverSideTokenCheck" not in fields or fields["serverSideTokenCheck"].WhichOneof("kind") == "null_value":
            given = None
        else:
            given = unwrapped(fields["serverSideTokenCheck"])
        if given is None or (given.WhichOneof("kind") == "bool_value" and not given.bool_value):
            fields["serverSideTokenCheck"].bool_value = True
            changed = True
    return changed
