"""What a stack is does not depend on the order of its resources, nor on what was asked while they came."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.identity_scope.iam.documents import Effect
from policies.identity_scope.inventory.by_pool import by_pool
from policies.identity_scope.inventory.inventory import Inventory
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.inventory.vended import Declared, Obstacle, StackPools, VendedRole
from policies.identity_scope.pack.configuration import Config
from policies.identity_scope.sources.pulumi import Resource, facts
from tests.policies.inventory.stack import (
    WIDE,
    attach,
    findings,
    inventory,
    policy_arn,
    resource,
    role,
    role_arn,
    role_policy,
)
from tests.policies.inventory.strategies import resources, stacks
from tests.policies.pack.engine import document
from tests.scale import SCALE

declarations = st.sampled_from(
    [
        Declared(),
        Declared(vended=("a",)),
        Declared(elsewhere=(role_arn("a"), role_arn("ab"))),
        Declared(managed={policy_arn("a"): WIDE}, vended=(role_arn("b"),)),
    ]
)
everything = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def state(stack: Inventory, declared: Declared) -> tuple[list[VendedRole], list[Obstacle], StackPools]:
    return stack.vended(declared), stack.unresolved(declared), stack.stack_pools()


@given(stacks, st.randoms(use_true_random=False), declarations)
@settings(everything, max_examples=150 * SCALE)
def test_any_order_of_the_resources_gives_the_same_roles(
    stack: list[Resource], random: object, known: Declared
) -> None:
    shuffled = list(stack)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert state(inventory(stack), known) == state(inventory(shuffled), known)


@given(st.lists(resources(), min_size=1, max_size=10), declarations)
@settings(everything, max_examples=150 * SCALE)
def test_asking_in_between_changes_nothing(stack: list[Resource], known: Declared) -> None:
    """Also when a resource is registered again, with other properties."""
    asked = Inventory()
    for each in stack:
        asked.add(facts(each))
        state(asked, known)
    last = {each.urn: each for each in stack}
    assert state(asked, known) == state(inventory(last.values()), known)


def test_a_role_that_comes_takes_what_was_another_of_that_name() -> None:
    by_name = attach(policy_arn("a"), "a", depends={"role": [role("x").urn]})
    asked = Inventory()
    for each in (by_name, role("a", label="y"), role(label="x", name=None)):
        asked.add(facts(each))
        state(asked, Declared())
    assert [bool(each.obstacles) for each in asked.vended(Declared())] == [True, False]


@given(stacks, resources(), declarations)
@settings(everything, max_examples=150 * SCALE)
def test_a_resource_touches_a_role_of_each_question_that_it_changes(
    stack: list[Resource], new: Resource, known: Declared
) -> None:
    before = inventory(stack)
    old = questions(before.vended(known))
    touched = before.add(facts(new))
    after = questions(before.vended(known))
    # An ARN that tells a provider's account may change what any reference of its resources means.
    if any("arn" in each.props and each.origin.provider for each in (*stack, new)):
        return
    changed = [question for question in after if not any(no_wider(question, earlier) for earlier in old)]
    assert all(touched & {role.urn for role in question} for question in changed)


def test_a_bucket_policy_that_moves_touches_the_roles_of_the_bucket_that_it_leaves() -> None:
    """A Deny that is gone from a bucket guards it no more."""
    deny = {"Effect": "Deny", "Action": "s3:*", "Principal": "*", "NotResource": "arn:aws:s3:::bkt/a/*"}
    guard = resource("aws:s3/bucketPolicy:BucketPolicy", "guard", bucket="bkt", policy=document([deny]))
    asked = inventory([role(), role_policy(WIDE), guard])
    asked.vended(Declared())
    moved = resource("aws:s3/bucketPolicy:BucketPolicy", "guard", bucket="other", policy=document([deny]))
    assert asked.add(facts(moved)) == {role().urn}


def questions(roles: list[VendedRole]) -> list[list[Principal]]:
    """What is asked, whatever the documents are called."""
    return [[unnamed(role.principal) for role in group] for group in by_pool(roles)]


def no_wider(question: list[Principal], earlier: list[Principal]) -> bool:
    """Whether each role is as it was, but for Denies of bucket policies that have come to apply to it."""

    def kept(role: Principal, before: Principal) -> bool:
        extra = set(role.resource) - set(before.resource)
        denies = all(s.effect is Effect.DENY for policy in extra for s in policy.document.statements)
        return denies and set(before.resource) <= set(role.resource) and rest(role) == rest(before)

    def rest(role: Principal) -> Principal:
        return replace(role, resource=())

    return all(any(kept(role, before) for before in earlier) for role in question)


def unnamed(principal: Principal) -> Principal:
    return replace(
        principal,
        documents=tuple(("", document) for _, document in principal.documents),
        resource=tuple(replace(policy, name="") for policy in principal.resource),
    )


@given(stacks, st.randoms(use_true_random=False), declarations)
@settings(everything, max_examples=60 * SCALE)
def test_any_order_of_the_resources_gives_the_same_findings(
    stack: list[Resource], random: object, known: Declared
) -> None:
    shuffled = list(stack)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert findings(stack, Config(known=known)) == findings(shuffled, Config(known=known))


def test_a_role_is_a_value_that_can_be_remembered() -> None:
    stack = [role(), role_policy(WIDE)]
    (one,), (two,) = inventory(stack).vended(Declared()), inventory(stack).vended(Declared())
    assert one.principal == two.principal
    assert hash(one.principal) == hash(two.principal)
    assert len({one.principal, two.principal}) == 1


def test_a_role_that_nothing_changes_is_the_same_object_again() -> None:
    stack = inventory([role(), role_policy(WIDE), role("other")])
    first = {each.urn: each for each in stack.vended(Declared())}
    stack.add(facts(role_policy(WIDE, of="other", label="more")))
    second = {each.urn: each for each in stack.vended(Declared())}
    assert [urn for urn in first if first[urn] is not second[urn]] == [role("other").urn]
