"""The pack under the engine: what it stops and when, and every kind of its configuration."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.engine.conftest import GUESTS, GUESTS_DECLARED, Stack

ISOLATION = "s3-isolated-by-identity"
_PUBLIC = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes-dev-uploads/public/*"}
WIDE: dict[str, Any] = {"authenticated": {"grants": [{"statement": _PUBLIC}]}}
"""A space that all users share, which nobody declared."""


def _rules(output: str) -> set[str]:
    """The rules that report a finding; a finding may also name another rule in its fix."""
    return set(re.findall(r"\] +([a-z0-9-]+) +\(", output))


def _policies(stack: Stack) -> list[str]:
    iam = stack.client("iam")
    roles = [name for name in stack.role_names() if name.startswith("users-")]
    return [policy for role in roles for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]]


def test_a_widened_program_is_stopped_in_preview_and_before_the_policy_exists(stack: Stack) -> None:
    output = stack.preview(fails=True, **WIDE)
    assert ISOLATION in output
    assert "public/" in output, "the finding shows a request"
    assert stack.sandbox.identity.pools == {}
    output = stack.up(fails=True, **WIDE)
    assert ISOLATION in output
    assert _policies(stack) == []


def test_a_widened_update_leaves_what_is_deployed(stack: Stack) -> None:
    stack.up()
    before = _policies(stack)
    stack.up(fails=True, **WIDE)
    assert _policies(stack) == before
    assert stack.deviations() == []


def test_a_level_governs_the_rule_wherever_it_is_decided(stack: Stack) -> None:
    advisory = stack.pack_config({ISOLATION: {"enforcementLevel": "advisory"}})
    assert ISOLATION in _rules(stack.up(*advisory, **WIDE))
    disabled = stack.pack_config({ISOLATION: {"enforcementLevel": "disabled"}})
    assert ISOLATION not in _rules(stack.preview(*disabled, **WIDE))
    mandatory = stack.pack_config({"s3-own-folder": {"enforcementLevel": "mandatory"}, ISOLATION: "advisory"})
    assert "s3-own-folder" in _rules(stack.preview(*mandatory, fails=True, **WIDE))


def test_one_entry_sets_the_level_of_all_rules(stack: Stack) -> None:
    assert ISOLATION in _rules(stack.preview(*stack.pack_config({"all": "advisory"}), **WIDE))
    assert _rules(stack.preview(*stack.pack_config({"all": "disabled"}), **WIDE)) <= {"identity-scope"}
    stack.preview(*stack.pack_config({"all": "advisory", ISOLATION: "mandatory"}), fails=True, **WIDE)
    output = stack.preview(
        *stack.pack_config({"all": {"enforcementLevel": "advisory", "shared": []}}), fails=True, **WIDE
    )
    assert "`all` has no settings; configure the rules" in output


def test_what_is_declared_as_shared_passes_and_what_lies_beside_it_does_not(stack: Stack) -> None:
    shared = {"pattern": "notes-dev-uploads/public/*", "actions": ["s3:GetObject"], "why": "The public notes."}
    declared = {"shared": [shared]}
    stack.preview(*stack.pack_config({ISOLATION: declared, "s3-own-folder": declared}), **WIDE)
    shared["pattern"] = "notes-dev-uploads/public/a/*"
    assert ISOLATION in stack.preview(*stack.pack_config({ISOLATION: declared}), fails=True, **WIDE)


def test_an_exemption_covers_its_resource_until_its_last_day(stack: Stack) -> None:
    urn = "urn:pulumi:*$aws:iam/rolePolicy:RolePolicy::users-authenticated"
    exempt = {"urn": urn, "reason": "The move to the new folders ends this month.", "expires": "2999-12-31"}
    stack.preview(*stack.pack_config({ISOLATION: {"exemptions": [exempt]}}), **WIDE)
    exempt["expires"] = "2020-01-31"
    assert ISOLATION in stack.preview(*stack.pack_config({ISOLATION: {"exemptions": [exempt]}}), fails=True, **WIDE)


def test_guest_access_is_stopped_until_it_is_declared(stack: Stack) -> None:
    output = stack.preview(fails=True, guests=GUESTS)
    assert "guests-are-declared" in output
    stack.preview(*stack.pack_config(GUESTS_DECLARED), guests=GUESTS)


def test_a_wrong_configuration_proves_nothing(stack: Stack) -> None:
    output = stack.preview(*stack.pack_config({ISOLATION: {"share": []}}), fails=True)
    assert "share" in output


def test_a_remediation_changes_what_is_deployed(stack: Stack) -> None:
    def classic() -> None:
        aws.cognito.IdentityPool(
            "classic", identity_pool_name="classic", allow_unauthenticated_identities=False, allow_classic_flow=True
        )

    stack.program = classic
    stack.up(*stack.pack_config({"classic-flow-off": {"enforcementLevel": "remediate"}}))
    assert stack.pool().config["AllowClassicFlow"] is False


def test_a_stopped_program_ends_without_the_trace_of_an_error_in_it(stack: Stack) -> None:
    output = stack.preview(fails=True, **WIDE)
    assert "Traceback" not in output


def test_the_programs_own_pack_config_is_what_its_pack_accepts(stack: Stack) -> None:
    """The component says what it shares on purpose; with that, its pack passes."""
    stack.up(*stack.pack_config(GUESTS_DECLARED), guests=GUESTS)
    config = stack.outputs()["packConfig"]
    stack.preview(*stack.pack_config(config), "--expect-no-changes", guests=GUESTS)


class _Component(pulumi.ComponentResource):
    """Of any type, with any properties."""


@pytest.mark.parametrize("first", [True, False])
def test_a_component_that_looks_like_a_policy_guards_nothing(stack: Stack, first: bool) -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    guard = {"role": "looks", "name": "guard", "policy": json.dumps({"Version": "2012-10-17", "Statement": [deny]})}

    def component() -> None:
        _Component("aws:iam/rolePolicy:RolePolicy", "guard", guard).register_outputs(guard)

    def looks() -> None:
        if first:
            component()
        pool = aws.cognito.IdentityPool(
            "looks", identity_pool_name="looks", allow_unauthenticated_identities=False, allow_classic_flow=False
        )
        role = aws.iam.Role("looks", name="looks", assume_role_policy=pool.id.apply(_trust_without_amr))
        aws.cognito.IdentityPoolRoleAttachment("looks", identity_pool_id=pool.id, roles={"authenticated": role.arn})
        if not first:
            component()
        aws.iam.RolePolicy("wide", role=role.name, policy=json.dumps({"Version": "2012-10-17", "Statement": [_PUBLIC]}))

    stack.program = looks
    configured = stack.pack_config({"trust-bound-to-pool": "disabled"})
    assert ISOLATION in _rules(stack.preview(*configured, fails=True))
    assert ISOLATION in _rules(stack.up(*configured, fails=True))
    assert stack.client("iam").list_role_policies(RoleName="looks")["PolicyNames"] == []


def _trust_without_amr(pool: str) -> str:
    condition = {"StringEquals": {"cognito-identity.amazonaws.com:aud": pool}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_program_of_raw_resources_is_judged(stack: Stack) -> None:
    def raw() -> None:
        pool = aws.cognito.IdentityPool(
            "raw", identity_pool_name="raw", allow_unauthenticated_identities=False, allow_classic_flow=False
        )
        trust = pool.id.apply(_trust_without_amr)
        role = aws.iam.Role("raw", assume_role_policy=trust)
        aws.cognito.IdentityPoolRoleAttachment("raw", identity_pool_id=pool.id, roles={"authenticated": role.arn})

    stack.program = raw
    output = stack.up(fails=True)
    assert "trust-bound-to-pool" in output
    assert "amr" in output
