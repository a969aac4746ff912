"""AWS keeps one: a Deny that another resource may overwrite, remove or detach guards nothing; its Allow still counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from policies.identity_scope.inventory.facts import UNKNOWN
from policies.identity_scope.sources.pulumi import Resource
from tests.policies.inventory.stack import (
    GUARD,
    GUARDED,
    OWN_FOLDER,
    WIDE,
    attach,
    documents,
    findings,
    policy,
    policy_arn,
    problems,
    resource,
    role,
    role_policy,
    vended,
)

INLINE = [{"name": "access", "policy": GUARDED}]


def only_inline(*names: object, of: object = "role") -> Resource:
    type_ = "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive"
    return resource(type_, "only", roleName=of, policyNames=list(names))


def only_attached(*arns: object, label: str = "only") -> Resource:
    type_ = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
    return resource(type_, label, roleName="role", policyArns=list(arns))


def to_all(arn: str, *roles: object, label: str = "all") -> Resource:
    return resource("aws:iam/policyAttachment:PolicyAttachment", label, policyArn=arn, roles=list(roles))


ARN = policy_arn("managed")
OTHER = policy_arn("other")
KEPT: dict[str, list[Resource]] = {
    "a RolePolicy": [role(), role_policy(GUARDED)],
    "two RolePolicies": [role(), role_policy(GUARDED), role_policy(OWN_FOLDER, label="more")],
    "one name on two roles": [
        role(),
        role("other"),
        role_policy(GUARDED),
        role_policy(OWN_FOLDER, "other", "x", name="access"),
    ],
    "the same document twice": [role(), role_policy(GUARDED), role_policy(GUARDED, label="again", name="access")],
    "an inline policy": [role(inlinePolicies=INLINE)],
    "an inline list that names it": [role(), role_policy(GUARDED), only_inline("access")],
    "an inline list of another role": [role(), role_policy(GUARDED), only_inline(of="other")],
    "an attachment": [role(), policy(GUARDED), attach(ARN)],
    "two attachments": [role(), policy(GUARDED), policy(OWN_FOLDER, "other"), attach(ARN), attach(OTHER, label="more")],
    "the role's own list": [role(managedPolicyArns=[ARN]), policy(GUARDED)],
    "an exclusive list": [role(), policy(GUARDED), only_attached(ARN)],
    "an attachment that the list names": [role(), policy(GUARDED), attach(ARN), only_attached(ARN)],
    "one attachment to several roles": [role(), policy(GUARDED), to_all(ARN, "role", "other")],
    "both, for the same role": [role(), policy(GUARDED), to_all(ARN, "role"), attach(ARN)],
}
LOST: dict[str, list[Resource]] = {
    "one name, two documents": [role(), role_policy(GUARDED), role_policy(OWN_FOLDER, label="more", name="access")],
    "one name but for its case": [role(), role_policy(GUARDED), role_policy(OWN_FOLDER, label="more", name="Access")],
    "one name, and one of them is malformed": [
        role(),
        role_policy(GUARDED),
        role_policy("{", label="more", name="access"),
    ],
    "one name as an inline policy": [
        role(inlinePolicies=[{"name": "access", "policy": OWN_FOLDER}]),
        role_policy(GUARDED),
    ],
    "inline policies beside it": [role(inlinePolicies=[{"name": "more", "policy": OWN_FOLDER}]), role_policy(GUARDED)],
    "no inline policies beside it": [role(inlinePolicies=[{}]), role_policy(GUARDED)],
    "a list of other inline policies": [role(), role_policy(GUARDED), only_inline("more")],
    "an empty list of inline policies": [role(), role_policy(GUARDED), only_inline()],
    "a list that does not name the role's own": [role(inlinePolicies=INLINE), only_inline("more")],
    "two lists, one of which names it": [
        role(),
        role_policy(GUARDED),
        only_inline("access"),
        resource("aws:iam/rolePoliciesExclusive:RolePoliciesExclusive", "none", roleName="role", policyNames=[]),
    ],
    "the role's own list of others": [
        role(managedPolicyArns=[OTHER]),
        policy(GUARDED),
        policy(OWN_FOLDER, "other"),
        attach(ARN),
    ],
    "an exclusive list of others": [
        role(),
        policy(GUARDED),
        policy(OWN_FOLDER, "other"),
        attach(ARN),
        only_attached(OTHER),
    ],
    "an empty exclusive list": [role(), policy(GUARDED), attach(ARN), only_attached()],
    "two exclusive lists": [role(), policy(GUARDED), only_attached(ARN), only_attached(label="none")],
    "the role's own list against an exclusive one": [role(managedPolicyArns=[ARN]), policy(GUARDED), only_attached()],
    "a policy that is attached to other roles only": [role(), policy(GUARDED), attach(ARN), to_all(ARN, "other")],
    "two resources that attach it to all": [
        role(),
        policy(GUARDED),
        to_all(ARN, "role"),
        to_all(ARN, "other", label="others"),
    ],
}


def label(stack: Sequence[Resource]) -> str:
    return "managed" if any(each.name == "managed" for each in stack) else "access"


def effects(stack: Sequence[Resource]) -> str:
    found = documents(vended(stack)["role"])
    return next(
        text for name, text in found.items() if "A" in text and name in ("access", "managed", "role, inline policy 1")
    )


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", KEPT)
def test_a_document_that_nothing_overwrites_guards(name: str, reverse: bool) -> None:
    stack = KEPT[name]
    assert effects(stack[::-1] if reverse else stack) == "AD"
    assert not {f for f in findings(stack) if f[0] == "s3-isolated-by-identity"}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", LOST)
def test_a_document_that_may_be_lost_allows_and_does_not_guard(name: str, reverse: bool) -> None:
    stack = LOST[name]
    roles = vended(stack[::-1] if reverse else stack)
    assert "D" not in "".join(documents(roles["role"]).values())
    leaks = {text for rule, text, pending in findings(stack) if rule == "s3-isolated-by-identity" and not pending}
    assert any("read" in text for text in leaks)


def test_what_the_provider_fills_in_is_no_list_of_the_programs() -> None:
    """A role's outputs name what other resources give it, or gave it when it was refreshed last."""
    computed = {"inlinePolicies": [{"name": "old", "policy": WIDE}], "managedPolicyArns": [OTHER]}
    made = role(**computed, inputs=frozenset({"name", "assumeRolePolicy"}))
    stack = [made, role_policy(GUARDED), policy(GUARD), attach(ARN)]
    found = vended(stack)["role"]
    assert documents(found) == {"access": "AD", "managed": "D"}
    assert found.obstacles == ()


def test_a_list_that_is_not_known_yet_is_decided_at_update() -> None:
    found = vended([role(), role_policy(GUARDED), only_inline(UNKNOWN)])["role"]
    assert documents(found) == {"access": "AD"}
    assert problems(found.obstacles) == [
        ("only", "which inline policies it keeps is not known at preview; decided at update", True)
    ]
    found = vended([role(), policy(GUARDED), attach(ARN), only_attached(UNKNOWN)])["role"]
    assert documents(found) == {"managed": "AD"}
    assert [obstacle.pending for obstacle in found.obstacles] == [True]
