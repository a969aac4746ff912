"""The examples in other languages give the component only what its schema has, and it takes them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.components.test_settings import parse
from tests.conftest import ROOT

SCHEMA = json.loads((ROOT / "tests" / "components" / "schema.json").read_text())
RESOURCE = SCHEMA["resources"]["scoped-identity:index:ScopedIdentityPool"]
EXAMPLES = ROOT / "examples"


def misfits(value: Any, kind: Mapping[str, Any], path: str = "") -> list[str]:
    """Where a value is not what the schema says."""
    if "$ref" in kind and kind["$ref"].startswith("#/types/"):
        kind = {**SCHEMA["types"][kind["$ref"].removeprefix("#/types/")]}
    if kind.get("type") == "object" and "properties" in kind:
        if not isinstance(value, Mapping):
            return [f"{path}: not an object"]
        known = kind["properties"]
        found = [f"{path}.{name}: unknown" for name in value if name not in known]
        found += [f"{path}.{name}: missing" for name in kind.get("required", []) if name not in value]
        return found + [m for k, v in value.items() if k in known for m in misfits(v, known[k], f"{path}.{k}")]
    if kind.get("type") == "array":
        return [m for i, item in enumerate(value) for m in misfits(item, kind["items"], f"{path}[{i}]")]
    plain = {"string": str, "boolean": bool, "integer": int}.get(str(kind.get("type")))
    return [] if plain is None or isinstance(value, plain) else [f"{path}: not a {kind['type']}"]


def check(args: dict[str, Any], outputs: set[str]) -> None:
    shape = {"type": "object", "properties": RESOURCE["inputProperties"], "required": RESOURCE["requiredInputs"]}
    assert misfits(args, shape) == []
    assert outputs <= set(RESOURCE["properties"])
    assert parse({**args, "region": "eu-west-1"})


def test_the_checker_finds_what_does_not_fit() -> None:
    shape = {"type": "object", "properties": RESOURCE["inputProperties"], "required": RESOURCE["requiredInputs"]}
    assert misfits({"uploads": {"buckt": "x"}, "api": {"id": 1}, "colour": 1}, shape) == [
        ".colour: unknown",
        ".uploads.buckt: unknown",
        ".uploads.bucket: missing",
        ".api.id: not a string",
    ]


def test_the_yaml_example_fits_the_schema() -> None:
    program = yaml.safe_load((EXAMPLES / "yaml" / "Pulumi.yaml").read_text())
    (resource,) = program["resources"].values()
    assert resource["type"] == "scoped-identity:ScopedIdentityPool"
    assert (EXAMPLES / "yaml" / program["packages"]["scoped-identity"] / "PulumiPlugin.yaml").exists()
    check(resource["properties"], {text.split(".")[1].rstrip("}") for text in program["outputs"].values()})


STUB = """
exports.ScopedIdentityPool = class {
    constructor(name, args) {
        const used = [];
        process.on("exit", () => console.log(JSON.stringify({ args, used })));
        return new Proxy(this, { get: (_, property) => used.push(property) });
    }
};
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_typescript_example_fits_the_schema(tmp_path: Path) -> None:
    """The program runs with a stand-in for the generated package, which notes what it is given."""
    package = tmp_path / "node_modules" / "@pulumi" / "scoped-identity"
    package.mkdir(parents=True)
    (package / "index.js").write_text(STUB)
    (tmp_path / "index.mjs").write_text((EXAMPLES / "typescript" / "index.ts").read_text())
    done = subprocess.run(["node", "index.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    noted = json.loads(done.stdout)
    check(noted["args"], set(noted["used"]))
