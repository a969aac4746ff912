"""The provider of a served sandbox, spoken to as the engine speaks: over gRPC, each resource through its whole life."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.aws.server import Sandbox
from sandbox.engine.in_process import Registration
from sandbox.provider.plugin import NotConfigured, configured, serve
from sandbox.provider.schema_check import UNKNOWN
from tests.conftest import ROOT, Deployed, deploy
from tests.processes import expect_end, runs

RICH: dict[str, Any] = {
    "guests": {"reason": "Visitors look around."},
    "groups": [{"name": "editors"}],
    "userPools": [{"id": "us-east-1_NotesDev1", "clients": ["c1"], "principalTags": {"defaults": True}}],
}
ROLE = "urn:pulumi:dev::notes::aws:iam/role:Role::mine"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}


def struct(value: dict[str, Any]) -> struct_pb2.Struct:
    found = struct_pb2.Struct()
    json_format.ParseDict(value, found)
    return found


def plain(found: Any) -> dict[str, Any]:
    told: dict[str, Any] = json_format.MessageToDict(found)
    return told


class Engine:
    """The engine's end of the protocol."""

    def __init__(self, port: int, sandbox: Sandbox) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        endpoints = json.dumps([{"iam": sandbox.endpoint, "s3": sandbox.endpoint}])
        # `pulumi config set --secret aws:secretKey` arrives in a wrapping.
        keys = {"accessKey": sandbox.admin_key, "secretKey": rpc.wrap_rpc_secret(sandbox.admin_secret)}
        args = struct({"region": "us-east-1", "endpoints": endpoints, **keys})
        answer = self.stub.Configure(wire.ConfigureRequest(args=args))
        assert answer.supportsPreview
        assert not answer.acceptSecrets

    def check(self, urn: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> Any:
        return self.stub.Check(wire.CheckRequest(urn=urn, news=struct(news), olds=struct(olds or {})))

    def diff(self, urn: str, made: str, old: dict[str, Any], state: dict[str, Any], news: dict[str, Any]) -> Any:
        request = wire.DiffRequest(urn=urn, id=made, old_inputs=struct(old), olds=struct(state), news=struct(news))
        return self.stub.Diff(request)

    def create(self, urn: str, inputs: dict[str, Any], preview: bool = False) -> Any:
        return self.stub.Create(wire.CreateRequest(urn=urn, properties=struct(inputs), preview=preview))

    def read(self, urn: str, made: str, inputs: dict[str, Any], state: dict[str, Any]) -> Any:
        return self.stub.Read(wire.ReadRequest(urn=urn, id=made, inputs=struct(inputs), properties=struct(state)))

    def delete(self, urn: str, made: str, state: dict[str, Any]) -> None:
        self.stub.Delete(wire.DeleteRequest(urn=urn, id=made, properties=struct(state)))


@pytest.fixture(scope="module")
def rich() -> Iterator[Deployed]:
    yield from deploy(**RICH)


@pytest.fixture(scope="module")
def engine(rich: Deployed) -> Iterator[Engine]:
    server, port = serve({})
    yield Engine(port, rich.sandbox)
    server.stop(0)


def resource_states(found: Deployed) -> list[tuple[Registration, str, dict[str, Any]]]:
    """Every resource of a stack with its id and state."""
    made = [r for r in found.run.registrations if r.custom]
    return [(r, str(found.run.states[r.urn]["id"]), _state(found.run.states[r.urn])) for r in made]


def _state(outputs: Any) -> dict[str, Any]:
    return {k: v for k, v in outputs.items() if k != "id" and v is not None}


def test_every_type_is_in_the_stack_that_is_tried(rich: Deployed) -> None:
    kinds = {r.type_.rpartition(":")[2] for r, _, _ in resource_states(rich)}
    assert kinds >= {"IdentityPool", "Role", "RolePolicy", "IdentityPoolRoleAttachment", "UserGroup"}
    assert "IdentityPoolProviderPrincipalTag" in kinds


def test_a_second_run_finds_nothing_to_change(rich: Deployed, engine: Engine) -> None:
    for resource, made, state in resource_states(rich):
        inputs = plain(engine.check(resource.urn, dict(resource.inputs), state).inputs)
        assert inputs == json.loads(json.dumps(dict(resource.inputs))), resource.urn
        answer = engine.diff(resource.urn, made, dict(resource.inputs), state, inputs)
        assert answer.changes == wire.DiffResponse.DIFF_NONE, (resource.urn, list(answer.diffs))


def test_what_nobody_touched_reads_as_it_was_made(rich: Deployed, engine: Engine) -> None:
    for resource, made, state in resource_states(rich):
        found = engine.read(resource.urn, made, dict(resource.inputs), state)
        assert found.id == made, resource.urn
        again = engine.diff(resource.urn, made, plain(found.inputs), plain(found.properties), dict(resource.inputs))
        assert list(again.diffs) == [], resource.urn
        assert plain(found.properties) == {**json.loads(json.dumps(state)), "id": made}, resource.urn


def test_drift_made_by_hand_is_read(engine: Engine, rich: Deployed) -> None:
    iam = rich.sandbox.client("iam", "us-east-1")
    identity = rich.sandbox.client("cognito-identity", "us-east-1")
    for resource, made, state in resource_states(rich):
        kind = resource.type_.rpartition(":")[2]
        inputs = dict(resource.inputs)
        if kind == "Role":
            iam.update_assume_role_policy(RoleName=made, PolicyDocument=json.dumps(TRUST))
            iam.tag_role(RoleName=made, Tags=[{"Key": "by", "Value": "hand"}])
            expected = {"assumeRolePolicy", "tags"}
        elif kind == "RolePolicy":
            role, _, name = made.partition(":")
            wide = {**TRUST, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(wide))
            expected = {"policy"}
        elif kind == "IdentityPool":
            identity.update_identity_pool(
                IdentityPoolId=made,
                IdentityPoolName=inputs["identityPoolName"],
                AllowUnauthenticatedIdentities=True,
                AllowClassicFlow=True,
                IdentityPoolTags=inputs["tags"],
            )
            expected = {"allowClassicFlow", "cognitoIdentityProviders"}
        else:
            continue
        found = engine.read(resource.urn, made, inputs, state)
        answer = engine.diff(resource.urn, made, plain(found.inputs), plain(found.properties), inputs)
        assert set(answer.diffs) == expected, resource.urn
        assert answer.changes == wire.DiffResponse.DIFF_SOME
        updated = engine.stub.Update(
            wire.UpdateRequest(urn=resource.urn, id=made, olds=found.properties, news=struct(inputs))
        )
        mended = engine.read(resource.urn, made, inputs, plain(updated.properties))
        assert list(engine.diff(resource.urn, made, plain(mended.inputs), {}, inputs).diffs) == [], resource.urn


def test_a_role_is_previewed_made_changed_and_deleted(engine: Engine, rich: Deployed) -> None:
    checked = engine.check(ROLE, {"assumeRolePolicy": TRUST})
    assert list(checked.failures) == []
    inputs = plain(checked.inputs)
    assert inputs["name"].startswith("mine-")
    assert json.loads(inputs["assumeRolePolicy"]) == TRUST
    assert plain(engine.check(ROLE, {"assumeRolePolicy": TRUST}, inputs).inputs)["name"] == inputs["name"]

    shown = engine.create(ROLE, inputs, preview=True)
    assert shown.id == ""
    assert plain(shown.properties)["arn"] == UNKNOWN
    assert plain(shown.properties)["name"] == inputs["name"]

    made = engine.create(ROLE, inputs)
    assert plain(made.properties)["arn"].endswith(f":role/{made.id}")
    longer = {**inputs, "maxSessionDuration": 7200}
    answer = engine.diff(ROLE, made.id, inputs, plain(made.properties), longer)
    assert (list(answer.diffs), list(answer.replaces)) == (["maxSessionDuration"], [])
    other = engine.diff(ROLE, made.id, inputs, plain(made.properties), {**inputs, "path": "/app/"})
    assert list(other.replaces) == ["path"]
    engine.stub.Update(wire.UpdateRequest(urn=ROLE, id=made.id, olds=made.properties, news=struct(longer)))
    iam = rich.sandbox.client("iam", "us-east-1")
    assert iam.get_role(RoleName=made.id)["Role"]["MaxSessionDuration"] == 7200

    engine.delete(ROLE, made.id, plain(made.properties))
    assert engine.read(ROLE, made.id, inputs, plain(made.properties)).id == ""
    engine.delete(ROLE, made.id, plain(made.properties))  # once more does no harm


def test_wrong_inputs_come_back_with_their_place(engine: Engine) -> None:
    failures = engine.check(ROLE, {"assumeRolePolicy": TRUST, "maxSessionDuration": "long"}).failures
    assert [(f.property, f.reason) for f in failures] == [
        ("maxSessionDuration", "`maxSessionDuration` must be a whole number, not text")
    ]


def test_what_aws_refuses_is_an_error_with_its_words(engine: Engine) -> None:
    urn = "urn:pulumi:dev::notes::aws:iam/rolePolicy:RolePolicy::mine"
    with pytest.raises(grpc.RpcError) as refused:
        engine.create(urn, {"name": "mine", "role": "nobody", "policy": json.dumps(TRUST)})
    assert "NoSuchEntity" in refused.value.details()
    with pytest.raises(grpc.RpcError) as unknown:
        engine.check("urn:pulumi:dev::notes::aws:sqs/queue:Queue::mine", {})
    assert unknown.value.details().startswith("the sandbox does not know `aws:sqs/queue:Queue`; known: aws:cognito")


def test_functions_answer(engine: Engine) -> None:
    request = wire.InvokeRequest(tok="aws:index/getCallerIdentity:getCallerIdentity")
    answer = getattr(engine.stub.Invoke(request), "return")
    assert plain(answer)["accountId"] == "123456789012"


HERE = {"endpoints": '[{"iam": "http://127.0.0.1:4566"}]'}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.mark.parametrize(
    ("config", "environment", "said"),
    [
        ({}, KEYS, "aws:endpoints must be the endpoint that `make serve` prints; it is not set"),
        (
            {"endpoints": '[{"iam": "https://iam.amazonaws.com"}]'},
            KEYS,
            "`https://iam.amazonaws.com` is not on this machine",
        ),
        ({"endpoints": '[{"iam": "http://127.0.0.1.evil.test"}]'}, KEYS, "is not on this machine"),
        ({"endpoints": "iam=http://127.0.0.1:4566"}, KEYS, "`iam=http://127.0.0.1:4566` is not on this machine"),
        ({"endpoints": '["http://127.0.0.1:4566"]'}, KEYS, "it is not set"),
        ({"endpoints": "7"}, KEYS, "it is not set"),
        ({}, {**KEYS, "AWS_ENDPOINT_URL": "http://10.0.0.1"}, "`http://10.0.0.1` is not on this machine"),
        (HERE, {}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be the keys that `make serve` prints"),
    ],
)
def test_a_provider_that_does_not_know_its_sandbox_says_what_is_missing(
    config: dict[str, str], environment: dict[str, str], said: str
) -> None:
    with pytest.raises(NotConfigured, match=said.replace("(", r"\(")):
        configured(config, environment)


def test_nothing_is_asked_of_a_provider_that_was_not_configured() -> None:
    server, port = serve({})
    stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
    with pytest.raises(grpc.RpcError) as refused:
        stub.Create(wire.CreateRequest(urn=ROLE))
    assert refused.value.details() == "the provider has not been configured"
    server.stop(0)


@contextmanager
def plugin_process() -> Iterator[int]:
    """The command that the engine starts; its port."""
    command = ROOT / "sandbox" / "bin" / "pulumi-resource-aws"
    with subprocess.Popen([str(command), "127.0.0.1:1"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def test_the_command_on_path_prints_its_port() -> None:
    with plugin_process() as port:
        stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        assert stub.GetPluginInfo(empty_pb2.Empty()).version.startswith("7.")


def test_the_first_calls_of_a_fresh_process_may_come_all_at_once(rich: Deployed) -> None:
    """The engine checks, compares and reads resources concurrently, from the first call on."""
    states = resource_states(rich)
    with plugin_process() as port:
        engine = Engine(port, rich.sandbox)

        def calls(resource: Registration, resource_id: str, state: dict[str, Any]) -> list[Any]:
            inputs = dict(resource.inputs)
            return [
                list(engine.check(resource.urn, inputs, state).failures),
                engine.diff(resource.urn, resource_id, {}, state, inputs).changes,
                engine.read(resource.urn, resource_id, {}, state).id,
            ]

        with futures.ThreadPoolExecutor(max_workers=16) as pool:
            running = [pool.submit(calls, *states[n % len(states)]) for n in range(64)]
        ids = [states[n % len(states)][1] for n in range(64)]
        assert [call.result() for call in running] == [[[], wire.DiffResponse.DIFF_NONE, id_] for id_ in ids]


def test_the_plugin_ends_with_an_engine_that_is_killed() -> None:
    script = f"""
import subprocess, sys, time
plugin = subprocess.Popen([sys.executable, "-m", "sandbox.provider.plugin"], cwd={str(ROOT)!r}, stdout=subprocess.PIPE)
plugin.stdout.readline()
print(plugin.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        plugin = int(engine.stdout.readline())
        assert runs(plugin)
        engine.kill()
    expect_end(plugin, "the plugin")
