"""Folders keyed by a claim: which tags tell two people apart, with an example of each that does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from policies.identity_scope.iam.claims import (
    EMAIL,
    OPENID_SUB,
    SUB,
    USERNAME,
    Claim,
    IssuerKind,
    Login,
    attribute,
)
from policies.identity_scope.iam.documents import parse
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.escalation import escalations
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.own_folder import own_folder
from policies.identity_scope.proof.results import Access, NotProven, OutsideFolder, Violation
from policies.identity_scope.proof.scope import Scope

ID = "${cognito-identity.amazonaws.com:sub}"
T, U = "${aws:PrincipalTag/userSub}", "${aws:PrincipalTag/team}"
TENANT = attribute("custom:tenant", writable=False)


def login(claim: Claim | str, name: str = "users", kind: IssuerKind = IssuerKind.USER_POOL, **more: Any) -> Login:
    return Login(name, kind, {"usersub": claim, **more})


def oidc(name: str) -> Login:
    return login(OPENID_SUB, name, IssuerKind.OIDC)


GOOGLE = Login("google", IssuerKind.SOCIAL)


def statement(resource: str | list[str], **more: Any) -> dict[str, Any]:
    texts = [resource] if isinstance(resource, str) else resource
    return {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": [f"arn:aws:s3:::{text}" for text in texts],
        **more,
    }


def role(name: str, logins: Sequence[Login] | None, *statements: dict[str, Any]) -> Principal:
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    return Principal(name, (("policy", document),), urn=name, logins=None if logins is None else tuple(logins))


def scope(*roles: Principal, **more: Any) -> Scope:
    return Scope(roles, ("us-east-1",), **more)


def asked(logins: Sequence[Login] | None, *statements: dict[str, Any], **more: Any) -> Scope:
    return scope(role("role", logins, *statements), **more)


def leak(asked_about: Scope) -> tuple[Access, Access]:
    """The two requests of the only violation."""
    (found,) = isolation(asked_about)
    assert isinstance(found, Violation), found
    assert not found.mine.assumed
    assert not found.theirs.assumed
    return found.mine, found.theirs


def values(asked_about: Scope) -> set[str | None]:
    """The values of the tag of the two people of the only violation."""
    return {dict(access.tags).get("userSub") for access in leak(asked_about)}


HOLDS = {
    "one user pool": (login(SUB),),
    "two user pools": (login(SUB), login(SUB, "staff")),
    "a provider without a map": (login(SUB), GOOGLE),
    "guests": (login(SUB), Login("guests", IssuerKind.GUEST)),
    "another tag that all share": (login(SUB, team=TENANT),),
}


@pytest.mark.parametrize("logins", HOLDS.values(), ids=list(HOLDS))
def test_the_sub_of_user_pools_isolates_and_ends_an_own_folder(logins: Sequence[Login]) -> None:
    found = asked(logins, statement(f"bkt/p/{T}/*"))
    assert isolation(found) == []
    assert own_folder(found) == []


def test_without_the_slash_there_is_no_own_folder() -> None:
    found = asked([login(SUB)], statement(f"bkt/p/{T}*"))
    assert isolation(found) == []
    (outside,) = own_folder(found)
    assert isinstance(outside, OutsideFolder)
    assert outside.folder == f"bkt/p/{dict(outside.access.tags)['userSub']}/"


def test_a_listing_by_the_tag_is_as_isolated() -> None:
    where = {"StringLike": {"s3:prefix": f"p/{T}/*"}}
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bkt", "Condition": where}
    found = asked([login(SUB)], listing, statement(f"bkt/p/{T}/*"))
    assert isolation(found) == []
    assert own_folder(found) == []
    assert values(asked([login(USERNAME)], listing)) == {"ann", "ann/x"}


def test_a_listing_that_ignores_case_shows_what_another_spelling_names() -> None:
    """`ann` and `ANN` are two people, and each lists the files of both."""
    slash = {"StringNotLike": {"aws:PrincipalTag/userSub": "*/*"}}
    for operator, holds in (("StringEquals", True), ("StringEqualsIgnoreCase", False)):
        where = {operator: {"s3:prefix": f"p/{T}/"}, **slash}
        listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bkt", "Condition": where}
        found = asked([login(USERNAME)], listing)
        assert isolation(found) == [] if holds else values(found) == {"ann", "ANN"}


def test_too_many_kinds_of_sessions_are_not_told_apart() -> None:
    """Then a tag may be any string, and nothing is said to hold that does not."""
    more = {f"t{m}": attribute(f"custom:{m}") for m in range(3)}
    many = [Login(f"p{n}", IssuerKind.USER_POOL, {"usersub": SUB, **more}) for n in range(40)]
    conditions = {"StringNotEquals": {f"aws:PrincipalTag/t{m}": "x" for m in range(3)}}
    (found,) = isolation(asked(many, statement(f"bkt/p/{T}/*", Condition=conditions)))
    assert isinstance(found, Violation)


def test_a_guard_by_the_tag_holds() -> None:
    for claim in (SUB, USERNAME):
        key = f"bkt/p/{T}/*" if claim is SUB else f"bkt/p/{T}"
        guard = {"Effect": "Deny", "Action": "s3:*", "NotResource": f"arn:aws:s3:::{key}"}
        assert isolation(asked([login(claim)], statement("bkt/*"), guard)) == []


LEAKS: dict[str, tuple[Sequence[Login], str, set[str]]] = {
    "two OpenID Connect issuers": ([oidc("one"), oidc("two")], f"bkt/{T}", {"ann"}),
    "a user name, which may hold a slash": ([login(USERNAME)], f"bkt/p/{T}/*", {"ann", "ann/x"}),
    "a user name and a suffix": ([login(USERNAME)], f"bkt/p/{T}-files/*", {"ann", "ann-files/x"}),
    "an OpenID Connect subject, which may hold a slash": ([oidc("one")], f"bkt/p/{T}/*", {"ann", "ann/x"}),
    "an e-mail address": ([login(EMAIL)], f"bkt/p/{T}/*", {"ann"}),
    "a tenant": ([login(TENANT)], f"bkt/p/{T}/*", {"ann"}),
}


@pytest.mark.parametrize(("logins", "key", "expected"), LEAKS.values(), ids=list(LEAKS))
def test_other_claims_leak_with_an_example_of_both_peoples_values(
    logins: Sequence[Login], key: str, expected: set[str]
) -> None:
    assert values(asked(logins, statement(key))) == expected


def test_a_file_by_user_name_is_one_for_each() -> None:
    found = asked([login(USERNAME)], statement(f"bkt/p/{T}"))
    assert isolation(found) == []
    (outside,) = own_folder(found)
    assert isinstance(outside, OutsideFolder)


@pytest.mark.parametrize("claim", [USERNAME, OPENID_SUB])
def test_a_text_without_slash_isolates(claim: Claim) -> None:
    """Where a condition says so, in either form."""
    key = "aws:PrincipalTag/userSub"
    allow = statement(f"bkt/p/{T}/*", Condition={"StringNotLike": {key: "*/*"}})
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringLike": {key: "*/*"}}}
    for statements in ([allow], [statement(f"bkt/p/{T}/*"), deny]):
        assert isolation(asked([login(claim)], *statements)) == []
    assert values(asked([login(claim)], statement(f"bkt/p/{T}/*", Condition={"StringLike": {key: "*/*"}}))) > {"ann/x"}


def test_tags_of_an_unknown_source_may_be_anything() -> None:
    (found,) = isolation(asked(None, statement(f"bkt/p/{T}/*")))
    assert isinstance(found, Violation)
    assert found.mine.tags == ()


def test_tenants_are_isolated_from_each_other_where_they_are_declared() -> None:
    found = asked([login(TENANT)], statement(f"bkt/p/{T}/*"), tenants=frozenset({"usersub"}))
    assert isolation(found) == []
    assert own_folder(found) == []
    assert isolation(asked([login(TENANT)], statement("bkt/p/*"), tenants=frozenset({"usersub"})))


def test_a_tenant_that_users_can_change_is_none() -> None:
    claim = attribute("custom:tenant", writable=True)
    assert values(asked([login(claim)], statement(f"bkt/p/{T}/*"), tenants=frozenset({"usersub"}))) == {"acme"}


def test_the_default_of_an_absent_tag_is_everybodys() -> None:
    """Of those whose provider sends none."""
    default = T.replace("}", ", 'none'}")
    assert isolation(asked([login(SUB)], statement(f"bkt/p/{default}/*"))) == []
    mine, theirs = leak(asked([login(SUB), GOOGLE], statement(f"bkt/p/{default}/*")))
    assert (mine.tags, theirs.tags) == ((), ())


def test_an_absent_tag_in_a_deny_takes_nothing_away() -> None:
    guard = {"Effect": "Deny", "Action": "s3:*", "NotResource": f"arn:aws:s3:::bkt/{T}/*"}
    assert isolation(asked([login(SUB)], statement("bkt/*"), guard)) == []
    leak(asked([login(SUB), GOOGLE], statement("bkt/*"), guard))


PLAN = "aws:PrincipalTag/team"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {PLAN: "pro"}}, False),
        ({"Null": {PLAN: "true"}}, False),
        ({"Null": {PLAN: "false"}, "StringNotEquals": {PLAN: "pro"}, "StringEquals": {PLAN: "pro"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/other": "x"}}, True),
        ({"StringNotEquals": {"aws:PrincipalTag/other": "x"}}, False),
        ({"StringEqualsIfExists": {"aws:PrincipalTag/other": "x"}}, False),
    ],
)
def test_conditions_on_tags_are_decided(condition: dict[str, Any], holds: bool) -> None:
    """With the values that a tag can have, and as IAM says where it is absent: nothing is assumed."""
    found = asked([login(SUB, team=TENANT)], statement("bkt/*", Condition=condition))
    if holds:
        assert isolation(found) == []
    else:
        leak(found)


def test_one_user_whom_a_condition_names_by_user_name_is_one() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/userSub": "admin"}}
    assert isolation(asked([login(USERNAME)], statement("bkt/*", Condition=condition))) == []
    assert values(asked([login(EMAIL)], statement("bkt/*", Condition=condition))) == {"admin"}
    own = statement(f"bkt/{T}")
    assert values(asked([login(USERNAME)], own, statement("bkt/*", Condition=condition))) == {"admin", "ann"}


def test_a_tag_of_the_role_itself_is_one_for_all() -> None:
    assert values(asked([login("red")], statement(f"bkt/{T}/*"))) == {"red"}


def test_two_tags_of_one_claim_have_one_value() -> None:
    found = asked([login(SUB, team=SUB)], statement([f"bkt/{T}/*", f"bkt/{U}/*"]))
    assert isolation(found) == []
    assert own_folder(found) == []


def test_two_tags_of_two_claims_of_linked_logins_may_be_anybodys() -> None:
    one, other = (replace(OPENID_SUB, provider=name) for name in ("one", "two"))
    assert isolation(asked([login(one, team=other)], statement([f"bkt/{T}"]))) == []
    mine, theirs = leak(asked([login(one, team=other)], statement([f"bkt/{T}", f"bkt/{U}"])))
    assert (
        dict(mine.tags)["userSub"] == dict(theirs.tags)["team"]
        or dict(mine.tags)["team"] == dict(theirs.tags)["userSub"]
    )


def test_roles_of_other_logins_have_a_folder_of_their_own() -> None:
    """A folder by tag for the users of the pool, one by ID for the others."""
    users = role("users", [login(SUB)], statement(f"bkt/p/{T}/*"))
    others = role("others", [GOOGLE], statement(f"bkt/q/{ID}/*"))
    assert isolation(scope(users, others)) == []
    assert own_folder(scope(users, others)) == []
    both = role("others", [login(SUB)], statement(f"bkt/q/{ID}/*"))
    assert own_folder(scope(users, both))


def test_an_escalation_by_a_tag_names_its_value() -> None:
    allow = {"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": f"arn:aws:iam::123456789012:role/{T}"}
    for claim in (SUB, USERNAME):
        (found,) = escalations(asked([login(claim)], allow))
        assert not isinstance(found, NotProven)
        assert found.access.arn.endswith(f"/{dict(found.access.tags)['userSub']}")
    assert escalations(asked([GOOGLE], allow)) == []


def test_a_bucket_named_by_a_tag_may_be_any_bucket_whose_policy_grants_it() -> None:
    """The digits of a tag in a bucket's name are not known, so its policy may speak of the bucket."""
    found = asked([login(SUB)], statement(f"{T}/*"))
    assert isolation(found) == []


def test_what_is_not_decided_is_not_proven() -> None:
    found = isolation(asked([login(USERNAME)], statement(f"bkt/p/{T}/{T}/x")))
    assert all(isinstance(each, NotProven) for each in found)
    assert isolation(asked([login(SUB)], statement(f"bkt/*/{T}/*"), steps=50))
