"""YAML programs: the component as a plugin, started from PATH, and raw resources; both under the pack."""

from __future__ import annotations

import sys
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.engine.conftest import CLIENT, EXAMPLE, GUESTS_DECLARED, POOL, Stack, needs_yaml

pytestmark = needs_yaml
OUTPUTS = {"identityPoolId": "${users.identityPoolId}", "logins": "${users.logins}"}
COMPONENT: dict[str, Any] = {
    "users": {
        "type": "scoped-identity:ScopedIdentityPool",
        "properties": {
            "poolName": "notes-sandbox",
            "userPools": [{"id": POOL, "clients": [CLIENT]}],
            "uploads": {"bucket": "notes-dev-uploads"},
            "api": {"id": "n0tesdev01"},
            "protect": False,
        },
    }
}


def _program(stack: Stack, resources: dict[str, Any], outputs: dict[str, Any]) -> None:
    """Make the project a YAML program. The component's plugin is started by a file on PATH, in this environment."""
    plugins = stack.project / "plugins"
    plugins.mkdir(exist_ok=True)
    plugin = plugins / "pulumi-resource-scoped-identity"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "{ROOT / "components"}" "$@"\n')
    plugin.chmod(0o755)
    stack.cli.environment["PATH"] = f"{plugins}:{stack.cli.environment['PATH']}"
    program = {"name": "notes", "runtime": "yaml", "resources": resources, "outputs": outputs}
    (stack.project / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    stack.run("stack", "init", stack.name)
    config = yaml.safe_load((ROOT / EXAMPLE).read_text())["config"]
    provider = {key: value for key, value in stack.settings({}).items() if key.startswith("aws:")}
    assert set(provider) <= set(config)
    (stack.project / f"Pulumi.{stack.name}.yaml").write_text(yaml.safe_dump({"config": provider}))


def _up(stack: Stack, *options: str, fails: bool = False) -> str:
    pack = ("--policy-pack", str(stack.pack))
    return stack.run("up", "--yes", "--skip-preview", *pack, *options, fails=fails, program=False)


def test_the_component_is_deployed_as_a_plugin(stack: Stack) -> None:
    _program(stack, COMPONENT, OUTPUTS)
    _up(stack)
    assert set(stack.pool().roles) == {"authenticated"}
    assert stack.deviations() == []
    _up(stack, "--expect-no-changes")
    COMPONENT["users"]["properties"]["guests"] = {"reason": "Visitors look around before they sign up."}
    try:
        _program_changed(stack)
        assert "guests-are-declared" in _up(stack, fails=True)
        _up(stack, *stack.pack_config(GUESTS_DECLARED))
    finally:
        del COMPONENT["users"]["properties"]["guests"]
    assert set(stack.pool().roles) == {"authenticated", "unauthenticated"}


def _program_changed(stack: Stack) -> None:
    program = {"name": "notes", "runtime": "yaml", "resources": COMPONENT, "outputs": OUTPUTS}
    (stack.project / "Pulumi.yaml").write_text(yaml.safe_dump(program))


def test_wrong_arguments_of_the_plugin_are_reported_together(stack: Stack) -> None:
    properties = {**COMPONENT["users"]["properties"], "uploads": {"bucket": "B"}, "poolName": ""}
    _program(stack, {"users": {"type": "scoped-identity:ScopedIdentityPool", "properties": properties}}, {})
    output = _up(stack, fails=True)
    assert "uploads.bucket" in output
    assert "poolName" in output
    assert stack.sandbox.identity.pools == {}


def test_raw_resources_are_judged(stack: Stack) -> None:
    issuer = "cognito-identity.amazonaws.com"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": issuer},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{issuer}:aud": "${pool.id}"},
                    "ForAnyValue:StringLike": {f"{issuer}:amr": "authenticated"},
                },
            }
        ],
    }
    resource = "arn:aws:s3:::notes-dev-uploads/*"
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}],
    }
    resources: dict[str, Any] = {
        "pool": {
            "type": "aws:cognito:IdentityPool",
            "properties": {
                "identityPoolName": "raw",
                "allowUnauthenticatedIdentities": False,
                "allowClassicFlow": False,
            },
        },
        "role": {"type": "aws:iam:Role", "properties": {"assumeRolePolicy": {"fn::toJSON": trust}}},
        "access": {
            "type": "aws:iam:RolePolicy",
            "properties": {"role": "${role.name}", "policy": {"fn::toJSON": document}},
        },
        "attachment": {
            "type": "aws:cognito:IdentityPoolRoleAttachment",
            "properties": {"identityPoolId": "${pool.id}", "roles": {"authenticated": "${role.arn}"}},
        },
    }
    _program(stack, resources, {})
    output = _up(stack, fails=True)
    assert "s3-isolated-by-identity" in output
    document["Statement"][0]["Resource"] = (  # type: ignore[index]
        "arn:aws:s3:::notes-dev-uploads/$${cognito-identity.amazonaws.com:sub}/*"
    )
    program = {"name": "notes", "runtime": "yaml", "resources": resources}
    (stack.project / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    _up(stack)
    role = stack.role()
    (policy,) = stack.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    found = stack.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    assert "${cognito-identity.amazonaws.com:sub}" in str(found)
