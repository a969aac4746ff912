"""The component as a Pulumi plugin: the schema that other languages are generated from, asked for over gRPC."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.conftest import ROOT

GOLDEN = Path(__file__).parent / "schema.json"
TOKEN = "scoped-identity:index:ScopedIdentityPool"


def served() -> dict[str, Any]:
    """The schema as the engine gets it."""
    command = [sys.executable, str(ROOT / "components"), "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            answer = stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=30)
        process.kill()
    schema: dict[str, Any] = json.loads(answer.schema)
    return schema


def reviewed(schema: dict[str, Any]) -> dict[str, Any]:
    """The parts of a schema that `schema.json` keeps."""
    return {key: schema[key] for key in ("name", "resources", "types")}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return served()


def test_the_schema_is_the_reviewed_one(schema: dict[str, Any]) -> None:
    """A change of the interface shows in `schema.json`, which `python -m tests.components.test_plugin` writes."""
    assert reviewed(schema) == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_every_input_and_output_is_described(schema: dict[str, Any]) -> None:
    resource = schema["resources"][TOKEN]
    described = [resource["inputProperties"], resource["properties"]]
    described += [item["properties"] for item in schema["types"].values()]
    for properties in described:
        for name, each in properties.items():
            assert each.get("description"), name
            assert "\n" not in each["description"], name


def test_what_is_required_is_marked_and_defaults_are_said(schema: dict[str, Any]) -> None:
    resource = schema["resources"][TOKEN]
    assert sorted(resource["requiredInputs"]) == ["api", "uploads"]
    for name, each in resource["inputProperties"].items():
        assert ("Default:" in each["description"]) == (name not in resource["requiredInputs"]), name


def test_every_setting_says_its_default_or_that_it_is_required(schema: dict[str, Any]) -> None:
    for type_, each in schema["types"].items():
        for name, described in each["properties"].items():
            required = name in each.get("required", [])
            assert ("Required." in described["description"]) is required, f"{type_}.{name}"
            assert ("Default:" in described["description"]) is not required, f"{type_}.{name}"


def test_no_output_is_dropped(schema: dict[str, Any]) -> None:
    assert set(schema["resources"][TOKEN]["properties"]) == {
        *("identityPoolId", "identityPoolArn", "roleArns", "uncheckedRoles", "region", "logins", "folder"),
        *("packConfig", "amplify"),
    }


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(reviewed(served()), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
