"""The CLI's other commands on a deployed stack: refresh, targets, import, analysis of a state, destroy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.engine.conftest import GUESTS, GUESTS_DECLARED, Stack, in_sandbox, needs_yaml


def test_a_refresh_of_what_nobody_changed_finds_nothing(stack: Stack) -> None:
    stack.up()
    stack.run("refresh", "--yes", "--expect-no-changes")
    stack.preview("--expect-no-changes")


def test_a_target_alone_is_updated(stack: Stack) -> None:
    stack.up()
    policy = stack.urn("RolePolicy", "users-authenticated")
    grants = {"grants": [{"ownRows": {"table": "notes"}}]}
    stack.up("--target", policy, authenticated=grants, tags={"app": "other"})
    (name,) = stack.client("iam").list_role_policies(RoleName=stack.role())["PolicyNames"]
    document = stack.client("iam").get_role_policy(RoleName=stack.role(), PolicyName=name)["PolicyDocument"]
    assert "dynamodb" in json.dumps(document)
    assert stack.pool().config["IdentityPoolTags"]["app"] == "notes", "the pool is not a target"


@needs_yaml
def test_an_existing_pool_is_imported_and_keeps_its_id(stack: Stack) -> None:
    """The component's pool can be one that somebody created by hand; its import is an update like any other afterwards."""
    identity = stack.client("cognito-identity")
    pool = identity.create_identity_pool(IdentityPoolName="notes-sandbox", AllowUnauthenticatedIdentities=False)
    kind = "aws:cognito/identityPool:IdentityPool"
    imported = [
        {
            "type": "scoped-identity:index:ScopedIdentityPool",
            "name": "component",
            "logicalName": "users",
            "component": True,
        },
        {"type": kind, "name": "pool", "logicalName": "users", "id": pool["IdentityPoolId"], "parent": "component"},
    ]
    file = stack.project / "import.json"
    file.write_text(json.dumps({"resources": imported}))
    project = stack.project / "Pulumi.yaml"
    text = project.read_text()
    project.write_text("name: scoped-identity\nruntime: yaml\n")  # import asks for the language's host
    stack.run("import", "--yes", "--file", str(file), "--protect=false", "--generate-code=false", program=False)
    project.write_text(text)
    stack.up()
    assert stack.pool().id == pool["IdentityPoolId"]
    assert stack.deviations() == []


def test_an_existing_pool_is_adopted_and_outlives_the_stack(binary: Path, tmp_path: Path) -> None:
    existing = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666"
    settings: dict[str, Any] = {"existingPool": {"id": existing}, "poolName": ""}
    with in_sandbox(binary, tmp_path, **settings) as stack:
        before = dict(stack.pool().config)
        stack.up(**settings)
        assert "users-authenticated" in stack.role()
        assert stack.outputs()["identityPoolId"] == existing
        assert stack.deviations(**settings) == []
        stack.run("destroy", "--yes")
        assert (stack.pool().id, stack.pool().config) == (existing, before)


def test_the_exported_state_is_analysed_without_credentials(stack: Stack) -> None:
    wide = {"statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes-dev-uploads/*"}}
    stack.up(pack=False, authenticated={"grants": [wide]})
    state = stack.project / "state.json"
    state.write_text(stack.run("stack", "export", "--stack", stack.name))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        stack.cli.environment.pop(name)
    output = stack.run(
        "policy", "analyze", "--policy-pack", str(stack.pack), "--file", str(state), fails=True, program=False
    )
    assert "s3-isolated-by-identity" in output
    stack.cli.environment.update(
        AWS_ACCESS_KEY_ID=stack.sandbox.admin_key, AWS_SECRET_ACCESS_KEY=stack.sandbox.admin_secret
    )
    stack.up(pack=False)
    state.write_text(stack.run("stack", "export", "--stack", stack.name))
    stack.run("policy", "analyze", "--policy-pack", str(stack.pack), "--file", str(state), program=False)


def test_destroy_leaves_nothing(stack: Stack) -> None:
    before = stack.role_names()
    stack.up()
    stack.run("destroy", "--yes")
    assert stack.role_names() == before
    assert stack.sandbox.identity.pools == {}
    assert stack.state() == [] or all("aws:" not in str(r["type"]) for r in stack.state())


def test_destroy_of_a_protected_stack_deletes_nothing(stack: Stack) -> None:
    """Also without the preview that would stop it, and where the CLI is told to leave out what is protected."""
    groups = [{"name": "editors"}]
    stack.up(protect=True, groups=groups)
    before = stack.role_names(), len(stack.state())
    assert "protected" in stack.run("destroy", "--yes", "--skip-preview", fails=True)
    stack.run("destroy", "--yes", "--exclude-protected")
    assert (stack.role_names(), len(stack.state())) == before
    assert set(stack.pool().roles) == {"authenticated"}
    assert stack.deviations(groups=groups) == []
    stack.up(protect=False, groups=groups)
    stack.run("destroy", "--yes")
    assert stack.sandbox.identity.pools == {}


def test_protection_leaves_room_for_changes(stack: Stack) -> None:
    """Guests, groups and another role come and go; only the loss of the pool or of all access is refused."""
    changes: dict[str, Any] = {"guests": GUESTS, "groups": [{"name": "editors"}], "roles": {"path": "/app/"}}
    stack.up(protect=True)
    pool = stack.pool().id
    stack.up(*stack.pack_config(GUESTS_DECLARED), protect=True, **changes)
    assert set(stack.pool().roles) == {"authenticated", "unauthenticated"}
    stack.up(protect=True)
    assert (stack.pool().id, set(stack.pool().roles)) == (pool, {"authenticated"})
    assert stack.deviations() == []
