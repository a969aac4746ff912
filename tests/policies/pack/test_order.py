"""The order in which a program registers its resources: what counts at preview, and between two steps of an update."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.identity_scope.inventory.accounts import Origin
from policies.identity_scope.inventory.facts import UNKNOWN
from policies.identity_scope.pack.session import Session
from policies.identity_scope.pack.settings import Settings
from policies.identity_scope.sources.pulumi import Resource
from tests.policies.inventory.stack import (
    GUARDED,
    LAMBDA,
    OWN_FOLDER,
    WIDE,
    attach,
    policy,
    policy_arn,
    pool,
    resource,
    role,
    role_arn,
    role_policy,
    vend,
)
from tests.policies.pack.engine import ME, POOL, allow, document, trust

ISOLATION = "s3-isolated-by-identity"
POINT_ARN = "arn:aws:s3:us-east-1:123456789012:accesspoint/point"
BOUNDARY = policy(document([allow(f"arn:aws:s3:::bkt/{ME}/*", "s3:*")]), "boundary")
LIMITED = [role(permissionsBoundary=policy_arn("boundary")), role_policy(document([allow("arn:aws:s3:::bkt/*")]))]
POINT = resource("aws:s3/accessPoint:AccessPoint", "point", name="point", bucket="bkt")
THROUGH = [role(), role_policy(document([allow(f"{POINT_ARN}/object/{ME}/*")]))]
TOO_WIDE = [role(), role_policy(document([allow(f"{POINT_ARN}/object/*")]))]


def created(made: Resource, **outputs: str) -> Resource:
    return Resource(made.urn, made.type_, made.name, {**made.props, **outputs})


def reported(registered: list[Resource], known: list[Resource], preview: bool) -> tuple[list[str], list[str]]:
    """The rules that report something before a resource is made, and of the whole stack."""
    session = Session(Settings(), preview)
    before = [v.rule.name for each in registered for v in session.resource(each).violations]
    return before, [v.rule.name for v in session.stack(known).violations]


@pytest.mark.parametrize("preview", [True, False])
def test_what_comes_before_its_role_counts(preview: bool) -> None:
    for made in (BOUNDARY, policy(BOUNDARY.props["policy"], "boundary", arn=UNKNOWN)):
        assert reported([made, *LIMITED], [BOUNDARY, *LIMITED], preview) == ([], [])
    point = created(POINT, arn=POINT_ARN)
    assert reported([POINT, *THROUGH], [point, *THROUGH], preview) == ([], [])


def test_at_preview_nothing_is_made_before_the_whole_stack_is_judged() -> None:
    assert reported([*LIMITED, BOUNDARY], [*LIMITED, BOUNDARY], True) == ([], [])
    assert reported([*THROUGH, POINT], [*THROUGH, POINT], True) == ([], [])
    for before, known in (([], LIMITED), ([BOUNDARY], [*LIMITED, policy(document([allow("*", "*")]), "boundary")])):
        assert ISOLATION in reported([*LIMITED, *before], known, True)[1]
    assert reported(THROUGH, THROUGH, True) == ([], [ISOLATION])
    assert ISOLATION in reported([*TOO_WIDE, POINT], [*TOO_WIDE, created(POINT, arn=POINT_ARN)], True)[0]


def test_at_update_what_is_not_registered_yet_does_not_count() -> None:
    assert ISOLATION in reported([*LIMITED, BOUNDARY], [*LIMITED, BOUNDARY], False)[0]
    assert reported([*THROUGH, POINT], [*THROUGH, created(POINT, arn=POINT_ARN)], False)[0] == [ISOLATION]


def test_at_update_a_policy_that_has_no_name_yet_may_be_the_boundary() -> None:
    made = resource("aws-native:iam:ManagedPolicy", "limit", policyDocument=BOUNDARY.props["policy"])
    known = created(made, policyArn=policy_arn("boundary"))
    assert reported([made, *LIMITED], [known, *LIMITED], False) == ([], [])
    other = created(made, policyArn=policy_arn("other"))
    before, after = reported([made, *LIMITED], [other, *LIMITED], False)
    assert (before, ISOLATION in after) == ([], True)


@pytest.mark.parametrize(
    ("principal", "guards"),
    [
        ("arn:aws:iam::123456789012:role/role", True),
        ("123456789012", False),
        (["arn:aws:iam::123456789012:role/role", "arn:aws:iam::999999999999:role/role"], False),
        ("arn:aws:iam::123456789012:role/other", False),
    ],
)
@pytest.mark.parametrize("preview", [True, False])
def test_a_bucket_policy_names_the_role_whose_arn_is_not_told_yet(
    principal: str | list[str], guards: bool, preview: bool
) -> None:
    deny = {
        "Effect": "Deny",
        "Action": "s3:*",
        "NotResource": f"arn:aws:s3:::bkt/{ME}/*",
        "Principal": {"AWS": principal},
    }
    guard = resource("aws:s3/bucketPolicy:BucketPolicy", "guard", bucket="bkt", policy=document([deny]))
    registered = [role(), guard, role_policy(document([allow("arn:aws:s3:::bkt/*")]))]
    before, after = reported(registered, registered, preview)
    assert (ISOLATION not in before) is guards
    if guards:
        assert ISOLATION in after, "a name is not enough for the whole stack"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_at_update_the_policy_of_a_role_that_a_pool_vends_and_another_stack_makes_is_not_made(
    order: tuple[int, int],
) -> None:
    vending = resource(
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        "vending",
        identityPoolId=POOL,
        roles={"authenticated": "arn:aws:iam::123456789012:role/role"},
    )
    made = [vending, role_policy(document([allow("arn:aws:s3:::bkt/*")]))]
    before, after = reported([made[each] for each in order], made, False)
    assert (before.count(ISOLATION), after.count(ISOLATION)) == (2, 0), (
        "the leak, and that the role is not in the stack"
    )
    own = [vending, role_policy(document([allow(f"arn:aws:s3:::bkt/{ME}/*")]))]
    assert reported([own[each] for each in order], own, False)[0] == [ISOLATION, "vended-role-cannot-escalate"]
    limited = [vending, LIMITED[1], BOUNDARY, LIMITED[0]]
    assert reported(limited, limited, True) == ([], [])


FAR = policy_arn("far")
NOT_HERE = {
    "an attached policy": [role(), attach(FAR)],
    "a policy in the role's list": [role(managedPolicyArns=[FAR])],
    "a role": [pool(), vend("arn:aws:iam::123456789012:role/far")],
}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("name", NOT_HERE)
def test_what_names_a_role_or_a_policy_that_is_not_in_the_stack_is_not_made(name: str, preview: bool) -> None:
    stack = NOT_HERE[name]
    before, after = reported(stack, stack, preview)
    assert (ISOLATION in before, ISOLATION in after) == (not preview, preview)


@pytest.mark.parametrize(
    ("made", "named", "outputs"),
    [
        (resource("aws-native:iam:ManagedPolicy", "p", policyDocument=GUARDED), attach(FAR), {"policyArn": FAR}),
        (
            resource("aws-native:iam:Role", "r", assumeRolePolicyDocument=trust()),
            vend("arn:aws:iam::123456789012:role/far"),
            {"roleName": "far", "arn": "arn:aws:iam::123456789012:role/far"},
        ),
    ],
    ids=["a policy", "a role"],
)
def test_a_resource_that_has_no_name_yet_may_be_the_one_that_is_named(
    made: Resource, named: Resource, outputs: dict[str, str]
) -> None:
    stack = [pool(id=POOL), role(), made, named]
    known = [pool(id=POOL), role(), created(made, **outputs), named]
    assert reported(stack, known, False) == ([], [])


@pytest.mark.parametrize("text", [WIDE, OWN_FOLDER], ids=["leak", "own folder"])
@pytest.mark.parametrize("kind", ["role", "policy", "role of a pool"])
def test_a_resource_that_is_replaced_is_meant_by_its_new_name(kind: str, text: dict[str, Any]) -> None:
    before: list[Resource]
    if kind == "policy":
        arn = policy_arn("files-5d6e7f8")
        before = [role(), policy(text, "files-1a2b3c4", label="files", arn=None), attach(arn)]
        after = [role(), policy(text, "files-5d6e7f8", label="files"), attach(arn)]
    else:
        trusting = trust() if kind == "role" else LAMBDA
        arn = role_arn("role-5d6e7f8")
        others = [role_policy(text, of="role-5d6e7f8"), *([] if kind == "role" else [pool(id=POOL), vend(arn)])]
        before = [role("role-1a2b3c4", label="role", assumeRolePolicy=trusting), *others]
        after = [role("role-5d6e7f8", label="role", assumeRolePolicy=trusting, arn=arn), *others]
    found, later = reported(before, after, False)
    assert (ISOLATION in found) is (text is WIDE)
    assert ISOLATION not in later


@pytest.mark.parametrize("of", ["other-5d6e7f8", "role-5d6e7f", "role-workers", "role5d6e7f8"])
def test_another_resource_is_not_meant_by_a_name_that_is_not_its_own(of: str) -> None:
    stack = [role("role-1a2b3c4", label="role"), role_policy(WIDE, of=of)]
    assert reported(stack, stack, False) == ([], [])


def test_a_deny_for_a_new_name_guards_only_once_the_name_is_told() -> None:
    stack = [role("role-1a2b3c4", label="role"), role_policy(GUARDED, of="role-5d6e7f8")]
    assert ISOLATION in reported(stack, stack, False)[0]


COMPONENTS = {
    "a guard": role_policy(document([{"Effect": "Deny", "Action": "*", "Resource": "*"}]), "guard"),
    "a guard on the bucket": resource(
        "aws:s3/bucketPolicy:BucketPolicy",
        "guard",
        bucket="bkt",
        policy=document([{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]),
    ),
    "a list of policies": resource(
        "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive", "only", roleName="role", policyNames=[]
    ),
    "another role of the name": role(label="twin", trust=document([])),
}
"""What a component can state by its type and properties."""


def _provided(made: Resource) -> Resource:
    return replace(made, origin=Origin("urn:pulumi:test::pack::pulumi:providers:aws::default"))


@pytest.mark.parametrize("name", COMPONENTS)
@pytest.mark.parametrize("position", [0, 1])
def test_what_a_component_states_does_not_count(name: str, position: int) -> None:
    leak = [*map(_provided, [role(), role_policy(document([allow("arn:aws:s3:::bkt/*")]))])]
    without = reported(leak, leak, False)
    assert without[0].count(ISOLATION) == 1
    leak.insert(position, COMPONENTS[name])
    assert reported(leak, leak, False) == without
    assert reported(leak[:position], leak, False)[1].count(ISOLATION) == 1


@pytest.mark.parametrize("first", [True, False])
def test_a_component_does_not_stand_for_a_policy_of_aws(first: bool) -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    stands = policy(document([]), "stands", arn=arn)
    admin = _provided(role(managedPolicyArns=[arn]))
    registered = [stands, admin] if first else [admin, stands]
    before, after = reported(registered, registered, False)
    assert [*before, *after].count(ISOLATION) == 1
    assert ISOLATION in reported([], registered, False)[1]


def test_the_boundary_of_aws_is_no_resource_that_is_still_to_come() -> None:
    limited = [role(permissionsBoundary="arn:aws:iam::aws:policy/PowerUserAccess"), LIMITED[1]]
    assert ISOLATION in reported(limited, limited, True)[0]


def test_an_access_point_whose_bucket_is_not_known_yet_is_decided_later() -> None:
    point = created(POINT, bucket=UNKNOWN)  # type: ignore[arg-type]
    assert reported([point, *THROUGH], [created(POINT, arn=POINT_ARN), *THROUGH], True) == ([], [])
    session = Session(Settings())
    (notice,) = session.stack([point, *THROUGH]).notices
    assert notice.text == (
        "decided at update: `access` statement 1: which bucket's objects the access point shows (s3-isolated-by-identity)"
    )
