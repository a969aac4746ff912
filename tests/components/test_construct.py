"""The component as other languages use it: the plugin makes it through `Construct`, against the sandbox's AWS.

The engine's part, a resource monitor over gRPC, is played here by a small one that makes each resource with real calls to
the sandbox; the plugin, its schema and its program are as shipped.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from sandbox.aws.server import Sandbox
from sandbox.provider import resources
from sandbox.scenario import account
from sandbox.scenario.access_checks import AccessChecks
from sandbox.scenario.account import AppConfig
from tests.conftest import ROOT

TOKEN = "scoped-identity:index:ScopedIdentityPool"
INPUTS: dict[str, Any] = {
    "poolName": "notes",
    "userPools": [{"id": "us-east-1_NotesDev1", "clients": ["1h57kf5cpq17m0eml12notesde"]}],
    "uploads": {"bucket": "notes-dev-uploads", "prefix": "users/"},
    "api": {"id": "n0tesdev01"},
    "authenticated": {
        "grants": [
            {"ownRows": {"table": "notes", "access": ["read"]}},
            {
                "statement": {
                    "Sid": "Translate",
                    "Effect": "Allow",
                    "Action": "translate:TranslateText",
                    "Resource": "*",
                }
            },
        ]
    },
    "roles": {"maxSessionSeconds": 7200.0},
    "tags": {"some-Key": "x", "cost_center": "y", "costCenter": "z"},
    "protect": False,
}
APP = AppConfig(
    "us-east-1",
    (("us-east-1_NotesDev1", ("1h57kf5cpq17m0eml12notesde",)),),
    "notes-dev-uploads",
    "users/",
    "n0tesdev01",
    "us-east-1",
    "dev",
)


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Makes what is registered, one resource after the other."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.made: list[str] = []

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802 the protocol's name
        return resource_pb2.SupportsFeatureResponse(hasSupport=False)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        urn = f"urn:pulumi:dev::app::{request.type}::{request.name}"
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = json_format.MessageToDict(request.object)
        name = resources.generated_name(request.type, request.name, inputs)
        made, outputs = resources.create(
            self.sandbox, "us-east-1", request.type, request.name, {**inputs, **({"name": name} if name else {})}
        )
        self.made.append(request.type)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=made, object=_struct(outputs))

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802
        return Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        found = resources.invoke(self.sandbox, "us-east-1", request.tok, json_format.MessageToDict(request.args))
        answer: dict[str, Any] = {"return": _struct(found)}  # a word that Python keeps for itself
        return provider_pb2.InvokeResponse(**answer)


class Log(engine_pb2_grpc.EngineServicer):
    """Takes what the plugin logs, and forgets it."""

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802
        return Empty()


def _struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    found = struct_pb2.Struct()
    json_format.ParseDict(dict(value), found)
    return found


@contextmanager
def plugin(address: str) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    command = [sys.executable, str(ROOT / "components"), address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.kill()


@contextmanager
def engine(sandbox: Sandbox) -> Iterator[tuple[Monitor, str]]:
    monitor = Monitor(sandbox)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(Log(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield monitor, f"127.0.0.1:{port}"
    finally:
        server.stop(None)


def construct(stub: Any, address: str, inputs: Mapping[str, Any]) -> Any:
    request = provider_pb2.ConstructRequest(
        project="app",
        stack="dev",
        monitorEndpoint=address,
        type=TOKEN,
        name="users",
        parallel=1,
        inputs=_struct(inputs),
    )
    request.config["aws:region"] = "us-east-1"
    return stub.Construct(request, timeout=60)


def test_another_language_gets_a_pool_whose_users_are_isolated() -> None:
    with Sandbox().running() as sandbox, engine(sandbox) as (monitor, address), plugin(address) as stub:
        off_limits = account.build(sandbox, APP)
        answer = construct(stub, address, INPUTS)
        state = json_format.MessageToDict(answer.state)
        assert sorted(monitor.made) == [
            "aws:cognito/identityPool:IdentityPool",
            "aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag",
            "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
            "aws:iam/role:Role",
            "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
            "aws:iam/rolePolicy:RolePolicy",
            "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
        ]
        assert state["region"] == "us-east-1"
        assert set(state) == {
            *("identityPoolId", "identityPoolArn", "roleArns", "uncheckedRoles", "region", "logins", "folder"),
            *("packConfig", "amplify"),
        }
        iam = sandbox.client("iam", "us-east-1")
        role = iam.list_roles()["Roles"][0]
        assert role["MaxSessionDuration"] == 7200
        (policy,) = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy)["PolicyDocument"]
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert sids == ["OwnFolder", "ListOwnFolder", "InvokeApi", "OwnRows", "Translate"]
        pool = sandbox.identity.pools[state["identityPoolId"]]
        assert pool.config["IdentityPoolTags"] == INPUTS["tags"]
        access_checks = AccessChecks(sandbox, APP, off_limits, state["identityPoolId"], state["logins"][0])
        rows = list(access_checks.rows())
        assert [row for row in rows if not row.ok] == []


def test_wrong_inputs_are_told_in_lines_and_nothing_is_made() -> None:
    with Sandbox().running() as sandbox, engine(sandbox) as (monitor, address), plugin(address) as stub:
        with pytest.raises(grpc.RpcError) as error:
            construct(stub, address, INPUTS | {"uploads": {"bucket": "s3://notes"}, "api": {"id": "!"}})
        said = error.value.details()
        assert "uploads.bucket: `s3://notes` is a URL; use only the bucket name, `notes`" in said
        assert "api.id: `!` is not an API ID" in said
        assert monitor.made == []
