"""Resources that name CloudFormation's type themselves state what the resource of that type states."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from policies.identity_scope.inventory.facts import SECRET, UNKNOWN
from policies.identity_scope.sources.pulumi import Resource, facts
from tests.policies.inventory.stack import LAMBDA, WIDE, findings, resource, role, role_arn, role_policy
from tests.policies.pack.engine import POOL, allow, document, trust

Made = Callable[[str, Any], Resource]


def cloud_control(type_: str, state: Any) -> Resource:
    text = json.dumps(state) if isinstance(state, dict) else state
    return resource("aws:cloudcontrol/resource:Resource", "made", typeName=type_, desiredState=text)


def extension(type_: str, state: Any) -> Resource:
    return resource("aws-native:index:ExtensionResource", "made", type=type_, properties=state)


BY_TYPE = pytest.mark.parametrize("made", [cloud_control, extension])
ISOLATION = "s3-isolated-by-identity"
GRANT = document([allow("arn:aws:s3:::bkt/*", Principal={"AWS": role_arn()})])
STATES: dict[str, tuple[str, list[Resource], dict[str, Any]]] = {
    "AWS::IAM::Role": (
        ISOLATION,
        [],
        {"AssumeRolePolicyDocument": trust(), "Policies": [{"PolicyName": "p", "PolicyDocument": WIDE}]},
    ),
    "AWS::IAM::RolePolicy": (ISOLATION, [role()], {"RoleName": "role", "PolicyName": "p", "PolicyDocument": WIDE}),
    "AWS::IAM::ManagedPolicy": (ISOLATION, [role()], {"Roles": ["role"], "PolicyDocument": WIDE}),
    "AWS::S3::BucketPolicy": (ISOLATION, [role(arn=role_arn())], {"Bucket": "bkt", "PolicyDocument": GRANT}),
    "AWS::Cognito::IdentityPool": ("guests-are-declared", [], {"AllowUnauthenticatedIdentities": True}),
    "AWS::Cognito::IdentityPoolRoleAttachment": (
        ISOLATION,
        [role(arn=role_arn(), assumeRolePolicy=LAMBDA), role_policy(WIDE)],
        {"IdentityPoolId": POOL, "Roles": {"authenticated": role_arn()}},
    ),
}


@BY_TYPE
@pytest.mark.parametrize("type_", STATES)
def test_a_resource_of_a_type_that_it_names_is_judged(made: Made, type_: str) -> None:
    rule, stack, state = STATES[type_]
    assert rule not in {each for each, _, _ in findings(stack)}
    assert rule in {each for each, _, pending in findings([*stack, made(type_, state)]) if not pending}


@BY_TYPE
@pytest.mark.parametrize(("state", "pending"), [(UNKNOWN, True), (SECRET, False)])
def test_a_state_that_cannot_be_read_is_no_pass(made: Made, state: object, pending: bool) -> None:
    found = findings([role(), made("AWS::IAM::RolePolicy", state)])
    assert {later for rule, _, later in found if rule == ISOLATION} == {pending}


@BY_TYPE
@pytest.mark.parametrize("type_", ["AWS::Logs::LogGroup", "AWS::IAM", "", 7, None, UNKNOWN, "aws-native:iam:Role"])
def test_any_other_type_states_nothing(made: Made, type_: Any) -> None:
    assert facts(made(type_, {"RoleName": "role"})) == []


@BY_TYPE
@pytest.mark.parametrize("state", ["{", "[]", "7", [], 7, None])
def test_a_state_that_is_no_object_breaks_nothing(made: Made, state: object) -> None:
    for type_ in STATES:
        findings([role(), made(type_, state)])


def test_what_the_provider_knows_counts_beside_what_the_program_sets() -> None:
    known = json.dumps({"Arn": role_arn(), "RoleName": "made"})
    state = {"AssumeRolePolicyDocument": LAMBDA, "Policies": [{"PolicyName": "p", "PolicyDocument": WIDE}]}
    made = cloud_control("AWS::IAM::Role", state)
    (fact,) = facts(Resource(made.urn, made.type_, made.name, {**made.props, "properties": known}))
    assert (fact.name, fact.arn) == ("made", role_arn())  # type: ignore[union-attr]
