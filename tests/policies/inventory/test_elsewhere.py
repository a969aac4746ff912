"""Roles that other stacks make, and the pools that a role may trust."""

from __future__ import annotations

import pytest

from policies.identity_scope.inventory.accounts import Origin
from policies.identity_scope.inventory.facts import UNKNOWN
from policies.identity_scope.inventory.vended import Declared, StackPools
from policies.identity_scope.pack.configuration import Config
from policies.identity_scope.sources.pulumi import Resource
from tests.policies.inventory.stack import (
    GUARDED,
    OTHER_ACCOUNT,
    OTHER_POOL,
    OWN_FOLDER,
    WIDE,
    attach,
    documents,
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

ARN = role_arn("far")


@pytest.mark.parametrize(
    "declared", [Declared(vended=("far",)), Declared(vended=(ARN,)), Declared(elsewhere=(ARN,))], ids=repr
)
def test_what_is_given_to_a_vended_role_of_another_stack_is_judged_here(declared: Declared) -> None:
    stack = [role_policy(WIDE, of="far"), policy(OWN_FOLDER), attach(policy_arn("managed"), of="far")]
    (found,) = vended(stack, declared).values()
    assert documents(found) == {"access": "A", "managed": "A"}
    said = findings(stack, Config(known=declared))
    assert {rule for rule, _, _ in said} == {"s3-isolated-by-identity", "s3-own-folder"}
    assert found.sources["access"] == stack[0].urn


def test_what_is_given_to_any_other_role_of_another_stack_is_none_of_the_packs_business() -> None:
    assert vended([role_policy(WIDE, of="near")], Declared(vended=("far",), elsewhere=(ARN,))) == {}


def test_a_role_of_the_stack_is_not_judged_a_second_time() -> None:
    assert set(vended([role("far"), role_policy(WIDE, of="far")], Declared(vended=(ARN,)))) == {"far"}
    assert len(inventory([role("far"), role_policy(WIDE, of="far")]).vended(Declared(vended=("far", ARN)))) == 1


def test_a_role_of_another_account_is_another_role() -> None:
    there = Origin("urn:there", OTHER_ACCOUNT)
    assert vended([role_policy(WIDE, of="far", origin=there)], Declared(vended=(ARN,))) == {}


def test_a_malformed_document_for_a_role_of_another_stack_is_not_proven() -> None:
    (found,) = vended([role_policy("{", of="far")], Declared(vended=("far",))).values()
    assert [obstacle.problem for obstacle in found.obstacles] == [
        "malformed: line 1, column 2: not JSON: Expecting property name enclosed in double quotes"
    ]


def test_an_overwritten_document_of_such_a_role_guards_nothing() -> None:
    stack = [role_policy(GUARDED, of="far"), role_policy(OWN_FOLDER, of="far", label="more", name="access")]
    (found,) = vended(stack, Declared(vended=("far",))).values()
    assert documents(found) == {"access": "A", "more": "A"}


def test_an_unproven_role_is_named_until_the_configuration_does() -> None:
    stack = [vend(ARN)]
    (obstacle,) = inventory(stack).unresolved(Declared())
    assert obstacle.problem.startswith(f"the role `{ARN}` is not in this stack; prove it in its own stack")
    assert inventory(stack).unresolved(Declared(elsewhere=(ARN,))) == []


def group(arn: object, label: str = "group") -> Resource:
    return resource("aws:cognito/userGroup:UserGroup", label, roleArn=arn, name="g", userPoolId="p")


def test_a_groups_role_is_vended() -> None:
    stack = [role(arn=role_arn()), group(role_arn())]
    assert vended(stack)["role"].kinds == {"mapped", "trusted"}


def test_a_group_whose_role_trusts_a_pool_that_nobody_knows_is_not_proven() -> None:
    stack = [role(arn=role_arn()), group(role_arn())]
    ((rule, text, pending),) = findings(stack)
    assert (rule, pending) == ("trust-bound-to-pool", False)
    assert text == (
        "`role`: not proven that the role trusts only its own pools: a group or a rule vends it, and neither the stack "
        f"nor the configuration knows the pool `{POOL}`.\n"
        f'  Fix: add to the configuration of the pack: {{"trust-bound-to-pool": {{"pools": ["{POOL}"]}}}}'
    )
    assert findings(stack, Config(known=Declared(pools=(POOL,)))) == set()
    assert findings([*stack, pool(id=POOL)]) == set()
    assert {(rule, pending) for rule, _, pending in findings([*stack, pool()])} == {("trust-bound-to-pool", True)}
    others = findings([*stack, pool(id=OTHER_POOL)])
    assert {rule for rule, _, _ in others} == {"trust-bound-to-pool"}


POOLS = [
    ("nothing", [], StackPools()),
    ("a pool", [pool(id=POOL)], StackPools(frozenset({POOL}))),
    ("a pool whose ID is not known yet", [pool()], StackPools(frozenset(), (None,))),
    ("an attachment", [vend(ARN)], StackPools(frozenset({POOL}))),
    ("the attachment of a pool whose ID is not known yet", [pool(), vend(ARN)], StackPools(frozenset({POOL}))),
    ("one of two pools is attached", [pool(), pool("second"), vend(ARN)], StackPools(frozenset({POOL}), (None,))),
    (
        "the attachment of another pool",
        [pool(id=POOL), vend(ARN, OTHER_POOL)],
        StackPools(frozenset({POOL, OTHER_POOL})),
    ),
    (
        "two attachments of one pool",
        [pool(), pool("second"), vend(ARN), vend(ARN, label="again")],
        StackPools(frozenset({POOL}), (None,)),
    ),
    ("an attachment at preview", [pool(), vend(ARN, UNKNOWN)], StackPools(frozenset(), (None,))),
]


@pytest.mark.parametrize(("stack", "expected"), [p[1:] for p in POOLS], ids=[p[0] for p in POOLS])
def test_the_pools_of_a_stack_are_known_as_soon_as_they_are_registered(
    stack: list[Resource], expected: StackPools
) -> None:
    assert inventory(stack).stack_pools() == expected
    assert inventory(stack[::-1]).stack_pools() == expected


FAR_POOL = "eu-west-1:cccccccc-1111-4222-8333-dddddddddddd"


def trusting(*pools: str, label: str = "role") -> Resource:
    document = trust()
    document["Statement"][0]["Condition"]["StringEquals"] = {"cognito-identity.amazonaws.com:aud": list(pools)}
    return role(label, assumeRolePolicy=document)


def pool_in(region: str, label: str = "pool") -> Resource:
    return pool(label, origin=Origin(region=region))


TRUSTED: dict[str, tuple[list[Resource], set[bool]]] = {
    "a pool's ID that is not known yet": ([pool(), trusting(POOL)], {True}),
    "the IDs of two pools that are not known yet": (
        [pool(), pool("second"), trusting(POOL), trusting(OTHER_POOL, label="other")],
        {True},
    ),
    "one of two IDs cannot be that of the only pool": ([pool(), trusting(POOL, OTHER_POOL)], {False}),
    "nor can those that two roles trust": ([pool(), trusting(POOL), trusting(OTHER_POOL, label="other")], {False}),
    "a pool of another region": ([pool_in("us-east-1"), trusting(FAR_POOL)], {False}),
    "a pool of the right region": ([pool_in("eu-west-1"), trusting(FAR_POOL)], {True}),
    "two pools of one region and one of another": (
        [pool_in("us-east-1"), pool_in("eu-west-1", "far"), trusting(POOL, OTHER_POOL)],
        {False},
    ),
    "the ID of a pool that does not exist yet": ([pool(id=UNKNOWN), trusting(POOL)], {False}),
    "a pool that this update leaves alone": (
        [resource("aws:cognito/identityPool:IdentityPool", "pool"), trusting(POOL)],
        {True},
    ),
}


@pytest.mark.parametrize("name", TRUSTED)
def test_a_pool_may_be_the_stacks_own_as_long_as_there_are_so_many(name: str) -> None:
    stack, expected = TRUSTED[name]
    for order in (stack, stack[::-1]):
        found = {pending for rule, _, pending in findings(order) if rule == "trust-bound-to-pool"}
        assert found == expected
        named = findings(order, Config(known=Declared(pools=(POOL, OTHER_POOL, FAR_POOL))))
        assert "trust-bound-to-pool" not in {rule for rule, _, _ in named}


def test_a_role_that_two_pools_share_may_wait_for_the_second_attachment() -> None:
    shared = trust()
    shared["Statement"][0]["Condition"]["StringEquals"] = {"cognito-identity.amazonaws.com:aud": [POOL, OTHER_POOL]}
    first = [pool(), pool("second"), role(assumeRolePolicy=shared, arn=role_arn()), vend(role_arn())]
    assert {(rule, pending) for rule, _, pending in findings(first)} == {("trust-bound-to-pool", True)}
    assert findings([*first, vend(role_arn(), OTHER_POOL, label="other")]) == set()
    alone = [pool(), *first[2:]]
    assert {rule for rule, _, _ in findings(alone)} == {"trust-bound-to-pool"}
