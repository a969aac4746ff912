"""Which properties of which resources are facts, and what unknown, secret, missing and wrong values become."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi_policy import proxy

from policies.identity_scope.iam.conditions import Truth
from policies.identity_scope.inventory.accounts import Origin, same_account
from policies.identity_scope.inventory.facts import UNKNOWN, Reference, VendingFact
from policies.identity_scope.inventory.vended import Declared
from policies.identity_scope.pack.configuration import Config
from policies.identity_scope.sources import pulumi
from policies.identity_scope.sources.pulumi import Resource, facts, origin
from policies.identity_scope.sources.signatures import UNKNOWNS
from policies.identity_scope.sources.types import POOLS, RELEVANT, canonical, pool_type, relevant
from tests.policies.inventory.stack import (
    ATTACHMENT,
    OWN_FOLDER,
    WIDE,
    attach,
    findings,
    inventory,
    policy,
    policy_arn,
    pool,
    resource,
    role,
    role_arn,
    role_policy,
    vend,
    vended,
)
from tests.policies.pack.engine import POOL, trust
from tests.scale import SCALE

SECRET = "[secret]"
TYPES = sorted(RELEVANT)


def test_a_type_is_read_if_and_only_if_it_is_listed() -> None:
    assert set(pulumi._READERS) == RELEVANT >= POOLS


BRIDGED = {
    "aws:index/iamRole:IamRole": "aws:iam/role:Role",
    "aws:index/cognitoIdentityPoolRolesAttachment:CognitoIdentityPoolRolesAttachment": ATTACHMENT,
    "aws:index/s3controlAccessPointPolicy:S3controlAccessPointPolicy": "aws:s3control/accessPointPolicy:AccessPointPolicy",
    "awscc:index/iamRolePolicy:IamRolePolicy": "aws-native:iam:RolePolicy",
    "awscc:index/s3expressBucketPolicy:S3expressBucketPolicy": "aws-native:s3express:BucketPolicy",
    "random:index/randomId:RandomId": "random:index/randomId:RandomId",
}


@pytest.mark.parametrize("type_", BRIDGED)
def test_a_terraform_provider_that_a_program_adds_has_types_of_its_own(type_: str) -> None:
    assert canonical(type_) == BRIDGED[type_]
    assert relevant(type_) is ("random" not in type_)


def test_what_a_terraform_provider_makes_that_a_program_adds_is_judged() -> None:
    made = [role(), role_policy(WIDE), pool(allowUnauthenticatedIdentities=True)]
    types = ["iamRole:IamRole", "iamRolePolicy:IamRolePolicy", "cognitoIdentityPool:CognitoIdentityPool"]
    same = [replace(each, type_=f"aws:index/{type_}") for each, type_ in zip(made, types, strict=True)]
    assert findings(same) == findings(made) != set()
    assert pool_type(same[-1].type_)


def test_every_value_that_the_sdk_takes_as_unknown_is_one() -> None:
    assert {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")} == UNKNOWNS


def vendings(*resources: Resource) -> list[tuple[str, str | None]]:
    """(kind, role) of each role that attachments and groups vend."""
    return [
        (kind, reference.value)
        for each in resources
        for fact in facts(each)
        if isinstance(fact, VendingFact)
        for kind, reference in fact.roles
    ]


def mapped(mappings: Any, **depends: Any) -> Resource:
    return resource(ATTACHMENT, "vend", depends, identityPoolId="p", roles={}, roleMappings=mappings)


ARN = role_arn()
RULE = {"claim": "c", "matchType": "Equals", "value": "v", "roleArn": ARN}
MAPPINGS: dict[str, tuple[Any, list[str | None]]] = {
    "a rule": ([{"type": "Rules", "mappingRules": [RULE]}], [ARN]),
    "a rule of aws-native": ({"p": {"type": "Rules", "rulesConfiguration": {"rules": [{"roleARN": ARN}]}}}, [ARN]),
    "roles by token": ([{"type": "Token"}], []),
    "all mappings are unknown": (UNKNOWN, [None]),
    "a mapping is unknown": ([{"mappingRules": [RULE]}, UNKNOWN], [ARN, None]),
    "a mapping's rules are unknown": ([{"mappingRules": UNKNOWN}], [None]),
    "a rule is unknown": ([{"mappingRules": [UNKNOWN, RULE]}], [None, ARN]),
    "a rule's role is unknown": ([{"mappingRules": [{**RULE, "roleArn": UNKNOWN}]}], [None]),
    "a mapping of aws-native is unknown": ({"p": UNKNOWN}, [None]),
    "the configuration of rules is unknown": ({"p": {"rulesConfiguration": UNKNOWN}}, [None]),
    "the rules of aws-native are unknown": ({"p": {"rulesConfiguration": {"rules": UNKNOWN}}}, [None]),
    "a secret mapping": ([SECRET], [None]),
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_roles_of_role_mappings(name: str) -> None:
    mappings, expected = MAPPINGS[name]
    assert vendings(mapped(mappings)) == [("mapped", arn) for arn in expected]
    pending = [obstacle.pending for obstacle in inventory([mapped(mappings)]).unresolved(Declared(elsewhere=(ARN,)))]
    assert pending == [name != "a secret mapping"] * expected.count(None)


def test_the_dependencies_of_unknown_mappings_are_vended_and_the_rest_is_decided_at_update() -> None:
    made = role()
    stack = [made, mapped([UNKNOWN], roleMappings=[made.urn])]
    assert "mapped" in vended(stack)["role"].kinds
    assert [obstacle.pending for obstacle in inventory(stack).unresolved(Declared())] == [True]


def test_roles_that_are_not_known_as_a_whole() -> None:
    made = role()
    whole = resource(ATTACHMENT, "vend", {"roles": [made.urn]}, identityPoolId="p", roles=UNKNOWN)
    assert "unknown" in vended([made, whole])["role"].kinds
    assert [obstacle.pending for obstacle in inventory([made, whole]).unresolved(Declared())] == [True]


@pytest.mark.parametrize("type_", ["aws:cognito/userGroup:UserGroup", "aws-native:cognito:UserPoolGroup"])
def test_a_groups_role_is_mapped(type_: str) -> None:
    assert vendings(resource(type_, "g", roleArn=ARN)) == [("mapped", ARN)]
    assert vendings(resource(type_, "g", roleArn=UNKNOWN)) == [("mapped", None)]
    assert vendings(resource(type_, "g", groupName="g")) == []


NATIVE: dict[str, list[Resource]] = {
    "a policy of the role": [
        resource(
            "aws-native:iam:Role",
            "role",
            roleName="role",
            assumeRolePolicyDocument=trust(),
            policies=[{"policyName": "p", "policyDocument": WIDE}],
        )
    ],
    "a RolePolicy": [
        resource("aws-native:iam:Role", "role", roleName="role", assumeRolePolicyDocument=trust()),
        resource("aws-native:iam:RolePolicy", "p", roleName="role", policyName="p", policyDocument=WIDE),
    ],
    "a managed policy with its roles": [
        resource("aws-native:iam:Role", "role", roleName="role", assumeRolePolicyDocument=trust()),
        resource("aws-native:iam:ManagedPolicy", "p", managedPolicyName="p", roles=["role"], policyDocument=WIDE),
    ],
    "a managed policy by its ARN": [
        resource(
            "aws-native:iam:Role",
            "role",
            roleName="role",
            assumeRolePolicyDocument=trust(),
            managedPolicyArns=[policy_arn("p")],
        ),
        resource("aws-native:iam:ManagedPolicy", "p", policyArn=policy_arn("p"), policyDocument=WIDE),
    ],
    "the classic provider's policy on a role of aws-native": [
        resource("aws-native:iam:Role", "role", roleName="role", assumeRolePolicyDocument=trust()),
        role_policy(WIDE),
    ],
}


@pytest.mark.parametrize("name", NATIVE)
def test_documents_of_aws_native(name: str) -> None:
    stack = NATIVE[name]
    for order in (stack, stack[::-1]):
        assert "s3-isolated-by-identity" in {rule for rule, _, pending in findings(order) if not pending}


SECRETS: dict[str, tuple[list[Resource], str]] = {
    "a RolePolicy": ([role(), role_policy(SECRET)], "`access`: not proven"),
    "a trust policy": ([role(assumeRolePolicy=SECRET, arn=ARN), vend(ARN)], "`role, trust policy`: not proven"),
    "an inline policy": ([role(inlinePolicies=[{"name": "p", "policy": SECRET}])], "`role, inline policy 1`"),
    "all inline policies": ([role(inlinePolicies=SECRET)], "`role, inline policies`"),
    "a managed policy": ([role(), policy(SECRET), attach(policy_arn("managed"))], "`managed`: not proven"),
    "an attachment": ([role(), attach(SECRET)], "`attach`: not proven"),
    "managedPolicyArns": ([role(managedPolicyArns=[SECRET])], "`role`: not proven"),
    "the role of a policy": ([role(), pool(), role_policy(WIDE, of=SECRET)], "`access`: not proven"),
    "the roles of a pool": ([vend(SECRET)], "`vend`: not proven"),
    "a bucket policy": (
        [role(), resource("aws:s3/bucketPolicy:BucketPolicy", "b", bucket="b", policy=SECRET)],
        "`b`: not proven",
    ),
    "a wrapped secret": (
        [role(), role_policy({"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "x"})],
        "`access`: not proven",
    ),
    "a part of an object": ([role(), role_policy({"Version": "2012-10-17", "Statement": SECRET})], "`access`"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_a_state_cannot_be_read_and_is_not_proven(name: str) -> None:
    stack, label = SECRETS[name]
    said = [(text, pending) for _, text, pending in findings(stack) if "secret, cannot be read here" in text]
    assert said
    assert all(label in text and not pending for text, pending in said)


def test_a_resource_that_an_update_leaves_alone_is_decided_at_update() -> None:
    """With `--target`, other resources are registered without inputs."""
    for type_ in TYPES:
        stack = [role(), pool(id=POOL), resource(type_, "left")]
        assert all(pending for _, _, pending in findings(stack)), type_
    assert findings([resource("aws:iam/role:Role", "left")]) == set()


UNSET = Origin()
PROVIDERS: list[tuple[dict[str, Any], Origin]] = [
    ({}, Origin("urn:p")),
    ({"region": "eu-west-1"}, Origin("urn:p", None, "eu-west-1")),
    ({"allowedAccountIds": '["123456789012"]'}, Origin("urn:p", "123456789012")),
    ({"allowedAccountIds": ["123456789012"]}, Origin("urn:p", "123456789012")),
    ({"allowedAccountIds": ["1", "2"]}, Origin("urn:p")),
    ({"allowedAccountIds": "{"}, Origin("urn:p")),
    ({"profile": "prod"}, Origin("urn:p", credentials='{"profile": "\'prod\'"}')),
]


@pytest.mark.parametrize(("props", "expected"), PROVIDERS, ids=repr)
def test_where_a_provider_makes_its_resources(props: dict[str, Any], expected: Origin) -> None:
    assert origin("urn:p", props) == expected


@pytest.mark.parametrize("hidden", [UNKNOWN, SECRET, {"roleArn": UNKNOWN}, [{"roleArn": UNKNOWN}]], ids=repr)
def test_credentials_that_are_not_known_are_no_other_providers(hidden: object) -> None:
    one, other = (origin(f"urn:{name}", {"assumeRole": hidden}) for name in ("one", "other"))
    assert same_account(one, other) is Truth.MAYBE
    assert same_account(one, one) is Truth.YES


@pytest.mark.parametrize(
    "roles", ['[{"roleArn": "arn:aws:iam::123456789012:role/deploy"}]', {"roleArn": "arn:aws:iam::123456789012:role/x"}]
)
def test_the_account_of_the_role_that_a_provider_assumes(roles: Any) -> None:
    assert origin("urn:p", {"assumeRoles": roles}).account == "123456789012"
    assert origin("urn:p", {"assumeRole": roles}).account == "123456789012"


def test_a_resource_may_name_its_own_region() -> None:
    assert origin("urn:p", {"region": "eu-west-1"}, "us-gov-west-1").region == "us-gov-west-1"
    (found,) = facts(pool(region="us-gov-east-1"))
    assert found.origin.region == "us-gov-east-1"  # type: ignore[union-attr]


def test_a_reference_keeps_its_dependencies() -> None:
    (found,) = facts(role_policy(OWN_FOLDER, of=UNKNOWN, depends={"role": ["urn:r"]}))
    assert found.role == Reference(None, ("urn:r",))  # type: ignore[union-attr]


KEYS = [
    *("name", "arn", "namePrefix", "assumeRolePolicy", "inlinePolicies", "managedPolicyArns", "permissionsBoundary"),
    *("role", "roles", "roleName", "policyNames", "policy", "policyArn", "policyArns", "identityPoolId", "id"),
    *("roleMappings", "roleArn", "bucket", "details", "accessPointArn", "alias", "regions", "mrapName", "region"),
    *("cognitoIdentityProviders", "allowClassicFlow", "allowUnauthenticatedIdentities", "identityPoolName"),
    *("assumeRolePolicyDocument", "policies", "policyDocument", "policyName", "managedPolicyName", "bucketName"),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from([UNKNOWN, SECRET]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "policy",
                    "policyDocument",
                    "mappingRules",
                    "rulesConfiguration",
                    "rules",
                    "roleArn",
                    "regions",
                    "x",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(KEYS), values, max_size=6)),
        min_size=1,
        max_size=3,
    )
)
@settings(deadline=None, max_examples=400 * SCALE)
def test_values_of_any_type_are_facts_or_none(given_: list[tuple[str, dict[str, Any]]]) -> None:
    urns = [f"urn:pulumi:test::pack::{type_}::r{i}" for i, (type_, _) in enumerate(given_)]
    stack = [Resource(urn, type_, f"r{i}", p) for i, (urn, (type_, p)) in enumerate(zip(urns, given_, strict=True))]
    findings([role(), *stack], Config(known=Declared(vended=("role", "far"))))
