"""Which logins get a role, and which principal tags each sends."""

from __future__ import annotations

from typing import Any

import pytest

from policies.identity_scope.iam.claims import EMAIL, OPENID_SUB, SUB, USERNAME, Claim, IssuerKind
from policies.identity_scope.inventory.facts import SECRET, UNKNOWN
from policies.identity_scope.inventory.inventory import Inventory
from policies.identity_scope.inventory.vended import Declared, PoolLogins, VendedRole
from policies.identity_scope.pack.session import Session
from policies.identity_scope.pack.settings import Settings
from policies.identity_scope.sources.pulumi import Resource, facts
from tests.policies.inventory.stack import (
    ACCOUNT,
    OTHER_POOL,
    pool,
    problems,
    resource,
    role,
    role_arn,
    role_policy,
    vend,
    vended,
)
from tests.policies.pack.engine import ISSUER, POOL, allow, document, trust, trust_of

USERS, OTHERS = (f"cognito-idp.us-east-1.amazonaws.com/us-east-1_{name}" for name in ("Notes", "Staff"))
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/login.example.com"
MAP = "aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag"
CLIENT, USER_POOL = "aws:cognito/userPoolClient:UserPoolClient", "aws:cognito/userPool:UserPool"
FOLDER = "arn:aws:s3:::bkt/p/${aws:PrincipalTag/userSub}/*"


def tagging(**more: Any) -> dict[str, Any]:
    """A trust policy that lets the pool tag sessions."""
    found = trust(**more)
    found["Statement"][0]["Action"] = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]
    return found


def user_pools(*names: str, clients: tuple[str, ...] = ("c1",)) -> list[dict[str, Any]]:
    return [{"providerName": name, "clientId": client} for name in names for client in clients]


def tag_map(tags: Any, provider: Any = USERS, label: str = "map", /, **props: Any) -> Resource:
    given = {"identityPoolId": POOL, "identityProviderName": provider, "principalTags": tags, "useDefaults": False}
    return resource(MAP, label, **{**given, **props})


def users(**props: Any) -> Resource:
    return pool(**{"id": POOL, "cognitoIdentityProviders": user_pools(USERS), **props})


def stack(*more: Resource, grant: str = FOLDER, of: Resource | None = None, **props: Any) -> list[Resource]:
    mine = role(**{"arn": role_arn(), "assumeRolePolicy": tagging(), **props})
    return [of or users(), mine, role_policy(document([allow(grant)])), vend(role_arn()), *more]


def of_role(resources: list[Resource], declared: Declared | None = None) -> PoolLogins:
    (found,) = vended(resources, declared).values()
    return found.logins[POOL]


def sent(found: PoolLogins) -> list[tuple[str, dict[str, str]]]:
    """The name of each login's provider, and each tag's claim or value."""
    assert found.logins is not None, found.reason
    names = {USERS: "users", OTHERS: "others", OIDC: "oidc"}
    return [
        (
            names.get(each.provider, each.provider),
            {key: each if isinstance(each, str) else each.name for key, each in each.tags.items()},
        )
        for each in found.logins
    ]


def test_a_tag_comes_from_the_claim_that_the_map_names() -> None:
    found = of_role(stack(tag_map({"userSub": "sub", "other": "email"})))
    assert found.logins is not None
    assert [(each.provider, each.kind, each.tags) for each in found.logins] == [
        (USERS, IssuerKind.USER_POOL, {"usersub": SUB})
    ]


def test_only_tags_that_documents_speak_of_are_asked_about() -> None:
    found = of_role(stack(tag_map({"userSub": "sub"}), grant="arn:aws:s3:::bkt/*"))
    assert (found.logins, found.reason, found.asked) == (None, "", False)


def test_a_provider_without_a_map_sends_no_tags() -> None:
    assert sent(of_role(stack())) == [("users", {})]


def test_what_is_left_of_a_deleted_map_are_the_defaults() -> None:
    grant = FOLDER.replace("userSub", "username")
    assert sent(of_role(stack(grant=grant))) == [("users", {}), ("users", {"username": "sub"})]
    untagged = of_role(stack(grant=grant, assumeRolePolicy=trust()))
    assert sent(untagged) == [("users", {})], "the trust policy allows no tags"


@pytest.mark.parametrize(
    ("tags", "defaults", "expected"),
    [
        ({}, True, [{"username": "sub"}]),
        ({"username": "email"}, False, [{"username": "email"}]),
        ({"username": "email"}, True, [{"username": "sub"}, {"username": "email"}]),
        ({"username": "email"}, None, [{"username": "email"}, {"username": "sub"}]),
        ({}, None, [{"username": "sub"}]),
        ({}, False, [{}]),
    ],
)
def test_where_aws_may_take_either_map_there_is_a_login_for_each(tags: Any, defaults: Any, expected: Any) -> None:
    grant = FOLDER.replace("userSub", "username")
    found = of_role(stack(tag_map(tags, useDefaults=defaults), grant=grant))
    assert [each for _, each in sent(found)] == expected


def test_defaults_may_also_hold_beside_a_map() -> None:
    grant = "arn:aws:s3:::bkt/${aws:PrincipalTag/username}/${aws:PrincipalTag/userSub}/*"
    found = of_role(stack(tag_map({"userSub": "email"}, useDefaults=True), grant=grant))
    both = {"username": "sub", "usersub": "email"}
    assert [each for _, each in sent(found)] == [{"username": "sub"}, {"usersub": "email"}, both]


def test_of_two_maps_for_one_provider_aws_keeps_either() -> None:
    found = of_role(stack(tag_map({"userSub": "sub"}), tag_map({"userSub": "email"}, USERS, "second")))
    assert sent(found) == [("users", {"usersub": "sub"}), ("users", {"usersub": "email"})]


def test_of_two_keys_that_differ_by_case_aws_keeps_either() -> None:
    found = of_role(stack(tag_map({"userSub": "sub", "usersub": "email"})))
    assert [each for _, each in sent(found)] == [{"usersub": "sub"}, {"usersub": "email"}]


def test_the_classic_flow_may_send_no_tags() -> None:
    found = of_role(stack(tag_map({"userSub": "sub"}), of=users(allowClassicFlow=True)))
    assert sent(found) == [("users", {"usersub": "sub"}), ("users", {})]


def test_each_provider_of_the_pool_is_a_login() -> None:
    several = users(cognitoIdentityProviders=user_pools(USERS, OTHERS), openidConnectProviderArns=[OIDC])
    found = of_role(stack(tag_map({"userSub": "sub"}), tag_map({"userSub": "sub"}, OIDC, "oidc"), of=several))
    assert sent(found) == [("users", {"usersub": "sub"}), ("others", {}), ("oidc", {"usersub": "sub"})]
    assert found.logins is not None
    assert found.logins[2].tags["usersub"] == OPENID_SUB


def test_linked_logins_may_have_the_tags_of_both_providers() -> None:
    several = users(cognitoIdentityProviders=user_pools(USERS, OTHERS))
    grant = "arn:aws:s3:::bkt/${aws:PrincipalTag/userSub}/${aws:PrincipalTag/team}/*"
    maps = [tag_map({"userSub": "sub"}), tag_map({"team": "custom:team"}, OTHERS, "second")]
    found = of_role(stack(*maps, grant=grant, of=several))
    both = ("users", {"usersub": "sub", "team": "custom:team"})
    assert sent(found) == [("users", {"usersub": "sub"}), ("others", {"team": "custom:team"}), both]


def test_the_client_is_one_constant_for_each_app_client() -> None:
    several = users(cognitoIdentityProviders=user_pools(USERS, clients=("c1", "c2")))
    found = of_role(stack(tag_map({"userSub": "aud"}), of=several))
    assert [each for _, each in sent(found)] == [{"usersub": "c1"}, {"usersub": "c2"}]


@pytest.mark.parametrize(
    ("claim", "expected"), [("sub", SUB), ("cognito:username", USERNAME), ("email", EMAIL)], ids=lambda each: str(each)
)
def test_what_is_known_of_claims(claim: str, expected: Claim) -> None:
    found = of_role(stack(tag_map({"userSub": claim})))
    assert found.logins is not None
    assert found.logins[0].tags["usersub"] == expected


# --- the role's own tags


def test_a_roles_own_tags_are_principal_tags() -> None:
    assert sent(of_role(stack(tags={"UserSub": "x", "other": "y"}))) == [("users", {"usersub": "x"})]


def test_a_sessions_tag_takes_the_place_of_the_roles() -> None:
    assert sent(of_role(stack(tag_map({"userSub": "sub"}), tags={"UserSub": "x"}))) == [("users", {"usersub": "sub"})]
    doubtful = of_role(stack(tag_map({"userSub": "email"}), tags={"UserSub": "x"}))
    assert sent(doubtful) == [("users", {"usersub": "email"}), ("users", {"usersub": "x"})]


@pytest.mark.parametrize(
    "tags",
    [[{"key": "usersub", "value": "x"}], [{"key": "userSub", "value": "x"}]],
)
def test_tags_of_the_native_provider(tags: Any) -> None:
    native = resource(
        "aws-native:iam:Role", "role", roleName="role", arn=role_arn(), assumeRolePolicyDocument=tagging(), tags=tags
    )
    found = of_role([users(), native, role_policy(document([allow(FOLDER)])), vend(role_arn())])
    assert sent(found) == [("users", {"usersub": "x"})]


# --- who gets the role


def test_guests_have_no_tags_of_a_provider() -> None:
    open_to_guests = users(allowUnauthenticatedIdentities=True)
    guests = of_role(
        stack(tag_map({"userSub": "sub"}), of=open_to_guests, assumeRolePolicy=tagging(amr="unauthenticated"))
    )
    assert sent(guests) == [("guests", {})]
    both = trust_of({"Federated": ISSUER}, {"StringEquals": {f"{ISSUER}:aud": POOL}})
    found = of_role(stack(tag_map({"userSub": "sub"}), of=open_to_guests, assumeRolePolicy=both))
    assert sent(found) == [("users", {"usersub": "sub"}), ("guests", {})]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"of": users(developerProviderName="dev")}, "the developer provider `dev` sends the tags"),
        ({"of": users(id=OTHER_POOL)}, f"the stack does not say how users of the identity pool `{POOL}` sign in"),
        ({"of": users(cognitoIdentityProviders=SECRET)}, "how users of the identity pool `pool` sign in is not known"),
        ({"tags": {"userSub": SECRET}}, "which tags the role itself has is not known"),
        ({"tags": {"userSub": "x", "UserSub": "y"}}, "which tags the role itself has is not known"),
        (
            {"assumeRolePolicy": document([*tagging()["Statement"], *trust_of({"AWS": ACCOUNT})["Statement"]])},
            f"`{ACCOUNT}` can assume the role as well, with any tags",
        ),
    ],
)
def test_why_tags_are_not_known(change: dict[str, Any], reason: str) -> None:
    found = of_role(stack(tag_map({"userSub": "sub"}), **change))
    assert found.logins is None
    assert reason in found.reason
    assert not found.pending


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (tag_map(SECRET), "what the tag map `map` sends cannot be read here"),
        (tag_map({"userSub": "sub"}, "someone else"), "which provider of the pool the tag map `map` is for"),
    ],
)
def test_maps_that_are_not_known(made: Resource, reason: str) -> None:
    found = of_role(stack(made))
    assert found.logins is None
    assert reason in found.reason


@pytest.mark.parametrize(
    "change",
    [
        {"more": [tag_map({"userSub": UNKNOWN})]},
        {"more": [tag_map(UNKNOWN)]},
        {"more": [tag_map({"userSub": "sub"}, useDefaults=UNKNOWN)]},
        {"more": [tag_map({"userSub": "sub"}, UNKNOWN)]},
        {"of": users(cognitoIdentityProviders=UNKNOWN)},
        {"tags": UNKNOWN},
        {"tags": {"userSub": UNKNOWN}},
    ],
)
def test_what_is_not_known_at_preview_is_decided_at_update(change: dict[str, Any]) -> None:
    (found,) = vended(stack(*change.pop("more", ()), **change)).values()
    assert found.logins[POOL].pending
    assert [pending for _, _, pending in problems(found.obstacles)] == [True]
    assert found.principal.documents == ()


def test_what_is_not_known_of_tags_that_nobody_speaks_of_is_no_obstacle() -> None:
    (found,) = vended(stack(tag_map({"userSub": UNKNOWN}), grant="arn:aws:s3:::bkt/*")).values()
    assert problems(found.obstacles) == []
    assert len(found.principal.documents) == 1


def test_pools_and_providers_without_names_are_known_by_what_they_depend_on() -> None:
    signing_in, identities = "urn:userPool", "urn:pulumi:test::pack::aws:cognito/identityPool:IdentityPool::pool"
    known = resource(
        "aws:cognito/identityPool:IdentityPool",
        "pool",
        {"cognitoIdentityProviders": [signing_in]},
        id=UNKNOWN,
        allowUnauthenticatedIdentities=False,
        allowClassicFlow=False,
        cognitoIdentityProviders=user_pools(UNKNOWN),  # type: ignore[arg-type]
    )
    made = resource(
        MAP,
        "map",
        {"identityPoolId": [identities], "identityProviderName": [signing_in]},
        identityPoolId=UNKNOWN,
        identityProviderName=UNKNOWN,
        principalTags={"userSub": "sub"},
        useDefaults=False,
    )
    mine = role(arn=role_arn(), assumeRolePolicy=tagging())
    attachment = resource(
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        "vend",
        {"identityPoolId": [identities]},
        identityPoolId=UNKNOWN,
        roles={"authenticated": role_arn()},
    )
    (found,) = vended([known, mine, role_policy(document([allow(FOLDER)])), attachment, made]).values()
    assert [each for each in found.logins if each == identities]
    logins = found.logins[identities].logins
    assert logins is not None
    assert [dict(each.tags) for each in logins] == [{"usersub": SUB}]


# --- what users can write


def writing(*attributes: str, label: str = "client") -> Resource:
    return resource(CLIENT, label, userPoolId="us-east-1_Notes", writeAttributes=list(attributes) or None)


def is_changeable(resources: list[Resource], declared: Declared | None = None) -> bool:
    found = of_role(resources, declared)
    assert found.logins is not None
    claim = found.logins[0].tags["usersub"]
    assert isinstance(claim, Claim)
    return claim.changeable


TENANT = tag_map({"userSub": "custom:tenant"})
MADE = resource(USER_POOL, "users", id="us-east-1_Notes")


def test_whether_a_user_can_change_an_attribute() -> None:
    assert is_changeable(stack(TENANT)), "nothing is known of the app clients"
    assert is_changeable(stack(TENANT, writing("email"))), "another stack may have clients of its own"
    assert not is_changeable(stack(TENANT, MADE, writing("email")))
    assert is_changeable(stack(TENANT, MADE, writing("email"), writing("custom:tenant", label="second")))
    assert is_changeable(stack(TENANT, MADE, writing("email"), writing(label="second"))), "AWS's default"
    assert not is_changeable(stack(TENANT), Declared(fixed=("custom:tenant",)))


def test_what_the_clients_of_another_user_pool_can_write_does_not_matter() -> None:
    other = resource(CLIENT, "staff", userPoolId="us-east-1_Staff", writeAttributes=["custom:tenant"])
    assert not is_changeable(stack(TENANT, MADE, writing("email"), other))


def test_what_is_in_a_token_and_no_attribute_is_not_known() -> None:
    assert is_changeable(stack(tag_map({"userSub": "tenant"}), MADE, writing("email")))
    assert not is_changeable(stack(tag_map({"userSub": "cognito:groups"})))


# --- one resource after the other


def test_a_map_that_comes_later_concerns_the_roles_of_its_pool() -> None:
    so_far = Inventory(whole=False)
    so_far.vended(Declared())
    for each in stack():
        so_far.add(facts(each))

    def now() -> VendedRole:
        (found,) = so_far.vended(Declared())
        return found

    assert sent(now().logins[POOL]) == [("users", {})]
    assert so_far.add(facts(tag_map({"userSub": "sub"}))) == {now().urn}
    assert sent(now().logins[POOL]) == [("users", {"usersub": "sub"})]
    assert so_far.add(facts(tag_map({"userSub": "email"}))) == {now().urn}
    assert sent(now().logins[POOL]) == [("users", {"usersub": "email"})]


def test_before_the_stack_is_whole_the_pool_that_is_left_is_the_one_that_vends() -> None:
    so_far = Inventory(whole=False)
    so_far.vended(Declared())
    for each in stack(tag_map({"userSub": "sub"}), of=users(id=None)):
        so_far.add(facts(each))
    (found,) = so_far.vended(Declared())
    assert sent(found.logins[POOL]) == [("users", {"usersub": "sub"})]


# --- the trust policy


def test_a_provider_whose_tags_the_trust_does_not_allow_gives_no_credentials() -> None:
    refused = of_role(stack(tag_map({"userSub": "sub"}), assumeRolePolicy=trust()))
    assert refused.refused == (USERS,)
    assert of_role(stack(tag_map({"userSub": "sub"}))).refused == ()
    assert of_role(stack(tag_map({}), assumeRolePolicy=trust())).refused == ()
    assert of_role(stack(tag_map({}, useDefaults=True), assumeRolePolicy=trust())).refused == (USERS,)
    guests = stack(tag_map({"userSub": "sub"}), assumeRolePolicy=trust(amr="unauthenticated"))
    assert of_role(guests).refused == ()


def test_a_new_stack_is_decided_as_a_whole_and_reports_nothing_before() -> None:
    """At the first preview no ID is known, and what a resource depends on is told of the whole stack only."""
    names = {"users": "urn:pulumi:test::pack::aws:cognito/userPool:UserPool::users"}
    names["pool"] = "urn:pulumi:test::pack::aws:cognito/identityPool:IdentityPool::pool"
    names["role"] = "urn:pulumi:test::pack::aws:iam/role:Role::role"

    def new(claim: str, whole: bool) -> list[Resource]:
        def of(**depends: str) -> dict[str, list[str]]:
            return {key: [names[name]] for key, name in depends.items()} if whole else {}

        def native(label: str, type_: str, depends: dict[str, list[str]], **props: Any) -> Resource:
            return resource(type_, label, depends, **props)

        settings = {"allowUnauthenticatedIdentities": False, "allowClassicFlow": False, "identityPoolName": "notes"}
        providers = [{"providerName": UNKNOWN, "clientId": UNKNOWN, "serverSideTokenCheck": True}]
        return [
            native("users", USER_POOL, {}, name="users"),
            native(
                "pool",
                "aws:cognito/identityPool:IdentityPool",
                of(cognitoIdentityProviders="users"),
                **settings,
                cognitoIdentityProviders=providers,
            ),
            native("role", "aws:iam/role:Role", of(assumeRolePolicy="pool"), name="role", assumeRolePolicy=UNKNOWN),
            native(
                "files",
                "aws:iam/rolePolicy:RolePolicy",
                of(role="role"),
                role="role",
                name="files",
                policy=document([allow(FOLDER)]),
            ),
            native(
                "vend",
                "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
                of(identityPoolId="pool", roles="role"),
                identityPoolId=UNKNOWN,
                roles={"authenticated": UNKNOWN},
            ),
            native(
                "map",
                MAP,
                of(identityPoolId="pool", identityProviderName="users"),
                identityPoolId=UNKNOWN,
                identityProviderName=UNKNOWN,
                principalTags={"userSub": claim},
                useDefaults=False,
            ),
        ]

    def said(claim: str) -> tuple[list[str], list[str]]:
        session = Session(Settings(), preview=True)
        before = [v.rule.name for each in new(claim, False) for v in session.resource(each).violations]
        report = session.stack(new(claim, True))
        assert any("decided at update" in notice.text for notice in report.notices)
        return before, [violation.rule.name for violation in report.violations]

    assert said("sub") == ([], [])
    assert said("email") == ([], ["s3-isolated-by-identity", "s3-own-folder"])
