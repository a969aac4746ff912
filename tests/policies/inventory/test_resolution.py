"""Which role or policy a reference means, whatever the order of registration."""

from __future__ import annotations

from typing import Any

import pytest

from policies.identity_scope.inventory.accounts import Origin
from policies.identity_scope.inventory.facts import UNKNOWN
from policies.identity_scope.inventory.vended import Declared
from tests.policies.inventory.stack import (
    ACCOUNT,
    GUARD,
    GUARDED,
    LAMBDA,
    OTHER_ACCOUNT,
    OWN_FOLDER,
    WIDE,
    attach,
    documents,
    findings,
    inventory,
    policy,
    policy_arn,
    pool,
    problems,
    resource,
    role,
    role_arn,
    role_policy,
    vend,
    vended,
)
from tests.policies.pack.engine import trust

HERE, THERE = Origin("urn:here", ACCOUNT), Origin("urn:there", OTHER_ACCOUNT)


def test_a_document_goes_to_the_role_of_its_own_account() -> None:
    roles = [role(label="ours", origin=HERE), role(label="twin", origin=THERE)]
    for order in (roles, roles[::-1]):
        found = vended([*order, role_policy(GUARDED, origin=THERE)])
        assert documents(found["ours"]) == {}
        assert documents(found["twin"]) == {"access": "AD"}


def test_an_account_is_known_from_the_arn_of_any_resource_of_the_provider() -> None:
    """The provider says nothing of its account, but the ARN of another role of the provider does."""
    here, there = Origin("urn:here", credentials="a"), Origin("urn:there", credentials="b")
    stack = [
        role(label="ours", origin=here),
        role(label="twin", origin=there),
        vend(role_arn("role", OTHER_ACCOUNT)),
        role("third", arn=role_arn("third", OTHER_ACCOUNT), origin=there),
        role("fourth", arn=role_arn("fourth"), origin=here),
    ]
    found = vended(stack)
    assert "authenticated" in found["twin"].kinds
    assert "authenticated" not in found["ours"].kinds


def test_a_dependency_tells_twins_apart() -> None:
    ours, twin = role(label="ours"), role(label="twin")
    found = vended([ours, twin, role_policy(GUARDED, depends={"role": [twin.urn]})])
    assert documents(found["ours"]) == {}
    assert documents(found["twin"]) == {"access": "AD"}


def test_a_document_of_one_of_two_twins_allows_for_both_and_guards_neither() -> None:
    found = vended([role(label="ours"), role(label="twin"), role_policy(GUARDED)])
    assert documents(found["ours"]) == documents(found["twin"]) == {"access": "A"}


def test_a_document_may_belong_to_a_role_whose_account_is_not_known() -> None:
    here, there = Origin("urn:here", credentials="a"), Origin("urn:there", credentials="b")
    assert documents(vended([role(origin=here), role_policy(GUARDED, origin=there)])["role"]) == {"access": "A"}


def test_a_policy_that_may_be_of_another_account_does_not_stand_for_the_one_that_is_named() -> None:
    here, there = Origin("urn:here", credentials="a"), Origin("urn:there", credentials="b")
    named = policy_arn("managed")
    stack = [role(origin=here), policy(OWN_FOLDER, arn=None, origin=there), attach(named, origin=here)]
    assert documents(vended(stack, Declared(managed={named: WIDE}))["role"]) == {"managed": "A", named: "A"}
    ((_, problem, _),) = problems(vended(stack)["role"].obstacles)
    assert problem == f"the text of the managed policy `{named}` is not in this stack; put it into `managedPolicies`"
    known = [role(origin=here), policy(OWN_FOLDER, origin=there), attach(named, origin=here)]
    assert vended(known)["role"].obstacles == ()


def test_a_role_that_may_be_of_another_account_does_not_stand_for_the_one_that_a_pool_vends() -> None:
    here, there = Origin("urn:here", credentials="a"), Origin("urn:there", credentials="b")
    stack = [role(origin=there), vend(role_arn(), origin=here)]
    (obstacle,) = inventory(stack).unresolved(Declared())
    assert obstacle.problem.startswith(f"the role `{role_arn()}` is not in this stack")
    assert obstacle.open
    assert "authenticated" in vended(stack)["role"].kinds
    assert inventory(stack).unresolved(Declared(elsewhere=(role_arn(),))) == []
    assert inventory([role(origin=there, arn=role_arn()), *stack[1:]]).unresolved(Declared()) == []


def test_a_policy_that_is_attached_to_a_namesake_of_another_account_guards_nothing_here() -> None:
    twin = role(label="twin", origin=Origin("urn:there", credentials="b"))
    arn, type_ = policy_arn("managed"), "aws:iam/policyAttachment:PolicyAttachment"
    stack = [role(label="ours", origin=HERE), twin, policy(GUARDED), attach(arn, origin=HERE)]
    assert documents(vended(stack)["ours"]) == {"managed": "AD"}
    far = resource(type_, "all", policyArn=arn, roles=["role"], origin=Origin("urn:far", OTHER_ACCOUNT))
    assert documents(vended([*stack, far])["ours"]) == {"managed": "A"}


def test_providers_that_differ_in_their_region_only_are_one_account() -> None:
    here, there = Origin("urn:here", region="eu-west-1"), Origin("urn:there", region="us-east-1")
    assert documents(vended([role(origin=here), role_policy(GUARDED, origin=there)])["role"]) == {"access": "AD"}


def test_a_role_of_another_account_does_not_make_its_namesake_vended() -> None:
    stack = [role(assumeRolePolicy=LAMBDA, arn=role_arn()), vend(role_arn("role", OTHER_ACCOUNT))]
    assert vended(stack) == {}
    ((text, pending),) = {f[1:] for f in findings(stack) if f[0] == "s3-isolated-by-identity"}
    assert f"the role `{role_arn('role', OTHER_ACCOUNT)}` is not in this stack" in text
    assert not pending


def test_a_role_that_the_configuration_places_elsewhere_is_not_its_namesake() -> None:
    """Before the role is created, its ARN is not known."""
    arn = role_arn("role", OTHER_ACCOUNT)
    stack = inventory([role(assumeRolePolicy=LAMBDA), vend(arn)])
    assert stack.vended(Declared(elsewhere=(arn,))) == []
    assert stack.unresolved(Declared(elsewhere=(arn,))) == []


def test_a_configured_name_means_the_role_that_trusts_a_pool() -> None:
    stack = [role(label="ours", origin=HERE), role(label="work", assumeRolePolicy=LAMBDA, origin=THERE)]
    assert set(vended(stack, Declared(vended=("role",)))) == {"ours"}
    assert set(vended(stack[1:], Declared(vended=("role",)))) == {"work"}
    assert set(vended(stack, Declared(vended=(role_arn(),)))) == {"ours"}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_policy_is_the_one_of_its_exact_arn(reverse: bool) -> None:
    team = "arn:aws:iam::999999999999:policy/team/managed"
    policies = [policy(WIDE, label="first"), policy(OWN_FOLDER, label="second", arn=team)]
    found = vended([*(policies[::-1] if reverse else policies), role(), attach(team)])
    assert documents(found["role"]) == {"second": "A"}


def test_an_exact_arn_comes_before_a_dependency() -> None:
    """The list depends on a policy of which nothing is known yet, and names another by its ARN."""
    other = policy(WIDE, label="other", name=None, arn=None)
    depends = {"managedPolicyArns": [other.urn]}
    made = role(managedPolicyArns=[policy_arn("managed")], depends=depends)
    assert documents(vended([other, made, policy(OWN_FOLDER)])["role"]) == {"managed": "A"}


def test_a_policy_whose_arn_is_another_does_not_match_by_its_name() -> None:
    found = vended([policy(WIDE), role(), attach(policy_arn("managed", OTHER_ACCOUNT))])
    assert documents(found["role"]) == {}
    assert [problem.open for problem in found["role"].obstacles] == [True]


def test_an_aws_managed_policy_is_none_of_the_stacks() -> None:
    arn = "arn:aws:iam::aws:policy/managed"
    found = vended([policy(OWN_FOLDER, arn=None), role(), attach(arn)])["role"]
    assert documents(found) == {}
    ((_, problem, _),) = problems(found.obstacles)
    assert problem == f"the text of the managed policy `{arn}` is not in this stack; put it into `managedPolicies`"
    assert not found.obstacles[0].open


@pytest.mark.parametrize("reverse", [False, True])
def test_a_role_is_in_the_stack_whichever_comes_first(reverse: bool) -> None:
    stack = [role(arn=role_arn()), role_policy(WIDE), vend(role_arn())]
    found = findings(stack[::-1] if reverse else stack)
    assert {rule for rule, _, _ in found} == {"s3-isolated-by-identity", "s3-own-folder"}


def test_a_name_with_a_prefix_is_completed_when_the_role_is_created() -> None:
    """At update, the attachment knows the ARN, and the role is known by its prefix only."""
    stack = [
        role(label="role", name=None, namePrefix="app-"),
        vend(role_arn("app-20261125010203040500000001")),
        role_policy(GUARDED, of="app-20261125010203040500000001"),
    ]
    found = vended(stack)["role"]
    assert documents(found) == {"access": "AD"}
    assert "authenticated" in found.kinds
    assert inventory(stack).unresolved(Declared()) == []


def test_a_prefix_yields_to_a_name() -> None:
    stack = [role(label="long", name=None, namePrefix="app-"), role("app-1"), role_policy(GUARDED, of="app-1")]
    found = vended(stack)
    assert documents(found["app-1"]) == {"access": "AD"}
    assert documents(found["long"]) == {}


def test_a_policys_prefix_is_completed_as_well() -> None:
    stack = [policy(GUARDED, name=None, namePrefix="p-", arn=None, label="p"), role(), attach(policy_arn("p-2026"))]
    assert documents(vended(stack)["role"]) == {"p": "AD"}


def test_iam_does_not_tell_names_apart_by_case() -> None:
    assert documents(vended([role("Role"), role_policy(GUARDED, of="role")])["Role"]) == {"access": "AD"}


def test_at_preview_references_are_resolved_by_their_dependencies() -> None:
    made, text = role(), policy(GUARDED, arn=None)
    depends: dict[str, Any] = {"role": [made.urn], "policyArn": [text.urn]}
    stack = [made, text, attach(UNKNOWN, of=UNKNOWN, depends=depends)]
    found = vended(stack)["role"]
    assert documents(found) == {"managed": "AD"}
    assert found.obstacles == ()


def test_each_unknown_element_of_a_list_is_a_dependency_or_decided_at_update() -> None:
    first, second = policy(GUARDED, "first", arn=None), policy(GUARD, "second", arn=None)
    depends = {"managedPolicyArns": [first.urn, second.urn]}
    made = role(managedPolicyArns=[UNKNOWN, UNKNOWN], depends=depends)
    found = vended([made, first, second])["role"]
    assert documents(found) == {"first": "AD", "second": "D"}
    assert found.obstacles == ()
    made = role(managedPolicyArns=[UNKNOWN, UNKNOWN, UNKNOWN], depends=depends)
    ((label, problem, pending),) = problems(vended([made, first, second])["role"].obstacles)
    assert (label, pending) == ("role", True)
    assert problem == "which managed policy it means is not known at preview; decided at update"


def test_a_list_that_is_unknown_as_a_whole_is_decided_at_update() -> None:
    text = policy(GUARDED, arn=None)
    found = vended([role(managedPolicyArns=UNKNOWN, depends={"managedPolicyArns": [text.urn]}), text])["role"]
    assert documents(found) == {"managed": "AD"}
    assert [obstacle.pending for obstacle in found.obstacles] == [True]


def test_a_grant_to_a_role_that_is_not_known_is_decided_at_update() -> None:
    stack = [role(), pool(), role_policy(WIDE, of=UNKNOWN)]
    ((label, problem, pending),) = problems(inventory(stack).unresolved(Declared()))
    assert (label, pending) == ("access", True)
    assert problem == "which role it means is not known at preview; decided at update"


def test_a_boundary_is_resolved_by_its_dependency() -> None:
    text = policy(OWN_FOLDER, arn=None)
    made = role(permissionsBoundary=UNKNOWN, depends={"permissionsBoundary": [text.urn]})
    found = findings([made, text, role_policy(WIDE)])
    assert found == set()


def test_a_boundary_that_is_not_known_is_decided_at_update() -> None:
    stack = [role(permissionsBoundary=UNKNOWN), role_policy(WIDE)]
    found = findings(stack)
    assert found
    assert all(pending for _, _, pending in found)
    waiting = [role(permissionsBoundary=policy_arn("managed")), policy(UNKNOWN), role_policy(WIDE)]
    assert all(pending for _, _, pending in findings(waiting))
    assert any("s3-isolated" in rule for rule, _, _ in findings(waiting))


def test_a_boundary_whose_text_nobody_knows_takes_nothing_away() -> None:
    found = findings([role(permissionsBoundary=policy_arn("elsewhere")), role_policy(WIDE)])
    assert {rule for rule, _, pending in found if not pending} == {"s3-isolated-by-identity", "s3-own-folder"}


def test_regions_come_from_the_pool_its_provider_or_the_trust_policy() -> None:
    gov = Origin(region="us-gov-west-1")
    unknown = pool(origin=gov)
    depends = {"identityPoolId": [unknown.urn]}
    made = role(assumeRolePolicy=UNKNOWN, arn=role_arn())
    assert vended([made, unknown, vend(role_arn(), UNKNOWN, depends=depends)])["role"].regions == ("us-gov-west-1",)
    assert vended([role()])["role"].regions == ("us-east-1",)
    assert vended([made, vend(role_arn(), UNKNOWN)])["role"].regions == ()
    assert vended([role(assumeRolePolicy=trust("eu-west-1:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"))])["role"].regions == (
        "eu-west-1",
    )
