"""A value that is secret, or of the wrong form, is never a pass, and nothing that an update would decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.identity_scope.inventory.facts import SECRET, UNKNOWN
from policies.identity_scope.sources.pulumi import Resource
from tests.policies.inventory.stack import (
    ATTACHMENT,
    GUARDED,
    LAMBDA,
    OWN_FOLDER,
    WIDE,
    attach,
    findings,
    policy,
    policy_arn,
    pool,
    resource,
    role,
    role_arn,
    role_policy,
    vend,
)
from tests.policies.pack.engine import ME, POOL, allow, document

NATIVE_ATTACHMENT = "aws-native:cognito:IdentityPoolRoleAttachment"
POINT_ARN = "arn:aws:s3:us-east-1:123456789012:accesspoint/point"
ISOLATION, GUESTS = "s3-isolated-by-identity", "guests-are-declared"
THROUGH = role_policy(document([allow(f"{POINT_ARN}/object/{ME}/*")]))
KEPT = resource("aws:iam/rolePoliciesExclusive:RolePoliciesExclusive", "kept", roleName="role", policyNames=["access"])


def changed(made: Resource, **props: Any) -> Resource:
    return Resource(made.urn, made.type_, made.name, {**made.props, **props})


def providers(*settings: object) -> Resource:
    return pool(cognitoIdentityProviders=list(settings))


HIDDEN: dict[str, tuple[str, list[Resource]]] = {
    "guest access": (GUESTS, [pool(allowUnauthenticatedIdentities=SECRET)]),
    "the name of a pool with guest access": (
        GUESTS,
        [pool(allowUnauthenticatedIdentities=True, identityPoolName=SECRET)],
    ),
    "the classic flow": ("classic-flow-off", [pool(allowClassicFlow=SECRET)]),
    "a pool's providers": ("server-side-token-check", [pool(cognitoIdentityProviders=SECRET)]),
    "a provider": ("server-side-token-check", [providers(SECRET)]),
    "a token check": ("server-side-token-check", [providers({"providerName": "p", "serverSideTokenCheck": SECRET})]),
    "the role of a policy": (ISOLATION, [role(), role_policy(WIDE, of=SECRET)]),
    "the roles of an attachment": (
        ISOLATION,
        [role(), resource("aws:iam/policyAttachment:PolicyAttachment", "all", policyArn=policy_arn("p"), roles=SECRET)],
    ),
    "the role of a list of inline policies": (
        ISOLATION,
        [role(), role_policy(GUARDED), changed(KEPT, roleName=SECRET)],
    ),
    "a list of inline policies": (ISOLATION, [role(), role_policy(GUARDED), changed(KEPT, policyNames=SECRET)]),
    "one of a list of inline policies": (
        ISOLATION,
        [role(), role_policy(GUARDED), changed(KEPT, policyNames=["access", SECRET])],
    ),
    "a managed policy": (ISOLATION, [role(), policy(GUARDED), attach(SECRET)]),
    "a trust policy where there is a pool": (ISOLATION, [pool(), role(assumeRolePolicy=SECRET)]),
    "a part of a trust policy": (ISOLATION, [pool(), role(assumeRolePolicy={"Statement": [{"Principal": SECRET}]})]),
    "a trust policy of a role with users' folders": (
        ISOLATION,
        [role(assumeRolePolicy=SECRET), role_policy(OWN_FOLDER)],
    ),
    "a pool's roles": (ISOLATION, [vend(SECRET)]),
    "a pool's rules": (ISOLATION, [resource(ATTACHMENT, "vend", identityPoolId=POOL, roleMappings=SECRET)]),
    "an access point's bucket": (
        ISOLATION,
        [role(), THROUGH, resource("aws:s3/accessPoint:AccessPoint", "point", name="point", bucket=SECRET)],
    ),
    "an access point's name": (
        ISOLATION,
        [role(), THROUGH, resource("aws:s3/accessPoint:AccessPoint", "point", name=SECRET, bucket="bkt")],
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_secret_is_a_finding_and_not_decided_at_update(name: str) -> None:
    rule, stack = HIDDEN[name]
    assert (rule, False) in {(rule, pending) for rule, _, pending in findings(stack)}


def test_a_secret_trust_policy_of_a_role_that_has_nothing_to_do_with_pools_is_none_of_the_packs_business() -> None:
    assert findings([role(assumeRolePolicy=SECRET), role_policy(WIDE)]) == set()


def test_a_role_whose_trust_policy_is_not_known_yet_is_decided_at_update() -> None:
    stack = [role(assumeRolePolicy=UNKNOWN), role_policy(WIDE)]
    assert findings(stack) == set()
    found = findings([pool(), *stack])
    assert {(rule, pending) for rule, _, pending in found} == {(ISOLATION, True), ("vended-role-cannot-escalate", True)}
    assert {text for _, text, _ in found} == {"`role, trust policy`: whether a pool vends the role"}


def test_a_role_whose_secret_trust_policy_is_reported_is_not_reported_twice() -> None:
    stack = [pool(id=POOL), role(assumeRolePolicy=SECRET, arn=role_arn()), vend(role_arn())]
    assert {rule for rule, _, _ in findings(stack)} == {"trust-bound-to-pool"}


@pytest.mark.parametrize("type_", ["aws:cognito/identityPool:IdentityPool", "aws-native:cognito:IdentityPool"])
@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("true", "guest access is enabled"),
        ("True", "guest access is enabled"),
        ("yes", "`allowUnauthenticatedIdentities` is neither true nor false"),
        ([], "`allowUnauthenticatedIdentities` is neither true nor false"),
        ("false", ""),
    ],
)
def test_a_setting_may_be_written_as_text(type_: str, written: object, words: str) -> None:
    settings: dict[str, Any] = {
        "identityPoolName": "p",
        "allowUnauthenticatedIdentities": written,
        "allowClassicFlow": "false",
    }
    found = findings([resource(type_, "pool", **settings)])
    assert {rule for rule, _, _ in found} == ({GUESTS} if words else set())
    assert all(words in text for _, text, _ in found)


def test_a_pool_whose_name_is_secret_cannot_be_declared() -> None:
    ((_, text, _),) = findings([pool(allowUnauthenticatedIdentities=True, identityPoolName=SECRET)])
    assert "Fix: set allowUnauthenticatedIdentities to false." in text
    assert "guests-are-declared" not in text


RULES = {"Type": "Rules", "RulesConfiguration": {"Rules": [{"Claim": "c", "RoleARN": role_arn()}]}}
TYPED = {"type": "Rules", "rulesConfiguration": {"rules": [{"claim": "c", "roleArn": role_arn()}]}}


@pytest.mark.parametrize(
    "given",
    [
        {"roles": json.dumps({"authenticated": role_arn()})},
        {"roleMappings": {"p": RULES}},
        {"roleMappings": {"p": TYPED}},
        {"roleMappings": json.dumps({"p": RULES})},
    ],
    ids=str,
)
def test_what_aws_native_takes_as_any_object_may_be_written_as_cloudformation_does(given: dict[str, Any]) -> None:
    stack = [role(arn=role_arn(), assumeRolePolicy=LAMBDA), role_policy(WIDE)]
    assert findings(stack) == set()
    found = findings([*stack, resource(NATIVE_ATTACHMENT, "vend", identityPoolId=POOL, **given)])
    assert ISOLATION in {rule for rule, _, _ in found}


@pytest.mark.parametrize("given", [{"roles": "role"}, {"roles": 7}, {"roleMappings": "role"}], ids=str)
def test_roles_that_are_no_object_are_not_proven(given: dict[str, Any]) -> None:
    found = findings([resource(NATIVE_ATTACHMENT, "vend", identityPoolId=POOL, **given)])
    assert (ISOLATION, False) in {(rule, pending) for rule, _, pending in found}
    assert all("malformed: the role must be a text" in text for _, text, _ in found)
