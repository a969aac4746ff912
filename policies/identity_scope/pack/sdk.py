"""The engine's protocol as Pulumi's SDK generates it, without the rest of the SDK.

A pack needs the messages alone. To import the whole SDK takes longer than everything else that the start of a pack does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

_PACKAGES = ("pulumi", "pulumi.runtime")
"""The packages around the generated modules, which import the rest of the SDK."""


@contextmanager
def _empty_packages() -> Iterator[None]:
    """Empty packages of the same folders stand in for these; whoever imports them later gets the real ones."""
    spec = find_spec("pulumi") if "pulumi" not in sys.modules else None
    if spec is None:
        yield
        return
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(Path(each, *name.split(".")[1:])) for each in spec.submodule_search_locations or ()]
        sys.modules[name] = package
    try:
        yield
    finally:
        for name in _PACKAGES:
            del sys.modules[name]


with _empty_packages():
    from pulumi.runtime.proto import analyzer_pb2 as protocol
    from pulumi.runtime.proto import analyzer_pb2_grpc as services
    from pulumi.runtime.proto import plugin_pb2 as plugin

__all__ = ["plugin", "protocol", "services"]
