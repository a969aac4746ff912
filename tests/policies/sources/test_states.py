"""States that an update has not finished, and resources that a program reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policies.command.run import check, write
from tests.policies.command.test_check import LEAK, OWN, URN, pulumi_role, state
from tests.policies.pack.engine import ME, document, trust


def own_role(*more: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """The state of a role with its own folder, and of more resources."""
    return state(*pulumi_role(json.dumps(OWN)), *more)


OLDER: dict[str, tuple[dict[str, Any], bool]] = {
    "a policy of another name": ({"delete": True, "id": "auth:older"}, True),
    "a policy that the new one has replaced": ({"delete": True, "id": "auth:access"}, False),
    "a policy that the program only read": ({"delete": True, "external": True, "id": "auth:older"}, False),
}


@pytest.mark.parametrize("name", OLDER)
def test_what_is_to_be_deleted_is_there_until_then(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark, leaks = OLDER[name]
    kept = own_role()
    made = kept["deployment"]["resources"]
    made[-1]["id"] = "auth:access"
    older = {"name": "older", "role": "auth", "policy": json.dumps(LEAK)}
    made.append({**made[-1], "inputs": older, "outputs": older, **mark})
    found = check(capsys, write(tmp_path / "state.json", kept))
    assert found.code == leaks, found.out + found.err
    if leaks:
        assert "`access (pending deletion)` statement 2" in found.findings[0]["text"]


@pytest.mark.parametrize(
    ("operation", "leaks"), [("creating", True), ("updating", True), ("deleting", False), ("reading", False)]
)
def test_what_an_interrupted_update_may_have_made_is_judged(
    operation: str, leaks: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = own_role()
    made = kept["deployment"]["resources"][-1]
    resource = {**made, "inputs": {**made["inputs"], "policy": json.dumps(LEAK)}, "outputs": {}}
    kept["deployment"]["pending_operations"] = [{"type": operation, "resource": resource}]
    assert check(capsys, write(tmp_path / "state.json", kept)).code == leaks


UNSETTLED: dict[str, tuple[dict[str, Any], str]] = {
    "to be deleted": ({"delete": True, "id": "auth:guard"}, ""),
    "perhaps not made": ({}, "creating"),
    "perhaps not changed": ({}, "updating"),
}
GUARD = document([{"Effect": "Deny", "Action": "s3:*", "NotResource": f"arn:aws:s3:::notes/{ME}/*"}])


@pytest.mark.parametrize("name", UNSETTLED)
def test_a_deny_that_may_not_be_there_guards_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark, operation = UNSETTLED[name]
    guard = {"name": "guard", "role": "auth", "policy": json.dumps(GUARD)}
    guarded = state(*pulumi_role(json.dumps(LEAK)), ("aws:iam/rolePolicy:RolePolicy", "guard", guard))
    assert check(capsys, write(tmp_path / "state.json", guarded)).code == 0
    deployment = guarded["deployment"]
    deployment["resources"][-1] |= mark
    if operation:
        deployment["pending_operations"] = [{"type": operation, "resource": deployment["resources"].pop()}]
    assert check(capsys, write(tmp_path / "state.json", guarded)).code == 1


def test_a_deny_that_may_be_changed_guards_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guard = {"name": "guard", "role": "auth", "policy": json.dumps(GUARD)}
    guarded = state(*pulumi_role(json.dumps(LEAK)), ("aws:iam/rolePolicy:RolePolicy", "guard", guard))
    changed = {**guard, "policy": json.dumps(OWN)}
    operation = {**guarded["deployment"]["resources"][-1], "inputs": changed, "outputs": {}}
    guarded["deployment"]["pending_operations"] = [{"type": "updating", "resource": operation}]
    found = check(capsys, write(tmp_path / "state.json", guarded))
    assert found.code == 1
    assert "This is so if what is to be deleted is still there" in found.findings[0]["text"]


@pytest.mark.parametrize("external", [True, False])
def test_everything_of_a_role_that_a_program_reads_counts(
    external: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a role that the stack makes, the provider also tells the policies that other resources give it."""
    role = {"name": "auth", "assumeRolePolicy": json.dumps(trust())}
    kept = state(("aws:iam/role:Role", "auth", role))
    kept["deployment"]["resources"][0] |= {
        "external": external,
        "inputs": {} if external else role,
        "outputs": {**role, "inlinePolicies": [{"name": "access", "policy": json.dumps(LEAK)}]},
    }
    assert check(capsys, write(tmp_path / "state.json", kept)).code == external


def test_a_reference_to_a_resource_stands_for_its_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = state(*pulumi_role(json.dumps(LEAK)))
    signature = {"4dabf18193072939515e22adb298388d": "5cf8f73096256a8f31e491e813e4eb8e"}
    reference = {**signature, "urn": f"{URN}aws:iam/role:Role::auth", "id": "auth"}
    policy = kept["deployment"]["resources"][-1]
    policy["inputs"] = policy["outputs"] = {**policy["inputs"], "role": reference}
    assert "s3-own-folder" in check(capsys, write(tmp_path / "state.json", kept)).rules
